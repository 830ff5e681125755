// AVX-512 (F, BW, DQ, VL): sixteen floats in one register.
#if defined(__x86_64__)
#include <immintrin.h>

#include "packed/attention_vector.h"

namespace mla {
namespace {

struct Sixteen512 {
  using Reg = __m512;
  using Mask = __mmask16;

  static Reg zero() { return _mm512_setzero_ps(); }
  static Reg set1(float x) { return _mm512_set1_ps(x); }
  static Reg load(const float* p) { return _mm512_loadu_ps(p); }
  static void store(float* p, Reg x) { _mm512_storeu_ps(p, x); }
  static Reg load_first(const float* p, std::size_t n) { return _mm512_maskz_loadu_ps(first(n), p); }
  static void store_first(float* p, std::size_t n, Reg x) { _mm512_mask_storeu_ps(p, first(n), x); }
  static Reg add(Reg a, Reg b) { return _mm512_add_ps(a, b); }
  static Reg sub(Reg a, Reg b) { return _mm512_sub_ps(a, b); }
  static Reg mul(Reg a, Reg b) { return _mm512_mul_ps(a, b); }
  static Reg fma(Reg a, Reg b, Reg c) { return _mm512_fmadd_ps(a, b, c); }
  static Reg max(Reg a, Reg b) { return _mm512_max_ps(a, b); }
  static Mask between(Reg x, Reg begin, Reg end) {
    return _mm512_mask_cmp_ps_mask(_mm512_cmp_ps_mask(x, begin, _CMP_GE_OQ), x, end, _CMP_LT_OQ);
  }
  static Reg select(Mask mask, Reg a, Reg b) { return _mm512_mask_mov_ps(b, mask, a); }

  /// `power` makes 0 of what is too small.
  static Reg clamp(Reg x) { return x; }
  static Reg fraction(Reg x) { return _mm512_reduce_ps(x, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC); }
  static Reg power(Reg p, Reg x) { return _mm512_scalef_ps(p, x); }
  static Reg half_up(Reg x) {
    const __m512i bits = _mm512_add_epi32(_mm512_castps_si512(x), _mm512_set1_epi32(0x8000));
    return _mm512_castsi512_ps(_mm512_and_si512(bits, _mm512_set1_epi32(-0x10000)));
  }
  static Reg nearest(Reg x) {
    const __m512i bits = _mm512_castps_si512(x);
    const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    const __m512i rounded = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff)));
    const __m512i chosen = _mm512_mask_or_epi32(rounded, _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q), bits,
                                                _mm512_set1_epi32(0x400000));
    return _mm512_castsi512_ps(_mm512_and_si512(chosen, _mm512_set1_epi32(-0x10000)));
  }
  static void store_pairs(std::byte* to, Reg even, Reg odd) {
    _mm512_storeu_si512(
        to, _mm512_or_si512(_mm512_srli_epi32(_mm512_castps_si512(even), 16), _mm512_castps_si512(odd)));
  }
  static void store_bf16(std::byte* to, Reg x) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to),
                        _mm512_cvtepi32_epi16(_mm512_srli_epi32(_mm512_castps_si512(x), 16)));
  }
  static void interleave(const std::byte* even, const std::byte* odd, std::byte* to) {
    const __m512i a = _mm512_cvtepu16_epi32(load256(even));
    const __m512i b = _mm512_cvtepu16_epi32(load256(odd));
    _mm512_storeu_si512(to, _mm512_or_si512(a, _mm512_slli_epi32(b, 16)));
  }
  static void transpose(const std::byte* from, std::byte* to, std::size_t stride) {
    __m512i a[16], b[16];
#pragma GCC unroll 16
    for (std::size_t i = 0; i < 16; ++i) a[i] = _mm512_loadu_si512(from + i * 64);
#pragma GCC unroll 16
    for (std::size_t i = 0; i < 16; i += 2) {
      b[i] = _mm512_unpacklo_epi32(a[i], a[i + 1]);
      b[i + 1] = _mm512_unpackhi_epi32(a[i], a[i + 1]);
    }
    // a[4 i + j]: in each quarter q the words of rows 4 i to 4 i + 3 in column 4 q + j.
#pragma GCC unroll 16
    for (std::size_t i = 0; i < 16; i += 4) {
      a[i] = _mm512_unpacklo_epi64(b[i], b[i + 2]);
      a[i + 1] = _mm512_unpackhi_epi64(b[i], b[i + 2]);
      a[i + 2] = _mm512_unpacklo_epi64(b[i + 1], b[i + 3]);
      a[i + 3] = _mm512_unpackhi_epi64(b[i + 1], b[i + 3]);
    }
#pragma GCC unroll 4
    for (std::size_t j = 0; j < 4; ++j) {
      const __m512i even_low =
          _mm512_shuffle_i32x4(a[j], a[j + 4], 0x88);                      // Quarters 0 and 2 of rows 0 to 7.
      const __m512i odd_low = _mm512_shuffle_i32x4(a[j], a[j + 4], 0xdd);  // 1 and 3.
      const __m512i even_high = _mm512_shuffle_i32x4(a[j + 8], a[j + 12], 0x88);  // The same of rows 8 to 15.
      const __m512i odd_high = _mm512_shuffle_i32x4(a[j + 8], a[j + 12], 0xdd);
      _mm512_storeu_si512(to + j * stride, _mm512_shuffle_i32x4(even_low, even_high, 0x88));
      _mm512_storeu_si512(to + (j + 4) * stride, _mm512_shuffle_i32x4(odd_low, odd_high, 0x88));
      _mm512_storeu_si512(to + (j + 8) * stride, _mm512_shuffle_i32x4(even_low, even_high, 0xdd));
      _mm512_storeu_si512(to + (j + 12) * stride, _mm512_shuffle_i32x4(odd_low, odd_high, 0xdd));
    }
  }

 private:
  static __mmask16 first(std::size_t n) {
    return static_cast<__mmask16>((1U << n) - 1U);
  }
  static __m256i load256(const std::byte* p) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  }
};

}  // namespace

constinit const AttentionKernels kAvx512Attention = make_attention_kernels<Sixteen512>();

}  // namespace mla
#endif
