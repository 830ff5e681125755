"""Training rows: each begins at the start of a document and runs on into the next ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor


class Rows:
    """Deterministic batches: the same (seed, step) gives the same rows."""

    def __init__(self, folder: Path, name: str, seed: int) -> None:
        self.tokens = np.load(folder / f"{name}.npy")
        self.starts = np.load(folder / f"{name}.starts.npy")
        self.seed = seed

    def batch(self, step: int, rows: int, length: int) -> tuple[Tensor, Tensor]:
        """Inputs and the tokens that follow them, both (rows, length)."""
        usable = int(np.searchsorted(self.starts, len(self.tokens) - length - 1))
        rng = np.random.default_rng((self.seed, step))
        begins = self.starts[rng.integers(0, usable, rows)]
        block = np.stack([self.tokens[b : b + length + 1] for b in begins]).astype(np.int64)
        block = torch.from_numpy(block)
        return block[:, :-1].contiguous(), block[:, 1:].contiguous()
