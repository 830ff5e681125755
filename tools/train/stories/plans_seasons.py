"""Plans about snow, picnics, fishing, the market, music and new siblings."""

from __future__ import annotations

from .entities import Cast
from .plan import END, MORAL, OPEN, TOGETHER, WEATHER, Entities, Plan, say


def _cast(cast: Cast) -> Entities:
    hero = cast.hero()
    return {
        "A": hero,
        "B": cast.hero(),
        "C": cast.animal(),
        "D": cast.animal(False),
        "E": cast.elder(hero),
        "V": cast.worker(),
        "W": cast.worker(),
        "X": cast.treasure(),
        "Y": cast.toy(),
        "Z": cast.treasure(),
        "F": cast.food(),
        "P": cast.place(True),
        "Q": cast.place(True),
    }


SNOW = Plan(
    "snow",
    _cast,
    [
        say(
            'When {A} woke up, the world was white. It had snowed all night. "Snow!" {A} {A.sound}.',
            "It was winter, and {A} was waiting for the first snow. {A.he} looked out of the window every morning.",
            "Snow was falling {P.in}. {A}, {A.sort}, put on {A.his} warmest coat.",
            '{A} had never seen snow before. "Is it sugar?" {A.he} asked {E}.',
        ),
        say(
            "{A} ran outside and left a long line of footprints.",
            "Everything was quiet. Even {P} looked different now.",
            "The flakes danced through the air, and {A} tried to catch one with {A.his} tongue.",
        ),
        say(
            '<soon> {B.intro} came out too. "Let us build a snowman," said {B}.',
            "{B.intro} was already there, throwing snow into the air.",
        ),
    ],
    [
        [
            say(
                "They rolled one ball, and then another ball, and then a third one for the head.",
                "The first ball was as big as {C}. The second ball was smaller, and the third was the head.",
            ),
            say(
                "{E} gave them a carrot for the nose, and {A} gave the snowman {X.a}.",
                "For the eyes they took two stones, and {B} found {X.a} for it.",
            ),
            say(
                'In the night it grew warmer. The next morning the snowman was smaller. "He is leaving '
                'us," said {A}. {A} was <sad>.',
                '"He looks lonely," said {B}. So they built another snowman right next to him.',
            ),
            say(
                '"He will come back next winter," said {E}. "Snowmen always do."',
                "At night, so people say, the snowmen walk around and talk.",
            ),
            TOGETHER,
        ],
        [
            say(
                'They took the sled up the hill. "Hold on!" cried {A}, and down they went, faster and faster.',
                'On a steep slope they sat down on an old tray. "Ready?" asked {B}. Then they flew down the hill.',
            ),
            say(
                'At the bottom there was {D.intro} on the path. "Watch out!" They turned, fell over and '
                "landed in deep snow.",
                "Then they hit a bump, flew through the air and landed in a heap of snow.",
            ),
            say(
                "For a moment nobody said anything. Then they all began to laugh.",
                '"You win," said {B}, "but only because I am hungry."',
            ),
            say(
                "At home {E} was waiting with {F.a} and hot milk.",
                "Their cheeks were red, and their feet were cold, but they were <happy>.",
            ),
            END,
        ],
    ],
)

PICNIC = Plan(
    "picnic",
    _cast,
    [
        OPEN,
        say(
            "<one_day>, {A} and {B.intro} wanted to have a picnic {P.in}. They took {F.a} and {X.a}.",
            '"Let us eat outside today," said {E}. So {A} packed {F.a} into a basket and called {B.intro}.',
        ),
        say("<weather> They put a blanket on the ground {P.spot}.", "They found a good place {P.spot}. <sight>"),
    ],
    [
        [
            say(
                "But when {A} opened the basket, {F} was gone! Only a few crumbs were left.",
                '"Where is {F}?" asked {B}. It had been there a moment ago.',
            ),
            say(
                '"Look, footprints!" said {A}. They followed them {Q.to}.',
                "A line of crumbs led {P.spot_b}. They followed it on tiptoe.",
            ),
            say(
                'There sat {C.intro} with a full belly. "I am sorry," said {C}. "It smelled so good."',
                "They found {C.intro}, who had five hungry children. {A} was not angry any more.",
            ),
            say(
                '"Next time, just ask," said {A}. "I will bring you {C.food}."',
                "{C} wanted to make up for it and showed them where the sweetest berries grow.",
            ),
            say(
                "So they had berries for lunch, and these were better than anything.",
                "The next time, they brought enough for everyone.",
            ),
            TOGETHER,
        ],
        [
            say(
                'Then it began to rain. "<dismay>" said {B}. "Quickly, under the tree!" said {A}. '
                "They sat close together under the blanket, and it was almost like being in a tent. "
                "{F} was a little wet, but it tasted good all the same.",
                "Then the ants came, first one, then another, and then a hundred of them. "
                "They moved to another place, and the ants moved too. "
                '"They are hungry too," said {A}, and gave them a small piece.',
            ),
            TOGETHER,
        ],
    ],
)

