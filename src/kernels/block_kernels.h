// The kernels on quantized weights: a block is decoded into floats that stay in the level-1 cache, and these are used
// as plain ones. What is said at the head of vector_kernels.h holds here too.
#pragma once

#include <cstddef>

#include "tensor/blocks.h"

namespace mla {
namespace {

template <DType kType>
inline constexpr std::size_t kBlockElements = dtype_traits(kType).block_elements;
template <DType kType>
inline constexpr std::size_t kBlockBytes = dtype_traits(kType).block_bytes;

template <typename V, DType kType>
float dot_blocks(const std::byte* w, const float* x, std::size_t n) {
  static_assert(kBlockElements<kType> % V::width == 0);
  typename V::Reg sum[4] = {V::zero(), V::zero(), V::zero(), V::zero()};
  alignas(64) float block[kBlockElements<kType>];
  for (std::size_t begin = 0; begin < n; begin += kBlockElements<kType>, w += kBlockBytes<kType>) {
    decode_block<kType>(w, block);
    for (std::size_t i = 0; i < kBlockElements<kType>; i += V::width) {
      typename V::Reg& partial = sum[i / V::width % 4];
      partial = V::fma(V::load(block + i), V::load(x + begin + i), partial);
    }
  }
  return V::sum(V::add(V::add(sum[0], sum[1]), V::add(sum[2], sum[3])));
}

template <typename V, DType kType>
void axpy_blocks(float a, const std::byte* w, float* y, std::size_t n) {
  const typename V::Reg factor = V::set1(a);
  alignas(64) float block[kBlockElements<kType>];
  for (std::size_t begin = 0; begin < n; begin += kBlockElements<kType>, w += kBlockBytes<kType>) {
    decode_block<kType>(w, block);
    for (std::size_t i = begin; i < begin + kBlockElements<kType>; i += V::width)
      V::store(y + i, V::fma(factor, V::load(block + i - begin), V::load(y + i)));
  }
}

template <typename V, DType kType>
void decode_blocks(const std::byte* w, float* y, std::size_t n) {
  for (std::size_t begin = 0; begin < n; begin += kBlockElements<kType>, w += kBlockBytes<kType>)
    decode_block<kType>(w, y + begin);
}

}  // namespace
}  // namespace mla
