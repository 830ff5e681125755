"""The evaluation files: held-out documents, and probes of word order, coreference and copying at three lengths."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from typing import Any

from tokenizers import Tokenizer

from .documents import documents
from .episodes import copied, episode, it_question, order_question
from .scene import Scene
from .words import DEEDS

_DOCUMENT_TOKENS, _SCORED_TOKENS = 520, 20_000
_PROBES = {1: 200, 2: 60, 4: 60}
# First and last position of the tokens that are scored, and how long a copied list is, by length.
_POSITIONS = {1: (16, 127), 2: (129, 255), 4: (300, 511)}
_LISTS = {1: (3, 24), 2: (10, 40), 4: (20, 72)}

Probe = dict[str, Any]


def held_out_documents(tokenizer: Tokenizer, seed: int) -> list[str]:
    """Documents long enough for one window of four times the trained length."""
    chosen, count = [], 0
    for text in documents(seed):
        tokens = len(tokenizer.encode(text).ids)
        if tokens >= _DOCUMENT_TOKENS:
            chosen.append(text)
            count += tokens
        if count >= _SCORED_TOKENS:
            return chosen
    raise AssertionError("the stream of documents is endless")


def _word_order(rng: random.Random, answer: int) -> Probe:
    """An event between a held-out pair; half of the questions ask for the first noun, half for the second."""
    scene = Scene(rng, probing=True)
    while True:
        verb, (doer, other) = scene.pick(list(DEEDS)), scene.pair()
        question, said = order_question(scene, verb, doer, other)
        if said.startswith(f" {(doer, other)[rng.randrange(2)]}"):
            break
    right = said.split()[0].rstrip(".")
    wrong = other if right == doer else doer
    return _choice(f"the {doer} {verb} the {other}. {question}", f" {right}", f" {wrong}", answer)


def _coreference(rng: random.Random, answer: int) -> Probe:
    return _choice(*it_question(Scene(rng, probing=True)), answer)


def _choice(prompt: str, right: str, wrong: str, answer: int) -> Probe:
    choices = [wrong, wrong]
    choices[answer] = right
    return {"prompt": prompt, "choices": choices, "answer": answer}


def _filler(rng: random.Random, tokenizer: Tokenizer, fewest: int, most: int) -> str | None:
    """Whole episodes of a training document with so many tokens together, or nothing if they do not fit."""
    scene, text = Scene(rng), ""
    while True:
        count = len(tokenizer.encode(text).ids) - 1 if text else 0
        if count >= fewest:
            return text if count <= most else None
        text += episode(scene) + " "


def _before(rng: random.Random, tokenizer: Tokenizer, probe: Probe, length: int, scored: int) -> Probe | None:
    """Puts episodes in front of the prompt so that its scored tokens lie where they should."""
    first, last = _POSITIONS[length]
    own = len(tokenizer.encode(probe["prompt"]).ids)
    fewest, most = max(0, first - own), last + 1 - own - scored
    if most < 0:
        return None
    front = _filler(rng, tokenizer, rng.randint(fewest, max(fewest, most - 5)), most)
    return None if front is None else {**probe, "prompt": front + probe["prompt"]}


def _choices(
    task: str, make: Callable[[random.Random, int], Probe], rng: random.Random, tokenizer: Tokenizer, length: int
) -> Iterator[Probe]:
    made = 0
    while made < _PROBES[length]:
        probe = _before(rng, tokenizer, make(rng, made % 2), length, 1)
        if probe is not None:
            yield {"task": task, "length": length, **probe}
            made += 1


def _copies(rng: random.Random, tokenizer: Tokenizer, length: int) -> Iterator[Probe]:
    made = 0
    while made < _PROBES[length]:
        count = rng.randint(*_LISTS[length])
        prompt, continuation = copied(Scene(rng), count)
        probe = _before(rng, tokenizer, {"prompt": prompt, "continuation": continuation}, length, count)
        if probe is not None:
            yield {"task": "copy", "length": length, **probe}
            made += 1


def probes(tokenizer: Tokenizer, seed: int) -> Iterator[Probe]:
    """All probes, in the order of the file."""
    rng = random.Random(seed)
    for length in _PROBES:
        yield from _choices("word_order", _word_order, rng, tokenizer, length)
        yield from _choices("coreference", _coreference, rng, tokenizer, length)
        yield from _copies(rng, tokenizer, length)


def as_lines(found: Iterator[Probe]) -> str:
    return "".join(json.dumps(probe) + "\n" for probe in found)
