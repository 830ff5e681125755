"""The words of the stories: names, animals, things, places and their properties."""

from __future__ import annotations

GIRLS = """Lily Mia Anna Emma Rosa Clara Ruby Nora Ella Maya Lucy Sara Ivy Hana Zoe Amy Grace Molly Daisy Alice
Nina Tess Leila Poppy Jane Kate Olga Freya Wendy Bella""".split()

BOYS = """Tom Max Ben Sam Leo Jack Tim Omar Finn Noah Hugo Peter Oscar Adam Luke Henry Theo Ravi Felix Milo
Jonas Kofi Eli Arthur Owen Simon Hassan Victor Daniel Paul""".split()

PET_NAMES = """Spot Rex Biscuit Pepper Rusty Patch Coco Scout Buddy Shadow Ginger Muffin Bramble Pip Button Whiskers
Clover Nutmeg Sunny Toffee Hazel Bingo Acorn Marble Thistle Dusty Pickle Cinnamon Moss Willow""".split()

# kind: (adjectives, home, food, sound verb, ability)
ANIMALS: dict[str, tuple[list[str], str, str, str, str]] = {
    "dog": (["brown", "friendly", "shaggy", "spotted"], "in a red kennel", "a bone", "barked", "run very fast"),
    "puppy": (["fluffy", "playful", "clumsy"], "in a soft basket", "a biscuit", "yapped", "roll over"),
    "cat": (["grey", "lazy", "striped", "proud"], "on a warm windowsill", "a fish", "meowed", "climb anything"),
    "kitten": (["tiny", "curious", "orange"], "in a wooden box", "some milk", "mewed", "jump very high"),
    "fox": (["red", "clever", "sly"], "in a den under the hill", "a plum", "yelped", "think quickly"),
    "rabbit": (["white", "quick", "timid"], "in a burrow", "a carrot", "squeaked", "hop over the fence"),
    "mouse": (
        ["little", "brave", "tiny"],
        "behind the kitchen wall",
        "a crumb of cheese",
        "squeaked",
        "fit through the smallest hole",
    ),
    "bear": (["big", "gentle", "sleepy"], "in a deep cave", "a pot of honey", "growled", "carry heavy logs"),
    "owl": (["old", "wise", "quiet"], "in a hollow oak", "a beetle", "hooted", "see in the dark"),
    "duck": (["yellow", "noisy", "cheerful"], "by the pond", "a crust of bread", "quacked", "swim all day"),
    "squirrel": (["busy", "nimble", "red"], "in a tall pine tree", "an acorn", "chattered", "leap from tree to tree"),
    "frog": (["green", "jolly", "shiny"], "under a lily pad", "a fly", "croaked", "jump across the stream"),
    "hedgehog": (["shy", "round", "prickly"], "under a pile of leaves", "an apple", "snuffled", "roll into a ball"),
    "horse": (["black", "strong", "proud"], "in a big barn", "some hay", "neighed", "gallop like the wind"),
    "pony": (["small", "patient", "white"], "in a green field", "a lump of sugar", "whinnied", "pull a cart"),
    "goat": (["stubborn", "hungry", "bearded"], "on a rocky hill", "a cabbage leaf", "bleated", "climb steep rocks"),
    "sheep": (["woolly", "calm", "white"], "in a wide meadow", "some sweet grass", "bleated", "sleep anywhere"),
    "hen": (["plump", "fussy", "speckled"], "in a wooden coop", "some corn", "clucked", "find the best seeds"),
    "crow": (["black", "clever", "rude"], "at the top of an elm", "a piece of bread", "cawed", "fly over the village"),
    "robin": (["tiny", "bright", "merry"], "in a thorny bush", "a worm", "chirped", "sing beautifully"),
    "turtle": (["slow", "old", "patient"], "beside a lake", "a lettuce leaf", "sighed", "carry a whole house"),
    "pig": (["pink", "muddy", "happy"], "in a muddy pen", "a turnip", "grunted", "find truffles"),
    "donkey": (["grey", "tired", "kind"], "in an old stable", "a thistle", "brayed", "carry heavy bags"),
    "badger": (["grumpy", "striped", "old"], "in a long tunnel", "a mushroom", "grumbled", "dig deep holes"),
    "elephant": (["huge", "gentle", "grey"], "near a wide river", "a banana", "trumpeted", "lift a whole tree"),
    "lion": (["golden", "mighty", "proud"], "on a flat rock", "a big supper", "roared", "scare everyone away"),
    "monkey": (["cheeky", "silly", "small"], "in the treetops", "a banana", "chattered", "swing from branch to branch"),
    "penguin": (["plump", "polite", "funny"], "on the ice", "a silver fish", "squawked", "slide on the snow"),
    "otter": (["playful", "sleek", "brown"], "by the riverbank", "a fish", "whistled", "dive to the bottom"),
    "dragon": (["small", "shy", "green"], "in a mountain cave", "a hot pepper", "puffed", "blow warm smoke"),
}