FISHING = Plan(
    "fishing",
    lambda cast: {**_cast(cast), "P": cast.place(True, ["lake", "river", "harbor"])},
    [
        OPEN,
        say(
            "<one_day>, {A} and {E} went fishing {P.in}. They had to be very quiet.",
            "<one_day>, {A} sat {P.in} with a fishing rod and waited.",
        ),
        WEATHER,
        say(
            "An hour went by, and nothing happened. Then the line moved!",
            '"How long does it take?" asked {A}. "As long as it takes," said {E}.',
        ),
    ],
    [
        [
            say(
                '{A} pulled and pulled. Out came an old boot. "<dismay>" said {A}. {E} laughed.',
                "But it was only {X.a}, covered with weeds.",
            ),
            say(
                "The second time it was a tin can, and the third time it was another boot.",
                '"Try another place," said {C.intro}, who was watching from a stone.',
            ),
            say(
                '"Now I have two boots," said {A}. "All I need is somebody with two feet."',
                "In the evening {A} had caught no fish at all, but {A.he} had seen an otter, a heron and a rainbow.",
            ),
            say(
                "They ate {F.a} for supper instead, and it was a good day.",
                '"Sometimes that is how it is," said {E}. "The fish had luck today."',
            ),
            END,
        ],
        [
            say(
                'It was a golden fish. "Please let me go," it said, "and I will help you one day."',
                "A big fish looked {A.him} in the eye. It seemed to be <sad>.",
            ),
            say(
                "{A} thought about it and put the fish back into the water. It swam around twice and was gone.",
                '"Go home," said {A}. {E} nodded and said nothing.',
            ),
            say(
                "A week later {A} lost {X.full} in the deep water. The next morning it lay on the shore, and a "
                "golden tail splashed far out.",
                "When {A.his} boat turned over in a storm, something strong and golden carried {A.him} to the shore.",
            ),
            say(
                "Since then, {A} always brings a little bread for the fish.",
                '"Thank you," {A} called. The water only sparkled.',
            ),
            END,
        ],
    ],
)

SWAP = Plan(
    "swap",
    _cast,
    [
        OPEN,
        say(
            "<one_day>, {A} took {X.a} to the market. {A.he} wanted to get {Y.a} for it.",
            "<one_day>, {A} found {X.a} and did not know what to do with it.",
        ),
        say(
            'On the way {A.he} met {V.intro}. "I have been looking for {X.a} for years," said {V}. "I will '
            'give you {Z.a} for it."',
            '"What a fine {X.n}!" said {V.intro}. "Will you trade it for {Z.a}?"',
        ),
        say(
            '{A} agreed. A little later {A.he} met {W.intro}. "I really need {Z.a}," said {W}. "You can '
            'have {F.a} for it."',
            "So {A} gave {V} {X} and got {Z}. Then came {W.intro}, who liked {Z} very much and offered {F.a}.",
        ),
    ],
    [
        [
            say(
                "{F} smelled so good that {A} agreed again. But before {A.he} could take a bite, {C.intro} came "
                "along, thin and hungry.",
                "So now {A} had {F.a}. {A.he} sat down to eat, and there sat {C.intro} with big eyes.",
            ),
            say(
                '{A} gave {C} all of it. Now {A.he} had nothing at all. "I had {X.a}, I had {Z.a}, I had '
                '{F.a}," {A} said, "and now I have a friend."',
                '"Take it," said {A}. And so {A} had given everything away.',
            ),
            say(
                "{E} laughed when {A.he} heard the story.",
                'When {A} told {E} about it, {E} said, "That was the best trade of all."',
            ),
            say("{C} stayed with {A} ever after.", "And {C} could {C.skill}, which is worth more than {X.a}."),
        ],
        [
            say(
                '"No, thank you," said {A}. "I want {Y.a}." But nobody at the market had one.',
                "{A} went on and on, trading one thing for another.",
            ),
            say(
                'In the evening {A} met {V} again. "I am not happy with {X}," said {V}. "Do you want it back?"',
                "In the end somebody offered {A.him} {X.a}. It was the same one that {A} had had in the morning!",
            ),
            say(
                "{A} laughed. So {A.he} came home with the same thing that {A.he} had left with.",
                '"A whole day, and nothing has changed," {A} said. "But I have met many people."',
            ),
            say('"Now I know that I like it," said {A} and put it next to {A.his} bed.'),
            MORAL,
        ],
    ],
)

