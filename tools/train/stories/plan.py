"""What a story plan is: who appears, and the beats that follow one another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .entities import Being, Cast, Place, Thing

Entities = dict[str, Being | Thing | Place]


@dataclass(frozen=True)
class Beat:
    """One step of a story: one of these templates, told with this probability."""

    templates: list[str]
    chance: float = 1.0


@dataclass(frozen=True)
class Plan:
    """Opening beats, then one of several ways through the story to its end."""

    name: str
    cast: Callable[[Cast], Entities]
    opening: list[Beat]
    ways: list[list[Beat]]
    weight: float = 1.0


def say(*templates: str, chance: float = 1.0) -> Beat:
    return Beat(list(templates), chance)


OPEN = say("<opening>")
WEATHER = say("<weather>", "<sight>", chance=0.35)
END = say("<ending>", chance=0.9)
TOGETHER = say("<together_ending>")
INTERLUDE = say("<interlude>", chance=0.3)
MORAL = say("<moral>", chance=0.4)
