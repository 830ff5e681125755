// Random weights and activations for the tests of nn, with their exact values beside them.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <span>
#include <vector>

#include "kernels/isa.h"
#include "tensor/matrix.h"
#include "tensor/scalar.h"
#include "tensor/view.h"
#include "unit/kernels/quantized_weights.h"

namespace nn_test {

inline constexpr std::array kAllTypes = {mla::DType::f32, mla::DType::f16, mla::DType::bf16,
                                         mla::DType::f8_e4m3};

/// The quantized ones, whose rows are multiples of 256 elements here.
inline std::vector<mla::DType> quantized_types() {
  std::vector<mla::DType> types;
  for (const mla::DTypeTraits& traits : mla::kDTypeTraits)
    if (is_quantized(traits.dtype)) types.push_back(traits.dtype);
  return types;
}

/// The plainest instruction set behind scalar, where some tests would take minutes, and the best: between them the same code
/// runs, but for the kernels.
inline std::vector<mla::Isa> some_isas() {
  const std::span<const mla::Isa> all = mla::available_isas();
  return {all[all.size() > 1 ? 1 : 0], all.back()};
}

/// The same numbers on every machine.
class Random {
 public:
  explicit Random(std::uint32_t seed) : engine_(seed) {}

  /// From -amplitude to amplitude.
  float value(float amplitude = 1.0F) {
    return amplitude * (static_cast<float>(engine_() >> 8U) * 0x1.0p-23F - 1.0F);
  }
  std::vector<float> values(std::size_t count, float amplitude = 1.0F) {
    std::vector<float> result(count);
    for (float& element : result) element = value(amplitude);
    return result;
  }

 private:
  std::mt19937 engine_;
};

/// Rows of floats with a margin on the right that nobody may write to.
class Rows {
 public:
  Rows(std::size_t rows, std::size_t cols, std::size_t margin = 0)
      : rows_(rows), cols_(cols), stride_(cols + margin), values_(rows * stride_, kUntouched) {}
  Rows(Random& random, std::size_t rows, std::size_t cols, std::size_t margin = 0)
      : Rows(rows, cols, margin) {
    for (std::size_t row = 0; row < rows; ++row)
      for (std::size_t col = 0; col < cols; ++col) at(row, col) = random.value();
  }

  std::size_t rows() const { return rows_; }
  std::size_t cols() const { return cols_; }
  float& at(std::size_t row, std::size_t col) { return values_[row * stride_ + col]; }
  float at(std::size_t row, std::size_t col) const { return values_[row * stride_ + col]; }
  mla::Matrix matrix() { return {values_.data(), rows_, cols_, stride_}; }
  mla::ConstMatrix matrix() const { return {values_.data(), rows_, cols_, stride_}; }

  std::vector<double> row(std::size_t index) const {
    std::vector<double> result(cols_);
    for (std::size_t col = 0; col < cols_; ++col) result[col] = static_cast<double>(at(index, col));
    return result;
  }
  /// Without the margins.
  std::vector<float> packed() const {
    std::vector<float> result;
    for (std::size_t row = 0; row < rows_; ++row)
      for (std::size_t col = 0; col < cols_; ++col) result.push_back(at(row, col));
    return result;
  }
  bool margin_untouched() const {
    for (std::size_t row = 0; row < rows_; ++row)
      for (std::size_t col = cols_; col < stride_; ++col)
        if (at(row, col) != kUntouched) return false;
    return true;
  }

 private:
  static constexpr float kUntouched = -12345.0F;

  std::size_t rows_;
  std::size_t cols_;
  std::size_t stride_;
  std::vector<float> values_;
};

/// A weight matrix of any type and what its elements are worth. FP8 has block scales whose last blocks are
/// ragged.
struct Weight {
  static constexpr std::size_t kScaleRows = 16;
  static constexpr std::size_t kScaleCols = 20;

  std::vector<std::byte> bytes;
  std::vector<std::byte> scale_bytes;
  std::vector<double> exact;  ///< Row-major.
  mla::WeightView view;

  Weight() = default;
  Weight(Weight&&) = default;  // The views stay valid: a moved vector keeps its memory.
  Weight& operator=(Weight&&) = default;

