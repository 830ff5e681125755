"""Plans about wishes, magic, the night and long journeys."""

from __future__ import annotations

from .entities import Cast
from .plan import END, MORAL, OPEN, TOGETHER, WEATHER, Entities, Plan, say


def _cast(cast: Cast) -> Entities:
    hero = cast.hero()
    return {
        "A": hero,
        "B": cast.animal(),
        "D": cast.animal(False, ["dragon", "bear", "lion", "elephant", "owl"]),
        "E": cast.elder(hero),
        "W": cast.worker(),
        "X": cast.treasure(),
        "Y": cast.toy(),
        "F": cast.food(),
        "P": cast.place(True),
        "Q": cast.place(True),
        "R": cast.place(True),
    }


WISH = Plan(
    "wish",
    _cast,
    [
        OPEN,
        say(
            "<one_day>, {A} found {X.a} {P.spot} {P.in}. When {A.he} touched it, it began to [glow|hum|speak].",
            'One night {A} saw a falling star. "Make a wish," said a quiet voice.',
            '<one_day>, {A} helped {B.intro}. "I am a magic {B.kind}," said {B}. "You have one wish."',
        ),
        say(
            '"Is this real?" asked {A}. "It is," said the voice, "but choose well. You have only one wish."',
            "{A} could hardly believe it. A wish! {A.he} thought of {F.a}, of {Y.a}, and of a house full of gold.",
            "<think>",
        ),
    ],
    [
        [
            say(
                '"I wish that I could fly," said {A}. And at once {A.he} rose into the air.',
                '"I wish to be very big," said {A}. At once {A.he} began to grow.',
            ),
            say(
                "At first it was wonderful. {A} looked down on {Q} and laughed. Everything was so small.",
                '"<cheer>" {A} {A.sound}. {A.he} could see {P} and {Q} and even the sea.',
            ),
            say(
                "But soon {A} was alone. Nobody could play with {A.him}, and {A.he} became <sad>.",
                "But then evening came, and it grew cold. {A} wanted to go home, but {A.he} did not know how.",
            ),
            say(
                '"I wish that everything was as before," said {A}. A soft wind came, and {A} was back home with {E}.',
                '{B.intro} came and whispered, "Close your eyes and think of home." {A} did, and there '
                "{A.he} was again.",
            ),
            MORAL,
            END,
        ],
        [
            say(
                'Then {A} thought of {E}, who was ill. "I wish that {E} was well again," {A.he} said.',
                'Then {A} saw {W.intro}, who was poor and had no coat. "I wish for a warm coat for {W}," said {A}.',
            ),
            say(
                '"You do not want anything for yourself?" asked the voice. "No," said {A}.',
                "There was a bright light, and then it was dark again. {A} ran home.",
            ),
            say(
                "And so it happened. When {A} came home, there was laughter and the smell of {F.a}.",
                "The next morning the wish had come true. Nobody knew why, only {A} did.",
            ),
            say(
                "On the table lay {X.a}. Nobody knew where it came from.",
                '"Whoever gives gets something back," said the voice in a dream.',
            ),
            END,
        ],
        [
            say(
                '"I wish for {Y.a}," said {A} quickly. Puff! There it was.',
                '"I wish for {F.a} as big as a house," said {A}. Puff!',
            ),
            say(
                "{A} was <happy>, but only for a day. Then {A.he} wanted another thing, and then another.",
                "It was fun for an hour. Then {A} had had enough.",
            ),
            say(
                '"I should have asked for a friend," {A} said with a sigh. "You do not need magic for '
                'that," said {B.intro}.',
                '{B.intro} came along and looked at it. "Do you want to play with me?" asked {B}.',
            ),
            say("{A} laughed. That was better than any wish.", "And {A} found out that {B} could {B.skill}."),
            TOGETHER,
        ],
    ],
    weight=1.2,
)

