"""Trains one model of the family."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from recipe.files import say, write_text
from recipe.muon import Muon
from tokenizers import Tokenizer
from torch import Tensor, nn

from . import architecture
from .config import CONTEXT, Recipe, model_config


def learning_factor(step: int, recipe: Recipe) -> float:
    """A straight rise, then a straight fall to zero."""
    return min((step + 1) / recipe.warmup, (recipe.steps - step) / (recipe.steps - recipe.warmup))


def batches(tokens: np.ndarray, seed: int, recipe: Recipe) -> Iterator[Tensor]:
    """Windows of the context's length and one token more, from any place in the stream; the seed decides them all."""
    for step in range(recipe.steps):
        begins = np.random.default_rng((seed, step)).integers(0, len(tokens) - CONTEXT - 1, recipe.rows)
        yield torch.from_numpy(np.stack([tokens[b : b + CONTEXT + 1] for b in begins]).astype(np.int64))


def weights(inputs: Tensor, openers: Tensor, closer: int, other: float) -> Tensor:
    """How much each next token counts: 1 in answers and repeated lists, `other` where much is left to chance.

    An answer goes from an opener ("?" or "again") to the full stop. The weight depends on what stands before the
    token, not on the token, so it does not change what the best prediction is.
    """
    place = torch.arange(1, inputs.shape[1] + 1)
    opened = (torch.isin(inputs, openers) * place).cummax(1).values
    closed = ((inputs == closer) * place).cummax(1).values
    return torch.where(opened > closed, 1.0, other)


def optimisers(model: nn.Module, recipe: Recipe) -> list[torch.optim.Optimizer]:
    """Muon for the matrices, AdamW for embeddings, tables and norms."""
    matrices = [p for n, p in model.named_parameters() if p.dim() == 2 and "embed_" not in n]
    others = [p for n, p in model.named_parameters() if p.dim() < 2 or "embed_" in n]
    muon = Muon(matrices, recipe.muon_lr, recipe.muon_momentum, recipe.weight_decay)
    adam = torch.optim.AdamW(others, recipe.adam_lr, betas=(0.9, 0.95), eps=1e-9, weight_decay=0.0)
    return [muon, adam]


def train(encoding: str, seed: int, recipe: Recipe, work: Path) -> architecture.Decoder:
    """A trained model; the loss curve goes to WORK/logs."""
    model = architecture.create(model_config(encoding), seed)
    tokens = np.load(work / "train.npy")
    tokenizer = Tokenizer.from_file(str(work / "tokenizer" / "tokenizer.json"))
    openers = torch.tensor([tokenizer.token_to_id(piece) for piece in ("?", "Ġagain")])
    closer = tokenizer.token_to_id(".")
    tools = optimisers(model, recipe)
    peaks = [group["lr"] for tool in tools for group in tool.param_groups]
    log, losses, began = [], [], time.monotonic()
    for step, block in enumerate(batches(tokens, seed, recipe)):
        inputs, targets = block[:, :-1], block[:, 1:]
        weight = weights(inputs, openers, closer, recipe.other_weight).flatten()
        entropy = F.cross_entropy(model(inputs).flatten(0, 1), targets.flatten(), reduction="none")
        (entropy @ weight / weight.sum()).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), recipe.clip)
        factor = learning_factor(step, recipe)
        for group, peak in zip((g for tool in tools for g in tool.param_groups), peaks, strict=True):
            group["lr"] = peak * factor
        for tool in tools:
            tool.step()
            tool.zero_grad(set_to_none=True)
        answers = weight == 1.0
        losses.append((entropy.mean().item(), entropy[answers].mean().item()))
        if (step + 1) % recipe.log_every == 0:
            mean, answer = (round(sum(part) / len(part), 4) for part in zip(*losses, strict=True))
            seconds = round(time.monotonic() - began, 1)
            log.append({"step": step + 1, "loss": mean, "answers": answer, "seconds": seconds})
            write_text(work / "logs" / f"{encoding}.{seed}.jsonl", "".join(json.dumps(e) + "\n" for e in log))
            progress = f"step {step + 1}/{recipe.steps} loss {mean:.3f}, {answer:.3f} in answers, {seconds:.0f}s"
            say(f"{encoding} {seed}: {progress}")
            losses.clear()
    return model
