// NEON: sixteen floats in four registers.
#if defined(__aarch64__)
#include <arm_neon.h>

#include "packed/attention_vector.h"

namespace mla {
namespace {

struct SixteenNeon {
  struct Reg {
    float32x4_t v[4];
  };
  struct Mask {
    uint32x4_t v[4];
  };

  static Reg zero() { return set1(0.0F); }
  static Reg set1(float x) { return {{vdupq_n_f32(x), vdupq_n_f32(x), vdupq_n_f32(x), vdupq_n_f32(x)}}; }
  static Reg load(const float* p) {
    return {{vld1q_f32(p), vld1q_f32(p + 4), vld1q_f32(p + 8), vld1q_f32(p + 12)}};
  }
  static void store(float* p, Reg x) {
    for (std::size_t i = 0; i < 4; ++i) vst1q_f32(p + 4 * i, x.v[i]);
  }
  static Reg load_first(const float* p, std::size_t n) {
    float padded[16] = {};
    std::memcpy(padded, p, n * sizeof(float));
    return load(padded);
  }
  static void store_first(float* p, std::size_t n, Reg x) {
    float padded[16];
    store(padded, x);
    std::memcpy(p, padded, n * sizeof(float));
  }
  static Reg add(Reg a, Reg b) {
    return each([&](std::size_t i) { return vaddq_f32(a.v[i], b.v[i]); });
  }
  static Reg sub(Reg a, Reg b) {
    return each([&](std::size_t i) { return vsubq_f32(a.v[i], b.v[i]); });
  }
  static Reg mul(Reg a, Reg b) {
    return each([&](std::size_t i) { return vmulq_f32(a.v[i], b.v[i]); });
  }
  static Reg fma(Reg a, Reg b, Reg c) {
    return each([&](std::size_t i) { return vfmaq_f32(c.v[i], a.v[i], b.v[i]); });
  }
  // By comparison: NEON's own maximum gives NaN if either operand is one.
  static Reg max(Reg a, Reg b) {
    return each([&](std::size_t i) { return vbslq_f32(vcgtq_f32(a.v[i], b.v[i]), a.v[i], b.v[i]); });
  }
  static Mask between(Reg x, Reg begin, Reg end) {
    return mask(
        [&](std::size_t i) { return vandq_u32(vcgeq_f32(x.v[i], begin.v[i]), vcltq_f32(x.v[i], end.v[i])); });
  }
  static Reg select(Mask mask, Reg a, Reg b) {
    return each([&](std::size_t i) { return vbslq_f32(mask.v[i], a.v[i], b.v[i]); });
  }

  static Reg clamp(Reg x) { return max(set1(-126.0F), x); }
  static Reg fraction(Reg x) {
    return each([&](std::size_t i) { return vsubq_f32(x.v[i], vrndmq_f32(x.v[i])); });
  }
  static Reg power(Reg p, Reg x) {
    return each([&](std::size_t i) {
      const int32x4_t exponent = vaddq_s32(vcvtmq_s32_f32(x.v[i]), vdupq_n_s32(127));
      return vmulq_f32(p.v[i], vreinterpretq_f32_s32(vshlq_n_s32(exponent, 23)));
    });
  }
  static Reg half_up(Reg x) {
    return each([&](std::size_t i) { return upper(vaddq_u32(bits(x.v[i]), vdupq_n_u32(0x8000))); });
  }
  static Reg nearest(Reg x) {
    return each([&](std::size_t i) {
      const uint32x4_t from = bits(x.v[i]);
      const uint32x4_t odd = vandq_u32(vshrq_n_u32(from, 16), vdupq_n_u32(1));
      const uint32x4_t rounded = vaddq_u32(from, vaddq_u32(odd, vdupq_n_u32(0x7fff)));
      const uint32x4_t quiet = vorrq_u32(from, vdupq_n_u32(0x400000));
      return upper(vbslq_u32(vceqq_f32(x.v[i], x.v[i]), rounded, quiet));
    });
  }

  static void store_pairs(std::byte* to, Reg even, Reg odd) {
    for (std::size_t i = 0; i < 4; ++i)
      store_words(to + 16 * i, vsriq_n_u32(bits(odd.v[i]), bits(even.v[i]), 16));
  }
  static void store_bf16(std::byte* to, Reg x) {
    for (std::size_t i = 0; i < 4; i += 2)
      store_halves(to + 8 * i, vuzp2q_u16(halves(x.v[i]), halves(x.v[i + 1])));
  }
  static void interleave(const std::byte* even, const std::byte* odd, std::byte* to) {
    for (std::size_t half = 0; half < 2; ++half) {
      const uint16x8_t a = load_halves(even + 16 * half);
      const uint16x8_t b = load_halves(odd + 16 * half);
      store_halves(to + 32 * half, vzip1q_u16(a, b));
      store_halves(to + 32 * half + 16, vzip2q_u16(a, b));
    }
  }
  static void transpose(const std::byte* from, std::byte* to, std::size_t stride) {
    for (std::size_t i = 0; i < 4; ++i)
      for (std::size_t j = 0; j < 4; ++j)
        transpose_part(from + i * 4 * 64 + j * 16, to + j * 4 * stride + i * 16, stride);
  }

 private:
  template <typename Function>
  static Reg each(Function function) {
    return {{function(0), function(1), function(2), function(3)}};
  }
  template <typename Function>
  static Mask mask(Function function) {
    return {{function(0), function(1), function(2), function(3)}};
  }
  static uint32x4_t bits(float32x4_t x) { return vreinterpretq_u32_f32(x); }
  static uint16x8_t halves(float32x4_t x) { return vreinterpretq_u16_f32(x); }
  static float32x4_t upper(uint32x4_t x) {
    return vreinterpretq_f32_u32(vandq_u32(x, vdupq_n_u32(0xffff0000U)));
  }
  static uint32x4_t load_words(const std::byte* p) {
    return vreinterpretq_u32_u8(vld1q_u8(reinterpret_cast<const std::uint8_t*>(p)));
  }
  static void store_words(std::byte* p, uint32x4_t x) {
    vst1q_u8(reinterpret_cast<std::uint8_t*>(p), vreinterpretq_u8_u32(x));
  }
  static uint16x8_t load_halves(const std::byte* p) { return vreinterpretq_u16_u32(load_words(p)); }
  static void store_halves(std::byte* p, uint16x8_t x) { store_words(p, vreinterpretq_u32_u16(x)); }
  /// 4 x 4 words.
  static void transpose_part(const std::byte* from, std::byte* to, std::size_t stride) {
    const uint32x4_t a = load_words(from);
    const uint32x4_t b = load_words(from + 64);
    const uint32x4_t c = load_words(from + 128);
    const uint32x4_t d = load_words(from + 192);
    const uint32x4_t ac_low = vzip1q_u32(a, c);
    const uint32x4_t bd_low = vzip1q_u32(b, d);
    const uint32x4_t ac_high = vzip2q_u32(a, c);
    const uint32x4_t bd_high = vzip2q_u32(b, d);
    store_words(to, vzip1q_u32(ac_low, bd_low));
    store_words(to + stride, vzip2q_u32(ac_low, bd_low));
    store_words(to + 2 * stride, vzip1q_u32(ac_high, bd_high));
    store_words(to + 3 * stride, vzip2q_u32(ac_high, bd_high));
  }
};

}  // namespace

constinit const AttentionKernels kNeonAttention = make_attention_kernels<SixteenNeon>();

}  // namespace mla
#endif
