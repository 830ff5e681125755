"""Random weights as bytes of a type, from a pool that is made once for each deviation.

Floats are normally distributed. The blocks of a quantized type have random bytes for values, with scales that give them
the wanted deviation around zero. The layouts are those of ggml-common.h in https://github.com/ggml-org/llama.cpp.
"""

import numpy as np

LARGEST_POOL = 1 << 22  # Elements.
PIECES = 4  # A pool's part that is taken out of it at a time, from a place drawn anew.


def as_bytes(array):
    return np.ascontiguousarray(array).view(np.uint8).reshape(len(array), -1)


def to_bf16(values):
    bits = values.astype(np.float32).view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype("<u2")


FLOATS = {
    "F32": lambda values: values.astype("<f4"),
    "F16": lambda values: values.astype("<f2"),
    "BF16": to_bf16,
}


def scales_of(generator, count, deviation, unit, signed):
    """float16 factors that spread by a quarter; `unit`: the deviation of the blocks' values at factor 1. With signs, values
    whose mean is not quite zero cancel each other."""
    factors = generator.uniform(0.75, 1.25, count) * (deviation / unit)
    if signed:
        factors *= generator.choice([-1.0, 1.0], count)
    return factors[:, None]


def halves(values):
    return as_bytes(values.astype("<f2"))


def uniform_unit(count):
    """Deviation from the middle of 0..count-1 rounded up."""
    return np.sqrt((count * count - 1) / 12 + 0.25)


def random_bytes(generator, count, width):
    return generator.integers(0, 256, (count, width), dtype=np.uint8)


def q8_0(generator, count, deviation):
    values = generator.integers(-127, 128, (count, 32), dtype=np.int8)
    return [halves(scales_of(generator, count, deviation, np.sqrt(127 * 128 / 3), False)), as_bytes(values)]


def q4_0(generator, count, deviation):
    return [halves(scales_of(generator, count, deviation, uniform_unit(16), True)), random_bytes(generator, count, 16)]


def q5_0(generator, count, deviation):
    return [halves(scales_of(generator, count, deviation, uniform_unit(32), True)), random_bytes(generator, count, 20)]


def six_bit_pairs(scales):
    """Eight 6-bit scales, each beside an equal minimum, in twelve bytes: the last four of both kinds have their upper two
    bits in the bytes of the first four."""
    low, high = scales[:, :4], scales[:, 4:]
    first = low | ((high >> 4) << 6)
    return [first, first, (high & 15) | ((high & 15) << 4)]


def q4_k(generator, count, deviation):
    scales = generator.integers(32, 64, (count, 8), dtype=np.uint8)
    middle = 7.5  # Of 0..15: minimums of so many steps leave the mean at zero.
    unit = np.sqrt((16 * 16 - 1) / 12 * np.mean(np.arange(32, 64) ** 2.0))
    factors = scales_of(generator, count, deviation, unit, False)
    return [halves(factors), halves(factors * middle), *six_bit_pairs(scales), random_bytes(generator, count, 128)]


def q6_k(generator, count, deviation):
    scales = generator.integers(64, 128, (count, 16), dtype=np.int8)
    scales *= generator.choice(np.array([-1, 1], np.int8), (count, 16))
    unit = uniform_unit(64) * np.sqrt(np.mean(np.arange(64, 128) ** 2.0))
    return [
        random_bytes(generator, count, 192),
        as_bytes(scales),
        halves(scales_of(generator, count, deviation, unit, False)),
    ]


# Elements of a block, bytes of it, and what makes its parts.
BLOCKS = {"Q8_0": (32, 34, q8_0), "Q4_0": (32, 18, q4_0), "Q5_0": (32, 22, q5_0), "Q4_K": (256, 144, q4_k),
          "Q6_K": (256, 210, q6_k)}  # fmt: skip
FLOAT_BYTES = {"F32": 4, "F16": 2, "BF16": 2}


def block_of(kind):
    """(elements, bytes) of what cannot be taken apart."""
    return BLOCKS[kind][:2] if kind in BLOCKS else (1, FLOAT_BYTES[kind])


def byte_count(kind, elements):
    per_block, size = block_of(kind)
    return elements // per_block * size


class Pools:
    """Bytes of tensors. A pool of one type and deviation is kept, as most tensors share theirs with others."""

    def __init__(self, seed, largest):
        """`largest`: elements of the largest tensor."""
        self.elements = min(LARGEST_POOL, 256 * PIECES * -(-largest // 256))
        self.generator = np.random.default_rng(seed)
        self.normal = None
        self.pools = {}

    def small(self, tensor, kind):
        """A tensor that is not worth a pool: a vector, or given values."""
        values = tensor.values
        if values is None:
            values = tensor.mean + tensor.deviation * self.generator.standard_normal(tensor.elements)
        return FLOATS[kind](np.asarray(values)).tobytes()

    def pool(self, kind, deviation):
        key = (kind, round(deviation, 9))
        if key not in self.pools:
            if kind in BLOCKS:
                elements, _, make = BLOCKS[kind]
                blocks = np.concatenate(make(self.generator, self.elements // elements, deviation), axis=1)
            else:
                if self.normal is None:
                    self.normal = self.generator.standard_normal(self.elements, np.float32)
                blocks = as_bytes(FLOATS[kind](self.normal * np.float32(deviation)))
            self.pools[key] = blocks
        return self.pools[key]

    def chunks(self, tensor, kind):
        if len(tensor.shape) == 1:
            yield self.small(tensor, kind)
            return
        pool = self.pool(kind, tensor.deviation)
        per_block, _ = block_of(kind)
        left = tensor.elements // per_block
        while left > 0:
            count = min(left, self.elements // PIECES // per_block)
            start = int(self.generator.integers(0, len(pool) - count + 1))
            yield pool[start : start + count].data
            left -= count
