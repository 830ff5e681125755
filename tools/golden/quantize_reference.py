"""Makes tests/unit/tensor/quantize_reference.h: blocks as the gguf package makes them, and errors of ggml's K encoders.

python tools/golden/quantize_reference.py LIBGGML_BASE  (libggml-base.so of a llama.cpp build or of llama-cpp-python)
"""

import ctypes
import pathlib
import sys

import numpy as np
from gguf import GGMLQuantizationType as Type
from gguf import quants

HEADER = pathlib.Path(__file__).resolve().parents[2] / "tests" / "unit" / "tensor" / "quantize_reference.h"
K_TYPES = {"Q4_K": ("q4_k", 144), "Q5_K": ("q5_k", 176), "Q6_K": ("q6_k", 210)}
SMALL_TYPES = {"Q8_0": "q8_0", "Q4_0": "q4_0", "Q4_1": "q4_1", "Q5_0": "q5_0", "Q5_1": "q5_1"}


def reference_row():
    """512 values on a grid of 1/1024, so that they can be written out: a normal distribution with heavy tails."""
    values = np.random.default_rng(11).standard_t(4, 512) * 0.3
    return np.round(values * 1024).astype(np.int32)


def importance(name, row):
    """What ggml's encoders weigh errors by where there is no importance matrix."""
    if name == "Q6_K":
        return row**2
    groups = row.reshape(-1, 32)
    return (np.sqrt(np.mean(groups**2, axis=1, keepdims=True)) + np.abs(groups)).reshape(-1)


def ggml_error(library, name, row):
    size = K_TYPES[name][1] * row.size // 256
    out = np.zeros(size, np.uint8)
    library.ggml_quantize_chunk(
        ctypes.c_int(int(Type[name])), row.ctypes.data_as(ctypes.c_void_p), out.ctypes.data_as(ctypes.c_void_p),
        ctypes.c_int64(0), ctypes.c_int64(1), ctypes.c_int64(row.size), None)
    back = quants.dequantize(out.reshape(1, -1), Type[name]).reshape(-1)
    weights = importance(name, row.astype(np.float64))
    return float(np.sqrt(np.sum(weights * (back - row.astype(np.float64)) ** 2) / np.sum(weights)))


def main():
    library = ctypes.CDLL(sys.argv[1])
    library.ggml_quantize_chunk.restype = ctypes.c_size_t
    grid = reference_row()
    row = (grid / 1024).astype(np.float32)
    lines = ["// Made by tools/golden/quantize_reference.py: do not edit.", "#pragma once", "", "#include <array>",
             "#include <string>", "#include <utility>", "", '#include "tensor/dtype.h"', "", "// clang-format off",
             "inline const std::array<float, 512> kReferenceRow = [] {",
             "  constexpr std::array<int, 512> grid = {"]
    lines += ["    " + ", ".join(map(str, grid[i:i + 16])) + "," for i in range(0, 512, 16)]
    lines += ["  };", "  std::array<float, 512> row{};",
              "  for (std::size_t i = 0; i < row.size(); ++i) row[i] = static_cast<float>(grid[i]) / 1024.0F;",
              "  return row;", "}();", "", "/// The first 64 values, as gguf.quants.quantize writes them.",
              f"inline const std::array<std::pair<mla::DType, std::string>, {len(SMALL_TYPES)}> kReferenceBlocks = {{{{"]
    for name, dtype in SMALL_TYPES.items():
        lines.append(f'    {{mla::DType::{dtype}, "{quants.quantize(row[:64], Type[name]).tobytes().hex()}"}},')
    lines += ["}};", "", "/// The root of the mean square error of ggml_quantize_chunk over all values, weighted as it weighs them: by x^2 for",
              "/// Q6_K, else by |x| plus the root mean square of the group of 32.",
              f"inline constexpr std::array<std::pair<mla::DType, double>, {len(K_TYPES)}> kReferenceErrors = {{{{"]
    for name, (dtype, _) in K_TYPES.items():
        lines.append(f"    {{mla::DType::{dtype}, {ggml_error(library, name, row):.9f}}},")
    lines += ["}};", "// clang-format on", ""]
    HEADER.write_text("\n".join(lines))


if __name__ == "__main__":
    main()
