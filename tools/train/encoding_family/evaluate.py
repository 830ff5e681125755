"""Evaluates one trained model on the evaluation files, independently of the C++ program."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from tokenizers import Tokenizer
from torch import Tensor

from .architecture import Decoder
from .config import CONTEXT, LENGTHS
from .export import load

_SHIFTS = (0, 16, 32, 64, 128, 256)
_SHIFTED_WINDOW = 64
_ROWS = 16


def _fits(model: Decoder, end: int) -> bool:
    """Whether positions below `end` exist in this model."""
    return model.encoding != "learned" or end <= model.config["max_position_embeddings"]


def _perplexity(model: Decoder, documents: Tensor, window: int, first: int = 0) -> float | None:
    """Over consecutive windows, each from an empty context; a window's first token is not scored."""
    if not _fits(model, first + window):
        return None
    total, count = 0.0, 0
    for rows in documents.reshape(-1, window).split(_ROWS):
        targets = rows[:, 1:].flatten()
        total += F.cross_entropy(model(rows, first)[:, :-1].flatten(0, 1), targets, reduction="sum").item()
        count += len(targets)
    return math.exp(total / count)


def _score(model: Decoder, tokenizer: Tokenizer, probe: dict[str, Any]) -> float:
    """1 or 0 for a choice, the share of right tokens for a copy."""
    prompt = tokenizer.encode(probe["prompt"]).ids
    if probe["task"] == "copy":
        copied = tokenizer.encode(probe["continuation"], add_special_tokens=False).ids
        logits = model(torch.tensor([prompt + copied]))[0, len(prompt) - 1 : -1]
        return (logits.argmax(-1) == torch.tensor(copied)).float().mean().item()
    choices = [tokenizer.encode(choice, add_special_tokens=False).ids for choice in probe["choices"]]
    logits = model(torch.tensor([prompt]))[0, -1]
    scores = [logits[token].item() for (token,) in choices]
    return float(scores[probe["answer"]] > scores[1 - probe["answer"]])


def _accuracy(
    model: Decoder, tokenizer: Tokenizer, probes: list[dict[str, Any]], task: str, length: int
) -> float | None:
    if not _fits(model, length * CONTEXT):
        return None
    scores = [_score(model, tokenizer, p) for p in probes if p["task"] == task and p["length"] == length]
    return sum(scores) / len(scores)


@torch.no_grad()
def evaluate(folder: Path, evaluation: Path) -> dict[str, Any]:
    """All measures of the model in `folder`; None where a learned table has no such positions."""
    model, tokenizer = load(folder), Tokenizer.from_file(str(folder / "tokenizer.json"))
    longest = max(LENGTHS) * CONTEXT
    texts = (evaluation / "documents.txt").read_text(encoding="utf-8").splitlines()
    documents = torch.tensor([tokenizer.encode(text).ids[:longest] for text in texts])
    probes = [json.loads(line) for line in (evaluation / "probes.jsonl").read_text(encoding="utf-8").splitlines()]
    result: dict[str, Any] = {"encoding": model.encoding}
    result["perplexity"] = {str(n): _perplexity(model, documents, n * CONTEXT) for n in LENGTHS}
    for task in ("copy", "word_order", "coreference"):
        result[task] = {str(n): _accuracy(model, tokenizer, probes, task, n) for n in LENGTHS}
    result["phase_shift"] = {str(k): _perplexity(model, documents, _SHIFTED_WINDOW, k) for k in _SHIFTS}
    return result
