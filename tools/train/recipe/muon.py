"""Muon: momentum whose matrices are orthogonalised before each step."""

from __future__ import annotations

from collections import defaultdict

import torch
from torch import Tensor


def orthogonalise(stack: Tensor, steps: int = 5) -> Tensor:
    """Newton-Schulz iteration on a stack of matrices (count, rows, columns)."""
    a, b, c = 3.4445, -4.7750, 2.0315
    tall = stack.shape[1] > stack.shape[2]
    x = stack.mT if tall else stack
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(steps):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.mT if tall else x


class Muon(torch.optim.Optimizer):
    """For 2-D weights and 3-D stacks of them; matrices of one shape share their products.

    `rows` of a parameter group splits fused weights (gate and up) into matrices
    of that many rows.
    """

    def __init__(self, params, lr: float, momentum: float, weight_decay: float) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay, "rows": None})

    @torch.no_grad()
    def step(self, closure=None) -> None:
        if closure is not None:
            raise ValueError("Muon takes no closure")
        for group in self.param_groups:
            by_shape: dict[tuple[int, int], list[tuple[Tensor, Tensor]]] = defaultdict(list)
            for p in group["params"]:
                if p.grad is None:
                    continue
                memory = self.state[p].setdefault("momentum", torch.zeros_like(p))
                memory.lerp_(p.grad, 1 - group["momentum"])
                update = p.grad.lerp(memory, group["momentum"])
                matrices = update.reshape(-1, group["rows"] or p.shape[-2], p.shape[-1])
                by_shape[tuple(matrices.shape[1:])].append((p, matrices))
            for (rows, columns), members in by_shape.items():
                stack = orthogonalise(torch.cat([m for _, m in members]))
                size = group["lr"] * max(1.0, rows / columns) ** 0.5
                for (p, _), part in zip(members, stack.split([m.shape[0] for _, m in members]), strict=True):
                    p.mul_(1 - group["lr"] * group["weight_decay"]).add_(part.reshape_as(p), alpha=-size)
