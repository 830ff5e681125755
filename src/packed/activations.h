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
  bf16,   ///< Rounded to nearest, ties to even; subnormals kept.
  q8_32,  ///< 8 bits with a scale for each 32 columns, as ggml's Q8_0 but for the scale, which is float32.
  q8_256  ///< The same with a scale for each 256 columns.
};
inline constexpr std::size_t kActivationForms = 4;

/// F32 and F16 weights are multiplied by f32, BF16 by bf16, types in blocks of 32 by q8_32, of 256 by q8_256.
ActivationForm activation_form(DType weights);

/// Rows of activations in one form, of whole blocks of it. Rows begin at multiples of 64 bytes and end in zeros up to
/// there.
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

  /// Columns of a block, or 0 for forms without.
  std::size_t block_cols() const;
  std::size_t blocks() const;

  const std::byte* row_values(std::size_t row) const { return values + row * stride; }
  const float* row_scales(std::size_t row) const { return scales + row * blocks(); }
  const std::int32_t* row_sums(std::size_t row) const { return sums + row * blocks(); }
  const std::int16_t* row_groups(std::size_t row) const { return groups + row * blocks() * kGroupSums; }

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
