// Jobs on panels of quantized types for tests: random weights and activations, and what the formulas of
// src/packed/packed_kernels.h make of them, computed plainly from the panels' elements.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "aligned_bytes.h"
#include "packed/implementations.h"
#include "panel_reader.h"
#include "unit/kernels/quantized_weights.h"
#include "unit/kernels/rounding.h"

/// Rows quantized as packed/activations.h says, apart from the code that does it.
class QuantizedActivations {
 public:
  QuantizedActivations(std::size_t rows, std::size_t cols, std::size_t block, const std::vector<float>& x)
      : rows_(rows),
        cols_(cols),
        block_(block),
        stride_((cols + 63) / 64 * 64),
        values_(rows * stride_, std::byte{0}),
        scales_(rows * (cols / block)),
        sums_(scales_.size()),
        groups_(scales_.size() * 24) {
    for (std::size_t row = 0; row < rows; ++row)
      for (std::size_t index = 0; index < cols / block; ++index)
        quantize_block(x.data() + row * cols + index * block, row, index);
  }

  /// All values set, whatever their scales are.
  template <typename Value>
  void set_values(Value value) {
    for (std::size_t row = 0; row < rows_; ++row)
      for (std::size_t col = 0; col < cols_; ++col) *at(row, col) = static_cast<std::int8_t>(value(row, col));
    for (std::size_t row = 0; row < rows_; ++row)
      for (std::size_t index = 0; index < cols_ / block_; ++index) add_up(row, index);
  }
  void set_scale(std::size_t row, std::size_t index, float scale) {
    scales_[row * (cols_ / block_) + index] = scale;
  }

  int value(std::size_t row, std::size_t col) const { return *at(row, col); }
  float scale(std::size_t row, std::size_t col) const {
    return scales_[row * (cols_ / block_) + col / block_];
  }

  mla::ActivationView view() const {
    const bool small = block_ == 32;
    return {.form = small ? mla::ActivationForm::q8_32 : mla::ActivationForm::q8_256,
            .rows = rows_,
            .cols = cols_,
            .values = values_.data(),
            .stride = stride_,
            .scales = scales_.data(),
            .sums = small ? sums_.data() : nullptr,
            .groups = small ? nullptr : groups_.data()};
  }

 private:
  std::int8_t* at(std::size_t row, std::size_t col) {
    return reinterpret_cast<std::int8_t*>(values_.data() + row * stride_ + col);
  }
  const std::int8_t* at(std::size_t row, std::size_t col) const {
    return reinterpret_cast<const std::int8_t*>(values_.data() + row * stride_ + col);
  }

  void quantize_block(const float* x, std::size_t row, std::size_t index) {
    float largest = 0.0F;
    for (std::size_t i = 0; i < block_; ++i) largest = std::max(largest, std::abs(x[i]));
    float scale = largest / 127.0F;
    const float inverse = 1.0F / scale;
    if (scale == 0.0F || !std::isfinite(inverse)) scale = 0.0F;
    scales_[row * (cols_ / block_) + index] = scale;
    for (std::size_t i = 0; i < block_; ++i)
      *at(row, index * block_ + i) =
          static_cast<std::int8_t>(scale == 0.0F ? 0.0F : std::nearbyint(x[i] * inverse));
    add_up(row, index);
  }

  void add_up(std::size_t row, std::size_t index) {
    const std::size_t block = row * (cols_ / block_) + index;
    const auto sum = [&](std::size_t first, std::size_t count) {
      std::int32_t total = 0;
      for (std::size_t i = 0; i < count; ++i) total += *at(row, index * block_ + first + i);
      return total;
    };
    if (block_ == 32) {
      sums_[block] = sum(0, 32);
      return;
    }
    for (std::size_t i = 0; i < 8; ++i) groups_[block * 24 + i] = static_cast<std::int16_t>(sum(32 * i, 32));
    for (std::size_t i = 0; i < 16; ++i)
      groups_[block * 24 + 8 + i] = static_cast<std::int16_t>(sum(16 * i, 16));
  }

  std::size_t rows_;
  std::size_t cols_;
  std::size_t block_;
  std::size_t stride_;
  AlignedBytes values_;
  std::vector<float> scales_;
  std::vector<std::int32_t> sums_;
  std::vector<std::int16_t> groups_;
};

