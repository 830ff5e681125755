"""Keeping the experts evenly busy, in the ways of DeepSeek-V3 and of DeepSeek-V2."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def gates(model: nn.Module) -> list[nn.Module]:
    return [layer.mlp.gate for layer in model.model.layers if hasattr(layer.mlp, "gate")]


@torch.no_grad()
def move_biases(model: nn.Module, loads: list[Tensor], rate: float) -> None:
    """V3, without an auxiliary loss: lowers the selection bias of busy experts, raises that of idle ones."""
    for gate, load in zip(gates(model), loads, strict=True):
        load = load.float()
        gate.e_score_correction_bias += rate * torch.sign(load.mean() - load)


def unevenness(loads: list[Tensor]) -> float:
    """The busiest expert's load in units of the mean, over all layers."""
    return max((load.max() / load.float().mean()).item() for load in loads)


class RouterWatch:
    """Collects what the softmax routers of a V2 model did in the last forward pass."""

    def __init__(self, model: nn.Module) -> None:
        self.seen: list[tuple[Tensor, Tensor]] = []
        for gate in gates(model):
            gate.register_forward_hook(self._note)

    def _note(self, _module: nn.Module, _inputs: tuple, outputs: tuple[Tensor, Tensor, Tensor]) -> None:
        logits, _, chosen = outputs
        self.seen.append((logits, chosen))

    def take(self) -> tuple[Tensor, list[Tensor]]:
        """The auxiliary loss (experts * sum of share * mean probability) and the loads; forgets them."""
        loss, loads = torch.zeros(()), []
        for logits, chosen in self.seen:
            experts = logits.shape[-1]
            load = torch.bincount(chosen.flatten(), minlength=experts)
            share = load / load.sum()
            loss = loss + experts * (share * logits.softmax(dim=-1).mean(dim=0)).sum()
            loads.append(load)
        self.seen.clear()
        return loss, loads
