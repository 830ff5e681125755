// A matrix that owns its numbers: what the laboratory keeps of a forward pass.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "tensor/matrix.h"

namespace mla::lab {

struct Grid {
  std::vector<float> values;
  std::size_t rows = 0;
  std::size_t cols = 0;

  Grid() = default;
  Grid(std::size_t row_count, std::size_t col_count)
      : values(row_count * col_count), rows(row_count), cols(col_count) {}
  explicit Grid(ConstMatrix source) : Grid(source.rows, source.cols) { put(0, source); }

  float at(std::size_t row, std::size_t col) const { return values[row * cols + col]; }
  float& at(std::size_t row, std::size_t col) { return values[row * cols + col]; }
  std::span<const float> row(std::size_t index) const { return {values.data() + index * cols, cols}; }
  Matrix matrix() { return {values.data(), rows, cols, cols}; }
  ConstMatrix matrix() const { return {values.data(), rows, cols, cols}; }

  /// Copies `source` to the rows from `first_row` on, into their first columns.
  void put(std::size_t first_row, ConstMatrix source) {
    for (std::size_t i = 0; i < source.rows; ++i)
      std::copy_n(source.row(i), source.cols, values.data() + (first_row + i) * cols);
  }
};

}  // namespace mla::lab