# name: (adjectives, a word for what one does with it)
TOYS: dict[str, tuple[list[str], str]] = {
    "ball": (["red", "blue", "bouncy", "striped", "rubber"], "threw"),
    "kite": (["red", "yellow", "paper", "blue"], "flew"),
    "doll": (["wooden", "pretty", "old"], "hugged"),
    "teddy bear": (["brown", "soft", "old"], "hugged"),
    "boat": (["little", "paper", "wooden", "blue"], "sailed"),
    "drum": (["tin", "loud", "red"], "beat"),
    "train": (["toy", "wooden", "shiny"], "pushed"),
    "top": (["spinning", "painted", "wooden"], "spun"),
    "puzzle": (["hard", "new", "wooden"], "solved"),
    "balloon": (["red", "silver", "big", "yellow"], "held"),
    "whistle": (["silver", "tin", "loud"], "blew"),
    "truck": (["toy", "yellow", "big"], "rolled"),
}

TREASURES: dict[str, list[str]] = {
    "key": ["golden", "rusty", "tiny", "old"],
    "ring": ["silver", "gold", "shiny"],
    "hat": ["blue", "straw", "woolly", "tall"],
    "scarf": ["red", "warm", "long", "striped"],
    "book": ["thick", "old", "picture", "green"],
    "lamp": ["brass", "small", "old"],
    "shell": ["pink", "smooth", "white"],
    "stone": ["round", "shiny", "blue"],
    "coin": ["gold", "silver", "lucky"],
    "bell": ["little", "brass", "silver"],
    "map": ["torn", "secret", "old"],
    "feather": ["white", "long", "blue"],
    "basket": ["round", "big", "straw"],
    "umbrella": ["yellow", "purple", "big"],
    "mitten": ["red", "woolen", "grey"],
    "button": ["brass", "round", "shiny"],
    "watch": ["silver", "old", "broken"],
    "flute": ["wooden", "little", "silver"],
    "blanket": ["soft", "warm", "patchwork"],
    "lantern": ["paper", "bright", "small"],
}

FOODS: dict[str, list[str]] = {
    "cake": ["chocolate", "big", "birthday", "lemon"],
    "pie": ["apple", "cherry", "warm", "huge"],
    "apple": ["red", "shiny", "sweet", "green"],
    "pear": ["ripe", "yellow", "juicy"],
    "cookie": ["big", "ginger", "warm", "oat"],
    "sandwich": ["cheese", "big", "tasty"],
    "bun": ["sticky", "warm", "sweet"],
    "pancake": ["thin", "golden", "huge"],
    "melon": ["ripe", "round", "juicy"],
    "loaf of bread": ["fresh", "warm", "brown"],
    "peach": ["soft", "ripe", "sweet"],
    "bowl of soup": ["hot", "small", "big"],
}

