// Quantized panels as the second operands of AMX tile products. Only for files compiled with AMX.
//
// Types in blocks of 256 fold the scales of their groups into the weights, so that the tiles sum over the whole block
// in integers: w = scale * code is cut into at most two planes of bytes, w = low + (high << kShift), each a product of
// its own. A word of two bytes belongs to one weight row, hence has one scale: where both products fit their bytes one
// 16-bit multiplication makes two of them.
//   Q4_K, Q5_K: the scale of 6 bits is cut in halves of 3, products up to 7 * 31 fit a byte without sign.
//   Q2_K: 15 * 3 fits one plane. Q3_K: the negated -scale * (code - 4) is from -128 to 124 and fits one with a sign.
//   Q6_K, IQ4_XS: 16-bit products, whose low bytes have no sign and whose high ones do.
// Types in blocks of 32 have one plane, the code less its offset.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "packed/panel.h"
#include "tensor/blocks.h"
#include "tensor/dtype.h"

namespace mla {
namespace {

inline constexpr std::size_t kGroupColumns = 32;
inline constexpr std::size_t kVectorBytes = 64;
inline constexpr std::size_t kGroupTileBytes = 8 * kVectorBytes;  ///< 32 columns of a plane.

/// What of a panel's layout (panel.h) and of the folding belongs to a type.
template <DType kType>
struct PanelTraits {
  static constexpr bool kBlocks256 = dtype_traits(kType).block_elements == 256;
  static constexpr bool kQ45K = kType == DType::q4_k || kType == DType::q5_k;
  static constexpr bool kBytePlane = kType == DType::q8_0;
  static constexpr bool kBitPlane2 = kType == DType::q2_k || kType == DType::q3_k;
  static constexpr bool kPlus1Bit =
      kType == DType::q3_k || kType == DType::q5_0 || kType == DType::q5_1 || kType == DType::q5_k;
  static constexpr bool kPlus2Bits = kType == DType::q6_k;

  static constexpr std::size_t kGroupBytes = kVectorBytes * ((kBytePlane   ? 8
                                                              : kBitPlane2 ? 2
                                                                           : 4) +
                                                             (kPlus1Bit ? 1 : 0) + (kPlus2Bits ? 2 : 0));

  /// With a minimum or a shift as well.
  static constexpr bool kMins = kQ45K || kType == DType::q2_k || kType == DType::q4_1 || kType == DType::q5_1;
  static constexpr std::size_t kHalfBytes = 2 * kPanelRows;  ///< f16[16]
  static constexpr std::size_t kGroupScales =
      kQ45K                                                                  ? 256
      : kType == DType::q2_k || kType == DType::q3_k || kType == DType::q6_k ? 256
                                                                             : 128;
  static constexpr std::size_t kScaleBytes = kHalfBytes * (kMins ? 2 : 1) + (kBlocks256 ? kGroupScales : 0);

  static constexpr bool kWide = kType == DType::q6_k || kType == DType::iq4_xs;
  static constexpr std::size_t kPlanes = kQ45K || kWide ? 2 : 1;
  static constexpr int kShift = kWide ? 8 : 3;
  static constexpr bool kNegated = kType == DType::q3_k;
  static constexpr bool kLowSigned = !kBlocks256 || kNegated;
  static constexpr bool kHighSigned = kWide;
};

inline __m512i load_vector(const std::byte* from) {
  return _mm512_loadu_si512(from);
}

inline void store_vector(std::byte* to, __m512i value) {
  _mm512_store_si512(to, value);
}

/// Of each 32-bit lane the low or the high half, twice.
inline __m512i low_halves(__m512i x) {
  return _mm512_shuffle_epi8(x, _mm512_set4_epi32(0x0d0c0d0c, 0x09080908, 0x05040504, 0x01000100));
}
inline __m512i high_halves(__m512i x) {
  return _mm512_shuffle_epi8(x, _mm512_set4_epi32(0x0f0e0f0e, 0x0b0a0b0a, 0x07060706, 0x03020302));
}

/// Bytes of `yes` where the mask's are set, else of `no`.
inline __m512i select_bits(__m512i mask, __m512i yes, __m512i no) {
  return _mm512_ternarylogic_epi32(mask, yes, no, 0xca);
}

inline __m512i load_halves(const std::byte* from) {
  return _mm512_castps_si512(_mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from))));
}

