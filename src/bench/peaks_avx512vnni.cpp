#if defined(__x86_64__)
#include <immintrin.h>

#include "bench/peak_loop.h"

namespace mla {
namespace {

constexpr int kChains = 16;
constexpr double kLanes8 = 64;

void multiply(unsigned long rounds) {
  __m512i sum[kChains];
  for (auto& chain : sum) chain = _mm512_setzero_si512();
  __m512i a = _mm512_set1_epi8(3);
  __m512i b = _mm512_set1_epi8(5);
  for (unsigned long round = 0; round < rounds; ++round) {
    asm volatile("" : "+v"(a), "+v"(b));
#pragma GCC unroll 16
    for (auto& chain : sum) {
      chain = _mm512_dpbusd_epi32(chain, a, b);
      asm volatile("" : "+v"(chain));
    }
  }
}

}  // namespace

const PeakLoop kAvx512VnniInt8 = {Isa::avx512vnni, MultiplyUnit::int8, 2 * kLanes8* kChains, multiply};

}  // namespace mla

#endif
