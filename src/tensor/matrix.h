// Row-major float matrices that belong to somebody else: the shape in which activations travel.
#pragma once

#include <cstddef>
#include <span>

namespace mla {

/// `rows` rows of `cols` values, `stride` values from one row to the next (stride >= cols). Never owns.
template <typename Value>
struct BasicMatrix {
  Value* data = nullptr;
  std::size_t rows = 0;
  std::size_t cols = 0;
  std::size_t stride = 0;

  Value* row(std::size_t index) const { return data + index * stride; }
  std::span<Value> row_span(std::size_t index) const { return {row(index), cols}; }

  /// Columns [first, first + count) of all rows.
  BasicMatrix columns(std::size_t first, std::size_t count) const {
    return {data + first, rows, count, stride};
  }
  /// Rows [first, first + count).
  BasicMatrix middle_rows(std::size_t first, std::size_t count) const {
    return {data + first * stride, count, cols, stride};
  }

  operator BasicMatrix<const Value>() const {
    return {data, rows, cols, stride};
  }  // NOLINT: as T* to const T*.
};

using Matrix = BasicMatrix<float>;
using ConstMatrix = BasicMatrix<const float>;

}  // namespace mla
