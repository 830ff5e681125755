"""Held-out perplexity of the exported (rounded) model, per source.

usage: python -m recipe.evaluate MODEL_FOLDER WORK_FOLDER
"""

from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from . import model as models
from .files import say, write_json

SOURCES = ("stories", "kjv", "moby_dick", "sotu")


@torch.no_grad()
def total_loss(model: nn.Module, tokens: np.ndarray, starts: np.ndarray, window: int) -> tuple[float, int]:
    """Summed negative log-likelihood of every token after each document's BOS, and how many there are."""
    total, count = 0.0, 0
    ends = [*starts[1:], len(tokens)]
    for begin, end in zip(starts, ends, strict=True):
        document = torch.from_numpy(tokens[begin:end].astype(np.int64))[: window + 1]
        logits = model(document[None, :-1], use_cache=False).logits[0]
        total += F.cross_entropy(logits, document[1:], reduction="sum").item()
        count += len(document) - 1
    return total, count


def main(model_folder: str, work_folder: str) -> None:
    torch.set_num_threads(2)
    folder, work = Path(model_folder), Path(work_folder)
    model = models.load(folder)
    total, active = models.count_parameters(model)
    results: dict[str, object] = {"parameters": total, "active_parameters": active}
    for name in SOURCES:
        tokens, starts = (np.load(work / f"held_out_{name}{suffix}") for suffix in (".npy", ".starts.npy"))
        loss, count = total_loss(model, tokens, starts, model.config.max_position_embeddings)
        results[name] = {"documents": len(starts), "tokens": count, "perplexity": round(math.exp(loss / count), 3)}
        say(f"{name}: {results[name]}")
    write_json(work / "evaluation.json", results)


if __name__ == "__main__":
    main(*sys.argv[1:])
