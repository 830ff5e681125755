// NEON, as every 64-bit ARM processor has it: eight floats at a time, in two registers of four.
#if defined(__aarch64__)
#include <arm_neon.h>

#include <cstdint>

#include "kernels/implementations.h"
#include "kernels/vector_kernels.h"

namespace mla {
namespace {

struct Neon {
  struct Reg {
    float32x4_t low, high;
  };
  struct Int {
    uint32x4_t low, high;
  };
  static constexpr std::size_t width = 8;
  static constexpr std::size_t gemm_rows = 6;

  static Reg zero() { return set1(0.0F); }
  static Reg set1(float v) { return {vdupq_n_f32(v), vdupq_n_f32(v)}; }
  static Reg load(const float* p) { return {vld1q_f32(p), vld1q_f32(p + 4)}; }
  static void store(float* p, Reg v) {
    vst1q_f32(p, v.low);
    vst1q_f32(p + 4, v.high);
  }
  static Reg load_f16(const std::byte* p) {
    const float16x8_t halves = vreinterpretq_f16_u8(load128(p));
    return {vcvt_f32_f16(vget_low_f16(halves)), vcvt_high_f32_f16(halves)};
  }
  static Reg load_bf16(const std::byte* p) {
    const uint16x8_t bits = vreinterpretq_u16_u8(load128(p));
    return floats({vshll_n_u16(vget_low_u16(bits), 16), vshll_high_n_u16(bits, 16)});
  }
  static Reg load_f8(const std::byte* p) {
    const Int bits = load_u8(p);
    return {e4m3(bits.low), e4m3(bits.high)};
  }
  static Reg add(Reg a, Reg b) { return {vaddq_f32(a.low, b.low), vaddq_f32(a.high, b.high)}; }
  static Reg sub(Reg a, Reg b) { return {vsubq_f32(a.low, b.low), vsubq_f32(a.high, b.high)}; }
  static Reg mul(Reg a, Reg b) { return {vmulq_f32(a.low, b.low), vmulq_f32(a.high, b.high)}; }
  static Reg div(Reg a, Reg b) { return {vdivq_f32(a.low, b.low), vdivq_f32(a.high, b.high)}; }
  static Reg fma(Reg a, Reg b, Reg c) {
    return {vfmaq_f32(c.low, a.low, b.low), vfmaq_f32(c.high, a.high, b.high)};
  }
  // By comparison: NEON's own minimum and maximum give NaN if either operand is one.
  static Reg min(Reg a, Reg b) { return {smaller(a.low, b.low), smaller(a.high, b.high)}; }
  static Reg max(Reg a, Reg b) { return {larger(a.low, b.low), larger(a.high, b.high)}; }
  static Reg round(Reg v) { return {vrndnq_f32(v.low), vrndnq_f32(v.high)}; }
  static Reg pow2(Reg n) { return {pow2(n.low), pow2(n.high)}; }
  static float sum(Reg v) { return vaddvq_f32(vaddq_f32(v.low, v.high)); }
  static float largest(Reg v) { return vmaxvq_f32(larger(v.low, v.high)); }
  static float half(const std::byte* p) {
    std::uint16_t bits;
    std::memcpy(&bits, p, sizeof bits);
    return vgetq_lane_f32(vcvt_f32_f16(vreinterpret_f16_u16(vdup_n_u16(bits))), 0);
  }
  static Int load_u8(const std::byte* p) {
    const uint16x8_t wide = vmovl_u8(load64(p));
    return {vmovl_u16(vget_low_u16(wide)), vmovl_high_u16(wide)};
  }
  static Int load_i8(const std::byte* p) {
    const int16x8_t wide = vmovl_s8(vreinterpret_s8_u8(load64(p)));
    return {vreinterpretq_u32_s32(vmovl_s16(vget_low_s16(wide))),
            vreinterpretq_u32_s32(vmovl_high_s16(wide))};
  }
  static Int shift_right(Int a, int n) { return shift_left(a, vdupq_n_s32(-n), vdupq_n_s32(-n)); }
  static Int mask(Int a, int bits) {
    const uint32x4_t all = vdupq_n_u32(static_cast<std::uint32_t>(bits));
    return {vandq_u32(a.low, all), vandq_u32(a.high, all)};
  }
  static Int join(Int a, Int b, int n) {
    const Int up = shift_left(b, vdupq_n_s32(n), vdupq_n_s32(n));
    return {vorrq_u32(a.low, up.low), vorrq_u32(a.high, up.high)};
  }
  static Int offset(Int a, int b) {
    const uint32x4_t all = vdupq_n_u32(static_cast<std::uint32_t>(b));
    return {vaddq_u32(a.low, all), vaddq_u32(a.high, all)};
  }
  static Int lane_bits(std::uint32_t bits) {
    const int32x4_t low = {0, -1, -2, -3};
    const Int all = {vdupq_n_u32(bits), vdupq_n_u32(bits)};
    return mask(shift_left(all, low, vsubq_s32(low, vdupq_n_s32(4))), 1);
  }
  static Reg to_float(Int a) {
    return {vcvtq_f32_s32(vreinterpretq_s32_u32(a.low)), vcvtq_f32_s32(vreinterpretq_s32_u32(a.high))};
  }
  static Reg lookup(const float* table, Int index) {
    const uint8x16x4_t bytes = {{load_table(table), load_table(table + 4), load_table(table + 8),
                                 load_table(table + 12)}};  // Just what one instruction looks up in.
    return {look_up(bytes, index.low), look_up(bytes, index.high)};
  }

