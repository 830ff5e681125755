#if defined(__x86_64__)
#include <immintrin.h>

#include "bench/peak_chains.h"
#include "bench/peak_loop.h"

namespace mla {
namespace {

struct Floats {
  struct Sum {
    __m256 lanes;
  };
  __m256 a = _mm256_set1_ps(0.5F);
  __m256 b = _mm256_set1_ps(0x1p-20F);

  static Sum begin() { return {_mm256_setzero_ps()}; }
  void step(Sum& sum) {
    sum.lanes = _mm256_fmadd_ps(a, b, sum.lanes);
    asm volatile("" : "+x"(sum.lanes));
  }
};

// Three instructions: pairs of products in 16 bits, pairs of those in 32, the sum.
struct Bytes {
  struct Sum {
    __m256i lanes;
  };
  __m256i a = _mm256_set1_epi8(3);
  __m256i b = _mm256_set1_epi8(5);
  __m256i ones = _mm256_set1_epi16(1);

  static Sum begin() { return {_mm256_setzero_si256()}; }
  void step(Sum& sum) {
    asm volatile("" : "+x"(a));  // Else the products would be made once.
    sum.lanes = _mm256_add_epi32(sum.lanes, _mm256_madd_epi16(_mm256_maddubs_epi16(a, b), ones));
    asm volatile("" : "+x"(sum.lanes));
  }
};

}  // namespace

const PeakLoop kAvx2Fp32 = {Isa::avx2, MultiplyUnit::fp32, 2.0 * 8 * kChains, run_chains<Floats>};
const PeakLoop kAvx2Int8 = {Isa::avx2, MultiplyUnit::int8, 2.0 * 32 * kChains, run_chains<Bytes>};

}  // namespace mla

#endif
