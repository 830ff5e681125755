// NEON: sixteen floats in four registers.
#if defined(__aarch64__)
#include <arm_neon.h>

#include "packed/f8_tiles.h"
#include "packed/float_quantize.h"
#include "packed/float_tiles.h"
#include "packed/implementations.h"

namespace mla {
namespace {

struct SixteenNeon {
  struct Reg {
    float32x4_t a, b, c, d;
  };
  using Factor = float32x2_t;  ///< Its first lane: fma takes one lane for all.
  static constexpr std::size_t kTokens = 4;
  static constexpr std::size_t panels(std::size_t tokens) { return tokens <= 2 ? 2 : 1; }

  static Reg zero() { return {vdupq_n_f32(0.0F), vdupq_n_f32(0.0F), vdupq_n_f32(0.0F), vdupq_n_f32(0.0F)}; }
  static Reg load(const std::byte* p) { return load(reinterpret_cast<const float*>(p)); }
  static Reg load_f16(const std::byte* p) {
    const float16x8_t low = vreinterpretq_f16_u8(load128(p));
    const float16x8_t high = vreinterpretq_f16_u8(load128(p + 16));
    return {vcvt_f32_f16(vget_low_f16(low)), vcvt_high_f32_f16(low), vcvt_f32_f16(vget_low_f16(high)),
            vcvt_high_f32_f16(high)};
  }
  /// By way of halves, which widen exactly: with bit 14 clear they are a 256th.
  static Reg load_f8(const std::byte* p) {
    const int8x16_t codes = vreinterpretq_s8_u8(load128(p));
    const int16x8_t clear = vdupq_n_s16(-0x4001);
    const auto halves = [&](int8x8_t eight) {
      return vreinterpretq_f16_s16(vandq_s16(vshlq_n_s16(vmovl_s8(eight), 7), clear));
    };
    const float16x8_t low = halves(vget_low_s8(codes)), high = halves(vget_high_s8(codes));
    return {vcvt_f32_f16(vget_low_f16(low)), vcvt_high_f32_f16(low), vcvt_f32_f16(vget_low_f16(high)),
            vcvt_high_f32_f16(high)};
  }
  static Reg load_factors(const float* p) { return load(p); }
  static Reg mul(Reg x, Reg y) {
    return {vmulq_f32(x.a, y.a), vmulq_f32(x.b, y.b), vmulq_f32(x.c, y.c), vmulq_f32(x.d, y.d)};
  }
  static void store(std::byte* p, Reg v) { store(reinterpret_cast<float*>(p), v); }
  static Reg load_even(const std::byte* p) {
    return {even(load_pairs(p)), even(load_pairs(p + 16)), even(load_pairs(p + 32)),
            even(load_pairs(p + 48))};
  }
  static Reg load_odd(const std::byte* p) {
    return {odd(load_pairs(p)), odd(load_pairs(p + 16)), odd(load_pairs(p + 32)), odd(load_pairs(p + 48))};
  }
  static Reg load_first(const float* p, std::size_t n) {
    if (n == 16) return load(p);
    float padded[16] = {};
    std::memcpy(padded, p, n * sizeof(float));
    return load(padded);
  }
  static void store_first(float* p, Reg v, std::size_t n) {
    if (n == 16) return store(p, v);
    float padded[16];
    store(padded, v);
    std::memcpy(p, padded, n * sizeof(float));
  }
  static Factor broadcast(const std::byte* p) { return vreinterpret_f32_u32(lane(p)); }
  static Factor broadcast_even(const std::byte* p) { return vreinterpret_f32_u32(vshl_n_u32(lane(p), 16)); }
  static Factor broadcast_odd(const std::byte* p) {
    return vreinterpret_f32_u32(vand_u32(lane(p), vdup_n_u32(0xffff0000U)));
  }
  static Reg fma(Reg w, Factor x, Reg sum) {
    return {vfmaq_lane_f32(sum.a, w.a, x, 0), vfmaq_lane_f32(sum.b, w.b, x, 0),
            vfmaq_lane_f32(sum.c, w.c, x, 0), vfmaq_lane_f32(sum.d, w.d, x, 0)};
  }

