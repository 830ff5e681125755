#!/usr/bin/env python3
"""Writes tests/golden/blocks: blocks of every quantized type mla knows, and what the `gguf` package makes of them.

<TYPE>.bin holds the blocks, <TYPE>.npy the float32 values of `gguf.quants.dequantize`, one block a row. The blocks are
random bytes with scales that are finite; the first ones have scales from the edges of float16, all bits clear or all set.
"""

import pathlib

import gguf
import numpy as np

# Where a block has its float16 numbers, in bytes.
HALVES = {
    "Q8_0": [0], "Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q2_K": [80, 82], "Q3_K": [108],
    "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208], "IQ4_NL": [0], "IQ4_XS": [0],
}  # fmt: skip

# Zeros, the smallest and the largest subnormal, the smallest normal, one and the largest number of float16.
EDGES = np.array(
    [0x0000, 0x8000, 0x0001, 0x8001, 0x03FF, 0x83FF, 0x0400, 0x8400, 0x3C00, 0x7BFF, 0xFBFF], np.uint16
)
RANDOM_BLOCKS = 13


def random_halves(generator, count):
    halves = generator.integers(0, 0x10000, count, dtype=np.uint16)
    return np.where(halves & 0x7C00 == 0x7C00, halves & 0xBFFF, halves)  # No NaN and no infinity.


def blocks_of(name, generator):
    _, size = gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType[name]]
    count = len(EDGES) + 2 + RANDOM_BLOCKS
    blocks = generator.integers(0, 256, (count, size), dtype=np.uint8)
    blocks[len(EDGES)] = 0
    blocks[len(EDGES) + 1] = 0xFF
    for number, at in enumerate(HALVES[name]):
        halves = random_halves(generator, count)
        halves[: len(EDGES)] = np.roll(EDGES, 4 * number)
        halves[len(EDGES)] = 0
        blocks[:, at : at + 2] = halves.astype("<u2").view(np.uint8).reshape(count, 2)
    return blocks


def main():
    folder = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden" / "blocks"
    folder.mkdir(parents=True, exist_ok=True)
    for seed, name in enumerate(HALVES):
        blocks = blocks_of(name, np.random.default_rng(seed))
        values = gguf.quants.dequantize(blocks, gguf.GGMLQuantizationType[name])
        assert values.dtype == np.float32 and np.isfinite(values).all()
        (folder / f"{name}.bin").write_bytes(blocks.tobytes())
        np.save(folder / f"{name}.npy", values)


if __name__ == "__main__":
    main()
