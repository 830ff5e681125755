#if defined(__x86_64__)
#include <immintrin.h>

#include "bench/peak_chains.h"
#include "bench/peak_loop.h"

namespace mla {
namespace {

struct Halves {
  struct Sum {
    __m512 lanes;
  };
  __m512bh a = _mm512_cvtne2ps_pbh(_mm512_set1_ps(0.5F), _mm512_set1_ps(0.5F));
  __m512bh b = _mm512_cvtne2ps_pbh(_mm512_set1_ps(0x1p-20F), _mm512_set1_ps(0x1p-20F));

  static Sum begin() { return {_mm512_setzero_ps()}; }
  void step(Sum& sum) {
    sum.lanes = _mm512_dpbf16_ps(sum.lanes, a, b);
    asm volatile("" : "+v"(sum.lanes));
  }
};

}  // namespace

const PeakLoop kAvx512Bf16 = {Isa::avx512bf16, MultiplyUnit::bf16, 2.0 * 32 * kChains, run_chains<Halves>};

}  // namespace mla

#endif
