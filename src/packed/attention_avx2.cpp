// AVX2: sixteen floats in two registers.
#if defined(__x86_64__)
#include <immintrin.h>

#include "packed/attention_vector.h"

namespace mla {
namespace {

struct Sixteen256 {
  struct Reg {
    __m256 low, high;
  };
  using Mask = Reg;

  static Reg zero() { return {_mm256_setzero_ps(), _mm256_setzero_ps()}; }
  static Reg set1(float x) { return {_mm256_set1_ps(x), _mm256_set1_ps(x)}; }
  static Reg load(const float* p) { return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)}; }
  static void store(float* p, Reg x) {
    _mm256_storeu_ps(p, x.low);
    _mm256_storeu_ps(p + 8, x.high);
  }
  static Reg load_first(const float* p, std::size_t n) {
    float padded[16] = {};
    std::memcpy(padded, p, n * sizeof(float));
    return load(padded);
  }
  static void store_first(float* p, std::size_t n, Reg x) {
    float padded[16];
    store(padded, x);
    std::memcpy(p, padded, n * sizeof(float));
  }
  static Reg add(Reg a, Reg b) { return {_mm256_add_ps(a.low, b.low), _mm256_add_ps(a.high, b.high)}; }
  static Reg sub(Reg a, Reg b) { return {_mm256_sub_ps(a.low, b.low), _mm256_sub_ps(a.high, b.high)}; }
  static Reg mul(Reg a, Reg b) { return {_mm256_mul_ps(a.low, b.low), _mm256_mul_ps(a.high, b.high)}; }
  static Reg fma(Reg a, Reg b, Reg c) {
    return {_mm256_fmadd_ps(a.low, b.low, c.low), _mm256_fmadd_ps(a.high, b.high, c.high)};
  }
  static Reg max(Reg a, Reg b) { return {_mm256_max_ps(a.low, b.low), _mm256_max_ps(a.high, b.high)}; }
  static Mask between(Reg x, Reg begin, Reg end) {
    return {between(x.low, begin.low, end.low), between(x.high, begin.high, end.high)};
  }
  static Reg select(Mask mask, Reg a, Reg b) {
    return {_mm256_blendv_ps(b.low, a.low, mask.low), _mm256_blendv_ps(b.high, a.high, mask.high)};
  }

  static Reg clamp(Reg x) { return max(set1(-126.0F), x); }
  static Reg fraction(Reg x) {
    return {_mm256_sub_ps(x.low, _mm256_floor_ps(x.low)), _mm256_sub_ps(x.high, _mm256_floor_ps(x.high))};
  }
  static Reg power(Reg p, Reg x) { return {power(p.low, x.low), power(p.high, x.high)}; }
  static Reg half_up(Reg x) { return {half_up(x.low), half_up(x.high)}; }
  static Reg nearest(Reg x) { return {nearest(x.low), nearest(x.high)}; }

  static void store_pairs(std::byte* to, Reg even, Reg odd) {
    store_words(to, pairs(even.low, odd.low));
    store_words(to + 32, pairs(even.high, odd.high));
  }
  static void store_bf16(std::byte* to, Reg x) {
    const __m256i low = _mm256_srli_epi32(_mm256_castps_si256(x.low), 16);
    const __m256i high = _mm256_srli_epi32(_mm256_castps_si256(x.high), 16);
    store_words(to, _mm256_permute4x64_epi64(_mm256_packus_epi32(low, high), 0xd8));
  }
  static void interleave(const std::byte* even, const std::byte* odd, std::byte* to) {
    for (std::size_t half = 0; half < 2; ++half) {
      const __m256i a = _mm256_cvtepu16_epi32(load128(even + 16 * half));
      const __m256i b = _mm256_cvtepu16_epi32(load128(odd + 16 * half));
      store_words(to + 32 * half, _mm256_or_si256(a, _mm256_slli_epi32(b, 16)));
    }
  }
  static void transpose(const std::byte* from, std::byte* to, std::size_t stride) {
    for (std::size_t i = 0; i < 2; ++i)
      for (std::size_t j = 0; j < 2; ++j)
        transpose_quarter(from + i * 8 * 64 + j * 32, to + j * 8 * stride + i * 32, stride);
  }

 private:
  static __m128i load128(const std::byte* p) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)); }
  static void store_words(std::byte* p, __m256i x) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), x); }
  static __m256 between(__m256 x, __m256 begin, __m256 end) {
    return _mm256_and_ps(_mm256_cmp_ps(x, begin, _CMP_GE_OQ), _mm256_cmp_ps(x, end, _CMP_LT_OQ));
  }
  static __m256 power(__m256 p, __m256 x) {
    const __m256i n = _mm256_cvtps_epi32(_mm256_floor_ps(x));
    const __m256i exponent = _mm256_slli_epi32(_mm256_add_epi32(n, _mm256_set1_epi32(127)), 23);
    return _mm256_mul_ps(p, _mm256_castsi256_ps(exponent));
  }
  static __m256 half_up(__m256 x) {
    const __m256i bits = _mm256_add_epi32(_mm256_castps_si256(x), _mm256_set1_epi32(0x8000));
    return _mm256_castsi256_ps(_mm256_and_si256(bits, _mm256_set1_epi32(-0x10000)));
  }
  static __m256 nearest(__m256 x) {
    const __m256i bits = _mm256_castps_si256(x);
    const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
    const __m256i rounded = _mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff)));
    const __m256i quiet = _mm256_or_si256(bits, _mm256_set1_epi32(0x400000));
    const __m256 chosen = _mm256_blendv_ps(_mm256_castsi256_ps(rounded), _mm256_castsi256_ps(quiet),
                                           _mm256_cmp_ps(x, x, _CMP_UNORD_Q));
    return _mm256_and_ps(chosen, _mm256_castsi256_ps(_mm256_set1_epi32(-0x10000)));
  }
  static __m256i pairs(__m256 even, __m256 odd) {
    return _mm256_or_si256(_mm256_srli_epi32(_mm256_castps_si256(even), 16), _mm256_castps_si256(odd));
  }
  /// 8 x 8 words.
  static void transpose_quarter(const std::byte* from, std::byte* to, std::size_t stride) {
    __m256 row[8], two[8], four[8];
    for (std::size_t i = 0; i < 8; ++i)
      row[i] = _mm256_loadu_ps(reinterpret_cast<const float*>(from + i * 64));
    for (std::size_t i = 0; i < 8; i += 2) {
      two[i] = _mm256_unpacklo_ps(row[i], row[i + 1]);
      two[i + 1] = _mm256_unpackhi_ps(row[i], row[i + 1]);
    }
    for (std::size_t i = 0; i < 8; i += 4) {
      four[i] = _mm256_shuffle_ps(two[i], two[i + 2], 0x44);
      four[i + 1] = _mm256_shuffle_ps(two[i], two[i + 2], 0xee);
      four[i + 2] = _mm256_shuffle_ps(two[i + 1], two[i + 3], 0x44);
      four[i + 3] = _mm256_shuffle_ps(two[i + 1], two[i + 3], 0xee);
    }
    for (std::size_t i = 0; i < 4; ++i) {
      const auto target = [&](std::size_t j) { return reinterpret_cast<float*>(to + j * stride); };
      _mm256_storeu_ps(target(i), _mm256_permute2f128_ps(four[i], four[i + 4], 0x20));
      _mm256_storeu_ps(target(i + 4), _mm256_permute2f128_ps(four[i], four[i + 4], 0x31));
    }
  }
};

}  // namespace

constinit const AttentionKernels kAvx2Attention = make_attention_kernels<Sixteen256>();

}  // namespace mla
#endif
