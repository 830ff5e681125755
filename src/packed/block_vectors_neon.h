// The vectors of block_tile.h for NEON: half a panel's rows in two registers of four lanes. The dot product
// instructions of newer processors are added by the files that are compiled for them.
#pragma once

#include <arm_neon.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace mla {
namespace {

struct NeonVectors {
  struct Int {
    int32x4_t low, high;
  };
  struct Reg {
    float32x4_t low, high;
  };
  struct Ones {};  ///< Sixteen-bit ones, which have an instruction of their own.
  static constexpr std::size_t lanes = 8;
  static constexpr std::size_t parts = 2;
  static constexpr std::size_t most_panels = 1;
  static constexpr std::size_t most_tokens = 4;
  static constexpr bool has_dot = false;
  static constexpr bool signed_bytes = true;
  static constexpr bool narrow_products = false;

  static Int load_int(const std::byte* p) { return of_bytes(load128(p), load128(p + 16)); }
  static void store_int(std::byte* p, Int v) {
    vst1q_u8(reinterpret_cast<std::uint8_t*>(p), bytes(v.low));
    vst1q_u8(reinterpret_cast<std::uint8_t*>(p) + 16, bytes(v.high));
  }
  static Reg load(const std::byte* p) {
    return {vreinterpretq_f32_u8(load128(p)), vreinterpretq_f32_u8(load128(p + 16))};
  }
  static void store(void* p, Reg v) {
    vst1q_f32(static_cast<float*>(p), v.low);
    vst1q_f32(static_cast<float*>(p) + 4, v.high);
  }
  static Reg load_f16(const std::byte* p) {
    const float16x8_t halves = vreinterpretq_f16_u8(load128(p));
    return {vcvt_f32_f16(vget_low_f16(halves)), vcvt_high_f32_f16(halves)};
  }
  static Int set1_int(const void* p) {
    const int32x4_t all = vreinterpretq_s32_u32(vdupq_n_u32(word(p)));
    return {all, all};
  }
  static Int activation(const void* p) { return set1_int(p); }
  static Reg set1(const void* p) {
    const float32x4_t all = vreinterpretq_f32_u32(vdupq_n_u32(word(p)));
    return {all, all};
  }
  static Int widen_u8_to_32(const std::byte* p) {
    const uint16x8_t wide = vmovl_u8(load64(p));
    return {vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(wide))),
            vreinterpretq_s32_u32(vmovl_high_u16(wide))};
  }
  static Int widen_i8_to_32(const std::byte* p) {
    const int16x8_t wide = vmovl_s8(vreinterpret_s8_u8(load64(p)));
    return {vmovl_s16(vget_low_s16(wide)), vmovl_high_s16(wide)};
  }
  static Int widen_u8_to_16(const std::byte* p) {
    const uint8x16_t narrow = load128(p);
    return {vreinterpretq_s32_u16(vmovl_u8(vget_low_u8(narrow))),
            vreinterpretq_s32_u16(vmovl_high_u8(narrow))};
  }
  static void prefetch(const std::byte* p) { __builtin_prefetch(p); }
  static void prefetch_later(const std::byte* p) { __builtin_prefetch(p, 0, 2); }

  static Int keep_bits(Int a, int byte) {
    return of_bytes(vandq_u8(bytes(a.low), all(byte)), vandq_u8(bytes(a.high), all(byte)));
  }
  static Int flip_bits(Int a, int byte) {
    return of_bytes(veorq_u8(bytes(a.low), all(byte)), veorq_u8(bytes(a.high), all(byte)));
  }
  static Int add_bits(Int a, Int b, int byte) {
    const Int more = keep_bits(b, byte);
    return {vorrq_s32(a.low, more.low), vorrq_s32(a.high, more.high)};
  }
  static Int lookup(const std::uint8_t* table, Int index) {
    const uint8x16_t values = vld1q_u8(table);
    return of_bytes(vqtbl1q_u8(values, bytes(index.low)), vqtbl1q_u8(values, bytes(index.high)));
  }
  // The language's shifts take numbers and, where these are constant, become one instruction.
  static Int shift_left_16(Int a, int n) {
    const auto by = static_cast<std::uint16_t>(n);
    return of_halves(halves(a.low) << by, halves(a.high) << by);
  }
  static Int shift_right_16(Int a, int n) {
    const auto by = static_cast<std::uint16_t>(n);
    return of_halves(halves(a.low) >> by, halves(a.high) >> by);
  }
  static Int shift_right_32(Int a, int n) {
    const auto by = static_cast<std::uint32_t>(n);
    return {vreinterpretq_s32_u32(vreinterpretq_u32_s32(a.low) >> by),
            vreinterpretq_s32_u32(vreinterpretq_u32_s32(a.high) >> by)};
  }
  static Int shift_right_32_by(Int a, int n) { return shift_right_32(a, n); }

  static Int zero() { return {vdupq_n_s32(0), vdupq_n_s32(0)}; }
  static Ones ones16() { return {}; }
  static Int add(Int a, Int b) { return {vaddq_s32(a.low, b.low), vaddq_s32(a.high, b.high)}; }
  static Int add16(Int a, Int b) {
    return of_halves(vaddq_u16(halves(a.low), halves(b.low)), vaddq_u16(halves(a.high), halves(b.high)));
  }
  static Int multiply(Int a, Int b) { return {vmulq_s32(a.low, b.low), vmulq_s32(a.high, b.high)}; }
  static Int keep_ints(Int a, int bits) {
    return {vandq_s32(a.low, vdupq_n_s32(bits)), vandq_s32(a.high, vdupq_n_s32(bits))};
  }
  static Int dot16(Int acc, Int a, Int b) {
    return {dot16(acc.low, signed_halves(a.low), signed_halves(b.low)),
            dot16(acc.high, signed_halves(a.high), signed_halves(b.high))};
  }
  static Int dot16(Int acc, Int a, Ones) {
    return {vpadalq_s16(acc.low, signed_halves(a.low)), vpadalq_s16(acc.high, signed_halves(a.high))};
  }
  static Int pairs(Int codes, Int values) { return pairs_signed(codes, values); }  // Codes are below 128.
  static Int pairs_signed(Int codes, Int values) {
    return {pairs(signed_bytes_of(codes.low), signed_bytes_of(values.low)),
            pairs(signed_bytes_of(codes.high), signed_bytes_of(values.high))};
  }

  static Reg zero_float() { return {vdupq_n_f32(0.0F), vdupq_n_f32(0.0F)}; }
  static Reg multiply(Reg a, Reg b) { return {vmulq_f32(a.low, b.low), vmulq_f32(a.high, b.high)}; }
  static Reg fma(Reg a, Reg b, Reg c) {
    return {vfmaq_f32(c.low, a.low, b.low), vfmaq_f32(c.high, a.high, b.high)};
  }
  static Reg fma_negated(Reg a, Reg b, Reg c) {
    return {vfmsq_f32(c.low, a.low, b.low), vfmsq_f32(c.high, a.high, b.high)};
  }
  static Reg to_float(Int a) { return {vcvtq_f32_s32(a.low), vcvtq_f32_s32(a.high)}; }

  static void transpose4(const std::byte* const* from, std::size_t at, std::byte* to, std::size_t stride) {
    const uint32x4_t a = load_words(from[0] + at);
    const uint32x4_t b = load_words(from[1] + at);
    const uint32x4_t c = load_words(from[2] + at);
    const uint32x4_t d = load_words(from[3] + at);
    const uint32x4_t ac_low = vzip1q_u32(a, c);
    const uint32x4_t bd_low = vzip1q_u32(b, d);
    const uint32x4_t ac_high = vzip2q_u32(a, c);
    const uint32x4_t bd_high = vzip2q_u32(b, d);
    store_words(to, vzip1q_u32(ac_low, bd_low));
    store_words(to + stride, vzip2q_u32(ac_low, bd_low));
    store_words(to + 2 * stride, vzip1q_u32(ac_high, bd_high));
    store_words(to + 3 * stride, vzip2q_u32(ac_high, bd_high));
  }

  static void transpose2(const std::byte* const* from, std::size_t at, std::byte* to, std::size_t stride) {
    const uint32x4_t a = load_words(from[0] + at);
    const uint32x4_t b = load_words(from[1] + at);
    const uint32x4_t low = vzip1q_u32(a, b);
    const uint32x4_t high = vzip2q_u32(a, b);
    store_half(to, vget_low_u32(low));
    store_half(to + stride, vget_high_u32(low));
    store_half(to + 2 * stride, vget_low_u32(high));
    store_half(to + 3 * stride, vget_high_u32(high));
  }

 protected:
  static int8x16_t signed_bytes_of(int32x4_t a) { return vreinterpretq_s8_s32(a); }
  /// The word at p, read each time: the compiler would keep those of a whole step, for want of registers on the stack.
  static std::uint32_t word(const void* p) {
    asm("" : "+r"(p));
    std::uint32_t value;
    std::memcpy(&value, p, sizeof value);
    return value;
  }
  /// Four signed bytes, to be one lane that an instruction takes for all.
  static int8x8_t lane(const void* p) { return vcreate_s8(word(p)); }

 private:
  static uint8x8_t load64(const std::byte* p) { return vld1_u8(reinterpret_cast<const std::uint8_t*>(p)); }
  static uint8x16_t load128(const std::byte* p) { return vld1q_u8(reinterpret_cast<const std::uint8_t*>(p)); }
  static uint32x4_t load_words(const std::byte* p) { return vreinterpretq_u32_u8(load128(p)); }
  static void store_words(std::byte* p, uint32x4_t v) {
    vst1q_u8(reinterpret_cast<std::uint8_t*>(p), vreinterpretq_u8_u32(v));
  }
  static void store_half(std::byte* p, uint32x2_t v) {
    vst1_u8(reinterpret_cast<std::uint8_t*>(p), vreinterpret_u8_u32(v));
  }
  static uint8x16_t all(int byte) { return vdupq_n_u8(static_cast<std::uint8_t>(byte)); }
  static uint8x16_t bytes(int32x4_t a) { return vreinterpretq_u8_s32(a); }
  static uint16x8_t halves(int32x4_t a) { return vreinterpretq_u16_s32(a); }
  static int16x8_t signed_halves(int32x4_t a) { return vreinterpretq_s16_s32(a); }
  static Int of_bytes(uint8x16_t low, uint8x16_t high) {
    return {vreinterpretq_s32_u8(low), vreinterpretq_s32_u8(high)};
  }
  static Int of_halves(uint16x8_t low, uint16x8_t high) {
    return {vreinterpretq_s32_u16(low), vreinterpretq_s32_u16(high)};
  }
  static int32x4_t dot16(int32x4_t acc, int16x8_t a, int16x8_t b) {
    const int32x4_t low = vmull_s16(vget_low_s16(a), vget_low_s16(b));
    return vaddq_s32(acc, vpaddq_s32(low, vmull_high_s16(a, b)));
  }
  static int32x4_t pairs(int8x16_t codes, int8x16_t values) {
    const int16x8_t low = vmull_s8(vget_low_s8(codes), vget_low_s8(values));
    return vreinterpretq_s32_s16(vpaddq_s16(low, vmull_high_s8(codes, values)));
  }
};

}  // namespace
}  // namespace mla
