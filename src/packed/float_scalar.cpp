// Panels of floats and activations in plain C++: what the other instruction sets are held against.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "packed/implementations.h"
#include "tensor/scalar.h"

namespace mla {
namespace {

template <typename Weight>
Weight weight_at(const std::byte* panel, std::size_t index) {
  return load_unaligned<Weight>(panel + index * sizeof(Weight));
}

/// Calls element(panel, lane, token) for each element of y and stores what it returns.
template <typename Element>
void for_each_element(const PanelJob& job, Element element) {
  for (std::size_t t = 0; t < job.x.rows; ++t)
    for (std::size_t r = 0; r < job.rows; ++r)
      job.y.row(t)[r] =
          element(job.panels + r / kPanelRows * job.panel_bytes, r % kPanelRows, job.x.row_values(t));
}

void multiply_f32(const PanelJob& job) {
  for_each_element(job, [&](const std::byte* panel, std::size_t lane, const std::byte* x) {
    float y = 0.0F;
    for (std::size_t c = 0; c < job.cols; ++c)
      y = std::fma(weight_at<float>(panel, c * kPanelRows + lane), weight_at<float>(x, c), y);
    return y;
  });
}

void multiply_f16(const PanelJob& job) {
  for_each_element(job, [&](const std::byte* panel, std::size_t lane, const std::byte* x) {
    float y = 0.0F;
    for (std::size_t c = 0; c < job.cols; ++c)
      y = std::fma(f16_to_float(weight_at<std::uint16_t>(panel, c * kPanelRows + lane)),
                   weight_at<float>(x, c), y);
    return y;
  });
}

void multiply_bf16(const PanelJob& job) {
  const bool floats = job.x.form == ActivationForm::f32;
  for_each_element(job, [&](const std::byte* panel, std::size_t lane, const std::byte* x) {
    float y = 0.0F;
    for (std::size_t c = 0; c < (job.cols + 1) / 2 * 2; ++c)  // A column of zeros makes the last pair whole.
      y = std::fma(bf16_to_float(weight_at<std::uint16_t>(panel, c / 2 * 2 * kPanelRows + 2 * lane + c % 2)),
                   floats ? weight_at<float>(x, c) : bf16_to_float(weight_at<std::uint16_t>(x, c)), y);
    return y;
  });
}

void multiply_f8(const PanelJob& job) {
  for_each_element(job, [&](const std::byte* panel, std::size_t lane, const std::byte* x) {
    float y = 0.0F;
    for (std::size_t c = 0; c < job.cols; ++c) {
      const float factor = weight_at<float>(panel + job.scales, c / job.scale_cols * kPanelRows + lane);
      const float weight =
          e4m3_to_float(weight_at<std::uint8_t>(panel, c * kPanelRows + lane)) / 256.0F * factor;
      y = std::fma(weight, weight_at<float>(x, c), y);
    }
    return y;
  });
}

void to_bf16(const float* x, std::size_t n, std::uint16_t* bits) {
  for (std::size_t i = 0; i < n; ++i) bits[i] = float_to_bf16(x[i]);
}

void from_bf16(const std::uint16_t* bits, std::size_t n, float* x) {
  for (std::size_t i = 0; i < n; ++i) x[i] = bf16_to_float(bits[i]);
}

struct Scale {
  float scale = 0.0F;
  float inverse = 0.0F;  ///< 0 where the values are zeros.
};

Scale block_scale(const float* x, std::size_t n) {
  float largest = 0.0F;
  for (std::size_t i = 0; i < n; ++i) {
    if (!std::isfinite(x[i])) return {std::numeric_limits<float>::quiet_NaN(), 0.0F};
    largest = std::max(largest, std::abs(x[i]));
  }
  const float scale = largest / 127.0F;
  const float inverse = 1.0F / scale;
  return std::isfinite(inverse) ? Scale{scale, inverse} : Scale{};
}

/// The 8-bit values of a row; sum(block, column, value) sees each.
template <typename Sum>
void quantize_blocks(const float* x, const ActivationView& to, std::size_t row, Sum sum) {
  auto* values = reinterpret_cast<std::int8_t*>(const_cast<std::byte*>(to.row_values(row)));
  auto* scales = const_cast<float*>(to.row_scales(row));
  const std::size_t width = to.block_cols();
  for (std::size_t b = 0; b < to.blocks(); ++b) {
    const Scale scale = block_scale(x + b * width, width);
    scales[b] = scale.scale;
    for (std::size_t i = 0; i < width; ++i) {
      const std::size_t c = b * width + i;
      values[c] =
          scale.inverse == 0.0F ? std::int8_t{0} : static_cast<std::int8_t>(std::lrint(x[c] * scale.inverse));
      sum(b, i, values[c]);
    }
  }
}

/// The sum that activations.h describes, over the columns.
float mean_magnitude(const float* x, std::size_t n) {
  float sums[16] = {};
  for (std::size_t i = 0; i < n; ++i) sums[i % 16] += std::abs(x[i]);
  for (std::size_t half = 8; half > 0; half /= 2)
    for (std::size_t i = 0; i < half; ++i) sums[i] += sums[i + half];
  return sums[0] / static_cast<float>(n);
}

/// The row without its outliers, which go to `to`.
std::vector<float> take_outliers(const float* x, const ActivationView& to, std::size_t row) {
  std::vector<float> rest(x, x + to.cols);
  const float bound = kOutlierRatio * mean_magnitude(x, to.cols);
  auto* const list = const_cast<Outlier*>(to.row_outliers(row));
  std::uint32_t count = 0;
  for (std::size_t col = 0; col < to.cols && count < most_outliers(to.cols); ++col) {
    if (!(std::abs(x[col]) > bound)) continue;
    list[count++] = {static_cast<std::uint32_t>(col), x[col]};
    rest[col] = 0.0F;
  }
  const_cast<std::uint32_t*>(to.outlier_counts)[row] = count;
  return rest;
}

/// `x` without its outliers.
void quantize_8_bits(const float* x, const ActivationView& to, std::size_t row) {
  if (to.form == ActivationForm::q8_32) {
    auto* sums = const_cast<std::int32_t*>(to.row_sums(row));
    std::fill_n(sums, to.blocks(), 0);
    quantize_blocks(x, to, row, [&](std::size_t b, std::size_t, int value) { sums[b] += value; });
    return;
  }
  auto* groups = const_cast<std::int16_t*>(to.row_groups(row));
  std::fill_n(groups, to.blocks() * ActivationView::kGroupSums, std::int16_t{0});
  quantize_blocks(x, to, row, [&](std::size_t b, std::size_t i, int value) {
    std::int16_t* group = groups + b * ActivationView::kGroupSums;
    group[i / 32] = static_cast<std::int16_t>(group[i / 32] + value);
    group[8 + i / 16] = static_cast<std::int16_t>(group[8 + i / 16] + value);
  });
}

void quantize(const float* x, const ActivationView& to, std::size_t row) {
  auto* values = const_cast<std::byte*>(to.row_values(row));
  std::memset(values, 0, to.stride);
  auto* bits = reinterpret_cast<std::uint16_t*>(values);
  switch (to.form) {
    case ActivationForm::f32:
      std::memcpy(values, x, to.cols * sizeof(float));
      return;
    case ActivationForm::bf16:
      return to_bf16(x, to.cols, bits);
    case ActivationForm::bf16_pair: {
      to_bf16(x, to.cols, bits);
      auto* second = reinterpret_cast<std::uint16_t*>(values + to.second());
      for (std::size_t i = 0; i < to.cols; ++i) second[i] = float_to_bf16(x[i] - bf16_to_float(bits[i]));
      return;
    }
    case ActivationForm::q8_32:
    case ActivationForm::q8_256:
      return quantize_8_bits(take_outliers(x, to, row).data(), to, row);
  }
}

std::size_t scratch_bytes(std::size_t) {
  return 0;
}

}  // namespace

constinit const FloatKernels kScalarFloats = {multiply_f32, multiply_f16, multiply_bf16, multiply_f8,
                                              quantize,     to_bf16,      from_bf16,     scratch_bytes};

}  // namespace mla
