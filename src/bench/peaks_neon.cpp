#if defined(__aarch64__)
#include <arm_neon.h>

#include "bench/peak_chains.h"
#include "bench/peak_loop.h"

namespace mla {
namespace {

constexpr unsigned kFloatChains = 24;  // Of 32 registers: four units of four cycles latency need sixteen.
constexpr unsigned kIntegerChains = 16;

struct Floats {
  struct Sum {
    float32x4_t lanes;
  };
  float32x4_t a = vdupq_n_f32(0.5F);
  float32x4_t b = vdupq_n_f32(0x1p-20F);

  static Sum begin() { return {vdupq_n_f32(0.0F)}; }
  void step(Sum& sum) {
    sum.lanes = vfmaq_f32(sum.lanes, a, b);
    asm volatile("" : "+w"(sum.lanes));
  }
};

/// Bytes are multiplied and added in three instructions: the low and the high ones to 16 bits, in one sum, then pairs of
/// those to 32. Passing the operands through the assembler statement keeps the first two in the loop.
struct Bytes {
  struct Sum {
    int32x4_t lanes;
  };
  int8x16_t a = vdupq_n_s8(3);
  int8x16_t b = vdupq_n_s8(5);

  static Sum begin() { return {vdupq_n_s32(0)}; }
  void step(Sum& sum) {
    asm volatile("" : "+w"(a), "+w"(b));
    const int16x8_t low = vmull_s8(vget_low_s8(a), vget_low_s8(b));
    sum.lanes = vpadalq_s16(sum.lanes, vmlal_high_s8(low, a, b));
    asm volatile("" : "+w"(sum.lanes));
  }
};

}  // namespace

const PeakLoop kNeonFp32 = {Isa::neon, MultiplyUnit::fp32, 2.0 * 4 * kFloatChains,
                            run_chains<Floats, kFloatChains>};
const PeakLoop kNeonInt8 = {Isa::neon, MultiplyUnit::int8, 2.0 * 16 * kIntegerChains,
                            run_chains<Bytes, kIntegerChains>};

}  // namespace mla

#endif