NIGHT = Plan(
    "night",
    _cast,
    [
        say(
            "It was night, and {A} could not sleep. The moon [shone through the window|hung over the roofs|was "
            "round and yellow].",
            "{A} was {A.sort}. In the daytime {A.he} was never afraid, but at night {A.he} did not like the dark.",
            "One night {A}, {A.sort}, woke up. Everything was dark and quiet.",
        ),
        say(
            'Then {A.he} heard something. Tap, tap, tap. "What is that?" {A} whispered.',
            "There was a strange shadow on the wall. It had long ears and a big nose.",
            "Something scratched at the door. {A} pulled the blanket over {A.his} head.",
        ),
        say(
            "{A} was <scared>. {A.he} wanted to call {E}, but no sound came out.",
            "{A.his} heart went bump, bump, bump.",
        ),
    ],
    [
        [
            say(
                "At last {A} got up and took {X.a}. Step by step {A.he} went to the [window|door].",
                '"I am brave," {A} said to {A.himself}, and {A.he} got up.',
            ),
            say(
                'It was only {B.intro}! "I cannot sleep either," said {B}.',
                'There sat {B.intro}. "Sorry," said {B}. "I am looking for {B.food}."',
            ),
            say(
                "They looked at the stars together and counted them, until both of them were <tired>.",
                '"Are you not afraid of the dark?" asked {A}. "No," said {B}. "In the dark you can see the stars."',
            ),
            say(
                "Since that night {A} has not been afraid any more.",
                "Then {A} went back to bed and slept until morning.",
            ),
            END,
        ],
        [
            say(
                '{E} came in with a lamp. "What is the matter?" asked {E}. "There is a monster," said {A}.',
                '"Help!" {A} {A.sound} at last. The light went on at once.',
            ),
            say(
                '"Let us look at it," said {E}. They looked, and it was only {X.a} on a chair.',
                "They looked together. It was only a branch that the wind moved against the window.",
            ),
            say(
                'They both laughed. "Things look bigger at night," said {E}. "In the light they are small again."',
                "{E} told a story about {D.intro} who was afraid of the moon. {A} had to laugh.",
            ),
            say(
                "{E} left the door open a little. <soon> {A} was asleep.",
                '"Good night," said {E}. But {A} was already asleep.',
            ),
        ],
        [
            say(
                "Suddenly {A} was in a strange land. The trees were blue, and {D.intro} flew through the air.",
                'Then the window opened, and {D.intro} looked in. "Come with me," said {D}.',
            ),
            say(
                "They flew over {P} and over {Q}. Far below, the houses were as small as toys.",
                "They danced on the clouds and ate {F.a} that tasted of snow.",
            ),
            say(
                '"It is time," said {D}. "The sun is coming up." And {A} fell, softly like a feather.',
                "Then a bell rang, and everything disappeared.",
            ),
            say(
                "{A} opened {A.his} eyes and lay in bed. It had been a dream. But what was that? On the pillow "
                "lay {X.a}!",
                '"What a dream!" {A} said in the morning. {E} smiled and said nothing.',
            ),
            END,
        ],
    ],
)

