"""Tells a plan: chooses the beats, expands them and sets the paragraphs."""

from __future__ import annotations

import random
from collections.abc import Iterator

from . import (
    plans_animals,
    plans_deeds,
    plans_loss,
    plans_play,
    plans_seasons,
    plans_voices,
    plans_wonder,
)
from .entities import Cast
from .grammar import Grammar
from .phrases import PHRASES
from .plan import INTERLUDE, Beat, Plan
from .variation import vary

PLANS: list[Plan] = [
    *plans_loss.PLANS,
    *plans_play.PLANS,
    *plans_deeds.PLANS,
    *plans_wonder.PLANS,
    *plans_animals.PLANS,
    *plans_voices.PLANS,
    *plans_seasons.PLANS,
]


def _chosen_beats(plan: Plan, rng: random.Random) -> list[Beat]:
    way = rng.choice(plan.ways)
    beats = [*plan.opening[:-1], INTERLUDE, plan.opening[-1], *way[:1], INTERLUDE, *way[1:]]
    return [beat for beat in beats if rng.random() < beat.chance]


def _paragraphs(told: list[str], rng: random.Random) -> str:
    """Joins the beats; a new paragraph begins where speech does, or by chance."""
    text = told[0]
    for piece in told[1:]:
        breaks = rng.random() < (0.5 if piece.startswith('"') else 0.22)
        text += ("\n\n" if breaks else " ") + piece
    return text


def tell(rng: random.Random) -> str:
    """One story."""
    plan = rng.choices(PLANS, [p.weight for p in PLANS])[0]
    grammar = Grammar(PHRASES, rng)
    entities = plan.cast(Cast(rng))
    told = [grammar.render(grammar.pick(beat.templates), entities) for beat in _chosen_beats(plan, rng)]
    return vary(_paragraphs(told, rng), rng)


def stories(seed: int) -> Iterator[str]:
    """An endless stream of stories; the same for the same seed."""
    rng = random.Random(seed)
    while True:
        yield tell(rng)
