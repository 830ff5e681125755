// Activations by vectors of sixteen floats. V is what float_tiles.h asks for, and has for this:
//   largest_magnitude(x, n)       the largest bits of x[0..n) without their signs; n is a multiple of 16
//   quantize(x, factor, to)       sixteen x * factor rounded to nearest, as bytes; their sum
//   to_bf16(x, bits), from_bf16(bits, x)  sixteen values, rounded to nearest, ties to even; NaN made quiet
//   sum_of_magnitudes(x, n, last) of x[0..n) and of the sixteen of `last`, added as activations.h says; n is a multiple of 16
//   larger(x, bound)              bit i is whether |x[i]| > bound, of sixteen
//   without(x, lanes, to)         sixteen values, those whose bits of `lanes` are set as 0
//
// The processor's own conversion to bf16 makes zeros of subnormals, so that the rounding is done on integers.
//
// Everything is in an unnamed namespace and nothing of the standard library is instantiated, as in
// kernels/vector_kernels.h and for the same reason.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "packed/activations.h"

namespace mla {
namespace {

template <typename V>
void to_bf16(const float* x, std::size_t n, std::uint16_t* bits) {
  std::size_t i = 0;
  for (; i + 16 <= n; i += 16) V::to_bf16(x + i, bits + i);
  if (i == n) return;
  float last[16] = {};
  std::uint16_t rounded[16];
  std::memcpy(last, x + i, (n - i) * sizeof(float));
  V::to_bf16(last, rounded);
  std::memcpy(bits + i, rounded, (n - i) * sizeof(std::uint16_t));
}

template <typename V>
void from_bf16(const std::uint16_t* bits, std::size_t n, float* x) {
  std::size_t i = 0;
  for (; i + 16 <= n; i += 16) V::from_bf16(bits + i, x + i);
  if (i == n) return;
  std::uint16_t last[16] = {};
  float widened[16];
  std::memcpy(last, bits + i, (n - i) * sizeof(std::uint16_t));
  V::from_bf16(last, widened);
  std::memcpy(x + i, widened, (n - i) * sizeof(float));
}

/// The scale of a block; returns the factor of its values, or 0 where they are all to be zero.
inline float block_scale(std::uint32_t largest_magnitude, float& scale) {
  constexpr std::uint32_t kInfinity = 0x7f800000U;
  if (largest_magnitude >= kInfinity) {
    scale = __builtin_nanf("");
    return 0.0F;
  }
  scale = __builtin_bit_cast(float, largest_magnitude) / 127.0F;
  const float inverse = 1.0F / scale;
  if (__builtin_bit_cast(std::uint32_t, inverse) < kInfinity) return inverse;
  scale = 0.0F;
  return 0.0F;
}

/// Takes the outliers of a row out of it, a stretch at a time.
template <typename V>
class OutlierSieve {
 public:
  /// `list` has room for most_outliers(cols).
  OutlierSieve(const float* row, std::size_t cols, Outlier* list)
      : list_(list), room_(most_outliers(cols)), bound_(kOutlierRatio * mean_magnitude(row, cols)) {}

  /// n values (a multiple of 16, at most kMost) from column `col`: themselves, or a copy with 0 for each outlier, which
  /// stays until the next call.
  const float* rest(const float* x, std::size_t n, std::size_t col) {
    bool copied = false;
    for (std::size_t i = 0; i < n; i += 16) {
      std::uint32_t out = V::larger(x + i, bound_);
      if (copied) V::without(x + i, out, rest_ + i);
      if (out == 0) continue;
      if (!copied) {
        for (std::size_t k = 0; k < n; k += 16) V::without(x + k, k == i ? out : 0, rest_ + k);
        copied = true;
      }
      for (; out != 0; out &= out - 1) {
        const std::size_t at = i + static_cast<std::size_t>(__builtin_ctz(out));
        if (count_ == room_) {
          rest_[at] = x[at];
          continue;
        }
        list_[count_++] = {static_cast<std::uint32_t>(col + at), x[at]};
      }
    }
    return copied ? rest_ : x;
  }

  std::uint32_t count() const { return static_cast<std::uint32_t>(count_); }

  static constexpr std::size_t kMost = 256;

 private:
  static float mean_magnitude(const float* row, std::size_t cols) {
    const std::size_t whole = cols / 16 * 16;
    float last[16] = {};
    std::memcpy(last, row + whole, (cols - whole) * sizeof(float));
    return V::sum_of_magnitudes(row, whole, last) / static_cast<float>(cols);
  }

