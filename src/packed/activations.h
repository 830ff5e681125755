// Activations in the form that a panel's kernel multiplies by.
//
// One row of the result depends on one row of activations alone, and its sums are made in the same order whatever
// else is computed beside it: how a text is cut into batches changes no bit of it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tensor/dtype.h"
#include "tensor/matrix.h"

namespace mla {

enum class ActivationForm {
  f32,
  bf16,  ///< Rounded to nearest, ties to even; subnormals kept.
  bf16_pair,  ///< Two bf16 whose sum is the value but for 2^-17 of it: the value rounded, and what is left, rounded.
  q8_32,  ///< 8 bits with a scale for each 32 columns, as ggml's Q8_0 but for the scale, which is float32.
  q8_256  ///< The same with a scale for each 256 columns.
};
inline constexpr std::size_t kActivationForms = 5;

/// A value of an 8-bit row that is kept as it is, in float32.
struct Outlier {
  std::uint32_t col;
  float x;
};

/// A value is an outlier if its magnitude is more than so many times the mean magnitude of its row. A few columns of a
/// transformer's activations are far larger than all others (Dettmers et al. 2022, LLM.int8()), and would cost their
/// neighbours the bits of a common scale.
inline constexpr float kOutlierRatio = 4.0F;

/// The outliers that a row of `cols` may have: those of more than r times the mean are fewer than 1 / r of all. More, which
/// only rounding could make, are rounded with the rest.
constexpr std::size_t most_outliers(std::size_t cols) {
  return cols / static_cast<std::size_t>(kOutlierRatio) + 1;
}

/// Rows of activations in one form, of whole blocks of it. Rows begin at multiples of 64 bytes and end in zeros up to
/// there.
///
/// bf16_pair: the first of a row, then the second, each from a multiple of 64 bytes on. Where the first is not finite,
/// the second is NaN or infinite.
///
/// q8_32 and q8_256 keep the outliers of a row apart, in the order of their columns, and have 0 in their place. The mean
/// magnitude is sum / cols, where the sum adds columns to sixteen sums by turns, then halves: sum i and i + 8, + 4, + 2, + 1.
/// A row with a NaN or a sum that is not finite has none.
///
/// q8_32 and q8_256: of each block scale = max |x| / 127 and values[i] = x[i] * (1 / scale) rounded to nearest, ties
/// to even (all zero where the scale is 0 or 1 / scale is not finite, and then the scale counts as 0). A block with a
/// NaN or an infinity has scale NaN, so that these reach the result.
struct ActivationView {
  ActivationForm form = ActivationForm::f32;
  std::size_t rows = 0;
  std::size_t cols = 0;
  const std::byte* values = nullptr;   ///< float, bf16 bits or int8
  std::size_t stride = 0;              ///< Bytes from row to row.
  const float* scales = nullptr;       ///< [rows][blocks]
  const std::int32_t* sums = nullptr;  ///< q8_32: [rows][blocks], of the values of each block.
  const std::int16_t* groups =
      nullptr;  ///< q8_256: [rows][blocks][24], of the values of each 32, then of each 16.
  const Outlier* outliers = nullptr;              ///< [rows][most_outliers(cols)], if there may be any,
  const std::uint32_t* outlier_counts = nullptr;  ///< [rows]: of which so many are there.

  /// Columns of a block, or 0 for forms without.
  std::size_t block_cols() const;
  std::size_t blocks() const;
  bool has_outliers() const { return outlier_counts != nullptr; }
  /// bf16_pair: bytes from a first value to its second.
  std::size_t second() const { return stride / 2; }

  const std::byte* row_values(std::size_t row) const { return values + row * stride; }
  const float* row_scales(std::size_t row) const { return scales + row * blocks(); }
  const std::int32_t* row_sums(std::size_t row) const { return sums + row * blocks(); }
  const std::int16_t* row_groups(std::size_t row) const { return groups + row * blocks() * kGroupSums; }
  const Outlier* row_outliers(std::size_t row) const { return outliers + row * most_outliers(cols); }

  /// Rows [first, first + count).
  ActivationView middle_rows(std::size_t first, std::size_t count) const;

  static constexpr std::size_t kGroupSums = 24;
};

/// Bytes that `rows` rows take in a form, all arrays together.
std::size_t activation_bytes(ActivationForm form, std::size_t rows, std::size_t cols);

/// The view of `rows` rows that lie in `memory` (activation_bytes of it, aligned to 64); nothing is written.
ActivationView activations_in(std::byte* memory, ActivationForm form, std::size_t rows, std::size_t cols);

/// Makes row `row` of `to` what row `which` of `from` is; both have the same form and columns.
void copy_row(const ActivationView& from, std::size_t which, const ActivationView& to, std::size_t row);

}  // namespace mla
