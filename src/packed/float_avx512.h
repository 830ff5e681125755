// Sixteen floats in one AVX-512 register (F, BW, DQ, VL), for float_tiles.h and float_quantize.h.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace mla {
namespace {

struct Sixteen512 {
  using Reg = __m512;
  using Factor = __m512;
  static constexpr std::size_t kTokens = 12;
  static constexpr std::size_t panels(std::size_t tokens) { return tokens <= 6 ? 4 : 2; }

  static Reg zero() { return _mm512_setzero_ps(); }
  static Reg load(const std::byte* p) { return _mm512_load_ps(p); }
  static Reg load_f16(const std::byte* p) {
    return _mm512_cvtph_ps(_mm256_load_si256(reinterpret_cast<const __m256i*>(p)));
  }
  /// By way of halves, which widen exactly: with bit 14 clear they are a 256th.
  static Reg load_f8(const std::byte* p) {
    const __m256i codes = _mm256_cvtepu8_epi16(_mm_load_si128(reinterpret_cast<const __m128i*>(p)));
    const __m256i spread = _mm256_srai_epi16(_mm256_slli_epi16(codes, 8), 1);
    const __m256i halves = _mm256_and_si256(spread, _mm256_set1_epi16(-0x4001));
    return _mm512_cvtph_ps(halves);
  }
  static Reg load_factors(const float* p) { return _mm512_loadu_ps(p); }
  static Reg mul(Reg a, Reg b) { return _mm512_mul_ps(a, b); }
  static void store(std::byte* p, Reg v) { _mm512_store_ps(p, v); }
  static Reg load_even(const std::byte* p) { return even(_mm512_load_si512(p)); }
  static Reg load_odd(const std::byte* p) { return odd(_mm512_load_si512(p)); }
  static Reg load_first(const float* p, std::size_t n) { return _mm512_maskz_loadu_ps(first(n), p); }
  static void store_first(float* p, Reg v, std::size_t n) { _mm512_mask_storeu_ps(p, first(n), v); }
  static Factor broadcast(const std::byte* p) { return _mm512_set1_ps(*reinterpret_cast<const float*>(p)); }
  static Factor broadcast_even(const std::byte* p) { return even(broadcast_bits(p)); }
  static Factor broadcast_odd(const std::byte* p) { return odd(broadcast_bits(p)); }
  static Reg fma(Reg w, Factor x, Reg sum) { return _mm512_fmadd_ps(w, x, sum); }

  static std::uint32_t largest_magnitude(const float* x, std::size_t n) {
    __m512i largest = _mm512_setzero_si512();
    for (std::size_t i = 0; i < n; i += 16) {
      const __m512i bits = _mm512_and_si512(_mm512_loadu_si512(x + i), _mm512_set1_epi32(0x7fffffff));
      largest = _mm512_max_epu32(largest, bits);
    }
    return _mm512_reduce_max_epu32(largest);
  }
  static std::int32_t quantize(const float* x, float factor, std::int8_t* to) {
    const __m512 scaled = _mm512_mul_ps(_mm512_loadu_ps(x), _mm512_set1_ps(factor));
    const __m128i bytes = _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(scaled));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), bytes);
    const __m128i biased = _mm_xor_si128(bytes, _mm_set1_epi8(-128));  // Plus 128, without a sign.
    const __m128i halves = _mm_sad_epu8(biased, _mm_setzero_si128());
    return _mm_cvtsi128_si32(_mm_add_epi32(halves, _mm_unpackhi_epi64(halves, halves))) - 16 * 128;
  }
  static float sum_of_magnitudes(const float* x, std::size_t n, const float* last) {
    __m512 sums = _mm512_setzero_ps();
    for (std::size_t i = 0; i < n; i += 16) sums = _mm512_add_ps(sums, _mm512_abs_ps(_mm512_loadu_ps(x + i)));
    sums = _mm512_add_ps(sums, _mm512_abs_ps(_mm512_loadu_ps(last)));
    const __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(sums), _mm512_extractf32x8_ps(sums, 1));
    const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
  }
  static std::uint32_t larger(const float* x, float bound) {
    return _mm512_cmp_ps_mask(_mm512_abs_ps(_mm512_loadu_ps(x)), _mm512_set1_ps(bound), _CMP_GT_OQ);
  }
  static void without(const float* x, std::uint32_t lanes, float* to) {
    _mm512_storeu_ps(to, _mm512_maskz_loadu_ps(static_cast<__mmask16>(~lanes), x));
  }
  static void to_bf16(const float* x, std::uint16_t* bits) {
    const __m512 v = _mm512_loadu_ps(x);
    const __m512i from = _mm512_castps_si512(v);
    const __m512i upper = _mm512_srli_epi32(from, 16);
    const __m512i lsb = _mm512_and_si512(upper, _mm512_set1_epi32(1));
    const __m512i rounded =
        _mm512_srli_epi32(_mm512_add_epi32(_mm512_add_epi32(from, _mm512_set1_epi32(0x7fff)), lsb), 16);
    const __m512i quiet = _mm512_or_si512(upper, _mm512_set1_epi32(0x40));
    const __mmask16 nan = _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(bits),
                        _mm512_cvtepi32_epi16(_mm512_mask_mov_epi32(rounded, nan, quiet)));
  }
  static void from_bf16(const std::uint16_t* bits, float* x) {
    const __m256i narrow = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bits));
    _mm512_storeu_si512(x, _mm512_slli_epi32(_mm512_cvtepu16_epi32(narrow), 16));
  }

  static __m512i broadcast_bits(const std::byte* p) {
    return _mm512_set1_epi32(*reinterpret_cast<const std::int32_t*>(p));
  }

 private:
  static __mmask16 first(std::size_t n) { return static_cast<__mmask16>((1U << n) - 1U); }
  static Reg even(__m512i pairs) { return _mm512_castsi512_ps(_mm512_slli_epi32(pairs, 16)); }
  static Reg odd(__m512i pairs) {
    return _mm512_castsi512_ps(_mm512_and_si512(pairs, _mm512_set1_epi32(-0x10000)));
  }
};

}  // namespace
}  // namespace mla
