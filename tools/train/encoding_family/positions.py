"""The encodings themselves, each as its source defines it; positions begin at 0."""

from __future__ import annotations

import torch
from torch import Tensor


def integer(positions: Tensor, width: int) -> Tensor:
    """The position itself, in every index."""
    return positions.float()[:, None].expand(-1, width)


def binary(positions: Tensor, width: int) -> Tensor:
    """Index k holds bit k of the position, the lowest bit at index 0."""
    bits = torch.arange(min(width, 62))
    found = (positions[:, None] >> bits & 1).float()
    return torch.nn.functional.pad(found, (0, width - found.shape[1]))


def sinusoidal(positions: Tensor, width: int) -> Tensor:
    """Vaswani et al. 2017: sine at even and cosine at odd indices, wavelengths from 2 pi to 10000 * 2 pi."""
    frequencies = 10000.0 ** (-torch.arange(0, width, 2, dtype=torch.float64) / width)
    angles = positions.double()[:, None] * frequencies
    return torch.stack((angles.sin(), angles.cos()), -1).flatten(1).float()


ADDED = {"integer": integer, "binary": binary, "sinusoidal": sinusoidal}


def alibi(positions: Tensor, heads: int) -> Tensor:
    """Press et al. 2022: the bias -slope * (i - j) of each head, minus infinity where j is later than i."""
    slopes = 2.0 ** (-8.0 * torch.arange(1, heads + 1) / heads)
    distance = (positions[:, None] - positions[None, :]).float()
    return (-slopes[:, None, None] * distance).masked_fill(distance < 0, float("-inf"))


def rotation(positions: Tensor, width: int, theta: float) -> Tensor:
    """RoPE's turns as complex numbers of length 1, one column for each pair."""
    frequencies = theta ** (-torch.arange(0, width, 2, dtype=torch.float64) / width)
    angles = positions.double()[:, None] * frequencies
    return torch.polar(torch.ones_like(angles), angles).to(torch.complex64)


def rotate(x: Tensor, turns: Tensor) -> Tensor:
    """Turns the interleaved pairs (2i, 2i+1) of the last dimension."""
    pairs = torch.view_as_complex(x.unflatten(-1, (-1, 2)))
    return torch.view_as_real(pairs * turns).flatten(-2)
