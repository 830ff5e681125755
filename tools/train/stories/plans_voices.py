"""Stories in other voices: first person, letters, riddles, plain descriptions."""

from __future__ import annotations

from .entities import Cast
from .plan import END, MORAL, OPEN, WEATHER, Entities, Plan, say


def _cast(cast: Cast) -> Entities:
    hero = cast.child()
    pet = cast.animal(True, ["dog", "puppy", "cat", "kitten", "pony", "rabbit", "duck", "goat", "turtle", "hen"])
    return {
        "A": hero,
        "B": pet,
        "C": cast.child(),
        "D": cast.animal(False),
        "E": cast.elder(hero),
        "W": cast.worker(),
        "X": cast.treasure(),
        "Y": cast.toy(),
        "F": cast.food(),
        "P": cast.place(True),
        "Q": cast.place(True),
    }


MY_PET = Plan(
    "my_pet",
    _cast,
    [
        say(
            "I have {B.sort}. [Its|The] name is {B}. {B} sleeps {B.home}.",
            "My name is {A}, and this is a story about my {B.kind}, {B}.",
            "When I was [six|seven|eight|small], I got {B.sort}. I called {B.him} {B}.",
            "My {B.kind} is called {B}. {B.he} can {B.skill}.",
        ),
        say(
            "Every morning {B} [wakes me up|waits at the door|jumps on my bed], and I give {B.him} {B.food}.",
            "{B.he} likes {B.food} best of all.",
            "We go everywhere together, {B} and I.",
        ),
        say("<one_day>, we went {P.to}. <weather>", "<one_day>, we were playing {P.in} with {Y.a}."),
    ],
    [
        [
            say(
                'Suddenly {B} ran away. "{B}! Come back!" I called, but {B.he} did not hear me.',
                "When I looked around, {B} was gone. My heart stood still.",
            ),
            say(
                "I looked {P.spot}, and I looked {P.spot_b}. I asked {W.intro}, but nobody had seen {B.him}.",
                "I called until I had no voice left. Then I met {C.intro}, and we searched together.",
            ),
            say(
                "At last I heard a noise {P.spot_c}. There was {B}, and next to {B.him} sat {D.intro}.",
                "In the evening I went home alone and cried. And who was sitting in front of the door? {B}!",
            ),
            say(
                "I was so happy that I could not be angry. I gave {B.him} a big hug.",
                '"You silly {B.kind}," I said. "Never do that again."',
            ),
            say(
                "Now we have two animals at home.",
                "Since then {B} always stays close to me.",
                "That night {B.he} slept at my feet.",
            ),
        ],
        [
            say(
                "There we saw {D.intro}. {B} wanted to play with it, but it ran away. {B} chased it three times "
                "around a tree.",
                "{B} saw {D.intro} and {B.sound}. I had never seen such a big one.",
            ),
            say(
                "In the end both of them were tired, and they drank from the same puddle.",
                "Then it turned around and looked at {B}. Now {B} was the one who ran away! I laughed and laughed.",
            ),
            say(
                'When we came home, Mom asked, "Why are you so muddy?" I pointed at {B}, and {B} looked at the floor.',
                "At home I drew a picture of it, and it still hangs on my wall.",
            ),
            say(
                "I would not give {B} away for all the gold in the world.",
                "That is my {B.kind}. There is no other like {B.him}.",
                "Tomorrow we will go there again.",
            ),
        ],
    ],
)

LETTER = Plan(
    "letter",
    _cast,
    [
        say("Dear {C},", "Dear {C}, how are you?", "Dear Grandma,", "Dear {C}, thank you for your letter."),
        say(
            "I am writing to you from a house {P.in}. <weather>",
            "Today I want to tell you what happened {P.in}.",
            "We have been here for [three days|a week], and every day is an adventure.",
        ),
        say(
            "Yesterday I saw {D.intro}. It was sitting {P.spot} and looked at me.",
            "Yesterday we went {Q.to} and found {X.a}.",
            "In the morning I swim, and in the afternoon I play with {B.intro}.",
        ),
        say(
            "At first I was afraid, but then I gave it {D.food}, and it came closer.",
            "There is {W.intro} here who tells me stories about the old times.",
            "We eat {F.a} every day, and nobody tells me to go to bed.",
        ),
        say(
            "I have found something for you. It is {X.a}. You will like it.",
            "I wish you were here. We could play with {Y} together.",
        ),
    ],
    [
        [
            say("Please write back soon.", "Soon I will be home again, and then I will tell you everything."),
            say("Your friend {A}", "Love, {A}", "Many greetings from {A}"),
        ],
        [
            say(
                "Give my best wishes to {B}. Does {B.he} still sleep {B.home}?",
                "How is {B}? Please give {B.him} {B.food} from me.",
            ),
            say("Your {A}", "Yours, {A}"),
        ],
    ],
    weight=0.5,
)

