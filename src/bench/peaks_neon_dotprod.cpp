#if defined(__aarch64__)
#include <arm_neon.h>

#include "bench/peak_chains.h"
#include "bench/peak_loop.h"

namespace mla {
namespace {

constexpr unsigned kNeonChains = 24;  // Of 32 registers, as in peaks_neon.cpp.
constexpr double kProducts = 16;

struct Bytes {
  struct Sum {
    int32x4_t lanes;
  };
  int8x16_t a = vdupq_n_s8(3);
  int8x16_t b = vdupq_n_s8(5);

  static Sum begin() { return {vdupq_n_s32(0)}; }
  void step(Sum& sum) {
    sum.lanes = vdotq_s32(sum.lanes, a, b);
    asm volatile("" : "+w"(sum.lanes));
  }
};

}  // namespace

const PeakLoop kNeonDotprodInt8 = {Isa::neon_dotprod, MultiplyUnit::int8, 2 * kProducts* kNeonChains,
                                   run_chains<Bytes, kNeonChains>};

}  // namespace mla

#endif
