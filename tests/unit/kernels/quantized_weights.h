// Quantized weights for tests: random blocks whose float16 numbers are chosen.
#pragma once

#include <cstddef>
#include <cstring>
#include <random>
#include <vector>

#include "tensor/blocks.h"
#include "tensor/decode.h"
#include "tensor/scalar.h"

/// Where a block of the type has its float16 numbers, in bytes.
inline std::vector<std::size_t> halves_of(mla::DType dtype) {
  using mla::DType;
  using namespace mla::block_layout;
  switch (dtype) {
    case DType::q4_1:
      return {Q4_1::d, Q4_1::m};
    case DType::q5_1:
      return {Q5_1::d, Q5_1::m};
    case DType::q2_k:
      return {Q2_K::d, Q2_K::dmin};
    case DType::q3_k:
      return {Q3_K::d};
    case DType::q4_k:
      return {Q4_K::d, Q4_K::dmin};
    case DType::q5_k:
      return {Q5_K::d, Q5_K::dmin};
    case DType::q6_k:
      return {Q6_K::d};
    default:
      return {0};  // All others begin with their only one.
  }
}

inline bool is_quantized(mla::DType dtype) {
  return mla::dtype_traits(dtype).block_elements > 1;
}

/// Weights at an odd address, as a model file may have them, and their values.
struct QuantizedWeights {
  std::vector<std::byte> bytes;
  std::vector<float> values;

  const std::byte* data() const { return bytes.data() + 1; }
};

/// One row of `n` elements, whole blocks. `half` gives the float16 numbers one after the other, as floats.
template <typename Half>
QuantizedWeights quantized_weights(mla::DType dtype, std::size_t n, unsigned seed, Half half) {
  const mla::DTypeTraits& traits = mla::dtype_traits(dtype);
  const std::size_t blocks = n / traits.block_elements;
  QuantizedWeights weights{std::vector<std::byte>(1 + blocks * traits.block_bytes), std::vector<float>(n)};
  std::mt19937 source(seed);
  for (std::byte& byte : weights.bytes) byte = static_cast<std::byte>(source() >> 24);
  for (std::size_t block = 0; block < blocks; ++block)
    for (const std::size_t at : halves_of(dtype)) {
      const std::uint16_t bits = mla::float_to_f16(half());
      std::memcpy(weights.bytes.data() + 1 + block * traits.block_bytes + at, &bits, sizeof bits);
    }
  if (n > 0) mla::decode_row(mla::TensorView{dtype, mla::Shape{n}, weights.data()}, 0, 0, weights.values);
  return weights;
}
