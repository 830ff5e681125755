#if defined(__aarch64__)
#include <arm_neon.h>

#include "bench/peak_loop.h"

namespace mla {
namespace {

constexpr int kChains = 24;     // Of 32 registers, as in peaks_neon.cpp.
constexpr double kLanes8 = 32;  // A 2 x 8 matrix times an 8 x 2 one.

void multiply(unsigned long rounds) {
  int32x4_t sum[kChains];
  for (auto& chain : sum) chain = vdupq_n_s32(0);
  int8x16_t a = vdupq_n_s8(3);
  int8x16_t b = vdupq_n_s8(5);
  for (unsigned long round = 0; round < rounds; ++round) {
    asm volatile("" : "+w"(a), "+w"(b));
#pragma GCC unroll 24
    for (auto& chain : sum) {
      chain = vmmlaq_s32(chain, a, b);
      asm volatile("" : "+w"(chain));
    }
  }
}

}  // namespace

const PeakLoop kNeonI8mmInt8 = {Isa::neon_i8mm, MultiplyUnit::int8, 2 * kLanes8* kChains, multiply};

}  // namespace mla

#endif
