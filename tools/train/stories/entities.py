"""The people, animals, things and places of one story, and the forms templates ask for."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from . import vocabulary as words

_PRONOUNS = {
    "she": {"he": "she", "him": "her", "his": "her", "himself": "herself"},
    "he": {"he": "he", "him": "him", "his": "his", "himself": "himself"},
    "it": {"he": "it", "him": "it", "his": "its", "himself": "itself"},
}


@dataclass
class Being:
    """A character. `name` is how the story refers to it: "Lily", "the fox", "Grandmother"."""

    name: str
    kind: str
    pronoun: str
    intro: str
    trait: str
    extra: dict[str, str] = field(default_factory=dict)
    introduced: bool = False

    def form(self, name: str) -> str:
        if name == "intro":
            known, self.introduced = self.introduced, True
            return self.name if known else self.intro
        if name in ("name", "kind", "trait"):
            return getattr(self, name)
        if name == "kinds":
            return words.PLURALS.get(self.kind, self.kind + "s")
        if name == "sort":
            self.introduced = True
            return self.intro.split(" named ")[0]
        if name == "called":
            return self.name.replace("the ", "a ", 1) if self.name.startswith("the ") else self.name
        if name in self.extra:
            return self.extra[name]
        return _PRONOUNS[self.pronoun][name]


@dataclass
class Thing:
    """An object: {X} the red ball, {X.a} a red ball, {X.the} the ball, {X.n} ball."""

    noun: str
    adjective: str
    action: str = "held"
    name: str = field(init=False)

    def __post_init__(self) -> None:
        self.name = f"the {self.noun}"

    def form(self, name: str) -> str:
        forms = {
            "name": self.name,
            "a": f"a {self.adjective} {self.noun}",
            "full": f"the {self.adjective} {self.noun}",
            "n": self.noun,
            "adj": self.adjective,
            "did": self.action,
        }
        return forms[name]


@dataclass
class Place:
    """A place: {P} the garden, {P.in} in the garden, {P.to} into the garden, {P.spot}, {P.sight}."""

    noun: str
    at: str
    to: str
    spots: list[str]
    sights: list[str]

    def form(self, name: str) -> str:
        forms = {
            "name": f"the {self.noun}",
            "n": self.noun,
            "in": f"{self.at} the {self.noun}",
            "to": f"{self.to} the {self.noun}",
            "spot": self.spots[0],
            "spot_b": self.spots[1],
            "spot_c": self.spots[2],
            "sight": self.sights[0],
        }
        return forms[name]


class Cast:
    """Draws entities that differ from one another within one story."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.taken: set[str] = set()

    def fresh(self, options: list[str]) -> str:
        choice = self.rng.choice([o for o in options if o not in self.taken])
        self.taken.add(choice)
        return choice

    def _trait(self, wanted: list[str] | None) -> tuple[str, dict[str, str]]:
        trait = self.fresh(wanted or list(words.TRAITS))
        return trait, {"habit": self.rng.choice(words.TRAITS[trait])}

    def child(self, traits: list[str] | None = None) -> Being:
        girl = self.rng.random() < 0.5
        name = self.fresh(words.GIRLS if girl else words.BOYS)
        trait, extra = self._trait(traits)
        extra |= {key: self.rng.choice(options) for key, options in words.CHILD.items()}
        kind = "girl" if girl else "boy"
        size = self.rng.choice(["little", "young", "small", trait, trait])
        return Being(name, kind, "she" if girl else "he", f"a {size} {kind} named {name}", trait, extra)

    def animal(
        self, named: bool | None = None, kinds: list[str] | None = None, traits: list[str] | None = None
    ) -> Being:
        kind = self.fresh(kinds or list(words.ANIMALS))
        adjectives, home, food, sound, skill = words.ANIMALS[kind]
        adjective = self.rng.choice(adjectives)
        trait, extra = self._trait(traits)
        extra |= {"home": home, "food": food, "sound": sound, "skill": skill, "adj": adjective}
        if named is None:
            named = self.rng.random() < 0.55
        if not named:
            return Being(f"the {kind}", kind, "it", f"a {adjective} {kind}", trait, extra)
        name = self.fresh(words.PET_NAMES)
        pronoun = self.rng.choice(["he", "she"])
        return Being(name, kind, pronoun, f"a {adjective} {kind} named {name}", trait, extra)

    def hero(self, traits: list[str] | None = None) -> Being:
        """A child two times in three, else an animal with a name."""
        return self.child(traits) if self.rng.random() < 0.6 else self.animal(True, None, traits)

    def elder(self, of: Being) -> Being:
        woman = self.rng.random() < 0.5
        kind = self.rng.choice(words.RELATIVES_F if woman else words.RELATIVES_M)
        if kind in ("mother", "father", "grandmother", "grandfather") and self.rng.random() < 0.3:
            name = {"mother": "Mom", "father": "Dad", "grandmother": "Grandma", "grandfather": "Grandpa"}[kind]
        else:
            name = f"{of.form('his')} {kind}"
        return Being(name, kind, "she" if woman else "he", f"{of.form('his')} {kind}", "kind", dict(words.ELDER))

    def worker(self) -> Being:
        kind = self.fresh(words.JOBS)
        woman = self.rng.random() < 0.5
        trait, extra = self._trait(None)
        extra |= {key: self.rng.choice(options) for key, options in words.CHILD.items()}
        age = self.rng.choice(["old", "kind", "poor", "young", "cheerful"])
        return Being(f"the {kind}", kind, "she" if woman else "he", f"a {age} {kind}", trait, extra)

    def toy(self) -> Thing:
        noun = self.fresh(list(words.TOYS))
        adjectives, action = words.TOYS[noun]
        return Thing(noun, self.rng.choice(adjectives), action)

    def treasure(self) -> Thing:
        noun = self.fresh(list(words.TREASURES))
        return Thing(noun, self.rng.choice(words.TREASURES[noun]))

    def food(self, options: list[str] | None = None) -> Thing:
        noun = self.rng.choice(options) if options else self.fresh(list(words.FOODS))
        return Thing(noun, self.rng.choice(words.FOODS[noun]), "ate")

    def place(self, outdoors: bool = False, options: list[str] | None = None) -> Place:
        names = options or [p for p in words.PLACES if not (outdoors and p in ("kitchen", "school", "castle"))]
        noun = self.fresh(names)
        at, to, spots, sights = words.PLACES[noun]
        return Place(noun, at, to, self.rng.sample(spots, len(spots)), self.rng.sample(sights, len(sights)))