MUSIC = Plan(
    "music",
    _cast,
    [
        OPEN,
        say(
            "{A} loved music more than anything. {A.he} sang when {A.he} got up, and {A.he} sang when {A.he} "
            "went to bed.",
            "<one_day>, {A} found a flute {P.spot}. {A.he} blew into it, and it made a terrible noise.",
        ),
        say('"Not so loud!" said {B.intro}. "I want to sleep."', '"Please stop," said {E}. "My ears hurt."'),
        say(
            "{A} was <sad> and went {P.to}, where nobody could hear {A.him}.",
            "So {A} practiced outside, {P.in}, day after day.",
        ),
    ],
    [
        [
            say(
                '{C.intro} was sitting {P.spot_b} and listened. "That was nice," said {C}. "Can I sing along?"',
                "Somebody began to sing. It was {C.intro}. It sounded good together.",
            ),
            say(
                "Then came {D.intro} and drummed on a log. Now there were three of them.",
                '"I know someone who can drum," said {C}, and called {D.intro}.',
            ),
            say(
                "In summer they gave a concert {Q.in}. Even {B} was there and tapped {B.his} foot.",
                "One evening they played {Q.in}, and all the people opened their windows.",
            ),
            say(
                '"I am sorry that I complained," said {B}. "Will you play another song?"',
                'Everybody clapped and shouted, "Another one! Another one!"',
            ),
            END,
        ],
        [
            say(
                "After many weeks it sounded better. The birds came closer and listened.",
                "{W.intro} heard it and showed {A} how to hold it.",
            ),
            say(
                "One night there was thick fog, and {E} did not come home. {A} was <scared>. Then {A} had an "
                "idea and played as loud as {A.he} could.",
                "In autumn {E} got lost in the fog. {A} climbed on the roof and played and played.",
            ),
            say(
                "{E} heard the music and followed it, step by step, until {E.he} was home.",
                "The sound went over the fields. And out of the fog came {E}, tired but safe.",
            ),
            say(
                "Nobody ever said again that {A} was too loud.",
                '"Your music brought me home," {A} heard, and those were the best words of all.',
            ),
            END,
        ],
    ],
)

BABY = Plan(
    "baby",
    lambda cast: {**_cast(cast), "A": cast.child(), "B": cast.child(), "C": cast.animal(True)},
    [
        say(
            "{A}, {A.sort}, had a new baby brother. Everybody came to see him, and nobody looked at {A}.",
            "There was a baby in the house now. {A} had wished for a puppy, but it was a sister.",
        ),
        say(
            '"Be quiet, {A}, the baby is asleep," said Mom. "Not now, {A}," said Dad.',
            "The baby cried all day and all night. It could not even play.",
        ),
        say(
            "{A} was <sad>. {A.he} took {A.his} {X.n} and sat down {P.spot} {P.in}.",
            '"Nobody needs me any more," {A} told {C.intro}. {C} {C.sound}.',
        ),
    ],
    [
        [
            say(
                "Then the baby began to cry, and nobody could make it stop. Mom tried, Dad tried, and {B.intro} "
                "from next door tried.",
                'In the evening the baby screamed and screamed. "What does it want?" asked Dad.',
            ),
            say(
                "{A} came with {Y.a}, made a funny face and sang a little song. The baby stopped crying and smiled.",
                "{A} carefully took its small hand. At once the baby was quiet.",
            ),
            say(
                '"You are the only one who can do that," said Mom. "What would we do without you?"',
                '"You are a wonderful big {A.kind}," said Dad.',
            ),
            say(
                "{A} was <happy>. It was not so bad to have a baby in the house.",
                "That evening Mom read a story, only for {A}.",
            ),
            END,
        ],
    ],
    weight=0.5,
)

PLANS = [SNOW, PICNIC, FISHING, SWAP, MUSIC, BABY]
