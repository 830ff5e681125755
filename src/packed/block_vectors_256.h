// The vectors of block_tile.h for AVX2: half a panel's rows a register. AVX-VNNI adds its dot products.
#pragma once

#include <immintrin.h>

#include <cstdint>
#include <cstring>

#include "packed/block_transpose.h"

namespace mla {
namespace {

struct Avx2Vectors : SseTranspose {
  using Int = __m256i;
  using Reg = __m256;
  static constexpr std::size_t lanes = 8;
  static constexpr std::size_t parts = 2;
  static constexpr std::size_t most_panels = 1;
  static constexpr std::size_t most_tokens = 4;
  static constexpr bool has_dot = false;
  static constexpr bool signed_bytes = true;
  static constexpr bool narrow_products = true;

  static Int load_int(const std::byte* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }
  static void store_int(std::byte* p, Int v) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), v); }
  static Reg load(const std::byte* p) { return _mm256_castsi256_ps(load_int(p)); }
  static void store(void* p, Reg v) { _mm256_storeu_ps(static_cast<float*>(p), v); }
  static Reg load_f16(const std::byte* p) { return _mm256_cvtph_ps(load128(p)); }
  static Int set1_int(const void* p) {
    int value;
    std::memcpy(&value, p, sizeof value);
    return _mm256_set1_epi32(value);
  }
  static Int activation(const void* p) { return set1_int(p); }
  static Reg set1(const void* p) { return _mm256_castsi256_ps(set1_int(p)); }
  static Int widen_u8_to_32(const std::byte* p) { return _mm256_cvtepu8_epi32(load64(p)); }
  static Int widen_i8_to_32(const std::byte* p) { return _mm256_cvtepi8_epi32(load64(p)); }
  static Int widen_u8_to_16(const std::byte* p) { return _mm256_cvtepu8_epi16(load128(p)); }

  static Int keep_bits(Int a, int byte) { return _mm256_and_si256(a, bytes(byte)); }
  static Int flip_bits(Int a, int byte) { return _mm256_xor_si256(a, bytes(byte)); }
  static Int add_bits(Int a, Int b, int byte) { return _mm256_or_si256(a, keep_bits(b, byte)); }
  static Int lookup(const std::uint8_t* table, Int index) {
    const __m128i values = _mm_load_si128(reinterpret_cast<const __m128i*>(table));
    return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(values), index);
  }
  static Int shift_left_16(Int a, int n) { return _mm256_slli_epi16(a, n); }
  static Int shift_right_16(Int a, int n) { return _mm256_srli_epi16(a, n); }

  static Int zero() { return _mm256_setzero_si256(); }
  static Int ones16() { return _mm256_set1_epi16(1); }
  static Int add(Int a, Int b) { return _mm256_add_epi32(a, b); }
  static Int add16(Int a, Int b) { return _mm256_add_epi16(a, b); }
  static Int multiply(Int a, Int b) { return _mm256_mullo_epi32(a, b); }
  static Int keep_ints(Int a, int bits) { return _mm256_and_si256(a, _mm256_set1_epi32(bits)); }
  static Int shift_right_32(Int a, int n) { return _mm256_srli_epi32(a, n); }
  static Int shift_right_32_by(Int a, int n) { return _mm256_srl_epi32(a, _mm_cvtsi32_si128(n)); }
  static Int dot16(Int acc, Int a, Int b) { return _mm256_add_epi32(acc, _mm256_madd_epi16(a, b)); }
  static Int pairs(Int codes, Int values) { return _mm256_maddubs_epi16(codes, values); }
  static Int pairs_signed(Int codes, Int values) {
    return _mm256_maddubs_epi16(_mm256_abs_epi8(codes), _mm256_sign_epi8(values, codes));
  }

  static Reg zero_float() { return _mm256_setzero_ps(); }
  static Reg multiply(Reg a, Reg b) { return _mm256_mul_ps(a, b); }
  static Reg fma(Reg a, Reg b, Reg c) { return _mm256_fmadd_ps(a, b, c); }
  static Reg fma_negated(Reg a, Reg b, Reg c) { return _mm256_fnmadd_ps(a, b, c); }
  static Reg to_float(Int a) { return _mm256_cvtepi32_ps(a); }

 private:
  static __m256i bytes(int byte) { return _mm256_set1_epi8(static_cast<char>(byte)); }
  static __m128i load64(const std::byte* p) { return _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)); }
  static __m128i load128(const std::byte* p) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)); }
};

}  // namespace
}  // namespace mla
