// Panels of quantized types in plain C++: packed/panel.h and packed/packed_kernels.h read literally.
#include <cmath>
#include <cstdint>
#include <utility>

#include "packed/block_format.h"
#include "packed/implementations.h"
#include "tensor/blocks.h"
#include "tensor/scalar.h"

namespace mla {
namespace {

/// The bits of column `col` of row `row` in one plane of its unit.
int plane_bits(const std::byte* plane, int bits, std::size_t row, std::size_t col) {
  const InPlane in = in_plane(col % kUnitCols / 4, bits);
  return static_cast<int>(plane[in.vector * 64 + row * 4 + col % 4]) >> in.shift & ((1 << bits) - 1);
}

/// Column `col` of row `row`, without its scales.
int weight(const BlockFormat& format, const std::byte* panel, std::size_t row, std::size_t col) {
  const std::byte* const unit = panel + col / kUnitCols * unit_bytes(format);
  int code = plane_bits(unit, format.low_bits, row, col);
  if (format.high_bits > 0)
    code |= plane_bits(unit + format.low_bits * 64, format.high_bits, row, col) << format.low_bits;
  return format.table ? kIq4Values[code] : code - format.offset;
}

struct ScaleAndMin {
  int scale;
  int min;
};

ScaleAndMin group_scales(const BlockFormat& format, const std::byte* scales, std::size_t row,
                         std::size_t group) {
  const ScaleBytes at = scale_bytes(format);
  const std::size_t in_rows = at.scales + group * kPanelRows + row;
  const std::size_t in_pairs = (group / 2 * kPanelRows + row) * 2 + group % 2;
  switch (format.scales) {
    case GroupScales::u8_and_min:
      return {static_cast<int>(scales[in_rows]), static_cast<int>(scales[at.mins + in_pairs])};
    case GroupScales::nibbles:
      return {static_cast<int>(scales[at.scales + in_pairs] & std::byte{15}),
              static_cast<int>(scales[at.scales + in_pairs] >> 4)};
    case GroupScales::i8:
      return {static_cast<std::int8_t>(scales[in_rows]), 0};
    case GroupScales::none:
      break;
  }
  return {1, 1};
}

float half_at(const std::byte* halves, std::size_t row) {
  return f16_to_float(load_unaligned<std::uint16_t>(halves + 2 * row));
}

/// One element of y. `panel` has its weights in row `row`; the activations are row `token` of the job's.
float dot(const BlockFormat& format, const PanelJob& job, const std::byte* panel, std::size_t row,
          std::size_t token) {
  const ScaleBytes at = scale_bytes(format);
  const std::size_t blocks = job.cols / format.block;
  const std::byte* scales = panel + job.cols / kUnitCols * unit_bytes(format);
  const auto* const values = reinterpret_cast<const std::int8_t*>(job.x.row_values(token));
  float y = 0.0F;
  for (std::size_t block = 0; block < blocks; ++block, scales += at.block) {
    std::int32_t sum = 0;
    std::int32_t min_sum = 0;
    for (std::size_t group = 0; group < format.block / format.group; ++group) {
      const std::size_t first = block * format.block + group * format.group;
      std::int32_t products = 0;
      std::int32_t values_sum = 0;
      for (std::size_t col = first; col < first + format.group; ++col) {
        products += weight(format, panel, row, col) * values[col];
        values_sum += values[col];
      }
      const ScaleAndMin by = group_scales(format, scales, row, group);
      sum += by.scale * products;
      min_sum += by.min * values_sum;
    }
    const float s = job.x.scales[token * blocks + block];
    y = std::fma(static_cast<float>(sum), half_at(scales, row) * s, y);
    if (!format.mins) continue;
    const float m = half_at(scales + at.m, row);
    if (format.block == 32)
      y = std::fma(m, s * static_cast<float>(min_sum), y);
    else
      y = std::fma(-static_cast<float>(min_sum), m * s, y);
  }
  return y;
}

/// A weight in float32.
float real_weight(const BlockFormat& format, const std::byte* panel, std::size_t cols, std::size_t row,
                  std::size_t col) {
  const ScaleBytes at = scale_bytes(format);
  const std::byte* const scales =
      panel + cols / kUnitCols * unit_bytes(format) + col / format.block * at.block;
  const ScaleAndMin by = group_scales(format, scales, row, col % format.block / format.group);
  const auto code = static_cast<float>(weight(format, panel, row, col));
  const float d = half_at(scales, row) * static_cast<float>(by.scale);
  if (!format.mins) return code * d;
  const float m = half_at(scales + at.m, row);
  return format.block == 32 ? std::fma(code, d, m) : std::fma(code, d, -(m * static_cast<float>(by.min)));
}

template <DType kType>
void add_outliers(const PanelJob& job) {
  constexpr BlockFormat kFormat = block_format(kType);
  for (std::size_t token = 0; token < job.x.rows; ++token)
    for (std::size_t i = 0; i < job.x.outlier_counts[token]; ++i) {
      const Outlier outlier = job.x.row_outliers(token)[i];
      for (std::size_t row = 0; row < job.rows; ++row) {
        const std::byte* const panel = job.panels + row / kPanelRows * job.panel_bytes;
        float& y = job.y.row(token)[row];
        y = std::fma(real_weight(kFormat, panel, job.cols, row % kPanelRows, outlier.col), outlier.x, y);
      }
    }
}

template <DType kType>
void multiply(const PanelJob& job) {
  constexpr BlockFormat kFormat = block_format(kType);
  for (std::size_t row = 0; row < job.rows; ++row) {
    const std::byte* const panel = job.panels + row / kPanelRows * job.panel_bytes;
    for (std::size_t token = 0; token < job.x.rows; ++token)
      job.y.row(token)[row] = dot(kFormat, job, panel, row % kPanelRows, token);
  }
}

template <DType kType>
constexpr auto multiply_for() -> void (*)(const PanelJob&) {
  if constexpr (is_block_type(kType)) return multiply<kType>;
  return nullptr;
}

template <DType kType>
constexpr auto add_outliers_for() -> void (*)(const PanelJob&) {
  if constexpr (is_block_type(kType)) return add_outliers<kType>;
  return nullptr;
}

std::size_t no_scratch(std::size_t) {
  return 0;
}

template <std::size_t... kIndex>
constexpr OutlierKernels make_outlier_kernels(std::index_sequence<kIndex...>) {
  return {.add = {add_outliers_for<static_cast<DType>(kIndex)>()...}, .scratch_bytes = no_scratch};
}

template <std::size_t... kIndex>
constexpr BlockKernels make_kernels(std::index_sequence<kIndex...>) {
  return {.multiply = {multiply_for<static_cast<DType>(kIndex)>()...}, .scratch_bytes = no_scratch};
}

}  // namespace

constinit const BlockKernels kScalarBlocks = make_kernels(std::make_index_sequence<kDTypeTraits.size()>());
constinit const OutlierKernels kScalarOutliers =
    make_outlier_kernels(std::make_index_sequence<kDTypeTraits.size()>());

}  // namespace mla
