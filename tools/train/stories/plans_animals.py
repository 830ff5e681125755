"""Plans about animals: chases, first and second dogs, fables."""

from __future__ import annotations

from .entities import Being, Cast, Thing
from .plan import END, MORAL, TOGETHER, WEATHER, Entities, Plan, say

_CHASERS = ["dog", "cat", "fox", "puppy", "kitten", "goat", "monkey"]


def _plain(cast: Cast, kind: str, name: str) -> Being:
    """A nameless animal called "the dog", "the other dog", "the first dog"."""
    animal = cast.animal(False, [kind])
    cast.taken.discard(kind)
    animal.name = name
    return animal


def _chase_ball(cast: Cast) -> Entities:
    kind = cast.rng.choice([*_CHASERS, "dog", "dog"])
    return {
        "A": _plain(cast, kind, f"the {kind}"),
        "B": cast.child(),
        "X": cast.toy() if cast.rng.random() < 0.4 else _ball(cast),
        "P": cast.place(True),
    }


def _ball(cast: Cast) -> Thing:
    """A ball, whatever toy was drawn."""
    thing = cast.toy()
    thing.noun, thing.name, thing.action = "ball", "the ball", "threw"
    thing.adjective = cast.rng.choice(["red", "blue", "bouncy", "striped", "rubber"])
    return thing


CHASE_BALL = Plan(
    "chase_ball",
    _chase_ball,
    [
        say(
            "{A} chased {X}. It could not catch it.",
            "{A} chased {X} {P.in}. {X} was too fast[, and {A} could not catch it|].",
            "<one_day>, {A} saw {X.a} {P.in}. {A} [wanted to play|liked it very much].",
            "There was {A.intro} {P.in}. It had seen {X.a}, and now it wanted to have it.",
        ),
        WEATHER,
        say(
            "{X} rolled [down the path|over the grass|past the gate], and {A} ran after it.",
            "The wind took {X} and blew it [away|over the fence|into the air]. {A} ran and ran.",
            "{B} had let go of {X}, and now it [rolled|went] faster and faster.",
        ),
        say(
            "{A} jumped, but {X} slipped away. It jumped again, and fell [on its nose|over its own feet|into a "
            "puddle].",
            "{A} tried to stop {X} with its nose. That did not work at all.",
            "Twice {A} almost had it. Twice it got away.",
            "{A} [stopped|sat down] to rest. Its tongue hung out. It was <tired>.",
        ),
    ],
    [
        [
            say(
                "At last {X} came to rest {P.spot}. {A} lay down beside it and put one paw on it.",
                "Then {X} got stuck {P.spot}. Now {A} could catch it at last.",
            ),
            say(
                '{B} came running. "There it is!" {B.he} {B.sound}. "Good {A.kind}! You found my {X.n}."',
                '"Thank you for finding my {X.n}," said {B}. {A} [looked very proud|{A.sound} with joy].',
            ),
            say(
                "{B} {X.did} {X} again, and the chase began anew.",
                "{B} gave {A} {A.food}. It was gone in one bite.",
                "Then the two of them played until [supper|the sun went down|it was dark].",
            ),
            TOGETHER,
        ],
        [
            say(
                "Then {X} fell into the [river|pond|ditch] and floated away. {A} looked after it and {A.sound}.",
                "Then a [bird|gust of wind|boy on a bicycle] took {X} away. {A} could only look after it.",
            ),
            say("{A} was <sad>. It [let its ears hang|lay down {P.spot}|did not want to play any more]."),
            say(
                '{B} saw that and felt sorry for it. "Do not be sad," said {B}. "I have another one at home."',
                '"Poor {A.kind}," said {B}. "Come with me. I will find you another {X.n}."',
            ),
            say(
                "And so {A} got another {X.n}. It was even better than the first one.",
                "The new {X.n} was [bigger|softer|lighter], and it was not too fast. {A} caught it every time.",
            ),
            END,
        ],
        [
            say('In the end {A} gave up. "It is only a {X.n}," it thought. "It does not even taste good."'),
            say(
                "It [went home|walked away slowly|turned around]. Behind it, {X} rolled back down and stopped at "
                "its feet.",
                "But when it had lain down to sleep, {X} came rolling by and bumped into its nose.",
            ),
            say(
                "{A} opened one eye. Now it was not so fast any more. Snap! The {A.kind} had caught it.",
                "{A} {A.sound} and jumped up. What a strange day!",
            ),
            END,
        ],
    ],
    weight=2.0,
)


def _another(cast: Cast) -> Entities:
    kind = cast.rng.choice([*_CHASERS, "dog", "dog", "dog", "rabbit", "duck"])
    first, second = cast.rng.choice([("the {}", "the other {}"), ("the first {}", "the second {}")])
    return {
        "A": _plain(cast, kind, first.format(kind)),
        "B": _plain(cast, kind, second.format(kind)),
        "C": cast.child(),
        "X": cast.treasure(),
        "F": cast.food(),
        "P": cast.place(True),
        "Q": cast.place(True),
    }


