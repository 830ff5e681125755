#if defined(__x86_64__)
#include <immintrin.h>

#include "bench/peak_chains.h"
#include "bench/peak_loop.h"

namespace mla {
namespace {

struct Bytes {
  struct Sum {
    __m512i lanes;
  };
  __m512i a = _mm512_set1_epi8(3);
  __m512i b = _mm512_set1_epi8(5);

  static Sum begin() { return {_mm512_setzero_si512()}; }
  void step(Sum& sum) {
    sum.lanes = _mm512_dpbusd_epi32(sum.lanes, a, b);
    asm volatile("" : "+v"(sum.lanes));
  }
};

}  // namespace

const PeakLoop kAvx512VnniInt8 = {Isa::avx512vnni, MultiplyUnit::int8, 2.0 * 64 * kChains, run_chains<Bytes>};

}  // namespace mla

#endif
