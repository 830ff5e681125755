"""Builds the training data: documents as token ids, in shuffled order, one file per split.

A split is `<name>.npy` (uint16 tokens, every document `BOS ... EOS`) and
`<name>.starts.npy` (where each document begins).
"""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from stories.render import stories

from . import public_domain
from .files import say, write_atomically
from .tokenizer import BOS, EOS

HELD_OUT_EVERY = 20


@dataclass(frozen=True)
class CorpusPlan:
    """How much of what goes into the corpus."""

    stories: int
    held_out_stories: int
    address_passages: int
    seed: int
    held_out_seed: int


@dataclass
class Documents:
    train: list[str]
    held_out: dict[str, list[str]]


def collect(plan: CorpusPlan, node_modules: Path) -> Documents:
    """All texts: shuffled training documents and held-out ones by source."""
    rng = random.Random(plan.seed)
    say(f"writing {plan.stories} stories")
    train = list(itertools.islice(stories(plan.seed), plan.stories))
    seen = set(train)
    fresh = (story for story in stories(plan.held_out_seed) if story not in seen)
    held_out = {"stories": list(itertools.islice(fresh, plan.held_out_stories))}

    speeches = public_domain.addresses(node_modules)
    rng.shuffle(speeches)
    sources = {
        "kjv": public_domain.king_james(),
        "moby_dick": public_domain.moby_dick(node_modules),
        "sotu": speeches[: plan.address_passages],
    }
    for name, passages in sources.items():
        held_out[name] = passages[::HELD_OUT_EVERY]
        train += [p for i, p in enumerate(passages) if i % HELD_OUT_EVERY]
    rng.shuffle(train)
    return Documents(train, held_out)


def _save(folder: Path, name: str, tokenizer: Tokenizer, texts: list[str]) -> int:
    bos, eos = tokenizer.token_to_id(BOS), tokenizer.token_to_id(EOS)
    starts, tokens = [], []
    for encoding in tokenizer.encode_batch_fast(texts, add_special_tokens=False):
        starts.append(len(tokens))
        tokens += [bos, *encoding.ids, eos]
    for suffix, values in ((".npy", np.array(tokens, np.uint16)), (".starts.npy", np.array(starts, np.int64))):

        def write(path: Path, values: np.ndarray = values) -> None:
            with path.open("wb") as file:
                np.save(file, values)

        write_atomically(folder / (name + suffix), write)
    return len(tokens)


def encode(documents: Documents, tokenizer: Tokenizer, folder: Path) -> None:
    """Writes every split under `folder`."""
    count = _save(folder, "train", tokenizer, documents.train)
    say(f"train: {len(documents.train)} documents, {count} tokens")
    for name, texts in documents.held_out.items():
        count = _save(folder, f"held_out_{name}", tokenizer, texts)
        say(f"held out, {name}: {len(texts)} documents, {count} tokens")
