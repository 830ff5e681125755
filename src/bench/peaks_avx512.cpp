#if defined(__x86_64__)
#include <immintrin.h>

#include "bench/peak_loop.h"

namespace mla {
namespace {

constexpr int kChains = 16;
constexpr double kLanes32 = 16;
constexpr double kLanes8 = 64;

void multiply_floats(unsigned long rounds) {
  __m512 sum[kChains];
  for (auto& chain : sum) chain = _mm512_setzero_ps();
  __m512 a = _mm512_set1_ps(0.5F);
  __m512 b = _mm512_set1_ps(0x1p-20F);
  for (unsigned long round = 0; round < rounds; ++round) {
    asm volatile("" : "+v"(a), "+v"(b));
#pragma GCC unroll 16
    for (auto& chain : sum) {
      chain = _mm512_fmadd_ps(a, b, chain);
      asm volatile("" : "+v"(chain));
    }
  }
}

// Without VNNI, as in AVX2.
void multiply_integers(unsigned long rounds) {
  __m512i sum[kChains];
  for (auto& chain : sum) chain = _mm512_setzero_si512();
  __m512i a = _mm512_set1_epi8(3);
  const __m512i b = _mm512_set1_epi8(5);
  const __m512i ones = _mm512_set1_epi16(1);
  for (unsigned long round = 0; round < rounds; ++round) {
#pragma GCC unroll 16
    for (auto& chain : sum) {
      asm volatile("" : "+v"(a));
      chain = _mm512_add_epi32(chain, _mm512_madd_epi16(_mm512_maddubs_epi16(a, b), ones));
      asm volatile("" : "+v"(chain));
    }
  }
}

}  // namespace

const PeakLoop kAvx512Fp32 = {Isa::avx512, MultiplyUnit::fp32, 2 * kLanes32* kChains, multiply_floats};
const PeakLoop kAvx512Int8 = {Isa::avx512, MultiplyUnit::int8, 2 * kLanes8* kChains, multiply_integers};

}  // namespace mla

#endif
