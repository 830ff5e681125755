"""Who and what one document is about, and where everything is."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence

from .words import ANIMALS, FOODS, PEOPLE, PLACES, THINGS

_HELD_OUT_SEED, _HELD_OUT_SHARE = 2026, 0.2


def _held_out_pairs() -> frozenset[frozenset[str]]:
    pairs = [frozenset(pair) for pair in itertools.combinations(ANIMALS, 2)]
    chosen = random.Random(_HELD_OUT_SEED).sample(pairs, round(_HELD_OUT_SHARE * len(pairs)))
    return frozenset(chosen)


# Pairs of animals that never meet in a training event, in neither order.
HELD_OUT_PAIRS = _held_out_pairs()


class Scene:
    """A small cast and the state of its world; `probing` draws only held-out pairs, otherwise none of them."""

    def __init__(self, rng: random.Random, probing: bool = False) -> None:
        self.rng = rng
        self.probing = probing
        self.animals = rng.sample(ANIMALS, 9)
        self.people = rng.sample(PEOPLE, 3)
        self.things = rng.sample(THINGS, 6)
        self.places = rng.sample(PLACES, 5)
        self.place: dict[str, str] = {}
        self.holder: dict[str, str] = {}
        self.liking: dict[str, str] = {}

    def pick(self, options: Sequence[str]) -> str:
        return self.rng.choice(options)

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    def pair(self) -> tuple[str, str]:
        """Two different animals in random order."""
        while True:
            first, second = self.rng.sample(ANIMALS if self.probing else self.animals, 2)
            if (frozenset((first, second)) in HELD_OUT_PAIRS) == self.probing:
                return first, second

    def someone(self) -> str:
        """A person or an animal, as the text names it."""
        return self.pick(self.people) if self.chance(0.6) else "the " + self.pick(self.animals)

    def favourite(self, who: str) -> str:
        """What `who` likes to eat; the same throughout the document."""
        return self.liking.setdefault(who, self.pick(FOODS))
