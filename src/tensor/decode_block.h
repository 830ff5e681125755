// One block of a quantized type to floats, plainly: the reference that the fast kernels are tested against.
#pragma once

#include <cstddef>

#include "tensor/dtype.h"

namespace mla {

inline constexpr std::size_t kMostBlockElements = 256;

/// y = the elements of the block at any address, to the last bit as tensor/blocks.h defines them. `dtype` is a
/// quantized type; y holds its block_elements floats.
void decode_block(DType dtype, const std::byte* block, float* y);

}  // namespace mla