JOURNEY = Plan(
    "journey",
    _cast,
    [
        OPEN,
        say(
            "<one_day>, {A} wanted to see the world. {A.he} packed {F.a} and {X.a} and set off.",
            '<one_day>, {E} said, "Please bring {X.full} to {W}, who lives behind {P}."',
            '<one_day>, {A} found a map. A red cross showed a place {P.in}. "A treasure!" said {A}.',
        ),
        say("<walk> <weather>", "{A} walked for a long time, over the hill and past {Q}."),
        say(
            'On the way {A} met {B.intro}. "Where are you going?" asked {B}. "Far away," said {A}. "Can I come along?"',
            '{P.in} sat {B.intro}. "May I come with you?" asked {B}. "Gladly," said {A}. "Two are better than one."',
        ),
    ],
    [
        [
            say(
                'They came to a wide river. There was no bridge. "What now?" asked {A}.',
                "Then the path ended at a high wall. They could not go left, and they could not go right.",
            ),
            say(
                '"I can {B.skill}," said {B}. "That will help us." And it did.',
                "<think> Then {A} saw a fallen tree, and they climbed across, one after the other.",
            ),
            say(
                'Behind it stood {D.intro}. "Nobody gets past me," {D.he} said, "without giving me something."',
                'On the other side {D.intro} was waiting. "Who is walking on my path?"',
            ),
            say(
                '{A} was <scared>, but gave {D} {F.full}. {D} ate it and smiled. "Nobody ever gave me '
                'anything," {D.he} said. "You may pass."',
                '"We only want to go on," said {A} politely. "You are the first one who asked nicely," '
                "said {D} and stepped aside.",
            ),
            say(
                "At last they got there. It was the most beautiful place they had ever seen.",
                'In the end they found a chest. In it was no gold, but {Y.a}, and a letter: "Well done!"',
            ),
            TOGETHER,
        ],
        [
            say(
                'Night came, and they had lost their way. "I want to go home," said {A}.',
                'After three days {A} became homesick. "I wonder what {E} is doing now," {A.he} said.',
            ),
            say(
                '"Look," said {B}. "A light!" It came from the little house of {W.intro}.',
                "They asked {W.intro} for the way. {W} gave them {F.a} and a warm place to sleep.",
            ),
            say(
                'The next morning {W} showed them the road. "Always follow the river," said {W}.',
                "{W} drew a map for them on a piece of bark.",
            ),
            say(
                'And then {A} saw {A.his} own roof, and {E} stood at the door and waved. "Tell me '
                'everything," said {E}.',
                "{A} ran the last part of the way, straight into the arms of {E}.",
            ),
            END,
        ],
    ],
    weight=1.2,
)

GIANT = Plan(
    "guardian",
    _cast,
    [
        say(
            "Far away, {D.home}, there lived {D.intro}. Everybody was afraid of it.",
            'The people {P.in} were afraid of {D}. "It will eat us," they said.',
            "Nobody went {P.to} any more, because there lived {D.intro}.",
        ),
        say("Only {A}, {A.sort}, was not afraid. {A.he} {A.habit}.", "{A.intro} wanted to know whether that was true."),
        say(
            '<one_day>, {A} went there with {F.a}. "Is anybody there?" {A.he} called.',
            "<one_day>, {A} took {X.a} and set off, although {E} had said no.",
        ),
        WEATHER,
    ],
    [
        [
            say(
                '"Who is there?" a deep voice said. {D} came out. It was [really big|taller than a house]. '
                "But it looked <sad>.",
                "{D} {D.sound} loudly. The ground shook. {A} did not run away.",
            ),
            say(
                '"Why do you do that?" asked {A}. "Because nobody ever visits me," said {D}. "They all run away."',
                '"Are you going to eat me?" asked {A}. "No," said {D}. "I only eat {D.food}."',
            ),
            say(
                "{A} and {D} sat down and ate {F} together. {D} told {A} about the old times.",
                "{A} showed {D} {X}. {D} had never seen such a thing and laughed, and it sounded like thunder.",
            ),
            say(
                "In the evening {A} took {D} along to the village. At first the people were <scared>, but then "
                "they saw that {D} was gentle.",
                '"Come and see!" {A} told everybody. "{D} is not bad. {D} is only lonely."',
            ),
            say(
                "Since that day {D} helps the people [carry wood|build houses|bring in the harvest], and nobody "
                "is afraid any more.",
                "Today the children ride on its back, and {D} is <happy>.",
            ),
        ],
        [
            say(
                "{D} was lying on the ground and moaned. It had a thorn in its foot.",
                "{D} was not angry at all. It was ill.",
            ),
            say(
                '"Hold still," said {A}. {A.he} pulled and pulled, and out came the thorn.',
                "{A} cooked some tea and stayed until {D} was better.",
            ),
            say(
                '"You are the first one who was good to me," said {D}. "Take this." And it gave {A} {X.a}.',
                '"Whenever you need me," said {D}, "call my name three times."',
            ),
            say(
                "When a great storm came that winter, {A} called. {D} came and carried all the people to safety.",
                '{A} went home and told {E}. "I was wrong," said {E}. "One should never judge anybody too early."',
            ),
            END,
        ],
    ],
)

PLANS = [WISH, NIGHT, JOURNEY, GIANT]
