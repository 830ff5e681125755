"""Plans about games, contests, building and new friends."""

from __future__ import annotations

from .entities import Cast
from .plan import END, MORAL, OPEN, TOGETHER, WEATHER, Entities, Plan, say


def _two(cast: Cast) -> Entities:
    hero = cast.hero()
    return {
        "A": hero,
        "B": cast.hero(),
        "E": cast.elder(hero),
        "X": cast.toy(),
        "Y": cast.treasure(),
        "F": cast.food(),
        "P": cast.place(True),
        "Q": cast.place(True),
    }


FRIEND = Plan(
    "friend",
    lambda cast: {**_two(cast), "A": cast.hero(["lonely", "shy", "curious", "dreamy"])},
    [
        OPEN,
        say(
            "{A} was often alone, and {A.he} wished for a friend.",
            '"I wish I had someone to play with," {A} said every evening.',
            "{A} had {X.a}, but nobody to play with.",
        ),
        say(
            "<one_day>, {A} saw {B.intro} {P.in}. {B} was sitting [all alone|{P.spot}|under a tree].",
            "<one_day>, a new family came to town, and with them came {B.intro}.",
            "<one_day>, somebody knocked at the door. It was {B.intro}.",
        ),
    ],
    [
        [
            say(
                "{A} was too shy to say anything. {A.he} [hid {P.spot}|looked at {A.his} feet|walked by three times].",
                "{A} wanted to say hello, but the words would not come.",
            ),
            say(
                'Then {B} dropped {Y.a}. {A} picked it up and gave it back. "Thank you," said {B}.',
                'But {B} came over and smiled. "I like your {X.n}," said {B}. "Can I try it?"',
            ),
            say("<hello>"),
            say(
                "They played with {X} [until it was dark|all day long|for hours].",
                "They {X.did} {X} together and laughed a lot.",
            ),
            TOGETHER,
        ],
        [
            say("<hello>"),
            say(
                '"I am new here," said {B}. "I do not know anybody." "Now you know me," said {A}.',
                '"Everybody here has a friend," said {B}. "Only I have none." "I could be your friend," said {A}.',
            ),
            say(
                "{A} showed {B} everything: {Q}, the old bridge and the best place to [hide|pick berries|watch "
                "the boats].",
                "{B} could {B.skill}, and {A} could {A.skill}. They taught each other.",
            ),
            say('{E} made {F.a} for them. "I am glad that you found each other," said {E}.', chance=0.6),
            TOGETHER,
        ],
        [
            say(
                '"Go away," said {B}. "I do not want to play." {A} was <sad>, but {A.he} did not give up.',
                "{B} did not answer. {B.he} looked <sad>.",
            ),
            say(
                'The next day {A} came again and brought {F.a}. "This is for you," {A.he} said.',
                "{A} sat down next to {B} and said nothing. Sometimes that is the best thing to do.",
            ),
            say(
                '"I am sorry," said {B}. "I miss my old home." "Tell me about it," said {A}.',
                'At last {B} smiled a little. "Why are you so nice to me?" "Because I know how it is to be '
                'alone," said {A}.',
            ),
            TOGETHER,
        ],
    ],
    weight=1.3,
)


def _build(cast: Cast) -> Entities:
    made = cast.treasure()
    made.noun, made.adjective = cast.rng.choice(
        [
            ("tree house", "big"),
            ("raft", "strong"),
            ("bird house", "small"),
            ("bridge", "wooden"),
            ("hut", "cozy"),
            ("cart", "fast"),
            ("sand castle", "tall"),
            ("swing", "high"),
            ("tower", "very tall"),
        ]
    )
    made.name = f"the {made.noun}"
    return {**_two(cast), "X": made}


BUILD = Plan(
    "build",
    _build,
    [
        OPEN,
        say(
            "{A.his} best friend was {B.intro}.",
            "{B.intro} [lived next door|was {A.his} best friend].",
            "{A} and {B.intro} did everything together.",
        ),
        say(
            "<one_day>, {A} and {B} wanted to build {X.a} {P.in}.",
            '"Let us build {X.a}," {A} said to {B}.',
            '<one_day>, {A} had a plan. "I am going to build {X.a}," {A.he} told {B}.',
        ),
        say(
            "They gathered [wood and rope|boards and nails|sticks and stones|everything they could find].",
            "{A} drew a picture of it, and {B} brought [a hammer|some rope|a long board].",
        ),
        WEATHER,
    ],
    [
        [
            say(
                "They worked all morning. But when {A} leaned against it, {X} fell down with a crash.",
                "At first everything went well. Then a strong wind came, and {X} fell apart.",
            ),
            say(
                '"<dismay>" said {A}. "All that work!" "We can do it again," said {B}, "only better."',
                '{A} wanted to give up. "No," said {B}. "Now we know what was wrong."',
            ),
            say(
                "This time they asked {E} for help. {E} showed them how to tie a good knot.",
                "They began again, and this time they put [heavy stones|thick branches|strong posts] at the bottom.",
            ),
            say(
                'In the evening {X} was finished, and it stood firm. "<cheer>" said {A}.',
                "Piece by piece it grew, until {X} was [higher than {B}|ready at last|the best one in the whole town].",
            ),
            TOGETHER,
        ],
        [
            say(
                "{A} wanted to do it one way, and {B} wanted to do it another way. Soon they were angry.",
                '"You are doing it wrong," said {A}. "Then do it alone!" said {B} and walked away.',
            ),
            say(
                "{A} tried to go on alone, but [the boards were too heavy|nothing would fit|it was no fun].",
                "Alone, {A} could not lift the [long board|big stone]. {A.he} sat down {P.spot}.",
            ),
            say(
                'After a while {A} went to {B}. "I am sorry," {A.he} said. "Your idea was good too."',
                'Then {B} came back with {F.a}. "Let us eat first," said {B}, "and then build it together."',
            ),
            say(
                "They used both ideas, and {X} became [twice as good|very strong|really beautiful].",
                "Together it was easy. Before dark, {X} was done.",
            ),
            TOGETHER,
        ],
    ],
)

