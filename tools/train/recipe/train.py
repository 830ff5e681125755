"""Second half of the recipe: trains a prepared model and exports it as it goes.

usage: python -m recipe.train NAME MODEL_FOLDER WORK_FOLDER

A run that was interrupted continues from WORK_FOLDER/checkpoint.pt. The learning
rate and the data depend on the step alone, never on the clock.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from . import balance, fast_v3
from . import model as models
from .batches import Rows
from .files import read_json, say, write_atomically
from .muon import Muon
from .prepare import CONFIGS


def learning_factor(step: int, recipe: dict[str, Any]) -> float:
    """Warm-up, a constant stretch, a fall as 1 - sqrt(progress), and a straight line down to zero."""
    rise = min(1.0, (step + 1) / recipe["warmup"])
    bend = min(step, recipe["line_start"])
    progress = max(0, bend - recipe["decay_start"]) / (recipe["decay_aim"] - recipe["decay_start"])
    line = (recipe["steps"] - step) / (recipe["steps"] - bend)
    return min(rise, (1.0 - progress**0.5) * line)


def make_optimisers(model: nn.Module, recipe: dict[str, Any]) -> list[torch.optim.Optimizer]:
    matrices, fused, others = [], [], []
    for name, p in model.named_parameters():
        if p.dim() < 2 or any(part in name for part in ("embed_tokens", "lm_head", "mlp.gate.")):
            others.append(p)
        elif name.endswith("gate_up_proj"):
            fused.append(p)
        else:
            matrices.append(p)
    groups = [{"params": matrices}, {"params": fused, "rows": fused[0].shape[1] // 2}]
    muon = Muon(groups, recipe["muon_lr"], recipe["muon_momentum"], recipe["weight_decay"])
    adam = torch.optim.AdamW(others, recipe["adam_lr"], betas=(0.9, 0.95), eps=1e-9, weight_decay=0.0)
    for group in muon.param_groups + adam.param_groups:
        group["peak"] = group["lr"]
    return [muon, adam]


class Trainer:
    """One training run and its state on disk."""

    def __init__(self, name: str, model_folder: Path, work: Path) -> None:
        self.recipe = read_json(CONFIGS / f"{name}.train.json")
        self.folder, self.work = model_folder, work
        self.model = models.create(model_folder, self.recipe["seed"])
        self.rows = Rows(work, "train", self.recipe["seed"])
        self.optimisers = make_optimisers(self.model, self.recipe)
        self.watch = balance.RouterWatch(self.model) if self.recipe["forward"] == "library" else None
        self.step, self.seconds = 0, 0.0
        self.checkpoint = work / "checkpoint.pt"
        if self.checkpoint.exists():
            self._resume()

    def _resume(self) -> None:
        saved = torch.load(self.checkpoint, weights_only=True)
        self.model.load_state_dict(saved["model"])
        for optimiser, state in zip(self.optimisers, saved["optimisers"], strict=True):
            optimiser.load_state_dict(state)
        self.step, self.seconds = saved["step"], saved["seconds"]
        say(f"resumed at step {self.step}")

    def save(self) -> None:
        state = {
            "model": self.model.state_dict(),
            "optimisers": [o.state_dict() for o in self.optimisers],
            "step": self.step,
            "seconds": self.seconds,
        }
        write_atomically(self.checkpoint, lambda p: torch.save(state, p))
        models.export(self.model, self.folder)

    def _loss(self, ids: Tensor, targets: Tensor) -> tuple[Tensor, Tensor, list[Tensor]]:
        """The cross-entropy, the loss to minimise and the experts' loads."""
        if self.watch is None:
            result = fast_v3.forward(self.model, ids)
            entropy = F.cross_entropy(self.model.lm_head(result.hidden).flatten(0, 1), targets.flatten())
            return entropy, entropy, result.loads
        logits = self.model(ids, use_cache=False).logits
        entropy = F.cross_entropy(logits.flatten(0, 1), targets.flatten())
        uneven, loads = self.watch.take()
        return entropy, entropy + self.recipe["balance_loss"] * uneven, loads

    def train_step(self) -> tuple[float, float]:
        """One update; returns the loss and how uneven the experts' loads were."""
        recipe = self.recipe
        length = recipe["long_length"] if self.step >= recipe["long_from"] else recipe["length"]
        ids, targets = self.rows.batch(self.step, recipe["batch_tokens"] // length, length)
        entropy, loss, loads = self._loss(ids, targets)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), recipe["clip"])
        factor = learning_factor(self.step, recipe)
        for optimiser in self.optimisers:
            for group in optimiser.param_groups:
                group["lr"] = group["peak"] * factor
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        if self.watch is None:
            balance.move_biases(self.model, loads, recipe["balance_rate"])
        self.step += 1
        return entropy.item(), balance.unevenness(loads)

    def run(self) -> None:
        """Trains to the last step, logging to log.jsonl and saving at intervals."""
        recipe = self.recipe
        if self.watch is None:
            worst = fast_v3.assert_same_logits(self.model, self.rows.batch(0, 4, 256)[0])
            say(f"fast forward agrees with transformers to {worst:.1e}")
        saved = last = time.monotonic()
        losses: list[float] = []
        while self.step < recipe["steps"]:
            loss, uneven = self.train_step()
            now = time.monotonic()
            self.seconds, last = self.seconds + now - last, now
            losses.append(loss)
            if self.step % recipe["log_every"] == 0:
                self._log(sum(losses) / len(losses), uneven)
                losses.clear()
            if now - saved > recipe["save_every_seconds"]:
                self.save()
                saved = now
        self.save()
        say("done")

    def _log(self, loss: float, uneven: float) -> None:
        entry = {
            "step": self.step,
            "tokens": self.step * self.recipe["batch_tokens"],
            "loss": round(loss, 4),
            "rate": round(learning_factor(self.step, self.recipe), 4),
            "uneven": round(uneven, 2),
            "seconds": round(self.seconds, 1),
        }
        with (self.work / "log.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")
        say(f"step {self.step}/{self.recipe['steps']} loss {loss:.3f} uneven {uneven:.2f} {self.seconds:.0f}s")


def main(name: str, model_folder: str, work_folder: str) -> None:
    torch.set_num_threads(2)
    Trainer(name, Path(model_folder), Path(work_folder)).run()


if __name__ == "__main__":
    main(*sys.argv[1:])
