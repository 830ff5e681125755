"""The episodes a document is made of: each function writes one and keeps the scene up to date."""

from __future__ import annotations

from collections.abc import Callable

from .scene import Scene
from .words import (
    CHASES_OF_THINGS,
    COLOURS,
    DEEDS,
    ENDINGS,
    FEELINGS,
    LISTED,
    NATURE,
    NUMBERS,
    PARTS,
    SOUNDS,
    TIMES,
    WEATHER,
)


def order_question(scene: Scene, verb: str, doer: str, other: str) -> tuple[str, str]:
    """A question that only the order of the words answers, and the answer's noun with what follows it."""
    kind = scene.rng.randrange(4)
    if kind < 2 and verb != "saw":
        return f"who was {verb}? the", f" {other}."
    if kind == 2:
        return f"who {verb}? the", f" {doer}."
    return f"who {verb} whom? the", f" {doer} {verb} the {other}."


def chase(scene: Scene) -> str:
    """One event and questions about it."""
    verb, (doer, other) = scene.pick(list(DEEDS)), scene.pair()
    asked = ["".join(order_question(scene, verb, doer, other)) for _ in range(scene.rng.randint(1, 3))]
    return f"the {doer} {verb} the {other}. {' '.join(asked)}"


def chain(scene: Scene) -> str:
    """Several events, the verb says which one the question means."""
    told = []
    for verb in scene.rng.sample(list(DEEDS), scene.rng.choice((2, 2, 3))):
        told.append((verb, *scene.pair()))
    text = " ".join(f"the {doer} {verb} the {other}." for verb, doer, other in told)
    for verb, doer, other in scene.rng.sample(told, scene.rng.choice((1, 2))):
        if scene.chance(0.3):
            text += f" whom did the {doer} {DEEDS[verb]}? the {other}."
        else:
            text += " " + "".join(order_question(scene, verb, doer, other))
    return text


def another(scene: Scene) -> str:
    """Two of a kind."""
    kind, verb = scene.pick(scene.animals), scene.pick(list(DEEDS))
    text = f"the {kind} {verb} another {kind}."
    if scene.chance(0.5):
        text += f" who {verb} whom? the {kind} {verb} another {kind}."
    elif verb in ENDINGS:
        text += f" the other {kind} {scene.pick(ENDINGS[verb][1])}."
    return text


def it_question(scene: Scene) -> tuple[str, str, str]:
    """Text up to the answer's noun, the noun and the wrong noun: the ending tells the role, the order the noun."""
    verb, (doer, other) = scene.pick(list(ENDINGS)), scene.pair()
    role = scene.rng.randrange(2)
    ending = scene.pick(ENDINGS[verb][role])
    right, wrong = ((doer, other), (other, doer))[role]
    return f"the {doer} {verb} the {other}. it {ending}. what {ending}? the", f" {right}", f" {wrong}"


def coreference(scene: Scene) -> str:
    text, right, _ = it_question(scene)
    return f"{text}{right}."


def chased_thing(scene: Scene) -> str:
    """An animal, a thing, and two words "it" with different meanings."""
    verb, doer, thing = scene.pick(list(CHASES_OF_THINGS)), scene.pick(scene.animals), scene.pick(scene.things)
    could = f"could not {CHASES_OF_THINGS[verb]}"
    text = f"the {doer} {verb} the {thing}. it {could} it."
    if scene.chance(0.8):
        text += f" what {could} what? the {doer} {could} the {thing}."
    return text


def copied(scene: Scene, count: int) -> tuple[str, str]:
    """A list of different words up to "again:", and the list once more."""
    listed = "".join(f" {word}" for word in scene.rng.sample(LISTED, count))
    return f"say:{listed}. again:", listed


def copy(scene: Scene) -> str:
    """Short lists are more frequent than long ones; some are said a third time."""
    prompt, listed = copied(scene, round(3 * 8 ** scene.rng.random()))
    return f"{prompt}{listed}." + (f" again:{listed}." if scene.chance(0.5) else "")


