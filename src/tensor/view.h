// Views of tensors that lie somewhere else, mostly in a mapped file. Views own nothing and are cheap to copy;
// the memory must outlive them.
#pragma once

#include <algorithm>
#include <array>
#include <cassert>
#include <cstddef>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tensor/dtype.h"

namespace mla {

/// The dimensions of a tensor, outermost first.
class Shape {
 public:
  static constexpr std::size_t kMaxRank = 8;

  constexpr Shape() = default;
  constexpr Shape(std::initializer_list<std::size_t> dimensions)
      : Shape(std::span<const std::size_t>(dimensions.begin(), dimensions.size())) {}
  /// At most kMaxRank dimensions.
  explicit constexpr Shape(std::span<const std::size_t> dimensions) : rank_(dimensions.size()) {
    assert(rank_ <= kMaxRank);
    std::copy(dimensions.begin(), dimensions.end(), dimensions_.begin());
  }

  constexpr std::size_t rank() const { return rank_; }
  constexpr std::size_t operator[](std::size_t index) const {
    assert(index < rank_);
    return dimensions_[index];
  }
  constexpr std::span<const std::size_t> dimensions() const { return {dimensions_.data(), rank_}; }
  bool operator==(const Shape&) const = default;

 private:
  std::array<std::size_t, kMaxRank> dimensions_{};  // Zero beyond the rank, so that == may compare all.
  std::size_t rank_ = 0;
};

/// "[3, 4]", for messages.
std::string to_string(const Shape& shape);

/// A dense row-major tensor. `data` has no alignment: a safetensors file may put any tensor at any byte, so
/// read it through load_unaligned (tensor/scalar.h) or unaligned vector loads, never through a cast pointer.
/// Whoever makes a view has checked that byte_size(dtype, shape) fits and that so many bytes are there.
struct TensorView {
  DType dtype = DType::f32;
  Shape shape;
  const std::byte* data = nullptr;

  /// As a matrix whose rows run along the last dimension: [n] is one row of n, [a, b, c] is a * b rows of c,
  /// and a scalar is 1 x 1.
  constexpr std::size_t cols() const { return shape.rank() == 0 ? 1 : shape[shape.rank() - 1]; }
  constexpr std::size_t rows() const {
    std::size_t count = 1;
    for (std::size_t i = 0; i + 1 < shape.rank(); ++i) count *= shape[i];
    return count;
  }
  constexpr std::size_t elements() const { return rows() * cols(); }

  constexpr std::size_t row_bytes() const {
    return cols() / dtype_traits(dtype).block_elements * dtype_traits(dtype).block_bytes;
  }
  constexpr std::size_t bytes() const { return rows() * row_bytes(); }

  const std::byte* row(std::size_t index) const {
    assert(index < rows());
    return data + index * row_bytes();
  }

  /// Rows [first, first + count) as [count, cols()].
  TensorView slice_rows(std::size_t first, std::size_t count) const {
    assert(first <= rows() && count <= rows() - first);
    return {dtype, Shape{count, cols()}, count == 0 ? data : data + first * row_bytes()};
  }
};

/// The scales of a block-scaled weight: block [i, j] of the weight, rows_per_block x cols_per_block elements
/// and ragged at the bottom and right edges, is multiplied by scale[i, j] (the checkpoint's
/// `weight_scale_inv`, which despite its name is a factor).
struct BlockScale {
  TensorView scale;  ///< [ceil(out / rows_per_block), ceil(in / cols_per_block)], f32, bf16 or f16.
  std::size_t rows_per_block = 128;
  std::size_t cols_per_block = 128;
  std::size_t first_row =
      0;  ///< The row of the whole weight that is row 0 here: a slice may begin within a block.

  /// The factor of the weight's element [row, col].
  float at(std::size_t row, std::size_t col) const;
};

/// A weight matrix [out_features, in_features] as it lies in the file.
struct WeightView {
  TensorView data;
  std::optional<BlockScale> scale;

  std::size_t rows() const { return data.rows(); }  ///< out_features
  std::size_t cols() const { return data.cols(); }  ///< in_features

  /// The factors of the blocks of rows [first, first + count), row by row; none without block scales.
  std::vector<float> block_factors(std::size_t first, std::size_t count) const;

  /// Output features [first, first + count).
  WeightView slice_rows(std::size_t first, std::size_t count) const {
    WeightView slice{data.slice_rows(first, count), scale};
    if (slice.scale) slice.scale->first_row += first;
    return slice;
  }
};

/// `data` with its block scales. Throws Error(mismatch) that names `file` and `name` (the scale tensor) if
/// the scale's shape is not the one BlockScale describes, Error(unsupported) if its dtype is not.
WeightView block_scaled(const TensorView& data, const TensorView& scale, std::size_t rows_per_block,
                        std::size_t cols_per_block, const std::string& file, const std::string& name);

}  // namespace mla
