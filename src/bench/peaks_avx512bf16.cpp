#if defined(__x86_64__)
#include <immintrin.h>

#include "bench/peak_loop.h"

namespace mla {
namespace {

constexpr int kChains = 16;
constexpr double kLanes16 = 32;

void multiply(unsigned long rounds) {
  __m512 sum[kChains];
  for (auto& chain : sum) chain = _mm512_setzero_ps();
  __m512bh a = _mm512_cvtne2ps_pbh(_mm512_set1_ps(0.5F), _mm512_set1_ps(0.5F));
  __m512bh b = _mm512_cvtne2ps_pbh(_mm512_set1_ps(0x1p-20F), _mm512_set1_ps(0x1p-20F));
  for (unsigned long round = 0; round < rounds; ++round) {
    asm volatile("" : "+v"(a), "+v"(b));
#pragma GCC unroll 16
    for (auto& chain : sum) {
      chain = _mm512_dpbf16_ps(chain, a, b);
      asm volatile("" : "+v"(chain));
    }
  }
}

}  // namespace

const PeakLoop kAvx512Bf16 = {Isa::avx512bf16, MultiplyUnit::bf16, 2 * kLanes16* kChains, multiply};

}  // namespace mla

#endif