  Outlier* list_;
  std::size_t room_;
  std::size_t count_ = 0;
  float bound_;
  alignas(64) float rest_[kMost];
};

template <typename V>
void to_bf16_pair(const float* x, std::size_t n, std::uint16_t* first, std::uint16_t* second) {
  float rest[16];
  std::size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    V::to_bf16(x + i, first + i);
    V::from_bf16(first + i, rest);
    for (std::size_t k = 0; k < 16; ++k) rest[k] = x[i + k] - rest[k];
    V::to_bf16(rest, second + i);
  }
  if (i == n) return;
  to_bf16<V>(x + i, n - i, first + i);
  from_bf16<V>(first + i, n - i, rest);
  for (std::size_t k = 0; k < n - i; ++k) rest[k] = x[i + k] - rest[k];
  to_bf16<V>(rest, n - i, second + i);
}

template <typename V>
void quantize_q8_32(const float* row, std::size_t blocks, std::int8_t* values, float* scales,
                    std::int32_t* sums, OutlierSieve<V>& sieve) {
  for (std::size_t b = 0; b < blocks; ++b, values += 32) {
    const float* const x = sieve.rest(row + 32 * b, 32, 32 * b);
    const float factor = block_scale(V::largest_magnitude(x, 32), scales[b]);
    if (factor == 0.0F) {
      std::memset(values, 0, 32);
      sums[b] = 0;
      continue;
    }
    const std::int32_t first = V::quantize(x, factor, values);
    sums[b] = first + V::quantize(x + 16, factor, values + 16);
  }
}

template <typename V>
void quantize_q8_256(const float* row, std::size_t blocks, std::int8_t* values, float* scales,
                     std::int16_t* groups, OutlierSieve<V>& sieve) {
  constexpr std::size_t kGroups = ActivationView::kGroupSums;
  for (std::size_t b = 0; b < blocks; ++b, values += 256, groups += kGroups) {
    const float* const x = sieve.rest(row + 256 * b, 256, 256 * b);
    const float factor = block_scale(V::largest_magnitude(x, 256), scales[b]);
    if (factor == 0.0F) {
      std::memset(values, 0, 256);
      std::memset(groups, 0, kGroups * sizeof *groups);
      continue;
    }
    for (std::size_t g = 0; g < 8; ++g) {
      const int first = V::quantize(x + 32 * g, factor, values + 32 * g);
      const int second = V::quantize(x + 32 * g + 16, factor, values + 32 * g + 16);
      groups[g] = static_cast<std::int16_t>(first + second);
      groups[8 + 2 * g] = static_cast<std::int16_t>(first);
      groups[9 + 2 * g] = static_cast<std::int16_t>(second);
    }
  }
}

template <typename V>
void quantize_blocks(const float* x, const ActivationView& to, std::size_t row, std::int8_t* values) {
  OutlierSieve<V> sieve(x, to.cols, const_cast<Outlier*>(to.row_outliers(row)));
  auto* const scales = const_cast<float*>(to.row_scales(row));
  if (to.form == ActivationForm::q8_32)
    quantize_q8_32<V>(x, to.blocks(), values, scales, const_cast<std::int32_t*>(to.row_sums(row)), sieve);
  else
    quantize_q8_256<V>(x, to.blocks(), values, scales, const_cast<std::int16_t*>(to.row_groups(row)), sieve);
  const_cast<std::uint32_t*>(to.outlier_counts)[row] = sieve.count();
}

template <typename V>
void quantize(const float* x, const ActivationView& to, std::size_t row) {
  auto* values = const_cast<std::byte*>(to.values) + row * to.stride;
  std::size_t used = to.cols;
  switch (to.form) {
    case ActivationForm::f32:
      used = to.cols * sizeof(float);
      std::memcpy(values, x, used);
      break;
    case ActivationForm::bf16:
      used = to.cols * sizeof(std::uint16_t);
      to_bf16<V>(x, to.cols, reinterpret_cast<std::uint16_t*>(values));
      break;
    case ActivationForm::bf16_pair: {
      used = to.cols * sizeof(std::uint16_t);
      std::byte* const second = values + to.second();
      to_bf16_pair<V>(x, to.cols, reinterpret_cast<std::uint16_t*>(values),
                      reinterpret_cast<std::uint16_t*>(second));
      std::memset(values + used, 0, to.second() - used);
      std::memset(second + used, 0, to.second() - used);
      return;
    }
    case ActivationForm::q8_32:
    case ActivationForm::q8_256:
      quantize_blocks<V>(x, to, row, reinterpret_cast<std::int8_t*>(values));
      break;
  }
  std::memset(values + used, 0, to.stride - used);
}

}  // namespace
}  // namespace mla
