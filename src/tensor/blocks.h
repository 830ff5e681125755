// ggml's quantized blocks: how each lies in memory and what its elements are, as ggml-common.h and
// dequantize_row_* in ggml-quants.c (https://github.com/ggml-org/llama.cpp) have them.
//
// All numbers are little-endian; f16 is IEEE half precision. Decoding is float32 arithmetic in ggml's order, every
// operation rounded (mla compiles everything with -ffp-contract=off), so that it gives ggml's values to the last bit.
//
// Like kernels/vector_kernels.h this is compiled once for every instruction set: everything is in an unnamed namespace
// and nothing from the standard library is instantiated. The loops have constant lengths, and no step depends on the
// one before, for the compiler to vectorize them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tensor/dtype.h"

namespace mla {
namespace {

inline constexpr std::size_t kMostBlockElements = 256;

/// Where the parts of a block begin, in bytes. `d` scales and `m` or `dmin` shifts; `qs` are the low bits of the
/// elements, `qh` the high ones. In nibbles, element i and element i + 16 of 32 share a byte, the low half first.
namespace block_layout {

/// 32 elements d * q, q int8: d f16, qs int8[32].
struct Q8_0 {
  static constexpr std::size_t d = 0, qs = 2;
};
/// 32 elements d * (q - 8), q of 4 bits: d f16, qs[16].
struct Q4_0 {
  static constexpr std::size_t d = 0, qs = 2;
};
/// 32 elements d * q + m, q of 4 bits: d f16, m f16, qs[16].
struct Q4_1 {
  static constexpr std::size_t d = 0, m = 2, qs = 4;
};
/// 32 elements d * (q - 16), q of 5 bits: d f16, qh u32 (bit i is of element i), qs[16].
struct Q5_0 {
  static constexpr std::size_t d = 0, qh = 2, qs = 6;
};
/// 32 elements d * q + m, q of 5 bits: d f16, m f16, qh u32, qs[16].
struct Q5_1 {
  static constexpr std::size_t d = 0, m = 2, qh = 4, qs = 8;
};
/// 256 elements in groups of 16: (d * scale) * q - (dmin * min), q of 2 bits. scales[16]: a group's scale in the low
/// and its min in the high half. qs[64]: of each 128 elements, byte i has i, i + 32, i + 64 and i + 96, lowest bits
/// first. d f16, dmin f16.
struct Q2_K {
  static constexpr std::size_t scales = 0, qs = 16, d = 80, dmin = 82;
};
/// 256 elements in groups of 16: (d * (scale - 32)) * (q - 4), q of 3 bits. hmask[32]: bit b of byte i is the high
/// bit of element 32 * b + i. qs[64] as in Q2_K. scales[12]: 16 scales of 6 bits, the low four of scale i in byte
/// i % 8 (its half i / 8), the high two in byte 8 + i % 4 (from bit 2 * (i / 4)). d f16.
struct Q3_K {
  static constexpr std::size_t hmask = 0, qs = 32, scales = 96, d = 108;
};
/// 256 elements in groups of 32: (d * scale) * q - (dmin * min), q of 4 bits. d f16, dmin f16. scales[12]: scale and
/// min of 6 bits for 8 groups; those of groups 0 to 3 are the low six bits of bytes 0 to 3 and 4 to 7. Group i = 4 to
/// 7 has the low four of both in byte i + 4 and the high two at the top of bytes i - 4 and i. qs[128]: of each 64
/// elements, byte i has i and i + 32.
struct Q4_K {
  static constexpr std::size_t d = 0, dmin = 2, scales = 4, qs = 16;
};
/// As Q4_K with q of 5 bits: qh[32], whose bit b of byte i is the high bit of element 32 * b + i, before qs[128].
struct Q5_K {
  static constexpr std::size_t d = 0, dmin = 2, scales = 4, qh = 16, qs = 48;
};
/// 256 elements in groups of 16: (d * scale) * (q - 32), q of 6 bits. ql[128]: of each 128 elements, byte i of 64 has
/// the low four bits of i and i + 64. qh[64]: byte i of 32 has the high two of i, i + 32, i + 64 and i + 96.
/// scales int8[16], d f16.
struct Q6_K {
  static constexpr std::size_t ql = 0, qh = 128, scales = 192, d = 208;
};
/// 32 elements d * kIq4Values[q], q of 4 bits: d f16, qs[16].
struct Iq4Nl {
  static constexpr std::size_t d = 0, qs = 2;
};
/// 256 elements in groups of 32: (d * (scale - 32)) * kIq4Values[q]. d f16, scales_h u16 (bits 2 i and 2 i + 1 are the
/// high ones of scale i), scales_l[4] (two low halves each), qs[128]: 16 bytes a group.
struct Iq4Xs {
  static constexpr std::size_t d = 0, scales_h = 2, scales_l = 4, qs = 8;
};

}  // namespace block_layout

/// What the 4 bits of IQ4_NL and IQ4_XS mean.
inline constexpr std::int8_t kIq4Values[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                               1,    13,   25,  38,  53,  69,  89,  113};

namespace block_detail {

constexpr int byte_at(const std::byte* block, std::size_t at) {
  return static_cast<int>(block[at]);
}

constexpr int int8_at(const std::byte* block, std::size_t at) {
  return static_cast<std::int8_t>(block[at]);
}

constexpr std::uint32_t u16_at(const std::byte* block, std::size_t at) {
  return static_cast<std::uint32_t>(block[at]) | static_cast<std::uint32_t>(block[at + 1]) << 8;
}

/// What f16_to_float of tensor/scalar.h gives.
constexpr float f16_at(const std::byte* block, std::size_t at) {
  const std::uint32_t bits = u16_at(block, at);
  const std::uint32_t magnitude = (bits & 0x7fffU) << 13;  // The mantissa is where float32 has it.
  const std::uint32_t exponent = magnitude & 0x0f800000U;
  float value = 0.0F;
  if (exponent == 0) {  // Zero or subnormal: a multiple of 2^-24, found by exact subtraction.
    value = __builtin_bit_cast(float, magnitude + 0x38800000U) - 0x1p-14F;
  } else {
    const std::uint32_t rebias = exponent == 0x0f800000U ? 0x70000000U : 0x38000000U;
    value = __builtin_bit_cast(float, magnitude + rebias);
  }
  return __builtin_bit_cast(float, __builtin_bit_cast(std::uint32_t, value) | (bits & 0x8000U) << 16);
}

/// y[i] = d * (q[i] + shift) for the 32 nibbles of qs[16].
constexpr void decode_nibbles(const std::byte* __restrict qs, float d, int shift, float* __restrict y) {
  for (std::size_t i = 0; i < 16; ++i) {
    y[i] = d * static_cast<float>((byte_at(qs, i) & 15) + shift);
    y[i + 16] = d * static_cast<float>((byte_at(qs, i) >> 4) + shift);
  }
}

/// The 32 numbers of 5 bits of Q5_0 and Q5_1.
constexpr void unpack_fives(const std::byte* __restrict qh, const std::byte* __restrict qs,
                            int* __restrict q) {
  const std::uint32_t high = u16_at(qh, 0) | u16_at(qh, 2) << 16;
  for (unsigned i = 0; i < 16; ++i) {
    q[i] = (byte_at(qs, i) & 15) | static_cast<int>((high >> i & 1U) << 4);
    q[i + 16] = byte_at(qs, i) >> 4 | static_cast<int>((high >> (i + 16) & 1U) << 4);
  }
}

struct ScaleAndMin {
  int scale;
  int min;
};

/// Of group `i` of Q4_K and Q5_K.
constexpr ScaleAndMin scale_and_min(const std::byte* scales, std::size_t i) {
  if (i < 4) return {byte_at(scales, i) & 63, byte_at(scales, i + 4) & 63};
  return {(byte_at(scales, i + 4) & 15) | byte_at(scales, i - 4) >> 6 << 4,
          byte_at(scales, i + 4) >> 4 | byte_at(scales, i) >> 6 << 4};
}

/// Of group `i` of Q3_K.
constexpr int q3_k_scale(const std::byte* scales, std::size_t i) {
  const int low = byte_at(scales, i % 8) >> (i / 8 * 4) & 15;
  const int high = byte_at(scales, 8 + i % 4) >> (i / 4 * 2) & 3;
  return (low | high << 4) - 32;
}

/// Of group `i` of IQ4_XS.
constexpr int iq4_xs_scale(const std::byte* block, std::size_t i) {
  using At = block_layout::Iq4Xs;
  const int low = byte_at(block, At::scales_l + i / 2) >> (i % 2 * 4) & 15;
  return (low | static_cast<int>(u16_at(block, At::scales_h) >> (2 * i) & 3U) << 4) - 32;
}

constexpr void decode_q8_0(const std::byte* __restrict block, float* __restrict y) {
  using At = block_layout::Q8_0;
  const float d = f16_at(block, At::d);
  for (std::size_t i = 0; i < 32; ++i) y[i] = d * static_cast<float>(int8_at(block, At::qs + i));
}

constexpr void decode_q4_0(const std::byte* __restrict block, float* __restrict y) {
  using At = block_layout::Q4_0;
  decode_nibbles(block + At::qs, f16_at(block, At::d), -8, y);
}

constexpr void decode_q4_1(const std::byte* __restrict block, float* __restrict y) {
  using At = block_layout::Q4_1;
  const float m = f16_at(block, At::m);
  decode_nibbles(block + At::qs, f16_at(block, At::d), 0, y);
  for (std::size_t i = 0; i < 32; ++i) y[i] += m;
}

constexpr void decode_q5_0(const std::byte* __restrict block, float* __restrict y) {
  using At = block_layout::Q5_0;
  const float d = f16_at(block, At::d);
  int q[32] = {};
  unpack_fives(block + At::qh, block + At::qs, q);
  for (std::size_t i = 0; i < 32; ++i) y[i] = d * static_cast<float>(q[i] - 16);
}

constexpr void decode_q5_1(const std::byte* __restrict block, float* __restrict y) {
  using At = block_layout::Q5_1;
  const float d = f16_at(block, At::d);
  const float m = f16_at(block, At::m);
  int q[32] = {};
  unpack_fives(block + At::qh, block + At::qs, q);
  for (std::size_t i = 0; i < 32; ++i) y[i] = d * static_cast<float>(q[i]) + m;
}

constexpr void decode_q2_k(const std::byte* __restrict block, float* __restrict y) {
  using At = block_layout::Q2_K;
  const float d = f16_at(block, At::d);
  const float dmin = f16_at(block, At::dmin);
  for (std::size_t group = 0; group < 16; ++group) {
    const int packed = byte_at(block, At::scales + group);
    const float scale = d * static_cast<float>(packed & 15);
    const float min = dmin * static_cast<float>(packed >> 4);
    const std::byte* const qs = block + At::qs + group / 8 * 32 + group % 2 * 16;
    const int shift = static_cast<int>(group % 8 / 2 * 2);
    for (std::size_t i = 0; i < 16; ++i)
      y[group * 16 + i] = scale * static_cast<float>(byte_at(qs, i) >> shift & 3) - min;
  }
}

constexpr void decode_q3_k(const std::byte* __restrict block, float* __restrict y) {
  using At = block_layout::Q3_K;
  const float d = f16_at(block, At::d);
  for (std::size_t group = 0; group < 16; ++group) {
    const float scale = d * static_cast<float>(q3_k_scale(block + At::scales, group));
    const std::byte* const qs = block + At::qs + group / 8 * 32 + group % 2 * 16;
    const std::byte* const hmask = block + At::hmask + group % 2 * 16;
    const int shift = static_cast<int>(group % 8 / 2 * 2);
    const int bit = static_cast<int>(group / 2);
    for (std::size_t i = 0; i < 16; ++i) {
      const int q = (byte_at(qs, i) >> shift & 3) | (byte_at(hmask, i) >> bit & 1) << 2;
      y[group * 16 + i] = scale * static_cast<float>(q - 4);
    }
  }
}

constexpr void decode_q4_k(const std::byte* __restrict block, float* __restrict y) {
  using At = block_layout::Q4_K;
  const float d = f16_at(block, At::d);
  const float dmin = f16_at(block, At::dmin);
  for (std::size_t group = 0; group < 8; ++group) {
    const ScaleAndMin packed = scale_and_min(block + At::scales, group);
    const float scale = d * static_cast<float>(packed.scale);
    const float min = dmin * static_cast<float>(packed.min);
    const std::byte* const qs = block + At::qs + group / 2 * 32;
    const int shift = static_cast<int>(group % 2 * 4);
    for (std::size_t i = 0; i < 32; ++i)
      y[group * 32 + i] = scale * static_cast<float>(byte_at(qs, i) >> shift & 15) - min;
  }
}

constexpr void decode_q5_k(const std::byte* __restrict block, float* __restrict y) {
  using At = block_layout::Q5_K;
  const float d = f16_at(block, At::d);
  const float dmin = f16_at(block, At::dmin);
  const std::byte* const qh = block + At::qh;
  for (std::size_t group = 0; group < 8; ++group) {
    const ScaleAndMin packed = scale_and_min(block + At::scales, group);
    const float scale = d * static_cast<float>(packed.scale);
    const float min = dmin * static_cast<float>(packed.min);
    const std::byte* const qs = block + At::qs + group / 2 * 32;
    const int shift = static_cast<int>(group % 2 * 4);
    const int bit = static_cast<int>(group);
    for (std::size_t i = 0; i < 32; ++i) {
      const int q = (byte_at(qs, i) >> shift & 15) | (byte_at(qh, i) >> bit & 1) << 4;
      y[group * 32 + i] = scale * static_cast<float>(q) - min;
    }
  }
}

constexpr void decode_q6_k(const std::byte* __restrict block, float* __restrict y) {
  using At = block_layout::Q6_K;
  const float d = f16_at(block, At::d);
  for (std::size_t group = 0; group < 16; ++group) {
    const float scale = d * static_cast<float>(int8_at(block, At::scales + group));
    const std::byte* const ql = block + At::ql + group / 8 * 64 + group % 4 * 16;
    const std::byte* const qh = block + At::qh + group / 8 * 32 + group % 2 * 16;
    const int low_shift = static_cast<int>(group % 8 / 4 * 4);
    const int high_shift = static_cast<int>(group % 8 / 2 * 2);
    for (std::size_t i = 0; i < 16; ++i) {
      const int q = (byte_at(ql, i) >> low_shift & 15) | (byte_at(qh, i) >> high_shift & 3) << 4;
      y[group * 16 + i] = scale * static_cast<float>(q - 32);
    }
  }
}

/// y[i] = d * kIq4Values[q[i]] for the 32 nibbles of qs[16].
constexpr void decode_iq4(const std::byte* __restrict qs, float d, float* __restrict y) {
  for (std::size_t i = 0; i < 16; ++i) {
    y[i] = d * static_cast<float>(kIq4Values[byte_at(qs, i) & 15]);
    y[i + 16] = d * static_cast<float>(kIq4Values[byte_at(qs, i) >> 4]);
  }
}

constexpr void decode_iq4_nl(const std::byte* __restrict block, float* __restrict y) {
  using At = block_layout::Iq4Nl;
  decode_iq4(block + At::qs, f16_at(block, At::d), y);
}

constexpr void decode_iq4_xs(const std::byte* __restrict block, float* __restrict y) {
  using At = block_layout::Iq4Xs;
  const float d = f16_at(block, At::d);
  for (std::size_t group = 0; group < 8; ++group)
    decode_iq4(block + At::qs + group * 16, d * static_cast<float>(iq4_xs_scale(block, group)),
               y + group * 32);
}

}  // namespace block_detail

template <DType kType>
inline constexpr bool kIsQuantized = dtype_traits(kType).block_elements > 1;

/// y = the elements of the block of a quantized type; y holds dtype_traits(kType).block_elements floats.
template <DType kType>
constexpr void decode_block(const std::byte* block, float* y) {
  static_assert(kIsQuantized<kType>);
  using namespace block_detail;
  if constexpr (kType == DType::q8_0) decode_q8_0(block, y);
  if constexpr (kType == DType::q4_0) decode_q4_0(block, y);
  if constexpr (kType == DType::q4_1) decode_q4_1(block, y);
  if constexpr (kType == DType::q5_0) decode_q5_0(block, y);
  if constexpr (kType == DType::q5_1) decode_q5_1(block, y);
  if constexpr (kType == DType::q2_k) decode_q2_k(block, y);
  if constexpr (kType == DType::q3_k) decode_q3_k(block, y);
  if constexpr (kType == DType::q4_k) decode_q4_k(block, y);
  if constexpr (kType == DType::q5_k) decode_q5_k(block, y);
  if constexpr (kType == DType::q6_k) decode_q6_k(block, y);
  if constexpr (kType == DType::iq4_nl) decode_iq4_nl(block, y);
  if constexpr (kType == DType::iq4_xs) decode_iq4_xs(block, y);
}

}  // namespace
}  // namespace mla