 private:
  static uint8x8_t load64(const std::byte* p) { return vld1_u8(reinterpret_cast<const std::uint8_t*>(p)); }
  static uint8x16_t load128(const std::byte* p) { return vld1q_u8(reinterpret_cast<const std::uint8_t*>(p)); }
  static uint8x16_t load_table(const float* p) { return vreinterpretq_u8_f32(vld1q_f32(p)); }
  static Reg floats(Int bits) { return {vreinterpretq_f32_u32(bits.low), vreinterpretq_f32_u32(bits.high)}; }
  static Int shift_left(Int a, int32x4_t low, int32x4_t high) {  // To the right where negative.
    return {vshlq_u32(a.low, low), vshlq_u32(a.high, high)};
  }
  static float32x4_t smaller(float32x4_t a, float32x4_t b) { return vbslq_f32(vcltq_f32(a, b), a, b); }
  static float32x4_t larger(float32x4_t a, float32x4_t b) { return vbslq_f32(vcgtq_f32(a, b), a, b); }
  static float32x4_t pow2(float32x4_t n) {
    return vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(vcvtnq_s32_f32(n), vdupq_n_s32(127)), 23));
  }
  /// The bits moved to where a float has exponent and mantissa, then the biases' difference as a factor; exact, for
  /// subnormals too.
  static float32x4_t e4m3(uint32x4_t bits) {
    const uint32x4_t magnitude = vandq_u32(bits, vdupq_n_u32(0x7f));
    const float32x4_t finite =
        vmulq_f32(vreinterpretq_f32_u32(vshlq_n_u32(magnitude, 20)), vdupq_n_f32(0x1p120F));
    const uint32x4_t sign = vshlq_n_u32(vshrq_n_u32(bits, 7), 31);
    const uint32x4_t is_nan = vceqq_u32(magnitude, vdupq_n_u32(0x7f));
    const uint32x4_t value = vbslq_u32(is_nan, vdupq_n_u32(0x7fc00000U), vreinterpretq_u32_f32(finite));
    return vreinterpretq_f32_u32(vorrq_u32(value, sign));
  }
  static float32x4_t look_up(uint8x16x4_t table, uint32x4_t index) {
    // Each lane's index becomes those of its value's four bytes.
    const uint32x4_t bytes = vmlaq_u32(vdupq_n_u32(0x03020100), index, vdupq_n_u32(0x04040404));
    return vreinterpretq_f32_u8(vqtbl4q_u8(table, vreinterpretq_u8_u32(bytes)));
  }
};

}  // namespace

constinit const Kernels kNeonKernels = make_kernels<Neon>("neon");

}  // namespace mla
#endif
