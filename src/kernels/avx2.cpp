// AVX2 with FMA and F16C: eight floats at a time.
#if defined(__x86_64__)
#include <immintrin.h>

#include <cstdint>

#include "kernels/implementations.h"
#include "kernels/vector_kernels.h"

namespace mla {
namespace {

struct Avx2 {
  using Reg = __m256;
  using Int = __m256i;
  static constexpr std::size_t width = 8;
  static constexpr std::size_t gemm_rows = 6;

  static Reg zero() { return _mm256_setzero_ps(); }
  static Reg set1(float v) { return _mm256_set1_ps(v); }
  static Reg load(const float* p) { return _mm256_loadu_ps(p); }
  static void store(float* p, Reg v) { _mm256_storeu_ps(p, v); }
  static Reg load_f16(const std::byte* p) { return _mm256_cvtph_ps(load128(p)); }
  static Reg load_bf16(const std::byte* p) {
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(load128(p)), 16));
  }
  static Reg load_f8(const std::byte* p) { return _mm256_i32gather_ps(kE4m3Table.values, load_u8(p), 4); }
  static Reg add(Reg a, Reg b) { return _mm256_add_ps(a, b); }
  static Reg sub(Reg a, Reg b) { return _mm256_sub_ps(a, b); }
  static Reg mul(Reg a, Reg b) { return _mm256_mul_ps(a, b); }
  static Reg div(Reg a, Reg b) { return _mm256_div_ps(a, b); }
  static Reg fma(Reg a, Reg b, Reg c) { return _mm256_fmadd_ps(a, b, c); }
  static Reg min(Reg a, Reg b) { return _mm256_min_ps(a, b); }
  static Reg max(Reg a, Reg b) { return _mm256_max_ps(a, b); }
  static Reg round(Reg v) { return _mm256_round_ps(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
  static Reg pow2(Reg n) {
    return _mm256_castsi256_ps(
        _mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127)), 23));
  }
  static float sum(Reg v) {
    __m128 half = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    half = _mm_add_ps(half, _mm_movehl_ps(half, half));
    return _mm_cvtss_f32(_mm_add_ss(half, _mm_movehdup_ps(half)));
  }
  static float largest(Reg v) {
    __m128 half = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    half = _mm_max_ps(half, _mm_movehl_ps(half, half));
    return _mm_cvtss_f32(_mm_max_ss(half, _mm_movehdup_ps(half)));
  }
  static float half(const std::byte* p) {
    std::uint16_t bits;
    std::memcpy(&bits, p, sizeof bits);
    return _cvtsh_ss(bits);
  }
  static Int load_u8(const std::byte* p) { return _mm256_cvtepu8_epi32(load64(p)); }
  static Int load_i8(const std::byte* p) { return _mm256_cvtepi8_epi32(load64(p)); }
  static Int shift_right(Int a, int n) { return _mm256_srli_epi32(a, n); }
  static Int mask(Int a, int bits) { return _mm256_and_si256(a, _mm256_set1_epi32(bits)); }
  static Int join(Int a, Int b, int n) { return _mm256_or_si256(a, _mm256_slli_epi32(b, n)); }
  static Int offset(Int a, int b) { return _mm256_add_epi32(a, _mm256_set1_epi32(b)); }
  static Int lane_bits(std::uint32_t bits) {
    const Int all = _mm256_set1_epi32(static_cast<int>(bits));
    return mask(_mm256_srlv_epi32(all, _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7)), 1);
  }
  static Reg to_float(Int a) { return _mm256_cvtepi32_ps(a); }
  static Reg lookup(const float* table, Int index) {
    const Reg low = _mm256_permutevar8x32_ps(load(table), index);  // By the low three bits.
    const Reg high = _mm256_permutevar8x32_ps(load(table + 8), index);
    return _mm256_blendv_ps(low, high, _mm256_castsi256_ps(_mm256_slli_epi32(index, 28)));
  }

 private:
  static __m128i load64(const std::byte* p) { return _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)); }
  static __m128i load128(const std::byte* p) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)); }
};

}  // namespace

constinit const Kernels kAvx2Kernels = make_kernels<Avx2>("avx2");

}  // namespace mla
#endif
