#if defined(__x86_64__)
#include <immintrin.h>

#include "bench/peak_loop.h"

namespace mla {
namespace {

constexpr int kChains = 12;  // And two operands: 14 of 16 registers.
constexpr double kLanes32 = 8;
constexpr double kLanes8 = 32;

void multiply_floats(unsigned long rounds) {
  __m256 sum[kChains];
  for (auto& chain : sum) chain = _mm256_setzero_ps();
  __m256 a = _mm256_set1_ps(0.5F);
  __m256 b = _mm256_set1_ps(0x1p-20F);
  for (unsigned long round = 0; round < rounds; ++round) {
    asm volatile("" : "+x"(a), "+x"(b));
#pragma GCC unroll 12
    for (auto& chain : sum) {
      chain = _mm256_fmadd_ps(a, b, chain);
      asm volatile("" : "+x"(chain));
    }
  }
}

// Bytes are multiplied and added in three instructions: pairs to 16 bits, pairs of those to 32, the sum.
constexpr int kIntegerChains = 10;

void multiply_integers(unsigned long rounds) {
  __m256i sum[kIntegerChains];
  for (auto& chain : sum) chain = _mm256_setzero_si256();
  __m256i a = _mm256_set1_epi8(3);
  const __m256i b = _mm256_set1_epi8(5);
  const __m256i ones = _mm256_set1_epi16(1);
  for (unsigned long round = 0; round < rounds; ++round) {
#pragma GCC unroll 10
    for (auto& chain : sum) {
      asm volatile("" : "+x"(a));
      chain = _mm256_add_epi32(chain, _mm256_madd_epi16(_mm256_maddubs_epi16(a, b), ones));
      asm volatile("" : "+x"(chain));
    }
  }
}

}  // namespace

const PeakLoop kAvx2Fp32 = {Isa::avx2, MultiplyUnit::fp32, 2 * kLanes32* kChains, multiply_floats};
const PeakLoop kAvx2Int8 = {Isa::avx2, MultiplyUnit::int8, 2 * kLanes8* kIntegerChains, multiply_integers};

}  // namespace mla

#endif
