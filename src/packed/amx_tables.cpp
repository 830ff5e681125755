// The tables of AMX, compiled for every processor: few tokens go to the vector units, whose results of quantized
// panels are the same to the bit.
#if defined(__x86_64__)
#include <algorithm>
#include <utility>

#include "packed/amx_kernels.h"
#include "packed/implementations.h"

namespace mla {
namespace {

/// Whether tiles were measured to be faster. Types in blocks of 32 need a float step for every 32 columns, which leaves
/// less to the tiles, and takes as long for a tile with few tokens as for a full one.
constexpr bool on_tiles(DType dtype, std::size_t tokens) {
  if (dtype_traits(dtype).block_elements == 256) return tokens >= 8;
  return tokens >= 24 || (tokens > 12 && tokens <= 16);
}

template <DType kType>
void multiply(const PanelJob& job) {
  if (job.cols > 0 && on_tiles(kType, job.x.rows))
    multiply_blocks_amx(kType, job);
  else
    kAvx512VnniBlocks.multiply[static_cast<std::size_t>(kType)](job);
}

template <std::size_t... kTypes>
constexpr auto all_types(std::index_sequence<kTypes...>) {
  return std::array<void (*)(const PanelJob&), sizeof...(kTypes)>{
      (kDTypeTraits[kTypes].block_elements > 1 ? multiply<static_cast<DType>(kTypes)> : nullptr)...};
}

std::size_t block_scratch_bytes(std::size_t cols) {
  return std::max(kAvx512VnniBlocks.scratch_bytes(cols), block_scratch_bytes_amx(cols));
}

std::size_t float_scratch_bytes(std::size_t cols) {
  return std::max(kAvx512Bf16Floats.scratch_bytes(cols), bf16_scratch_bytes_amx());
}

void multiply_f32(const PanelJob& job) {
  kAvx512Bf16Floats.multiply_f32(job);
}
void multiply_f16(const PanelJob& job) {
  kAvx512Bf16Floats.multiply_f16(job);
}
void multiply_f8(const PanelJob& job) {
  kAvx512Bf16Floats.multiply_f8(job);
}
void quantize(const float* x, const ActivationView& to, std::size_t row) {
  kAvx512Bf16Floats.quantize(x, to, row);
}
void to_bf16(const float* x, std::size_t n, std::uint16_t* bits) {
  kAvx512Bf16Floats.to_bf16(x, n, bits);
}
void from_bf16(const std::uint16_t* bits, std::size_t n, float* x) {
  kAvx512Bf16Floats.from_bf16(bits, n, x);
}

}  // namespace

constinit const BlockKernels kAmxBlocks = {all_types(std::make_index_sequence<kDTypeTraits.size()>()),
                                           block_scratch_bytes};

constinit const FloatKernels kAmxFloats = {multiply_f32, multiply_f16,       multiply_bf16_amx,
                                           multiply_f8,  quantize,           to_bf16,
                                           from_bf16,    float_scratch_bytes};

}  // namespace mla
#endif
