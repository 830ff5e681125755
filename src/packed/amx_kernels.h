// What the files compiled for AMX hand to amx_tables.cpp, which is compiled for every processor and chooses by the
// number of tokens.
#pragma once

#include "packed/packed_kernels.h"

namespace mla {

/// A job of quantized panels on tiles, of at least one token and
/// one column; bit-equal to the scalar kernels.
void multiply_blocks_amx(DType dtype, const PanelJob& job);
std::size_t block_scratch_bytes_amx(std::size_t cols);

/// A job of BF16 panels on tiles.
void multiply_bf16_amx(const PanelJob& job);
std::size_t bf16_scratch_bytes_amx();

}  // namespace mla