  static std::uint32_t largest_magnitude(const float* x, std::size_t n) {
    uint32x4_t largest = vdupq_n_u32(0);
    for (std::size_t i = 0; i < n; i += 4)
      largest = vmaxq_u32(largest, vreinterpretq_u32_f32(vabsq_f32(vld1q_f32(x + i))));
    return vmaxvq_u32(largest);
  }
  static std::int32_t quantize(const float* x, float factor, std::int8_t* to) {
    const int16x8_t low = vcombine_s16(nearest(x, factor), nearest(x + 4, factor));
    const int16x8_t high = vcombine_s16(nearest(x + 8, factor), nearest(x + 12, factor));
    const int8x16_t values = vcombine_s8(vmovn_s16(low), vmovn_s16(high));
    vst1q_s8(to, values);
    return vaddlvq_s8(values);
  }
  static float sum_of_magnitudes(const float* x, std::size_t n, const float* last) {
    Reg sums = zero();
    for (std::size_t i = 0; i < n; i += 16) sums = add_magnitudes(sums, x + i);
    sums = add_magnitudes(sums, last);
    const float32x4_t four = vaddq_f32(vaddq_f32(sums.a, sums.c), vaddq_f32(sums.b, sums.d));
    const float32x2_t two = vadd_f32(vget_low_f32(four), vget_high_f32(four));
    return vget_lane_f32(two, 0) + vget_lane_f32(two, 1);
  }
  static std::uint32_t larger(const float* x, float bound) {
    constexpr std::uint32_t kBits[4] = {1, 2, 4, 8};
    const uint32x4_t places = vld1q_u32(kBits);
    std::uint32_t all = 0;
    for (int i = 0; i < 4; ++i) {
      const uint32x4_t is = vcgtq_f32(vabsq_f32(vld1q_f32(x + 4 * i)), vdupq_n_f32(bound));
      all |= vaddvq_u32(vandq_u32(is, places)) << (4 * i);
    }
    return all;
  }
  static void without(const float* x, std::uint32_t lanes, float* to) {
    constexpr std::uint32_t kBits[4] = {1, 2, 4, 8};
    const uint32x4_t places = vld1q_u32(kBits);
    for (int i = 0; i < 16; i += 4, lanes >>= 4) {
      const uint32x4_t zero = vtstq_u32(vdupq_n_u32(lanes), places);
      const uint32x4_t bits = vreinterpretq_u32_f32(vld1q_f32(x + i));
      vst1q_f32(to + i, vreinterpretq_f32_u32(vbicq_u32(bits, zero)));
    }
  }
  static void to_bf16(const float* x, std::uint16_t* bits) {
    for (std::size_t i = 0; i < 16; i += 4) vst1_u16(bits + i, rounded(vld1q_f32(x + i)));
  }
  static void from_bf16(const std::uint16_t* bits, float* x) {
    for (std::size_t i = 0; i < 16; i += 4)
      vst1q_f32(x + i, vreinterpretq_f32_u32(vshll_n_u16(vld1_u16(bits + i), 16)));
  }

 private:
  static Reg add_magnitudes(Reg sums, const float* x) {
    return {vaddq_f32(sums.a, vabsq_f32(vld1q_f32(x))), vaddq_f32(sums.b, vabsq_f32(vld1q_f32(x + 4))),
            vaddq_f32(sums.c, vabsq_f32(vld1q_f32(x + 8))), vaddq_f32(sums.d, vabsq_f32(vld1q_f32(x + 12)))};
  }
  static Reg load(const float* p) {
    return {vld1q_f32(p), vld1q_f32(p + 4), vld1q_f32(p + 8), vld1q_f32(p + 12)};
  }
  static void store(float* p, Reg v) {
    vst1q_f32(p, v.a);
    vst1q_f32(p + 4, v.b);
    vst1q_f32(p + 8, v.c);
    vst1q_f32(p + 12, v.d);
  }
  static uint8x16_t load128(const std::byte* p) { return vld1q_u8(reinterpret_cast<const std::uint8_t*>(p)); }
  static uint32x4_t load_pairs(const std::byte* p) { return vreinterpretq_u32_u8(load128(p)); }
  static uint32x2_t lane(const std::byte* p) {
    std::uint32_t bits;
    std::memcpy(&bits, p, sizeof bits);
    return vcreate_u32(bits);
  }
  static float32x4_t even(uint32x4_t pairs) { return vreinterpretq_f32_u32(vshlq_n_u32(pairs, 16)); }
  static float32x4_t odd(uint32x4_t pairs) {
    return vreinterpretq_f32_u32(vandq_u32(pairs, vdupq_n_u32(0xffff0000U)));
  }
  static int16x4_t nearest(const float* x, float factor) {
    return vmovn_s32(vcvtnq_s32_f32(vmulq_n_f32(vld1q_f32(x), factor)));
  }
  static uint16x4_t rounded(float32x4_t v) {
    const uint32x4_t bits = vreinterpretq_u32_f32(v);
    const uint32x4_t last = vandq_u32(vshrq_n_u32(bits, 16), vdupq_n_u32(1));
    const uint32x4_t nearest = vaddq_u32(vaddq_u32(bits, vdupq_n_u32(0x7fff)), last);
    const uint32x4_t quiet = vorrq_u32(bits, vdupq_n_u32(0x400000));
    return vshrn_n_u32(vbslq_u32(vceqq_f32(v, v), nearest, quiet), 16);
  }
};

}  // namespace

constinit const FloatKernels kNeonFloats = {multiply_floats<SixteenNeon, F32Walk<SixteenNeon>>,
                                            multiply_floats<SixteenNeon, F16Walk<SixteenNeon>>,
                                            multiply_bf16<SixteenNeon, Bf16Walk<SixteenNeon>>,
                                            multiply_f8<SixteenNeon>,
                                            quantize<SixteenNeon>,
                                            to_bf16<SixteenNeon>,
                                            from_bf16<SixteenNeon>,
                                            with_f8_scratch<SixteenNeon>};

}  // namespace mla
#endif
