#if defined(__aarch64__)
#include <arm_neon.h>

#include "bench/peak_loop.h"

namespace mla {
namespace {

constexpr int kChains = 24;  // Of 32 registers: four units of four cycles latency need sixteen.
constexpr double kLanes32 = 4;
constexpr double kLanes8 = 16;

void multiply_floats(unsigned long rounds) {
  float32x4_t sum[kChains];
  for (auto& chain : sum) chain = vdupq_n_f32(0.0F);
  float32x4_t a = vdupq_n_f32(0.5F);
  float32x4_t b = vdupq_n_f32(0x1p-20F);
  for (unsigned long round = 0; round < rounds; ++round) {
    asm volatile("" : "+w"(a), "+w"(b));
#pragma GCC unroll 24
    for (auto& chain : sum) {
      chain = vfmaq_f32(chain, a, b);
      asm volatile("" : "+w"(chain));
    }
  }
}

// Bytes are multiplied and added in three instructions: the low and the high ones to 16 bits, in one sum, then pairs of
// those to 32.
constexpr int kIntegerChains = 16;

void multiply_integers(unsigned long rounds) {
  int32x4_t sum[kIntegerChains];
  for (auto& chain : sum) chain = vdupq_n_s32(0);
  int8x16_t a = vdupq_n_s8(3);
  int8x16_t b = vdupq_n_s8(5);
  for (unsigned long round = 0; round < rounds; ++round) {
#pragma GCC unroll 16
    for (auto& chain : sum) {
      asm volatile("" : "+w"(a), "+w"(b));
      const int16x8_t low = vmull_s8(vget_low_s8(a), vget_low_s8(b));
      chain = vpadalq_s16(chain, vmlal_high_s8(low, a, b));
      asm volatile("" : "+w"(chain));
    }
  }
}

}  // namespace

const PeakLoop kNeonFp32 = {Isa::neon, MultiplyUnit::fp32, 2 * kLanes32* kChains, multiply_floats};
const PeakLoop kNeonInt8 = {Isa::neon, MultiplyUnit::int8, 2 * kLanes8* kIntegerChains, multiply_integers};

}  // namespace mla

#endif