# noun: (preposition, preposition of movement, hiding spots, sights)
PLACES: dict[str, tuple[str, str, list[str], list[str]]] = {
    "garden": (
        "in",
        "into",
        ["behind the roses", "under the old bench", "beside the watering can", "in the tall grass"],
        ["bees hummed around the roses", "the beans climbed up their poles"],
    ),
    "forest": (
        "in",
        "into",
        ["under a fern", "behind a mossy log", "inside a hollow tree", "under a heap of leaves"],
        ["sunlight fell between the branches", "the leaves whispered in the wind"],
    ),
    "park": (
        "in",
        "to",
        ["under the slide", "behind the fountain", "beside the swings", "in a bush"],
        ["children laughed on the swings", "pigeons walked along the path"],
    ),
    "beach": (
        "on",
        "to",
        ["under an old boat", "behind a rock", "in a pool of sea water", "under some seaweed"],
        ["the waves rolled in and out", "gulls circled over the water"],
    ),
    "meadow": (
        "in",
        "across",
        ["in the long grass", "behind a haystack", "among the daisies", "next to a mole hill"],
        ["butterflies danced over the flowers", "the grass moved like water"],
    ),
    "village": (
        "in",
        "to",
        ["behind the bakery", "beside the well", "under a cart", "near the old gate"],
        ["smoke rose from the chimneys", "the church bell rang"],
    ),
    "market": (
        "at",
        "to",
        ["under a table", "behind a pile of crates", "next to the flower stall", "in a barrel"],
        ["people called out their prices", "the stalls were full of fruit"],
    ),
    "farm": (
        "on",
        "to",
        ["in the hay", "behind the barn", "under the tractor", "inside a bucket"],
        ["the rooster crowed on the roof", "the cows chewed slowly"],
    ),
    "river": (
        "by",
        "to",
        ["under the bridge", "among the reeds", "behind a big stone", "under a willow"],
        ["the water sparkled", "small fish darted between the stones"],
    ),
    "hill": (
        "on",
        "up",
        ["behind a boulder", "in a thorny bush", "in a small cave", "under a crooked tree"],
        ["you could see the whole valley", "the wind never stopped blowing"],
    ),
    "yard": (
        "in",
        "into",
        ["under the steps", "behind the shed", "in a flower pot", "beside the fence"],
        ["clean shirts flapped on the line", "a hen scratched in the dust"],
    ),
    "school": (
        "at",
        "to",
        ["under a desk", "behind the door", "in the coat room", "on a high shelf"],
        ["chalk dust floated in the air", "everyone was talking at once"],
    ),
    "lake": (
        "by",
        "to",
        ["under the dock", "among the reeds", "behind a canoe", "between two stones"],
        ["the water was as smooth as glass", "a heron stood on one leg"],
    ),
    "orchard": (
        "in",
        "into",
        ["up in a pear tree", "under a ladder", "behind a basket", "in the wet grass"],
        ["the branches were heavy with fruit", "wasps buzzed over the fallen plums"],
    ),
    "castle": (
        "in",
        "to",
        ["behind a suit of armor", "under the stairs", "in the old tower", "under a red carpet"],
        ["flags waved on the towers", "every footstep echoed"],
    ),
    "kitchen": (
        "in",
        "into",
        ["under the table", "behind the stove", "in a drawer", "inside a big pot"],
        ["a kettle sang on the stove", "it smelled of fresh bread"],
    ),
    "harbor": (
        "at",
        "to",
        ["under a net", "behind some barrels", "in a rowing boat", "beside a coil of rope"],
        ["the boats rocked up and down", "fishermen mended their nets"],
    ),
    "mountain": (
        "on",
        "up",
        ["behind a pile of rocks", "under a small pine", "in a crack in the rock", "in the snow"],
        ["the air was cold and clear", "an eagle glided past"],
    ),
}

RELATIVES_F = ["mother", "grandmother", "aunt", "big sister", "teacher"]
RELATIVES_M = ["father", "grandfather", "uncle", "big brother", "neighbor"]

JOBS = [
    "baker",
    "farmer",
    "fisherman",
    "tailor",
    "shepherd",
    "miller",
    "gardener",
    "carpenter",
    "painter",
    "clockmaker",
    "beekeeper",
    "sailor",
]

TRAITS: dict[str, list[str]] = {
    "kind": ["always helped others", "never forgot to say thank you", "shared everything"],
    "brave": ["was not afraid of anything", "liked to climb the highest trees", "dreamed of great adventures"],
    "shy": ["did not like to talk in front of others", "often hid behind the door", "spoke in a very small voice"],
    "curious": ["asked questions all day long", "wanted to know how everything worked", "looked into every box"],
    "stubborn": ["never gave up", "liked to do everything alone", "did not like to listen"],
    "clever": ["could solve any riddle", "always had a good idea", "knew the names of all the stars"],
    "lonely": ["had nobody to play with", "wished for a friend", "ate supper alone"],
    "playful": ["turned everything into a game", "could not sit still", "laughed at everything"],
    "forgetful": ["lost things all the time", "often forgot what day it was", "put things in strange places"],
    "proud": ["thought nobody was better", "liked to show off", "did not like to lose"],
    "careful": ["looked twice before every step", "kept everything tidy", "folded every blanket"],
    "dreamy": ["stared at the clouds for hours", "made up little songs", "talked to the moon"],
}

# What animals get from ANIMALS, for children and grown-ups.
CHILD: dict[str, list[str]] = {
    "home": [
        "in a small house by the sea",
        "at the end of a long road",
        "next to the bakery",
        "in a yellow house",
        "on the edge of the forest",
        "in a tall house with a green door",
        "near the old mill",
    ],
    "food": ["a slice of bread", "some soup", "a sweet bun", "a handful of nuts", "some cake", "an orange"],
    "sound": ["shouted", "called", "cried", "laughed"],
    "skill": ["run very fast", "whistle any song", "tell funny stories", "draw anything", "tie every knot"],
    "adj": ["cheerful", "quiet", "freckled", "tall"],
}
ELDER: dict[str, str] = {
    "habit": "knew many stories",
    "home": "in the same house",
    "food": "some tea",
    "sound": "called",
    "skill": "bake the best bread",
    "adj": "wise",
}

PLURALS: dict[str, str] = {"fox": "foxes", "puppy": "puppies", "pony": "ponies", "mouse": "mice", "sheep": "sheep"}
