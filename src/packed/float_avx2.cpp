// AVX2 with FMA and F16C: sixteen floats in two registers.
#if defined(__x86_64__)
#include <immintrin.h>

#include "packed/f8_tiles.h"
#include "packed/float_quantize.h"
#include "packed/float_tiles.h"
#include "packed/implementations.h"

namespace mla {
namespace {

struct SixteenAvx2 {
  struct Reg {
    __m256 low, high;
  };
  using Factor = __m256;
  static constexpr std::size_t kTokens = 6;
  static constexpr std::size_t panels(std::size_t tokens) { return tokens == 1 ? 4 : tokens <= 3 ? 2 : 1; }

  static Reg zero() { return {_mm256_setzero_ps(), _mm256_setzero_ps()}; }
  static Reg load(const std::byte* p) {
    const auto* floats = reinterpret_cast<const float*>(p);
    return {_mm256_load_ps(floats), _mm256_load_ps(floats + 8)};
  }
  static Reg load_f16(const std::byte* p) {
    const auto* halves = reinterpret_cast<const __m128i*>(p);
    return {_mm256_cvtph_ps(_mm_load_si128(halves)), _mm256_cvtph_ps(_mm_load_si128(halves + 1))};
  }
  /// By way of halves, which widen exactly: with bit 14 clear they are a 256th.
  static Reg load_f8(const std::byte* p) {
    const __m256i codes = _mm256_cvtepu8_epi16(_mm_load_si128(reinterpret_cast<const __m128i*>(p)));
    const __m256i spread = _mm256_srai_epi16(_mm256_slli_epi16(codes, 8), 1);
    const __m256i halves = _mm256_and_si256(spread, _mm256_set1_epi16(-0x4001));
    return {_mm256_cvtph_ps(_mm256_castsi256_si128(halves)),
            _mm256_cvtph_ps(_mm256_extracti128_si256(halves, 1))};
  }
  static Reg load_factors(const float* p) { return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)}; }
  static Reg mul(Reg a, Reg b) { return {_mm256_mul_ps(a.low, b.low), _mm256_mul_ps(a.high, b.high)}; }
  static void store(std::byte* p, Reg v) {
    auto* floats = reinterpret_cast<float*>(p);
    _mm256_store_ps(floats, v.low);
    _mm256_store_ps(floats + 8, v.high);
  }
  static Reg load_even(const std::byte* p) { return {even(load_bits(p)), even(load_bits(p + 32))}; }
  static Reg load_odd(const std::byte* p) { return {odd(load_bits(p)), odd(load_bits(p + 32))}; }
  static Reg load_first(const float* p, std::size_t n) {
    return {_mm256_maskload_ps(p, first(n, 0)), _mm256_maskload_ps(p + 8, first(n, 8))};
  }
  static void store_first(float* p, Reg v, std::size_t n) {
    if (n == 16) {  // Masked stores are slow on some processors.
      _mm256_storeu_ps(p, v.low);
      _mm256_storeu_ps(p + 8, v.high);
      return;
    }
    _mm256_maskstore_ps(p, first(n, 0), v.low);
    _mm256_maskstore_ps(p + 8, first(n, 8), v.high);
  }
  static Factor broadcast(const std::byte* p) {
    return _mm256_broadcast_ss(reinterpret_cast<const float*>(p));
  }
  static Factor broadcast_even(const std::byte* p) { return even(_mm256_castps_si256(broadcast(p))); }
  static Factor broadcast_odd(const std::byte* p) { return odd(_mm256_castps_si256(broadcast(p))); }
  static Reg fma(Reg w, Factor x, Reg sum) {
    return {_mm256_fmadd_ps(w.low, x, sum.low), _mm256_fmadd_ps(w.high, x, sum.high)};
  }