def ordered(scene: Scene) -> str:
    """Who came when."""
    came = scene.rng.sample(scene.animals, scene.rng.randint(3, 5))
    text = f"first came the {came[0]}, " + ", ".join(f"then the {animal}" for animal in came[1:]) + "."
    for _ in range(scene.rng.randint(1, 3)):
        at = scene.rng.randrange(1, len(came))
        text += scene.pick(
            [
                f" who came last? the {came[-1]}.",
                f" who came first? the {came[0]}.",
                f" who came after the {came[at - 1]}? the {came[at]}.",
                f" who came before the {came[at]}? the {came[at - 1]}.",
            ]
        )
    return text


def _take_or_drop(scene: Scene) -> str:
    thing = scene.pick(scene.things)
    if thing in scene.holder:
        who = scene.holder.pop(thing)
        scene.place.pop(thing, None)
        if who in scene.place:
            scene.place[thing] = scene.place[who]
        return f"{who} {scene.pick(['dropped', 'put down'])} the {thing}."
    who = scene.someone()
    scene.holder[thing] = who
    scene.place.pop(thing, None)
    return f"{who} took the {thing}."


def move(scene: Scene) -> str:
    """Somebody goes somewhere, or takes or drops something, and some of it is asked at once."""
    told = []
    for _ in range(scene.rng.randint(1, 3)):
        if scene.chance(0.35):
            told.append(_take_or_drop(scene))
            continue
        who, place = scene.someone(), scene.pick(scene.places)
        scene.place[who] = place
        told.append(f"{who} went to the {place}.")
    return " ".join(told) + (" " + recall(scene) if scene.chance(0.6) else "")


def recall(scene: Scene) -> str:
    """Questions about the state of the world, however long ago it came about."""
    questions = []
    for who, place in scene.place.items():
        name = f"the {who}" if who in scene.things else who
        questions.append(f"where is {name}? in the {place}.")
    questions += [f"who has the {thing}? {who}." for thing, who in scene.holder.items()]
    questions += [f"what did {who} like? some {food}." for who, food in scene.liking.items()]
    if not questions:
        return narration(scene)
    return " ".join(scene.rng.sample(questions, min(len(questions), scene.rng.choice((1, 2, 2, 3)))))


def narration(scene: Scene) -> str:
    """Plain sentences for variety."""
    pick, who = scene.pick, scene.someone()
    sound, count = pick(list(SOUNDS)), pick(NUMBERS)
    return pick(
        [
            f"it was a {pick(WEATHER)} {pick(TIMES)}.",
            f"{who} was {pick(FEELINGS)}.",
            f"{who} {sound}. who {sound}? {who}.",
            f"did {who} {SOUNDS[sound]}? {who} {sound} all {pick(TIMES)}.",
            f"{who} {sound} by the {pick(NATURE)}, but {scene.someone()} went back home.",
            f"now there were {count} of them on the {pick(NATURE)}. how many were there? {count}.",
            f"they were very {pick(FEELINGS)}, so they {sound}.",
            f"there was an old {pick(scene.animals)} with a {pick(COLOURS)} {pick(PARTS)}. its {pick(PARTS)} was big.",
            f"{who} was {pick(FEELINGS)} and ate some {scene.favourite(who)}.",
            f"{who} liked some {scene.favourite(who)}.",
            f"{who} had a {pick(COLOURS)} {pick(scene.things)}.",
            f"there was a {pick(COLOURS)} {pick(scene.things)} in the {pick(scene.places)}.",
        ]
    )


# Each kind of episode with how often it is chosen.
MIX: dict[Callable[[Scene], str], float] = {
    chase: 3.5,
    chain: 2.5,
    another: 0.7,
    coreference: 8.0,
    chased_thing: 1.2,
    copy: 4.0,
    ordered: 1.5,
    move: 2.5,
    recall: 1.5,
    narration: 1.2,
}


def episode(scene: Scene) -> str:
    return scene.rng.choices(list(MIX), list(MIX.values()))[0](scene)