/// Vector `kVector` of the 8 of a group, its codes without sign; for IQ4 the index.
template <DType kType, std::size_t kVector>
__m512i load_codes(const std::byte* group) {
  using Traits = PanelTraits<kType>;
  if constexpr (Traits::kBytePlane) return load_vector(group + kVector * kVectorBytes);
  __m512i codes;
  constexpr int kLowVectors = Traits::kBitPlane2 ? 2 : 4;
  constexpr int kLowBits = Traits::kBitPlane2 ? 2 : 4;
  codes = load_vector(group + kVector % kLowVectors * kVectorBytes);
  if constexpr (kVector >= kLowVectors) codes = _mm512_srli_epi16(codes, kVector / kLowVectors * kLowBits);
  codes = _mm512_and_si512(codes, _mm512_set1_epi8((1 << kLowBits) - 1));
  const std::byte* more = group + kLowVectors * kVectorBytes;
  if constexpr (Traits::kPlus1Bit) {
    const __mmask64 set =
        _mm512_test_epi8_mask(load_vector(more), _mm512_set1_epi8(static_cast<char>(1 << kVector)));
    codes = _mm512_mask_add_epi8(codes, set, codes, _mm512_set1_epi8(1 << kLowBits));
  }
  if constexpr (Traits::kPlus2Bits) {
    constexpr int kAt = kVector / 2 * 2;  // Where the two bits are; wanted at 4.
    __m512i high = load_vector(more + kVector % 2 * kVectorBytes);
    if constexpr (kAt < 4) high = _mm512_slli_epi16(high, 4 - kAt);
    if constexpr (kAt > 4) high = _mm512_srli_epi16(high, kAt - 4);
    codes = _mm512_ternarylogic_epi32(codes, high, _mm512_set1_epi8(0x30), 0xf8);  // codes | (high & 0x30)
  }
  return codes;
}

/// What the codes stand for, with sign.
template <DType kType>
__m512i weights_of(__m512i codes) {
  if constexpr (kType == DType::q8_0) return _mm512_xor_si512(codes, _mm512_set1_epi8(-128));
  if constexpr (kType == DType::q4_0) return _mm512_sub_epi8(codes, _mm512_set1_epi8(8));
  if constexpr (kType == DType::q5_0) return _mm512_sub_epi8(codes, _mm512_set1_epi8(16));
  if constexpr (kType == DType::q6_k) return _mm512_sub_epi8(codes, _mm512_set1_epi8(32));
  if constexpr (kType == DType::q3_k) return _mm512_sub_epi8(_mm512_set1_epi8(4), codes);  // Negated.
  if constexpr (kType == DType::iq4_nl || kType == DType::iq4_xs)
    return _mm512_shuffle_epi8(
        _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(kIq4Values))), codes);
  return codes;
}

/// The scales of 16 columns in both halves of each row's lane, prepared for fold_vector.
struct GroupScale {
  __m512i low;
  __m512i high;
};

/// Of the columns 16 `half` to 16 `half` + 15 of group `group`; `scales` are those of the block.
template <DType kType, int kHalf>
GroupScale group_scale(const std::byte* scales, std::size_t group) {
  using Traits = PanelTraits<kType>;
  const std::byte* at = scales + Traits::kHalfBytes * (Traits::kMins ? 2 : 1);
  if constexpr (Traits::kQ45K) {
    const __m512i scale = low_halves(
        _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at + group * kPanelRows))));
    return {_mm512_and_si512(scale, _mm512_set1_epi16(7)), _mm512_srli_epi16(scale, 3)};
  }
  if constexpr (kType == DType::q2_k) {
    const __m512i both = _mm512_cvtepu8_epi16(
        _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at + group * 2 * kPanelRows)));
    const __m512i scale = _mm512_and_si512(both, _mm512_set1_epi16(15));
    return {kHalf == 0 ? low_halves(scale) : high_halves(scale), scale};
  }
  const std::size_t index = kType == DType::iq4_xs ? group : 2 * group + kHalf;
  const __m512i scale = low_halves(
      _mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at + index * kPanelRows))));
  return {scale, _mm512_slli_epi16(scale, 8)};
}

/// One vector of codes times its scale, into the planes.
template <DType kType>
void fold_vector(__m512i codes, const GroupScale& scale, std::byte* low, std::byte* high) {
  using Traits = PanelTraits<kType>;
  const __m512i w = weights_of<kType>(codes);
  const __m512i low_bytes = _mm512_set1_epi16(0x00ff);
  if constexpr (Traits::kQ45K) {
    store_vector(low, _mm512_mullo_epi16(w, scale.low));
    store_vector(high, _mm512_mullo_epi16(w, scale.high));
  } else if constexpr (kType == DType::q2_k) {
    store_vector(low, _mm512_mullo_epi16(w, scale.low));
  } else if constexpr (kType == DType::q3_k) {
    const __m512i odd = _mm512_mullo_epi16(_mm512_andnot_si512(low_bytes, w), scale.low);
    store_vector(low, select_bits(low_bytes, _mm512_mullo_epi16(w, scale.low), odd));
  } else {
    // 256 w times 256 scale: the upper half of the product is w times scale with its sign.
    const __m512i to_upper =
        _mm512_shuffle_epi8(w, _mm512_set4_epi32(static_cast<int>(0x0e800c80), static_cast<int>(0x0a800880),
                                                 static_cast<int>(0x06800480), static_cast<int>(0x02800080)));
    const __m512i even = _mm512_mulhi_epi16(to_upper, scale.high);
    const __m512i odd = _mm512_mulhi_epi16(_mm512_andnot_si512(low_bytes, w), scale.high);
    const __m512i middle = _mm512_shldi_epi16(odd, even, 8);  // The low byte of odd, the high one of even.
    store_vector(low, select_bits(low_bytes, even, middle));
    store_vector(high, select_bits(low_bytes, middle, odd));
  }
}

