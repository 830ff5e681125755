"""The positional encodings of numpy_reference.py that are not rotations, from their papers."""

from math import floor, log2

import numpy as np


def sinusoidal(positions, dim):
    """Vaswani et al. 2017, section 3.5; of an odd number of values the last is a sine."""
    i = np.arange(dim) // 2
    angles = positions[:, None] / 10000.0 ** (2 * i / dim)
    return np.where(np.arange(dim) % 2 == 0, np.sin(angles), np.cos(angles))


def added_vectors(encoding, positions, dim, table=None):
    """[positions, dim]: what is added to the embeddings."""
    if encoding == "integer":
        return np.repeat(positions[:, None], dim, 1).astype(float)
    if encoding == "binary":
        return (positions[:, None] // 2.0 ** np.arange(dim) % 2).astype(float)
    if encoding == "sinusoidal":
        return sinusoidal(positions, dim)
    if encoding == "learned":
        return table[positions]
    return np.zeros((len(positions), dim))


def alibi_slopes(heads):
    """Press et al. 2022, section 3, and for other numbers of heads than powers of two their published code."""
    power = 2 ** floor(log2(heads))
    slopes = [2.0 ** (-8 * (h + 1) / power) for h in range(power)]
    between = [2.0 ** (-4 * (h + 1) / power) for h in range(0, 2 * power, 2)]
    return np.array(slopes + between[: heads - power])


def alibi_bias(heads, positions):
    """[heads, queries, keys]"""
    return -alibi_slopes(heads)[:, None, None] * abs(positions[:, None] - positions[None])
