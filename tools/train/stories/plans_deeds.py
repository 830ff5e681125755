"""Plans about helping, sharing, giving, cooking, growing and bad weather."""

from __future__ import annotations

from .entities import Cast
from .plan import END, MORAL, OPEN, TOGETHER, WEATHER, Entities, Plan, say


def _cast(cast: Cast) -> Entities:
    hero = cast.hero()
    return {
        "A": hero,
        "B": cast.animal(),
        "C": cast.child(),
        "E": cast.elder(hero),
        "W": cast.worker(),
        "X": cast.treasure(),
        "Y": cast.toy(),
        "F": cast.food(),
        "P": cast.place(True),
        "Q": cast.place(True),
    }


BAKED = ["cake", "pie", "bun", "pancake", "loaf of bread", "cookie"]

HELP = Plan(
    "help",
    _cast,
    [
        OPEN,
        say("<one_day>, <walk>", "<one_day>, {A} was walking {P.in}."),
        WEATHER,
        say(
            "There {A.he} heard somebody crying. It was {B.intro}.",
            "{P.spot} {A} found {B.intro}. {B} looked <sad>.",
            '"Help! Help!" called a small voice. It came from {B.intro}.',
        ),
    ],
    [
        [
            say(
                '{B} was stuck [in the mud|in a thorny bush|between two rocks] and could not move. "Do not '
                'be afraid," said {A}. '
                '"I will help you." {A} pulled [carefully|as hard as {A.he} could], and a moment later {B} was free.',
                "{B} had hurt {B.his} foot and could not walk. {A} looked at it, cleaned it with water and "
                "wrapped a leaf around it.",
                '{B} had a thorn in {B.his} foot. "Hold still," said {A} gently. "This will not take long." '
                "One pull, and the thorn was out.",
            ),
            say('"Thank you," said {B}. "One day I will help you too."', "<thanked>"),
            say(
                "A week later, {A} got lost {Q.in}. It was dark and cold. Then {B} came and showed {A.him} the "
                "way home.",
                "And really, when {A} lost {A.his} {X.n} {Q.in}, it was {B} who found it.",
            ),
            TOGETHER,
        ],
        [
            say(
                '"I cannot find my way home," said {B}. "I live {B.home}, but I do not know where that is."',
                '"I am lost," said {B}. "I only wanted to look at a butterfly, and now I do not know where I am."',
            ),
            say(
                '"I know somebody who can help," said {A}. They went to {W.intro}, who knew every path.',
                '<think> "What can you see from your home?" asked {A}. "A tall tree and a windmill," said {B}.',
            ),
            say(
                "Together they walked [over the hill|along the river|through the tall grass], until {B} "
                '{B.sound}, "There it is!"',
                "It was a long way. When {B} was <tired>, {A} told {B.him} a story.",
            ),
            say("{B} was home again, {B.home}. {A} got {B.food} as a thank-you.", "<thanked>"),
            TOGETHER,
        ],
        [
            say(
                '"I am so hungry," said {B}. "I have not eaten since yesterday."',
                '"I wanted to get {B.food}," said {B}, "but it is too high for me."',
            ),
            say(
                '{A} had only {F.a}. {A.he} broke it in two. "Here," {A.he} said, "one half for you and one for me."',
                "{A} stood on {A.his} toes, but could not reach it. Then {B} climbed on {A.his} back, and it worked.",
            ),
            say("It was not much, but it tasted better than ever.", "They ate together and looked at the clouds."),
            TOGETHER,
        ],
    ],
    weight=1.3,
)

SHARE = Plan(
    "share",
    _cast,
    [
        OPEN,
        say(
            "<one_day>, {E} gave {A} {F.a}. It [smelled wonderful|was still warm|was the last one].",
            '<one_day>, {A} got {Y.a}. "It is mine, only mine," said {A}.',
        ),
        say(
            '{C.intro} came by. "May I have a little?" asked {C}.', '{C.intro} looked at it. "Can we share?" asked {C}.'
        ),
    ],
    [
        [
            say(
                '"No," said {A}. "It is mine." {C} was <sad> and went away.',
                "{A} shook {A.his} head and ran {P.to} to be alone with it.",
            ),
            say(
                "But alone it was not as nice as {A.he} had thought. Something was missing.",
                "{A} sat {P.spot}. It was quiet. Nobody laughed, and nobody talked.",
            ),
            say(
                "Then {A} saw {C} sitting with {B.intro}. They had only one nut, and {C} gave half of it to {B}.",
                '"Why do you look so <sad>?" asked {E}. "Is it not good?" {A} did not know what to say.',
            ),
            say(
                '{A} got up and went to {C}. "I am sorry. Let us share," {A.he} said.',
                '"I was wrong," thought {A}. {A.he} ran after {C}. "Wait! There is enough for two."',
            ),
            say("It was only half as much, but it was twice as good.", "{C} smiled, and so did {A}."),
            MORAL,
        ],
        [
            say(
                '"Of course," said {A}, and gave {C} [one half|the bigger part|a turn].',
                "{A} thought for a moment. Then {A.he} nodded.",
            ),
            say(
                "Then came {B.intro}. {B} looked at them with big eyes. So they shared with {B} too.",
                '"What about me?" asked {B.intro}. They laughed and made room for {B}.',
            ),
            say(
                "In the end there was hardly anything left for {A}. But {E} had seen it all and brought {X.a} as "
                "a present.",
                'The next day {C} brought {X.a}. "This is for you, because you shared with me," said {C}.',
            ),
            END,
        ],
    ],
)

