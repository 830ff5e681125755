// ggml's quantized blocks: how each lies in memory and what its elements are, as ggml-common.h and
// dequantize_row_* in ggml-quants.c (https://github.com/ggml-org/llama.cpp) have them.
//
// All numbers are little-endian; f16 is IEEE half precision. What an element is worth is float32 arithmetic in ggml's
// order, every operation rounded (mla compiles everything with -ffp-contract=off), so that mla has ggml's values to the
// last bit.
//
// Like kernels/vector_kernels.h this is compiled once for every instruction set: everything is in an unnamed namespace
// and nothing from the standard library is instantiated.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tensor/dtype.h"

namespace mla {
namespace {

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

}  // namespace block_detail

template <DType kType>
inline constexpr bool kIsQuantized = dtype_traits(kType).block_elements > 1;

}  // namespace
}  // namespace mla
