// The vectors of block_tile.h for AVX-512 (F, BW, DQ, VL): a panel's rows a register. AVX-512 VNNI adds its dot products.
#pragma once

#include <immintrin.h>

#include <cstdint>
#include <cstring>

#include "packed/block_transpose.h"

namespace mla {
namespace {

struct Avx512Vectors : SseTranspose {
  using Int = __m512i;
  using Reg = __m512;
  static constexpr std::size_t lanes = 16;
  static constexpr std::size_t parts = 1;
  static constexpr std::size_t most_panels = 2;
  static constexpr std::size_t most_tokens = 6;
  static constexpr bool has_dot = false;
  static constexpr bool signed_bytes = true;
  static constexpr bool narrow_products = true;

  static Int load_int(const std::byte* p) { return _mm512_loadu_si512(p); }
  static void store_int(std::byte* p, Int v) { _mm512_storeu_si512(p, v); }
  static Reg load(const std::byte* p) { return _mm512_castsi512_ps(load_int(p)); }
  static void store(void* p, Reg v) { _mm512_storeu_ps(p, v); }
  static Reg load_f16(const std::byte* p) { return _mm512_cvtph_ps(load256(p)); }
  static Int set1_int(const void* p) {
    int value;
    std::memcpy(&value, p, sizeof value);
    return _mm512_set1_epi32(value);
  }
  static Int activation(const void* p) { return set1_int(p); }
  static Reg set1(const void* p) { return _mm512_castsi512_ps(set1_int(p)); }
  static Int widen_u8_to_32(const std::byte* p) { return _mm512_cvtepu8_epi32(load128(p)); }
  static Int widen_i8_to_32(const std::byte* p) { return _mm512_cvtepi8_epi32(load128(p)); }
  static Int widen_u8_to_16(const std::byte* p) { return _mm512_cvtepu8_epi16(load256(p)); }

  static Int keep_bits(Int a, int byte) { return _mm512_and_si512(a, bytes(byte)); }
  static Int flip_bits(Int a, int byte) { return _mm512_xor_si512(a, bytes(byte)); }
  static Int add_bits(Int a, Int b, int byte) {
    constexpr int kOrAnd = 0xf8;  // The truth table of a | (b & c).
    return _mm512_ternarylogic_epi32(a, b, bytes(byte), kOrAnd);
  }
  static Int lookup(const std::uint8_t* table, Int index) {
    const __m128i values = _mm_load_si128(reinterpret_cast<const __m128i*>(table));
    return _mm512_shuffle_epi8(_mm512_broadcast_i32x4(values), index);
  }
  static Int shift_left_16(Int a, int n) { return _mm512_slli_epi16(a, n); }
  static Int shift_right_16(Int a, int n) { return _mm512_srli_epi16(a, n); }

  static Int zero() { return _mm512_setzero_si512(); }
  static Int ones16() { return _mm512_set1_epi16(1); }
  static Int add(Int a, Int b) { return _mm512_add_epi32(a, b); }
  static Int add16(Int a, Int b) { return _mm512_add_epi16(a, b); }
  static Int multiply(Int a, Int b) { return _mm512_mullo_epi32(a, b); }
  static Int keep_ints(Int a, int bits) { return _mm512_and_si512(a, _mm512_set1_epi32(bits)); }
  static Int shift_right_32(Int a, int n) { return _mm512_srli_epi32(a, static_cast<unsigned>(n)); }
  static Int shift_right_32_by(Int a, int n) { return _mm512_srl_epi32(a, _mm_cvtsi32_si128(n)); }
  static Int dot16(Int acc, Int a, Int b) { return _mm512_add_epi32(acc, _mm512_madd_epi16(a, b)); }
  static Int pairs(Int codes, Int values) { return _mm512_maddubs_epi16(codes, values); }
  static Int pairs_signed(Int codes, Int values) {
    const Int by_sign = _mm512_mask_sub_epi8(values, _mm512_movepi8_mask(codes), zero(), values);
    return _mm512_maddubs_epi16(_mm512_abs_epi8(codes), by_sign);
  }

  static Reg zero_float() { return _mm512_setzero_ps(); }
  static Reg multiply(Reg a, Reg b) { return _mm512_mul_ps(a, b); }
  static Reg fma(Reg a, Reg b, Reg c) { return _mm512_fmadd_ps(a, b, c); }
  static Reg fma_negated(Reg a, Reg b, Reg c) { return _mm512_fnmadd_ps(a, b, c); }
  static Reg to_float(Int a) { return _mm512_cvtepi32_ps(a); }

 private:
  static __m512i bytes(int byte) { return _mm512_set1_epi8(static_cast<char>(byte)); }
  static __m128i load128(const std::byte* p) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)); }
  static __m256i load256(const std::byte* p) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  }
};

}  // namespace
}  // namespace mla