CONTEST = Plan(
    "contest",
    _two,
    [
        OPEN,
        say(
            "<one_day>, there was [a big race|a swimming contest|a singing contest|a baking contest|a jumping "
            "contest] {P.in}. "
            "The prize was {Y.a}.",
            "Every year there was a [race|contest] {P.in}. The winner got {Y.a}.",
        ),
        say(
            "{A} wanted to win. {A.he} practiced [every day|from morning to night|behind the house].",
            '{A} was not sure. "I am not good enough," {A.he} said. "Just try," said {E}.',
        ),
        say(
            '{B.intro} wanted to win too. "You do not have a chance," {B.he} said [with a grin|proudly].',
            '{B.intro} was there as well. "Good luck," said {B}.',
        ),
        WEATHER,
        say("At last the day came. {A.his} heart beat fast.", "Many people came to watch. {A} felt <scared>."),
    ],
    [
        [
            say(
                '"One, two, three, go!" called {E}. {A} did {A.his} best, and soon {A.he} was in front.',
                "It began. {A} thought of nothing else.",
            ),
            say(
                "Then {A} heard a cry. {B} had fallen and hurt {B.his} leg. {A} stopped and went back.",
                "But right before the end {B} fell down. {A} could have won now. Instead {A.he} turned around.",
            ),
            say(
                '"Why are you helping me?" asked {B}. "Because you are hurt," said {A}. "A prize is only a prize."',
                '"Lean on me," said {A}. Arm in arm they came in last, and everybody clapped.',
            ),
            say(
                '{E} gave {Y} to both of them. "You are both winners today," said {E}.',
                "Somebody else got {Y}, but {A} did not mind. {A.he} had won a friend.",
            ),
            TOGETHER,
        ],
        [
            say(
                "{A} [tried hard|gave everything], but {B} was better. {B} won {Y.full}.",
                "It was close, but in the end {B} was first and {A} was second.",
            ),
            say(
                "{A} was <sad>. {A.he} wanted to go home at once. Then {A.he} took a deep breath and went to {B}.",
                '"It is not fair," {A} said at first. But then {A.he} thought about it.',
            ),
            say(
                '"You were really good," said {A}. "Will you show me how you do it?" {B} was surprised. '
                '"Gladly," said {B}.',
                '"Congratulations," {A} said. {B} smiled. "Next year it will be your turn."',
            ),
            MORAL,
            TOGETHER,
        ],
        [
            say(
                "{A} remembered what {E} had said: [do not look back|breathe and go on|one step at a time].",
                "First {A} was last, then third, then second.",
            ),
            say(
                'And then the impossible happened: {A} won! Everybody cheered. "<cheer>" {A} {A.sound}.',
                "At the very end {A} was one step ahead. {A} had won {Y.full}!",
            ),
            say(
                "{A} held up {Y}. {E} was [so proud|laughing and crying at the same time].",
                '"I knew you could do it," said {E}.',
            ),
            END,
        ],
    ],
)

HIDE = Plan(
    "hide_and_seek",
    _two,
    [
        say(
            "{A} and {B} were playing hide and seek {P.in}. {A} had to count to [ten|twenty|a hundred].",
            '"Let us play hide and seek," said {A}. "Good idea," said {B}. "You count, and I will hide."',
            "<one_day>, {A} and {B} met {P.in} to play. {B} wanted to hide first.",
        ),
        WEATHER,
        say(
            '"Ready or not, here I come!" called {A}.',
            "{A} counted slowly. Then {A.he} opened {A.his} eyes. It was very quiet.",
        ),
        say(
            "{A} looked {P.spot_b}. Nobody. {A} looked {P.spot_c}. Nobody there either.",
            "Was {B} {P.spot_b}? No, there was only a [snail|cat|frog]. Was {B} {P.spot_c}? No.",
        ),
    ],
    [
        [
            say(
                'Then {A} heard somebody sneeze {P.spot}. "Found you!" said {A}, and they both laughed.',
                'Something moved {P.spot}. There was a foot. "I see you!" {A} {A.sound}.',
            ),
            say(
                '"Now it is my turn to hide," said {A}. {B} closed {B.his} eyes.',
                '"That was a good place," said {A}. "The best one," said {B} proudly.',
            ),
            TOGETHER,
        ],
        [
            say(
                '{A} searched for a long time. Slowly {A.he} became worried. "{B}! You can come out now!"',
                "An hour went by. {A} called and called, but {B} did not answer.",
            ),
            say(
                "At last {A} found {B} {P.spot}. {B} was fast asleep!",
                "Then {E} came and pointed at something {P.spot}. It was {B}, snoring softly.",
            ),
            say(
                '"Wake up," said {A}. "You have won." {B} yawned. "Did I? I dreamed of {F.a}."',
                '{A} sat down and waited until {B} woke up. "You are the best hider in the world," said {A}.',
            ),
            TOGETHER,
        ],
    ],
)

PLANS = [FRIEND, BUILD, CONTEST, HIDE]