  static std::uint32_t largest_magnitude(const float* x, std::size_t n) {
    __m256i largest = _mm256_setzero_si256();
    for (std::size_t i = 0; i < n; i += 8) {
      const __m256i bits =
          _mm256_and_si256(_mm256_castps_si256(_mm256_loadu_ps(x + i)), _mm256_set1_epi32(0x7fffffff));
      largest = _mm256_max_epu32(largest, bits);
    }
    __m128i half = _mm_max_epu32(_mm256_castsi256_si128(largest), _mm256_extracti128_si256(largest, 1));
    half = _mm_max_epu32(half, _mm_unpackhi_epi64(half, half));
    half = _mm_max_epu32(half, _mm_shuffle_epi32(half, 1));
    return static_cast<std::uint32_t>(_mm_cvtsi128_si32(half));
  }
  static std::int32_t quantize(const float* x, float factor, std::int8_t* to) {
    const __m256 scale = _mm256_set1_ps(factor);
    const __m256i low = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(x), scale));
    const __m256i high = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(x + 8), scale));
    const __m256i words = _mm256_permute4x64_epi64(_mm256_packs_epi32(low, high), 0xd8);
    const __m128i bytes = _mm_packs_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), bytes);
    const __m128i biased = _mm_xor_si128(bytes, _mm_set1_epi8(-128));  // Plus 128, without a sign.
    const __m128i halves = _mm_sad_epu8(biased, _mm_setzero_si128());
    return _mm_cvtsi128_si32(_mm_add_epi32(halves, _mm_unpackhi_epi64(halves, halves))) - 16 * 128;
  }
  static float sum_of_magnitudes(const float* x, std::size_t n, const float* last) {
    __m256 low = _mm256_setzero_ps(), high = _mm256_setzero_ps();
    for (std::size_t i = 0; i < n; i += 16) {
      low = _mm256_add_ps(low, magnitudes(x + i));
      high = _mm256_add_ps(high, magnitudes(x + i + 8));
    }
    low = _mm256_add_ps(low, magnitudes(last));
    high = _mm256_add_ps(high, magnitudes(last + 8));
    const __m256 eight = _mm256_add_ps(low, high);
    const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
  }
  static std::uint32_t larger(const float* x, float bound) {
    const __m256 bounds = _mm256_set1_ps(bound);
    const int low = _mm256_movemask_ps(_mm256_cmp_ps(magnitudes(x), bounds, _CMP_GT_OQ));
    const int high = _mm256_movemask_ps(_mm256_cmp_ps(magnitudes(x + 8), bounds, _CMP_GT_OQ));
    return static_cast<std::uint32_t>(low | high << 8);
  }
  static void without(const float* x, std::uint32_t lanes, float* to) {
    const __m256i bits = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
    for (std::size_t half = 0; half < 2; ++half, lanes >>= 8) {
      const __m256i of_lanes = _mm256_and_si256(_mm256_set1_epi32(static_cast<int>(lanes)), bits);
      const __m256 zero = _mm256_castsi256_ps(_mm256_cmpeq_epi32(of_lanes, bits));
      _mm256_storeu_ps(to + 8 * half, _mm256_andnot_ps(zero, _mm256_loadu_ps(x + 8 * half)));
    }
  }
  static void to_bf16(const float* x, std::uint16_t* bits) {
    const __m256i words = _mm256_packus_epi32(rounded(_mm256_loadu_ps(x)), rounded(_mm256_loadu_ps(x + 8)));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(bits), _mm256_permute4x64_epi64(words, 0xd8));
  }
  static void from_bf16(const std::uint16_t* bits, float* x) {
    const auto* from = reinterpret_cast<const __m128i*>(bits);
    for (std::size_t half = 0; half < 2; ++half)
      _mm256_storeu_ps(x + 8 * half, even(_mm256_cvtepu16_epi32(_mm_loadu_si128(from + half))));
  }

 private:
  static __m256 magnitudes(const float* x) {
    return _mm256_and_ps(_mm256_loadu_ps(x), _mm256_castsi256_ps(_mm256_set1_epi32(0x7fffffff)));
  }
  static __m256i load_bits(const std::byte* p) {
    return _mm256_load_si256(reinterpret_cast<const __m256i*>(p));
  }
  static __m256 even(__m256i pairs) { return _mm256_castsi256_ps(_mm256_slli_epi32(pairs, 16)); }
  static __m256 odd(__m256i pairs) {
    return _mm256_castsi256_ps(_mm256_and_si256(pairs, _mm256_set1_epi32(-0x10000)));
  }
  /// The sign bits of those of the lanes from `begin` on that are before n.
  static __m256i first(std::size_t n, int begin) {
    const __m256i lanes =
        _mm256_add_epi32(_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7), _mm256_set1_epi32(begin));
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)), lanes);
  }
  /// bf16 bits in the lower halves.
  static __m256i rounded(__m256 v) {
    const __m256i from = _mm256_castps_si256(v);
    const __m256i upper = _mm256_srli_epi32(from, 16);
    const __m256i lsb = _mm256_and_si256(upper, _mm256_set1_epi32(1));
    const __m256i nearest =
        _mm256_srli_epi32(_mm256_add_epi32(_mm256_add_epi32(from, _mm256_set1_epi32(0x7fff)), lsb), 16);
    const __m256i quiet = _mm256_or_si256(upper, _mm256_set1_epi32(0x40));
    return _mm256_blendv_epi8(nearest, quiet, _mm256_castps_si256(_mm256_cmp_ps(v, v, _CMP_UNORD_Q)));
  }
};

}  // namespace

constinit const FloatKernels kAvx2Floats = {multiply_floats<SixteenAvx2, F32Walk<SixteenAvx2>>,
                                            multiply_floats<SixteenAvx2, F16Walk<SixteenAvx2>>,
                                            multiply_bf16<SixteenAvx2, Bf16Walk<SixteenAvx2>>,
                                            multiply_f8<SixteenAvx2>,
                                            quantize<SixteenAvx2>,
                                            to_bf16<SixteenAvx2>,
                                            from_bf16<SixteenAvx2>,
                                            with_f8_scratch<SixteenAvx2>};

}  // namespace mla
#endif
