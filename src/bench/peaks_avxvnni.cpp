#if defined(__x86_64__)
#include <immintrin.h>

#include "bench/peak_chains.h"
#include "bench/peak_loop.h"

namespace mla {
namespace {

struct Bytes {
  struct Sum {
    __m256i lanes;
  };
  __m256i a = _mm256_set1_epi8(3);
  __m256i b = _mm256_set1_epi8(5);

  static Sum begin() { return {_mm256_setzero_si256()}; }
  void step(Sum& sum) {
    sum.lanes = _mm256_dpbusd_avx_epi32(sum.lanes, a, b);
    asm volatile("" : "+x"(sum.lanes));
  }
};

}  // namespace

const PeakLoop kAvxVnniInt8 = {Isa::avxvnni, MultiplyUnit::int8, 2.0 * 32 * kChains, run_chains<Bytes>};

}  // namespace mla

#endif
