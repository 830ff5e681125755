#if defined(__x86_64__)
#include <immintrin.h>

#include "bench/peak_loop.h"

namespace mla {
namespace {

constexpr int kChains = 12;  // And two operands: 14 of 16 registers.
constexpr double kLanes8 = 32;

void multiply(unsigned long rounds) {
  __m256i sum[kChains];
  for (auto& chain : sum) chain = _mm256_setzero_si256();
  __m256i a = _mm256_set1_epi8(3);
  __m256i b = _mm256_set1_epi8(5);
  for (unsigned long round = 0; round < rounds; ++round) {
    asm volatile("" : "+x"(a), "+x"(b));
#pragma GCC unroll 12
    for (auto& chain : sum) {
      chain = _mm256_dpbusd_avx_epi32(chain, a, b);
      asm volatile("" : "+x"(chain));
    }
  }
}

}  // namespace

const PeakLoop kAvxVnniInt8 = {Isa::avxvnni, MultiplyUnit::int8, 2 * kLanes8* kChains, multiply};

}  // namespace mla

#endif
