// Interleaving activations on x86, the same for all its instruction sets.
#pragma once

#include <emmintrin.h>

#include <cstddef>

namespace mla {
namespace {

struct SseTranspose {
  /// Words 0 to 3 at from[0 .. 3] + at: those of the same index become 16 bytes, which go to every `stride` bytes of `to`.
  static void transpose4(const std::byte* const* from, std::size_t at, std::byte* to, std::size_t stride) {
    const __m128i a = load(from[0] + at);
    const __m128i b = load(from[1] + at);
    const __m128i c = load(from[2] + at);
    const __m128i d = load(from[3] + at);
    const __m128i ab_low = _mm_unpacklo_epi32(a, b);
    const __m128i cd_low = _mm_unpacklo_epi32(c, d);
    const __m128i ab_high = _mm_unpackhi_epi32(a, b);
    const __m128i cd_high = _mm_unpackhi_epi32(c, d);
    store(to, _mm_unpacklo_epi64(ab_low, cd_low));
    store(to + stride, _mm_unpackhi_epi64(ab_low, cd_low));
    store(to + 2 * stride, _mm_unpacklo_epi64(ab_high, cd_high));
    store(to + 3 * stride, _mm_unpackhi_epi64(ab_high, cd_high));
  }

  /// The same of two rows: 8 bytes each.
  static void transpose2(const std::byte* const* from, std::size_t at, std::byte* to, std::size_t stride) {
    const __m128i a = load(from[0] + at);
    const __m128i b = load(from[1] + at);
    const __m128d low = _mm_castsi128_pd(_mm_unpacklo_epi32(a, b));
    const __m128d high = _mm_castsi128_pd(_mm_unpackhi_epi32(a, b));
    _mm_storel_pd(reinterpret_cast<double*>(to), low);
    _mm_storeh_pd(reinterpret_cast<double*>(to + stride), low);
    _mm_storel_pd(reinterpret_cast<double*>(to + 2 * stride), high);
    _mm_storeh_pd(reinterpret_cast<double*>(to + 3 * stride), high);
  }

  /// For soon, and for what comes only after that.
  static void prefetch_later(const std::byte* p) {
    _mm_prefetch(reinterpret_cast<const char*>(p), _MM_HINT_T1);
  }
  static void prefetch(const std::byte* p) { _mm_prefetch(reinterpret_cast<const char*>(p), _MM_HINT_T0); }

 private:
  static __m128i load(const std::byte* p) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)); }
  static void store(std::byte* p, __m128i v) { _mm_storeu_si128(reinterpret_cast<__m128i*>(p), v); }
};

}  // namespace
}  // namespace mla