GIFT = Plan(
    "gift",
    _cast,
    [
        OPEN,
        say(
            "It was the birthday of {E}, and {A} wanted to give {E.him} something special.",
            "Tomorrow was the birthday of {E}. {A} had no money for a present.",
        ),
        say("<think>", '"What can I give?" {A} asked {B.intro}.', chance=0.8),
    ],
    [
        [
            say(
                "{A} went {P.to} and picked [yellow flowers|blue flowers|wild roses|a bunch of daisies].",
                "{A} went {P.to} to look for something pretty. {P.spot} {A.he} found {X.a}.",
            ),
            say(
                "But on the way home it began to rain, and {A} fell into a puddle. Everything was wet and "
                'dirty. "<dismay>"',
                "But {C.intro} came by and looked <sad>. So {A} gave {C} the present to cheer {C.him} up.",
            ),
            say(
                "With empty hands {A} came home. {A.he} told {E} what had happened.",
                '"Now I have nothing for you," {A} said to {E}. A tear ran down {A.his} cheek.',
            ),
            say(
                '{E} took {A} in {E.his} arms. "You are the best present," said {E}.',
                '"You thought of me. That is more than enough," said {E}.',
            ),
            END,
        ],
        [
            say("<idea>"),
            say(
                "{A} worked in secret all night. {A.he} [cut|painted|sewed] and {A.he} glued.",
                "{A} helped {W.intro} for a whole week, and {W} paid {A.him} with {X.a}.",
            ),
            say(
                "In the morning {A} put {X.a} on the table, with a ribbon around it.",
                '{A} gave {X.full} to {E}. "Happy birthday!"',
            ),
            say(
                '{E} was <happy>. "Did you do this all by yourself?" {E.he} asked. {A} nodded proudly.',
                '"It is the most beautiful {X.n} in the world," said {E}.',
            ),
            say(
                "Then they ate {F.a} together.",
                "There was {F.a} for everybody, and {B.intro} got a piece too.",
                chance=0.6,
            ),
            END,
        ],
    ],
)

COOK = Plan(
    "cook",
    lambda cast: {**_cast(cast), "F": cast.food(BAKED)},
    [
        OPEN,
        say(
            "<one_day>, {A} wanted to make {F.a} for {E}.",
            '"Today I am the cook," said {A}. "I will make {F.a}."',
            "{E} was ill in bed, so {A} wanted to make {F.a}.",
        ),
        say(
            "{A} took flour, milk and [three eggs|a little honey|a spoon of sugar]. {A.he} stirred and stirred.",
            "{A} put everything into a big bowl: flour, butter, eggs and [an apple|some nuts|a pinch of salt].",
        ),
    ],
    [
        [
            say(
                "But {A} took the salt instead of the sugar. {B.intro} tasted it and made a face.",
                'But {A} forgot the oven. Soon there was smoke everywhere. "<dismay>"',
            ),
            say(
                '"Everybody makes mistakes," said {E}. "Let us try it together."',
                "{A} wanted to cry. Then {E} came in, looked at it and began to laugh. Soon {A} laughed as well.",
            ),
            say(
                "The second time, everything went right. The whole house smelled of it.",
                "They read the recipe twice, and it worked.",
            ),
            say(
                "They ate it all up, and {B} licked the bowl.",
                "There was one piece for {A}, one for {E}, and one for {B}.",
            ),
            END,
        ],
        [
            say(
                '"There is no milk!" said {A}. So {A.he} went to {W.intro} and asked for some.',
                "There were not enough eggs. So {A} went to {C.intro} next door.",
            ),
            say(
                '"You can have it," was the answer, "if I get a piece too." {A} agreed.',
                'On the way back {A} met {B.intro}. "That smells good," said {B}. "May I come along?"',
            ),
            say(
                "In the end there were so many guests that every piece was very small. But nobody minded.",
                "Everybody sat around the table, laughing and eating.",
            ),
            END,
        ],
    ],
)

