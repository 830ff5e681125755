"""The closed vocabulary of the playground."""

from __future__ import annotations

ANIMALS = (
    "dog cat fox owl cow pig hen duck goat horse mouse rabbit bear wolf frog sheep lion monkey crow goose deer bee "
    "snail turtle"
).split()
PEOPLE = "tom anna ben lily sam mia max eva leo nina tim rosa".split()
THINGS = (
    "ball hat key book cup box stick stone kite coat lamp bell apple cake boat drum doll rope ring leaf spoon shoe"
).split()
PLACES = "garden kitchen barn forest house park field river hill cave school market tower cellar".split()
COLOURS = "red blue green white black brown yellow old new big small".split()

# Past and plain form of what one animal does to another.
DEEDS = {
    "chased": "chase",
    "followed": "follow",
    "helped": "help",
    "pushed": "push",
    "saw": "see",
    "pulled": "pull",
    "called": "call",
    "found": "find",
    "washed": "wash",
    "met": "meet",
    "loved": "love",
    "feared": "fear",
    "watched": "watch",
    "liked": "like",
}

# What "it" did afterwards, by verb: endings that tell the doer, endings that tell the other.
ENDINGS = {
    "chased": (["gave up", "was slow", "stopped"], ["got away", "was fast", "hid"]),
    "followed": (["gave up", "was slow", "stopped"], ["got away", "was fast", "hid"]),
    "pushed": (["was strong", "was bad"], ["fell down", "was hurt"]),
    "helped": (["was kind", "was good"], ["was glad", "said thanks"]),
    "washed": (["was kind", "was good"], ["was clean", "said thanks"]),
    "feared": (["was afraid", "hid"], ["was strong", "was bad"]),
    "loved": (["sang"], ["was sweet"]),
    "pulled": (["was strong"], ["fell down", "was hurt"]),
}

# Deeds done to things, and what could not be done.
CHASES_OF_THINGS = {"chased": "catch", "followed": "catch", "pushed": "move", "pulled": "move", "saw": "reach"}

WEATHER = "warm cold wet dry bright dark windy quiet".split()
TIMES = "day night morning evening".split()
FEELINGS = "happy sad tired hungry proud angry".split()
NUMBERS = "one two three four five six seven eight nine ten".split()
NATURE = "sun moon star tree flower cloud rain snow road bridge door window table chair".split()
PARTS = "nose ear eye foot tail wing hand head".split()
FOODS = "bread milk soup honey cheese corn grass rice".split()
SOUNDS = {"laughed": "laugh", "sang": "sing", "slept": "sleep", "danced": "dance", "cried": "cry", "waited": "wait"}

# What a list to be repeated is made of.
LISTED = (*ANIMALS, *THINGS, *PLACES, *COLOURS, *FOODS)

_FUNCTION_WORDS = (
    "the a an another other it and then not could who whom what where is was did say again came first last after "
    "before in to some there went took dropped has had put down ate all they with but very so now home back on by "
    "how many were of its them"
).split()


def vocabulary() -> list[str]:
    """Every word there is, each once."""
    words = [*_FUNCTION_WORDS, *PEOPLE, *LISTED, *NUMBERS, *NATURE, *PARTS, *FEELINGS, *WEATHER, *TIMES]
    words += [*DEEDS, *DEEDS.values(), *SOUNDS, *SOUNDS.values()]
    words += [*CHASES_OF_THINGS, *CHASES_OF_THINGS.values()]
    for doer, other in ENDINGS.values():
        words += [word for ending in (*doer, *other) for word in ending.split()]
    return sorted(set(words))