template <DType kType, std::size_t kVector>
void unpack_vector(const std::byte* codes, const GroupScale (&scale)[2], std::byte* low, std::byte* high) {
  const __m512i vector = load_codes<kType, kVector>(codes);
  std::byte* const to = low + kVector * kVectorBytes;
  if constexpr (PanelTraits<kType>::kBlocks256)
    fold_vector<kType>(vector, scale[kVector / 4], to, high + kVector * kVectorBytes);
  else
    store_vector(to, weights_of<kType>(vector));
}

/// 16 of 32 columns: vectors 2 `half`, 2 `half` + 1 and the two 4 further on, which share bytes with them. The codes of
/// the 32 are at `codes`, the scales of their block at `scales`, `group` says which of the block's they are.
template <DType kType>
inline __attribute__((always_inline)) void unpack_half(const std::byte* codes, const std::byte* scales,
                                                       std::size_t group, std::size_t half, std::byte* low,
                                                       std::byte* high) {
  GroupScale scale[2] = {};
  if constexpr (PanelTraits<kType>::kBlocks256) {
    scale[0] = group_scale<kType, 0>(scales, group);
    scale[1] =
        PanelTraits<kType>::kQ45K || kType == DType::iq4_xs ? scale[0] : group_scale<kType, 1>(scales, group);
  }
  if (half == 0) {
    unpack_vector<kType, 0>(codes, scale, low, high);
    unpack_vector<kType, 4>(codes, scale, low, high);
    unpack_vector<kType, 1>(codes, scale, low, high);
    unpack_vector<kType, 5>(codes, scale, low, high);
  } else {
    unpack_vector<kType, 2>(codes, scale, low, high);
    unpack_vector<kType, 6>(codes, scale, low, high);
    unpack_vector<kType, 3>(codes, scale, low, high);
    unpack_vector<kType, 7>(codes, scale, low, high);
  }
}

/// The minimums of a block as bf16, twice each: rows of a second operand, one for each group.
template <DType kType>
void unpack_mins(const std::byte* scales, std::byte* to) {
  constexpr bool kLowHalf = kType != DType::q2_k;
  constexpr std::size_t kPairs = kLowHalf ? 4 : 8;
  const std::byte* at = scales + 2 * PanelTraits<kType>::kHalfBytes + (kLowHalf ? 8 * kPanelRows : 0);
  for (std::size_t pair = 0; pair < kPairs; ++pair) {
    __m512i mins = _mm512_cvtepu8_epi16(
        _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at + pair * 2 * kPanelRows)));
    if constexpr (!kLowHalf) mins = _mm512_srli_epi16(mins, 4);
    const __m512i even = _mm512_and_si512(mins, _mm512_set1_epi32(0xffff));
    const __m512i odd = _mm512_srli_epi32(mins, 16);
    store_vector(to + 2 * pair * kVectorBytes, high_halves(_mm512_castps_si512(_mm512_cvtepi32_ps(even))));
    store_vector(to + (2 * pair + 1) * kVectorBytes,
                 high_halves(_mm512_castps_si512(_mm512_cvtepi32_ps(odd))));
  }
}

/// The sums of a block's groups (`count` int16, at most 16) as pairs of bf16 that add up to them: multiples of 128 and
/// the rest are both exact, and so are all sums of their products with minimums (below 2^24).
inline void split_sums(const std::int16_t* sums, unsigned count, std::byte* to) {
  const __mmask16 have = static_cast<__mmask16>((1U << count) - 1U);
  const __m512i sum = _mm512_cvtepi16_epi32(_mm256_maskz_loadu_epi16(have, sums));
  const __m512i multiple =
      _mm512_and_si512(_mm512_add_epi32(sum, _mm512_set1_epi32(64)), _mm512_set1_epi32(-128));
  const __m512i rest = _mm512_sub_epi32(sum, multiple);
  const __m512i upper = _mm512_castps_si512(_mm512_cvtepi32_ps(multiple));
  const __m512i lower = _mm512_castps_si512(_mm512_cvtepi32_ps(rest));
  store_vector(to, _mm512_or_si512(upper, _mm512_srli_epi32(lower, 16)));
}

}  // namespace
}  // namespace mla