/// A matrix of `rows` rows in panels.
class PackedWeights {
 public:
  /// `half` gives the float16 numbers one after the other; `change` may alter the bytes of the rows before packing.
  template <typename Half, typename Change>
  PackedWeights(mla::DType dtype, std::size_t rows, std::size_t cols, unsigned seed, Half half, Change change)
      : dtype_(dtype),
        rows_(rows),
        cols_(cols),
        panel_bytes_(mla::panel_shape(dtype, cols).bytes),
        panels_((rows + 15) / 16 * panel_bytes_) {
    std::vector<QuantizedWeights> weights;
    for (std::size_t row = 0; row < rows; ++row) {
      weights.push_back(quantized_weights(dtype, cols, seed + static_cast<unsigned>(row), half));
      change(weights.back().bytes);
    }
    for (std::size_t first = 0; first < rows; first += 16) {
      std::vector<const std::byte*> pointers;
      for (std::size_t row = first; row < std::min(rows, first + 16); ++row)
        pointers.push_back(weights[row].data());
      mla::pack_panel(dtype, pointers, cols, panels_.data() + first / 16 * panel_bytes_);
    }
  }
  template <typename Half>
  PackedWeights(mla::DType dtype, std::size_t rows, std::size_t cols, unsigned seed, Half half)
      : PackedWeights(dtype, rows, cols, seed, half, [](std::vector<std::byte>&) {}) {}

  mla::DType dtype() const { return dtype_; }
  std::size_t rows() const { return rows_; }
  std::size_t cols() const { return cols_; }
  std::size_t panel_bytes() const { return panel_bytes_; }
  const std::byte* panels() const { return panels_.data(); }
  PanelReader panel_of(std::size_t row) const {
    return {dtype_, panels_.data() + row / 16 * panel_bytes_, cols_};
  }

 private:
  mla::DType dtype_;
  std::size_t rows_;
  std::size_t cols_;
  std::size_t panel_bytes_;
  AlignedBytes panels_;
};

/// y [x rows][weights' rows]; what lies beside y stays as it was, or the test fails.
inline std::vector<float> multiply(const mla::BlockKernels& kernels, const PackedWeights& weights,
                                   const mla::ActivationView& x) {
  const std::size_t stride = weights.rows() + 3;
  std::vector<float> padded(x.rows * stride, 77.0F);
  AlignedBytes scratch(kernels.scratch_bytes(weights.cols()) + 64);
  mla::PanelJob job{.panels = weights.panels(),
                    .panel_bytes = weights.panel_bytes(),
                    .rows = weights.rows(),
                    .cols = weights.cols(),
                    .x = x,
                    .y = {padded.data(), x.rows, weights.rows(), stride},
                    .scratch = scratch.data()};
  kernels.multiply[static_cast<std::size_t>(weights.dtype())](job);
  for (std::size_t i = 0; i < 64; ++i) REQUIRE(scratch.data()[scratch.size() - 64 + i] == std::byte{0xa5});
  std::vector<float> y;
  for (std::size_t row = 0; row < x.rows; ++row) {
    y.insert(y.end(), padded.begin() + static_cast<std::ptrdiff_t>(row * stride),
             padded.begin() + static_cast<std::ptrdiff_t>(row * stride + weights.rows()));
    for (std::size_t i = weights.rows(); i < stride; ++i) REQUIRE(padded[row * stride + i] == 77.0F);
  }
  return y;
}

/// One element of y by the formulas.
inline float formula(const PackedWeights& weights, const QuantizedActivations& x, std::size_t row,
                     std::size_t token) {
  const PanelReader panel = weights.panel_of(row);
  const std::size_t r = row % 16;
  float y = 0.0F;
  for (std::size_t first = 0; first < weights.cols(); first += panel.block()) {
    std::int64_t sum = 0;
    std::int64_t min_sum = 0;
    for (std::size_t col = first; col < first + panel.block(); ++col) {
      const bool small = panel.block() == 32;
      sum += (small ? 1 : panel.scale(r, col)) * panel.weight(r, col) * x.value(token, col);
      if (panel.has_min()) min_sum += (small ? 1 : panel.min(r, col)) * x.value(token, col);
    }
    const float s = x.scale(token, first);
    y = std::fma(static_cast<float>(sum), panel.d(r, first) * s, y);
    if (!panel.has_min()) continue;
    if (panel.block() == 32)
      y = std::fma(panel.m(r, first), s * static_cast<float>(min_sum), y);
    else
      y = std::fma(-static_cast<float>(min_sum), panel.m(r, first) * s, y);
  }
  return y;
}
