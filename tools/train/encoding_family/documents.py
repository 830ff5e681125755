"""Documents: episodes about one scene, one after the other."""

from __future__ import annotations

import random
from collections.abc import Iterator

from .episodes import episode
from .scene import Scene


def document(rng: random.Random, words: int) -> str:
    """One document of at least so many words."""
    scene = Scene(rng)
    told: list[str] = []
    count = 0
    while count < words:
        told.append(episode(scene))
        count += told[-1].count(" ") + 1
    return " ".join(told)


def documents(seed: int, fewest_words: int = 330, most_words: int = 640) -> Iterator[str]:
    """An endless stream of documents; the same for the same seed."""
    rng = random.Random(seed)
    while True:
        yield document(rng, rng.randint(fewest_words, most_words))
