#if defined(__x86_64__)
#include <immintrin.h>

#include "bench/peak_chains.h"
#include "bench/peak_loop.h"

namespace mla {
namespace {

struct Floats {
  struct Sum {
    __m512 lanes;
  };
  __m512 a = _mm512_set1_ps(0.5F);
  __m512 b = _mm512_set1_ps(0x1p-20F);

  static Sum begin() { return {_mm512_setzero_ps()}; }
  void step(Sum& sum) {
    sum.lanes = _mm512_fmadd_ps(a, b, sum.lanes);
    asm volatile("" : "+v"(sum.lanes));
  }
};

// Three instructions: pairs of products in 16 bits, pairs of those in 32, the sum.
struct Bytes {
  struct Sum {
    __m512i lanes;
  };
  __m512i a = _mm512_set1_epi8(3);
  __m512i b = _mm512_set1_epi8(5);
  __m512i ones = _mm512_set1_epi16(1);

  static Sum begin() { return {_mm512_setzero_si512()}; }
  void step(Sum& sum) {
    asm volatile("" : "+v"(a));  // Else the products would be made once.
    sum.lanes = _mm512_add_epi32(sum.lanes, _mm512_madd_epi16(_mm512_maddubs_epi16(a, b), ones));
    asm volatile("" : "+v"(sum.lanes));
  }
};

}  // namespace

const PeakLoop kAvx512Fp32 = {Isa::avx512, MultiplyUnit::fp32, 2.0 * 16 * kChains, run_chains<Floats>};
const PeakLoop kAvx512Int8 = {Isa::avx512, MultiplyUnit::int8, 2.0 * 64 * kChains, run_chains<Bytes>};

}  // namespace mla

#endif