ANOTHER = Plan(
    "another",
    _another,
    [
        say(
            "The {A.kind} chased another {A.kind}[ {P.to}| {P.in}|]. [They ran very fast.|Both of them were <happy>.|]",
            "{P.in} there was a {A.kind}. <one_day> another {A.kind} came along.",
            "A {A.kind} met another {A.kind} {P.in}. They looked at each other [for a long time|and sniffed].",
            "There were two {A.kinds} {P.in}. One was [big|brown|old|fat], and the other was [small|white|young|thin].",
            '<one_day>, a {A.kind} saw another {A.kind} {P.in}. "[Who is that|Is that a friend|What does '
            'it want]?" it thought.',
        ),
        WEATHER,
        say(
            "{B} was faster. It ran [over the bridge|under the fence|around the house], and {A} ran after it.",
            "{A} wanted to play, but {B} was <scared> and ran away.",
            "{A} ran to the left, and {B} ran to the left. {A} ran to the right, and {B} ran to the right.",
            "{B} had {F.a}. {A} was hungry and wanted to have it too.",
        ),
        say(
            '"Why are you running away?" {A} asked. "Because you are chasing me," said {B}.',
            '"Wait for me!" {A} {A.sound}. "I only want to play."',
            '"You cannot catch me!" {B} called and [laughed|jumped over a log|hid {P.spot}].',
            '{C} was watching them from the gate. "What silly {A.kinds}," {C.he} said with a laugh.',
        ),
    ],
    [
        [
            say(
                "Round and round they went, until both of them were <tired>. They lay down {P.spot}.",
                "<soon> they could run no more. They drank some water and rested {P.spot}.",
            ),
            say(
                '"You are a good runner," said {A}. "You too," said {B}. "Let us be friends."',
                '"Now it is my turn," said {B}. "I will chase you." And so they began again.',
            ),
            say(
                "From that day on, the two {A.kinds} were always together.",
                "When {C} came with {F.a}, {C.he} had to cut it in two, one half for each {A.kind}.",
                "Sometimes {A} chased {B}, and sometimes {B} chased {A}.",
            ),
            END,
        ],
        [
            say(
                "Then {B} fell into a [deep hole|muddy ditch|cold stream]. It could not get out.",
                "But {B} got stuck [under the fence|in a thorny bush|between two stones]. It could not move.",
            ),
            say(
                "{A} stopped at once. It [pulled|pulled and pushed|dug with both paws] until {B} was free.",
                "{A} did not laugh. It ran to {C} and {A.sound} until {C.he} came to help.",
            ),
            say(
                '"Thank you," said {B}. "I thought that you wanted to bite me." "I wanted to be your '
                'friend," said {A}.',
                '{B} [was ashamed|licked its wet feet|looked up]. "You are kind," it said. "I was wrong about you."',
            ),
            say(
                "They walked home side by side, and nobody was chased any more that day.",
                "After that, {B} gave {A} half of everything it found.",
            ),
            END,
        ],
        [
            say(
                "Then they came to the [pond|river|lake]. In the water {A} saw a third {A.kind}.",
                "There they found {X.a}. Both of them took hold of it.",
            ),
            say(
                "{A} pulled and {B} pulled. Neither of them wanted to let go.",
                '"It is mine!" said {A}. "No, it is mine!" said {B}. They were so loud that a crow woke up.',
            ),
            say(
                '"Stop it," said {C}. "If you fight, you will both lose." But the {A.kinds} did not listen.',
                'While they were quarreling, {C} came and picked up {X}. "I have been looking for this," {C.he} said.',
            ),
            say(
                "In the end there was nothing left to fight about. The two {A.kinds} looked at each other and laughed.",
                "So the first one got nothing, and the other one got nothing. They went home as friends all the same.",
            ),
            MORAL,
        ],
    ],
    weight=2.0,
)


def _fable(cast: Cast) -> Entities:
    return {
        "A": cast.animal(False),
        "B": cast.animal(False),
        "F": cast.food(),
        "X": cast.treasure(),
        "P": cast.place(True),
        "Q": cast.place(True),
    }


