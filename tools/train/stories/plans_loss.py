"""Plans about losing, breaking and finding things."""

from __future__ import annotations

from .entities import Cast
from .plan import END, MORAL, OPEN, TOGETHER, Entities, Plan, say


def _lost(cast: Cast) -> Entities:
    hero = cast.hero()
    thing = cast.toy() if cast.rng.random() < 0.5 else cast.treasure()
    return {"A": hero, "B": cast.animal(), "E": cast.elder(hero), "X": thing, "P": cast.place(), "Q": cast.place()}


LOST = Plan(
    "lost",
    _lost,
    [
        OPEN,
        say(
            "{A} had {X.a}, and {A.he} [loved it|took it everywhere|never went anywhere without it].",
            "{A.his} favorite thing in the world was {X.a}. [It was a present from {E}.|{E} had given it to {A.him}.|]",
            "More than anything, {A} loved {X.full}.",
        ),
        say(
            '<one_day>, {X} was gone. ["<dismay>" said {A}.|{A} could not find it anywhere.]',
            '<one_day>, {A} looked for {X} and could not find it. "<dismay>" {A.he} cried.',
            "<one_day>, {A} woke up and {X} was not there. {A} was <sad>.",
            '<one_day>, after a long walk {P.in}, {A} saw that {X} was missing. "<dismay>"',
        ),
        say(
            "{A} looked under the bed. {A} looked behind the door. {X} was not there.",
            "{A} searched [everywhere|high and low|for an hour]: {P.spot_b}, {P.spot_c}, even in the soup pot. "
            "Nothing!",
            '"Where did you see it last?" asked {E}. "^{P.in}," said {A}.',
            '"Have you seen {X}?" {A.he} asked {E}. "No," said {E}, "but [I will help you look|maybe it is {P.in}]."',
        ),
    ],
    [
        [
            say("So {A} went {P.to}. <weather>", "{A} ran {P.to} [at once|as fast as {A.he} could]."),
            say(
                'There {A} met {B.intro}. "What are you looking for?" asked {B}.',
                '{B.intro} was sitting {P.spot_b}. "You look <sad>," said {B}. "What is wrong?"',
            ),
            say(
                '"I lost my {X.n}," said {A}. "[It is {X.adj}|It is very dear to me]. Can you help me?"',
                '"My {X.n} is gone," {A} said [sadly|with a sigh|in a small voice].',
            ),
            say(
                "{B} could {B.skill}. [In no time|<soon>] {B} found {X} {P.spot}!",
                'They looked together. <soon> {B} called, "Come here! Is this it?" It was {X}, {P.spot}.',
                '"I saw something {X.adj} {P.spot}," said {B}. And there it was!',
            ),
            say("<thanks>"),
            TOGETHER,
        ],
        [
            say(
                "{A} went back {P.to} and looked {P.spot_b}. There was only {B.called}, fast asleep.",
                "{A} walked all the way {P.to}. {A.he} looked {P.spot_b}, but found only [a dry leaf|an old "
                "shoe|a snail].",
            ),
            say("<think>"),
            say(
                "Then {A.he} heard a [soft|funny|little] sound {P.spot}. {A.he} looked, and there lay {X}!",
                "<soon> something shone {P.spot}. It was {X}! It had been there all the time.",
                "Just when {A} wanted to give up, {A.he} saw {X} {P.spot}.",
            ),
            say(
                '{A} picked it up and held it tight. "I will never lose you again," {A.he} said.',
                '{A} laughed and danced around. "<cheer>" {A.he} {A.sound}.',
                '{A} carried it home and showed it to {E}. "I am glad," said {E}.',
            ),
            MORAL,
            END,
        ],
        [
            say(
                "The next day {A} saw {B.intro} {P.in}. {B} had {X}!",
                "{P.in}, {A} met {B.intro}. {B} was playing with {X.a}.",
            ),
            say(
                '"That is my {X.n}!" said {A}. "I found it {P.spot}," said {B}. "I did not know that it was yours."',
                '"Where did you get that?" asked {A}. "It was lying {P.spot}," said {B}. "Is it yours?"',
            ),
            say(
                '{B} gave it back, but looked <sad>. {A} saw it. "We can [share it|play with it together]," said {A}.',
                '"Here, take it," said {B}. {A} thought for a moment. "Let us share it," {A.he} said.',
            ),
            TOGETHER,
        ],
    ],
)


def _broken(cast: Cast) -> Entities:
    hero = cast.hero()
    return {"A": hero, "B": cast.child(), "E": cast.elder(hero), "X": cast.treasure(), "P": cast.place()}


BROKEN = Plan(
    "broken",
    _broken,
    [
        OPEN,
        say(
            "<one_day>, {A} was playing {P.in}. {A.he} was not supposed to touch {X.full} that belonged to {E}.",
            'In the house there was {X.a}. "Please be careful with it," said {E}.',
            "{E} had {X.a} on a high shelf. {A} wanted to look at it [just once|from close up].",
        ),
        say(
            "But {A} took {X} down, only for a moment. Then it slipped and fell. Crack!",
            "{A} [ran past too fast|jumped too high|was not looking], and {X} fell to the floor. It broke in two.",
            "{A} picked it up. It was [heavier than {A.he} thought|slippery], and it fell with a loud crash.",
        ),
        say(
            '"<dismay>" whispered {A}.',
            "{A.his} heart beat fast.",
            "{A} felt <sad>.",
            "For a while {A} just stood there.",
        ),
    ],
    [
        [
            say(
                "{A} hid the pieces {P.spot}. But {A.he} could not eat and could not sleep.",
                'First {A} wanted to hide the pieces. "Nobody will know," {A.he} thought. But it did not feel right.',
            ),
            say(
                'In the end, {A} went to {E}. "I broke {X}," {A.he} said. "I am sorry."',
                '"I have to tell you something," {A} said to {E}. "It was me. I broke {X}."',
            ),
            say(
                '{E} was [quiet for a moment|sad, but not angry]. "Thank you for telling the truth," said {E}.',
                '{E} put an arm around {A.him}. "Things can be mended," said {E}. "The truth is worth more."',
            ),
            say(
                "Together they [glued|put] the pieces [back|] together.",
                "They mended it with glue and a lot of patience.",
            ),
            MORAL,
            END,
        ],
        [
            say(
                '{B.intro} saw everything. "Do not cry," said {B}. "I can help you fix it."',
                'Just then {B.intro} came in. "What happened?" asked {B}.',
            ),
            say(
                "They [worked|sat at the table] all afternoon[ with glue and string|]. {X} was not like new, but "
                "it was whole.",
                "{B} held the pieces and {A} put on the glue. They waited until it was dry.",
            ),
            say(
                'When {E} came home, {A} told the whole story. {E} [laughed|smiled]. "Now I like it even '
                'more," said {E}.',
                '{A} showed it to {E} and said sorry. "You were honest, and you were clever," said {E}.',
            ),
            say("<thanks>", chance=0.4),
            TOGETHER,
        ],
    ],
)

PLANS = [LOST, BROKEN]
