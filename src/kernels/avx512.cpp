// AVX-512 (F, BW, DQ, VL): sixteen floats at a time.
#if defined(__x86_64__)
#include <immintrin.h>

#include <cstdint>

#include "kernels/implementations.h"
#include "kernels/vector_kernels.h"

namespace mla {
namespace {

struct Avx512 {
  using Reg = __m512;
  using Int = __m512i;
  static constexpr std::size_t width = 16;
  static constexpr std::size_t gemm_rows = 12;

  static Reg zero() { return _mm512_setzero_ps(); }
  static Reg set1(float v) { return _mm512_set1_ps(v); }
  static Reg load(const float* p) { return _mm512_loadu_ps(p); }
  static void store(float* p, Reg v) { _mm512_storeu_ps(p, v); }
  static Reg load_f16(const std::byte* p) { return _mm512_cvtph_ps(load256(p)); }
  static Reg load_bf16(const std::byte* p) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(load256(p)), 16));
  }
  static Reg load_f8(const std::byte* p) { return _mm512_i32gather_ps(load_u8(p), kE4m3Table.values, 4); }
  static Reg add(Reg a, Reg b) { return _mm512_add_ps(a, b); }
  static Reg sub(Reg a, Reg b) { return _mm512_sub_ps(a, b); }
  static Reg mul(Reg a, Reg b) { return _mm512_mul_ps(a, b); }
  static Reg div(Reg a, Reg b) { return _mm512_div_ps(a, b); }
  static Reg fma(Reg a, Reg b, Reg c) { return _mm512_fmadd_ps(a, b, c); }
  static Reg min(Reg a, Reg b) { return _mm512_min_ps(a, b); }
  static Reg max(Reg a, Reg b) { return _mm512_max_ps(a, b); }
  static Reg round(Reg v) { return _mm512_roundscale_ps(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
  static Reg pow2(Reg n) {
    return _mm512_castsi512_ps(
        _mm512_slli_epi32(_mm512_add_epi32(_mm512_cvtps_epi32(n), _mm512_set1_epi32(127)), 23));
  }
  static float sum(Reg v) { return _mm512_reduce_add_ps(v); }
  static float largest(Reg v) { return _mm512_reduce_max_ps(v); }
  static float half(const std::byte* p) {
    std::uint16_t bits;
    std::memcpy(&bits, p, sizeof bits);
    return _cvtsh_ss(bits);
  }
  static Int load_u8(const std::byte* p) { return _mm512_cvtepu8_epi32(load128(p)); }
  static Int load_i8(const std::byte* p) { return _mm512_cvtepi8_epi32(load128(p)); }
  static Int shift_right(Int a, int n) { return _mm512_srli_epi32(a, static_cast<unsigned>(n)); }
  static Int mask(Int a, int bits) { return _mm512_and_si512(a, _mm512_set1_epi32(bits)); }
  static Int join(Int a, Int b, int n) {
    return _mm512_or_si512(a, _mm512_slli_epi32(b, static_cast<unsigned>(n)));
  }
  static Int offset(Int a, int b) { return _mm512_add_epi32(a, _mm512_set1_epi32(b)); }
  static Int lane_bits(std::uint32_t bits) {
    const Int lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    return mask(_mm512_srlv_epi32(_mm512_set1_epi32(static_cast<int>(bits)), lanes), 1);
  }
  static Reg to_float(Int a) { return _mm512_cvtepi32_ps(a); }
  static Reg lookup(const float* table, Int index) { return _mm512_permutexvar_ps(index, load(table)); }

 private:
  static __m128i load128(const std::byte* p) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)); }
  static __m256i load256(const std::byte* p) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  }
};

}  // namespace

constinit const Kernels kAvx512Kernels = make_kernels<Avx512>("avx512");

}  // namespace mla
#endif