RIDDLE = Plan(
    "riddle",
    _cast,
    [
        say(
            '{A} and {C} were sitting {P.in}. "I am thinking of an animal," said {A}. "Can you guess what it is?"',
            '"Let us play a guessing game," said {A} to {C}. "I am thinking of an animal."',
        ),
        WEATHER,
        say(
            '"Is it big?" asked {C}. "That depends," said {A}. "It is {D.adj}."',
            '"What does it look like?" asked {C}. "It is {D.adj}," said {A}.',
        ),
        say('"Where does it live?" "It lives {D.home}."', '"And where is its home?" asked {C}. "^{D.home}," said {A}.'),
        say(
            '"What does it like to eat?" asked {C}. "It likes {D.food}," said {A}.',
            '"What can it do?" "It can {D.skill}," said {A}.',
        ),
    ],
    [
        [
            say(
                '{C} thought for a while. "I know it! It is a {D.kind}!" "Right!" said {A}. "Now it is your turn."',
                '"Then it must be a {D.kind}," said {C}. "How did you know?" asked {A} and laughed.',
            ),
            say(
                "They went on until {E} called them for supper.",
                "And at that moment a real {D.kind} came by and looked at them.",
            ),
        ],
        [
            say('"Is it a {B.kind}?" asked {C}. "No," said {A}. "Try again." "Then it is a {D.kind}!" "Yes!"'),
            say(
                '"That was too easy," said {C}. "Now I will think of something really hard."',
                '"I want to have one," said {C}. "Me too," said {A}.',
            ),
            say("They laughed and played until it was dark.", "It was a fine game for a long afternoon."),
        ],
    ],
    weight=0.7,
)

DESCRIPTION = Plan(
    "description",
    _cast,
    [
        say(
            "A {D.kind} is an animal. It lives {D.home}. It likes to eat {D.food}.",
            "Do you know the {D.kind}? It is {D.adj}, and it lives {D.home}.",
            "The {D.kind} lives {D.home}. It eats {D.food}, and it can {D.skill}.",
        ),
        say(
            "In spring it is [busy all day|happy about the sun|looking for a friend]. In winter it [sleeps a "
            "lot|stays at home|is often cold].",
            "It gets up [early|late] and goes to sleep when [the moon rises|the sun goes down].",
        ),
        say(
            "Some people say that a {D.kind} is lazy. That is not true. It only needs a lot of rest.",
            "If you are quiet, you can see one {P.in}. If you are loud, it will run away.",
            "A {D.kind} is not as big as a house, and not as small as an ant.",
        ),
        say(
            "Once {A}, {A.sort}, saw a {D.kind} {P.in}. {A.he} stood very still. The {D.kind} looked at {A.him} "
            "and {D.sound}.",
            "{W.intro} once had a {D.kind}. It followed {W} everywhere, even {Q.to}.",
        ),
    ],
    [
        [
            say(
                "{A} came again the next day, and so did the {D.kind}. In the end it ate {D.food} out of {A.his} hand.",
                "One day it brought {X.a}. Nobody knows where it had found it.",
            ),
            say(
                "That is how a {D.kind} makes friends.",
                "Would you like to have a {D.kind}?",
                "So be kind to every {D.kind} you meet.",
            ),
        ],
        [
            say(
                "One {D.kind} is good. Another {D.kind} is better. And three of them are too many.",
                "Where there is one {D.kind}, there is often another. They like to be together.",
            ),
            say(
                "At night they lie close to each other and dream of {D.food}.",
                "They play the whole day, and the first one to get tired has lost.",
            ),
        ],
    ],
    weight=0.8,
)

LESSON = Plan(
    "lesson",
    lambda cast: {**_cast(cast), "P": cast.place(False, ["lake", "river", "meadow", "park", "school", "yard"])},
    [
        OPEN,
        say(
            "{A} could not [swim|ride a bicycle|whistle|tie a knot|read a clock|skate], but all the others could.",
            "<one_day>, {A} wanted to learn how to [swim|ride a pony|play the flute|paint|dance].",
        ),
        say(
            '"I will never learn it," said {A}. "Everybody has to begin somewhere," said {E}.',
            '"Will you show me?" {A} asked {E}. "Of course," said {E}.',
        ),
        say("They met {P.in}. <weather>", "Every afternoon they went {P.to} to practice."),
        say(
            "The first time, it went all wrong. {C.intro} saw it and laughed.",
            "It was harder than it looked. {A} tried once, twice, ten times.",
        ),
        say(
            "{A} was <sad> and wanted to go home.",
            '"I give up," said {A} and sat down {P.spot}.',
            "{A} bit {A.his} lip and tried not to cry.",
        ),
    ],
    [
        [
            say(
                "Then {D.intro} came by. It fell down, got up, fell down again and got up again. {A} watched it "
                "for a long time.",
                '"Do you know how often I fell?" asked {E}. "A hundred times. And then one more time."',
            ),
            say(
                '"If it can do that, so can I," thought {A}, and {A.he} got up.',
                "{A} wiped {A.his} nose and tried once more.",
            ),
            say(
                'And suddenly it worked! "Look at me!" {A} {A.sound}. "I can do it!"',
                "This time it went a little better, and the next time better still.",
            ),
            MORAL,
            END,
        ],
        [
            say(
                '"Do not laugh," said {E} to {C}. "Help instead." {C} turned red and came closer.',
                '"I am sorry that I laughed," said {C}. "I could not do it either at first."',
            ),
            say(
                '{C} showed {A} a trick. "Do not look at your feet," said {C}. "Look far ahead."',
                '"Do it slowly," said {C}, "and do not hold your breath."',
            ),
            say(
                "That helped. At the end of the day, {A} could do it, and {C} was almost as proud as {A}.",
                "After a week {A} was better than {C}, and both of them had to laugh.",
            ),
            say("{E} gave them {F.a} to celebrate.", "Then they shared {F.a}, which {E} had brought."),
            END,
        ],
    ],
)

PLANS = [MY_PET, LETTER, RIDDLE, DESCRIPTION, LESSON]
