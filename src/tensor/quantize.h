// Floats to the types a GGUF file stores: the other direction of tensor/decode.h.
//
// Layouts of the blocks: ggml-common.h of https://github.com/ggml-org/ggml. Q8_0, Q4_0, Q4_1, Q5_0 and Q5_1 round as
// ggml's reference does, to the bit. For Q4_K, Q5_K and Q6_K no rounding is prescribed, any encoder may look for
// scales that lose little: ours is described in quantize_k.cpp.
#pragma once

#include <cstddef>
#include <span>

#include "tensor/dtype.h"

namespace mla {

/// The types encode_row writes: F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q4_K, Q5_K and Q6_K.
bool can_encode(DType dtype);

/// Writes the row as `dtype`, one that can_encode, to `out`, which has the bytes for it. The row is whole blocks.
/// False, and `out` unspecified, if a value is not finite or too large for the type (for F16 and BF16) or for the f16
/// scale of its block.
[[nodiscard]] bool encode_row(DType dtype, std::span<const float> row, std::span<std::byte> out);

}  // namespace mla