GROW = Plan(
    "grow",
    _cast,
    [
        OPEN,
        say(
            '<one_day>, {E} gave {A} a tiny seed. "Plant it and be patient," said {E}.',
            '<one_day>, {A} found a seed {P.spot}. "What will become of it?" {A.he} wondered.',
        ),
        say(
            "{A} dug a small hole, put the seed into it and covered it with earth. Every day {A.he} gave it water.",
            "{A} planted it in a pot and put the pot in the sun.",
        ),
        say(
            "After one day nothing had happened. After two days nothing had happened. {A} was <sad>.",
            '"Why does it not grow?" asked {A}. "Good things take time," said {E}.',
        ),
    ],
    [
        [
            say(
                'Then one morning there was a little green leaf. "<cheer>" {A} {A.sound}.',
                "But after a week something green looked out of the earth. {A} danced with joy.",
            ),
            say(
                "It grew and grew, until it was taller than {A}. At the top there was a [yellow|red|golden] flower.",
                "In summer it became a big plant with [ten tomatoes|sweet berries|round pumpkins].",
            ),
            say(
                "The bees came, and so did {B.intro}. {A} showed it to everyone.",
                "{A} shared the harvest with {C.intro} and {B.intro}.",
            ),
            MORAL,
            END,
        ],
        [
            say(
                'One night {B.intro} came and ate the first green leaf. "<dismay>" said {A} in the morning.',
                "Then {B.intro} dug it up. {B} thought that it was something to eat.",
            ),
            say(
                '"I am sorry," said {B}. "I was so hungry. I did not know that it was yours."',
                "{A} was angry. But {B} looked so <sad> that {A} could not be angry for long.",
            ),
            say(
                '"Help me to plant another one," said {A}, "and you will get a part of the fruit." And '
                "that is what they did.",
                "They planted another seed together, and {B} watched over it day and night.",
            ),
            TOGETHER,
        ],
    ],
)

STORM = Plan(
    "storm",
    _cast,
    [
        OPEN,
        say(
            '<one_day>, dark clouds came over {P}. "There will be a storm," said {E}.',
            "<one_day>, {A} was playing {P.in} when the sky turned black.",
        ),
        say(
            "The wind howled and the rain beat against the windows. {A} was <scared>.",
            "Lightning flashed, and thunder rolled over the hills.",
            "The wind pulled at the roofs and bent the trees.",
        ),
    ],
    [
        [
            say(
                "Then {A} heard something outside. It was {B.intro}, wet and cold.",
                '"Where is {B}?" {A} asked suddenly. {B.intro} was still out there!',
            ),
            say(
                "{A} opened the door and ran out into the rain. {A.he} found {B} {P.spot}.",
                '"I have to help {B}," {A} said. {A.he} took {X.a} and went out with {E}.',
            ),
            say(
                "{A} took {B} inside, dried {B.him} and gave {B.him} {B.food}.",
                "Soon they all sat by the fire. {B} was shaking, but safe.",
            ),
            say(
                "In the morning the storm was over. The sun shone, and everything was new and clean.",
                "At last the thunder moved away, and it became quiet.",
            ),
            TOGETHER,
        ],
        [
            say(
                '{A} hid under the blanket. "I do not like thunder," {A.he} said in a small voice.',
                "At every clap of thunder {A} jumped.",
            ),
            say(
                '"Count with me," said {E}. "When you see the flash, count until it thunders. Then you '
                'know how far away it is."',
                '"The thunder is only the clouds clapping their hands," said {E} with a smile.',
            ),
            say(
                '"One, two, three," counted {A}. The next time it was five, and then it was ten. The storm '
                "was going away.",
                "They sang a song, as loud as they could, louder than the storm.",
            ),
            say(
                'Then a rainbow stood over {P}. "<cheer>" said {A}.',
                "When it was over, {A} almost wanted it to come back.",
            ),
            END,
        ],
        [
            say(
                "In the morning the old bridge was gone. {W.intro} stood on the other side and could not come home.",
                "The storm had broken the roof of {W}. Everybody came to look.",
            ),
            say(
                '"We have to help," said {A}. {C.intro} brought a rope, and {E} brought wood.',
                "{A} called all the neighbors. Some carried boards, and others brought nails and soup.",
            ),
            say(
                "They worked until evening, and then it was done. {W} was <happy>.",
                "Many hands make light work, and before dark it was fixed.",
            ),
            END,
        ],
    ],
)

PLANS = [HELP, SHARE, GIFT, COOK, GROW, STORM]