  std::size_t rows() const { return view.rows(); }
  std::size_t cols() const { return view.cols(); }
};

template <typename Bits>
void append_bits(std::vector<std::byte>& bytes, Bits bits) {
  std::byte raw[sizeof bits];
  std::memcpy(raw, &bits, sizeof bits);
  bytes.insert(bytes.end(), raw, raw + sizeof bits);
}

/// Appends `value` as `dtype` and returns what it became.
inline double append_value(std::vector<std::byte>& bytes, mla::DType dtype, float value) {
  if (dtype == mla::DType::f16) {
    append_bits(bytes, mla::float_to_f16(value));
    return static_cast<double>(mla::f16_to_float(mla::float_to_f16(value)));
  }
  if (dtype == mla::DType::bf16) {
    append_bits(bytes, mla::float_to_bf16(value));
    return static_cast<double>(mla::bf16_to_float(mla::float_to_bf16(value)));
  }
  if (dtype == mla::DType::f8_e4m3) {
    append_bits(bytes, mla::float_to_e4m3(value));
    return static_cast<double>(mla::e4m3_to_float(mla::float_to_e4m3(value)));
  }
  append_bits(bytes, value);
  return static_cast<double>(value);
}

/// `misalignment` bytes in front of the data; the vector's memory itself is aligned.
inline Weight make_weight(Random& random, mla::DType dtype, std::size_t rows, std::size_t cols,
                          const std::vector<float>& values, std::size_t misalignment = 0) {
  Weight weight;
  weight.bytes.resize(misalignment);
  for (const float value : values) weight.exact.push_back(append_value(weight.bytes, dtype, value));
  weight.view.data = {dtype, mla::Shape{rows, cols}, weight.bytes.data() + misalignment};
  if (dtype != mla::DType::f8_e4m3) return weight;

  const std::size_t blocks_down = (rows + Weight::kScaleRows - 1) / Weight::kScaleRows;
  const std::size_t blocks_across = (cols + Weight::kScaleCols - 1) / Weight::kScaleCols;
  std::vector<double> scales;
  for (std::size_t i = 0; i < blocks_down * blocks_across; ++i)
    scales.push_back(append_value(weight.scale_bytes, mla::DType::f32, 1.0F + random.value(0.75F)));
  for (std::size_t i = 0; i < weight.exact.size(); ++i)
    weight.exact[i] *= scales[i / cols / Weight::kScaleRows * blocks_across + i % cols / Weight::kScaleCols];
  weight.view.scale =
      mla::BlockScale{{mla::DType::f32, mla::Shape{blocks_down, blocks_across}, weight.scale_bytes.data()},
                      Weight::kScaleRows,
                      Weight::kScaleCols,
                      0};
  return weight;
}

/// Random blocks with values of about one.
inline Weight quantized_weight(Random& random, mla::DType dtype, std::size_t rows, std::size_t cols) {
  const float scale = mla::dtype_traits(dtype).block_elements == 32 ? 0x1p-7F : 0x1p-12F;
  const auto seed = static_cast<unsigned>(random.value(1000.0F) + 1000.0F);
  QuantizedWeights blocks = quantized_weights(dtype, rows * cols, seed, [&] { return random.value(scale); });
  Weight weight;
  weight.bytes = std::move(blocks.bytes);
  weight.exact.assign(blocks.values.begin(), blocks.values.end());
  weight.view.data = {dtype, mla::Shape{rows, cols}, weight.bytes.data() + 1};
  return weight;
}

inline Weight random_weight(Random& random, mla::DType dtype, std::size_t rows, std::size_t cols,
                            float amplitude = 1.0F, std::size_t misalignment = 0) {
  if (is_quantized(dtype)) return quantized_weight(random, dtype, rows, cols);
  const std::vector<float> values = random.values(rows * cols, amplitude);
  return make_weight(random, dtype, rows, cols, values, misalignment);
}

/// W x + b in double.
inline std::vector<double> affine(const Weight& weight, std::span<const double> x,
                                  std::span<const float> bias = {}) {
  std::vector<double> y(weight.rows(), 0.0);
  for (std::size_t row = 0; row < y.size(); ++row) {
    for (std::size_t col = 0; col < weight.cols(); ++col)
      y[row] += weight.exact[row * weight.cols() + col] * x[col];
    if (!bias.empty()) y[row] += static_cast<double>(bias[row]);
  }
  return y;
}

inline double silu(double value) {
  return value / (1.0 + std::exp(-value));
}

inline std::vector<double> rms_norm(std::span<const double> x, std::span<const float> weight,
                                    double epsilon) {
  double mean = 0.0;
  for (const double value : x) mean += value * value / static_cast<double>(x.size());
  std::vector<double> y(x.size());
  for (std::size_t i = 0; i < y.size(); ++i)
    y[i] = x[i] / std::sqrt(mean + epsilon) * static_cast<double>(weight[i]);
  return y;
}

/// The largest difference, infinite if one is not a number.
inline double largest_difference(std::span<const float> found, std::span<const double> expected) {
  if (found.size() != expected.size()) return std::numeric_limits<double>::infinity();
  double largest = 0.0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const double difference = std::abs(static_cast<double>(found[i]) - expected[i]);
    largest =
        std::isnan(difference) ? std::numeric_limits<double>::infinity() : std::max(largest, difference);
  }
  return largest;
}

}  // namespace nn_test