FABLE = Plan(
    "fable",
    _fable,
    [
        say(
            "{A.intro} and {B.intro} lived {P.in}. They were [neighbors|good friends|not friends at all].",
            "There was once {A.intro} who met {B.intro} {P.in}.",
            "<one_day>, {A.intro} found {F.a} {P.in}. {B} saw it from far away.",
            "{A} was [hungry|very hungry|looking for food]. {P.in} it met {B.intro}.",
        ),
        WEATHER,
        say(
            '"I can {A.skill}," said {A}. "That is nothing," said {B}. "I can {B.skill}."',
            '"Nobody is as clever as I am," said {A}. {B} only smiled.',
            '"What a fine {A.kind} you are," said {B}. "I have heard that you can {A.skill}. Is that true?"',
        ),
    ],
    [
        [
            say(
                '"Show me," said {B}. So {A} put down {F.a} and showed it. When {A} looked around, the food was gone.',
                "{A} was so proud that it forgot everything else. Quietly {B} took {F.full} and ran.",
            ),
            say(
                '"You may be [strong|quick|clever]," {B} called, "but you are easy to fool!"',
                "From far away {A} could hear {B} eating and laughing.",
            ),
            say(
                '{A} was <sad>. "[A friend would not do that|I should not have shown off|Next time I will '
                'eat first]," it said.'
            ),
            say(
                "Since then, no {A.kind} trusts a {B.kind} who says nice things.",
                "And {A} never bragged again.",
                "The lesson is simple: do not believe everyone who praises you.",
            ),
        ],
        [
            say(
                '"Then let us see who is better," said {A}. "Whoever is first {Q.in} gets {F.full}."',
                "They agreed on a race. The way went {Q.to} and back again.",
            ),
            say(
                "{A} ran [fast|like the wind] and was soon far ahead. So {A} lay down {P.spot} to sleep a little.",
                "At first {A} was in front. Then it stopped to [look at itself in the water|eat some "
                "berries|talk to a crow].",
            ),
            say(
                "{B} did not stop. Step by step it went on, and it did not look left or right.",
                "{B} just went on, slowly but surely.",
            ),
            say(
                'When {A} woke up, {B} was already there. "You can {A.skill}," said {B}, "but you cannot '
                'wait with bragging."',
                '{B} won. {A} [could not believe it|was ashamed], but then it laughed and said, "Well done!"',
            ),
            say(
                "They ate {F.full} together.",
                "Slow and steady wins the race.",
                "Everybody {P.in} still talks about that race.",
            ),
        ],
        [
            say(
                "Suddenly {A} stepped into a trap. It pulled and pulled, but could not get free.",
                "Then the ice broke under {A}, and it fell into the cold water.",
            ),
            say(
                '"Help me!" {A} cried. "Why should I?" asked {B}. "You said I was no use." "I was wrong," said {A}.',
                '{B} heard the cry and came at once. "Do not move," it said. "I can {B.skill}, and I have a plan."',
            ),
            say(
                "{B} bit through the rope[, one thread after another|]. <soon> {A} was free.",
                "{B} held out a long branch, and {A} climbed out, wet and cold.",
            ),
            say(
                '"I will never laugh at you again," said {A}. And it kept its word.',
                "Since that day {A} brings {B} {B.food} every [morning|winter|Sunday].",
            ),
            TOGETHER,
        ],
    ],
    weight=1.3,
)


def _day(cast: Cast) -> Entities:
    return {
        "A": cast.animal(None),
        "B": cast.animal(None),
        "C": cast.child(),
        "F": cast.food(),
        "P": cast.place(True),
        "Q": cast.place(True),
        "X": cast.toy(),
    }


DAY = Plan(
    "day_of_an_animal",
    _day,
    [
        say(
            "{A} lived {A.home}. In the morning {A.he} liked to [stretch|look at the sky|eat {A.food}].",
            "Every morning {A} woke up {A.home} and {A.sound}. That meant: I am hungry!",
            "{A.intro} slept {A.home}. When the sun came up, {A.he} opened one eye.",
        ),
        say(
            "For breakfast there was {A.food}. {A} ate it [all up|slowly|in one bite].",
            "First {A} looked for something to eat. {A.he} found {A.food}, and that was good.",
        ),
        say("Then {A} went {P.to}. <weather>", "After that it was time for a walk {P.to}. <sight>"),
        say(
            "{P.in}, {A} met {B.intro}. They [played tag|looked for worms|sat in the shade|chased each other].",
            '{B.intro} was there too. "Good morning," said {B}. "Good morning," said {A}.',
        ),
    ],
    [
        [
            say(
                "At noon it was so hot that {A} lay down {P.spot} and slept.",
                "At noon {C} came with {F.a}. {A} got a small piece of it, and {B} got one too.",
            ),
            say(
                "In the afternoon {A} [swam a little|dug a hole|watched the clouds]. {B} could {B.skill}, and "
                "{A} liked to watch.",
                "{A} could {A.skill}. {C} clapped {C.his} hands and laughed.",
            ),
            END,
        ],
        [
            say(
                "Suddenly there was a loud noise. {A} was <scared> and hid {P.spot}.",
                "Then something big and dark moved {P.spot_b}. {A} did not dare to breathe.",
            ),
            say(
                'But it was only {C}, who had dropped {X.a}. "Sorry!" said {C}. "I did not want to scare you."',
                'It was only {C} with {X.a}. "Do you want to play?" asked {C}. Of course they did.',
            ),
            END,
        ],
        [
            say(
                "Dark clouds came, and it began to rain. {A} and {B} ran and hid {P.spot}.",
                'Then the wind blew cold. "Come home with me," said {A}. "There is room for two."',
            ),
            say(
                "They listened to the rain and told each other stories.",
                "It was dry and warm there, and they shared {A.food}.",
            ),
            TOGETHER,
        ],
    ],
)

PLANS = [CHASE_BALL, ANOTHER, FABLE, DAY]
