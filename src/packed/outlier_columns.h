// Outliers of 8-bit activations by panels of quantized types, written once over the vectors V of block_tile.h, which
// have for this also shift_right_32_by (a number the compiler does not know). Formulas: packed/packed_kernels.h.
//
// Compiled for every instruction set: see kernels/vector_kernels.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <utility>

#include "packed/block_source.h"
#include "packed/implementations.h"

namespace mla {
namespace {

/// Where the weights of one column are in any panel of so many columns.
template <BlockFormat kFormat>
struct Column {
  std::uint32_t col;
  std::uint32_t group;   ///< Of columns with the same scales.
  std::uint32_t scales;  ///< Those of its block.
  std::uint32_t low;     ///< The code's vectors in the planes, and how far it is to be shifted to the right.
  std::uint32_t high;
  std::int32_t low_shift;
  std::int32_t high_shift;

  Column(std::size_t cols, std::size_t index) {
    const std::size_t unit = index / kUnitCols * unit_bytes(kFormat);
    const std::size_t g = index % kUnitCols / 4;
    const int byte = 8 * static_cast<int>(index % 4);
    const InPlane in_low = in_plane(g, kFormat.low_bits);
    col = static_cast<std::uint32_t>(index);
    group = static_cast<std::uint32_t>(index / kFormat.group);
    scales = static_cast<std::uint32_t>(cols / kUnitCols * unit_bytes(kFormat) +
                                        index / kFormat.block * scale_bytes(kFormat).block);
    low = static_cast<std::uint32_t>(unit + in_low.vector * 64);
    low_shift = in_low.shift + byte;
    high = low;
    high_shift = 0;
    if constexpr (kFormat.high_bits > 0) {
      const InPlane in_high = in_plane(g, kFormat.high_bits);
      high = static_cast<std::uint32_t>(unit +
                                        (static_cast<std::size_t>(kFormat.low_bits) + in_high.vector) * 64);
      high_shift = in_high.shift + byte;
    }
  }
};

/// What makes weights of the codes of a column, or of others of its group: code * d, + m or - min * dmin.
template <typename V, BlockFormat kFormat>
class Factors {
 public:
  using Int = typename V::Int;
  using Reg = typename V::Reg;

  Factors() = default;
  Factors(const std::byte* panel, const Column<kFormat>& column, std::size_t part) {
    const std::byte* const scales = panel + column.scales;
    const auto load_f16 = [&](std::size_t at) { return V::load_f16(scales + at + part * V::lanes * 2); };
    d_ = load_f16(0);
    if constexpr (kFormat.mins) m_ = load_f16(kAt.m);
    if constexpr (kFormat.block == 256) {
      const std::size_t group = column.group % (kFormat.block / kFormat.group);
      d_ = V::multiply(d_, V::to_float(scale(scales, group, part)));
      if constexpr (kFormat.mins) min_ = V::to_float(min(scales, group, part));
    }
  }

  /// The weights of the rows of a part of a panel, in float32.
  Reg weights(const std::byte* panel, const Column<kFormat>& column, std::size_t part) const {
    const Reg code = V::to_float(centered(panel, column, part));
    if constexpr (!kFormat.mins) return V::multiply(code, d_);
    if constexpr (kFormat.block == 32) return V::fma(code, d_, m_);
    // As exact as fma(code, d, -(dmin min)): both products fit float32.
    return V::fma_negated(min_, m_, V::multiply(code, d_));
  }

 private:
  static constexpr ScaleBytes kAt = scale_bytes(kFormat);

  static Int bits(const std::byte* plane, std::size_t part, int shift, int count) {
    return V::keep_ints(V::shift_right_32_by(V::load_int(plane + part * V::lanes * 4), shift),
                        (1 << count) - 1);
  }
  static Int centered(const std::byte* panel, const Column<kFormat>& column, std::size_t part) {
    Int code = bits(panel + column.low, part, column.low_shift, kFormat.low_bits);
    if constexpr (kFormat.table) code = V::keep_ints(V::lookup(kUnsignedTable.values, code), 0xff);
    if constexpr (kFormat.high_bits > 0) {
      const Int high = bits(panel + column.high, part, column.high_shift, kFormat.high_bits);
      code = V::add(code, V::shift_left_16(high, kFormat.low_bits));
    }
    constexpr std::int32_t kMinusOffset = -kFormat.offset;
    return kFormat.offset == 0 ? code : V::add(code, V::set1_int(&kMinusOffset));
  }
  /// One of the two 16-bit numbers of a lane, shifted further.
  static Int half(Int pair, std::size_t group, int shift, int mask) {
    return V::keep_ints(V::shift_right_32_by(pair, 16 * static_cast<int>(group % 2) + shift), mask);
  }
  static Int pair(const std::byte* pairs, std::size_t group, std::size_t part) {
    return V::widen_u8_to_16(pairs + (group / 2 * kPanelRows + part * V::lanes) * 2);
  }
  static Int scale(const std::byte* scales, std::size_t group, std::size_t part) {
    const std::byte* const at = scales + kAt.scales;
    if constexpr (kFormat.scales == GroupScales::nibbles) return half(pair(at, group, part), group, 0, 15);
    const std::byte* const of_group = at + group * kPanelRows + part * V::lanes;
    if constexpr (kFormat.scales == GroupScales::u8_and_min) return V::widen_u8_to_32(of_group);
    return V::widen_i8_to_32(of_group);
  }
  static Int min(const std::byte* scales, std::size_t group, std::size_t part) {
    if constexpr (kFormat.scales == GroupScales::nibbles)
      return half(pair(scales + kAt.scales, group, part), group, 4, 15);
    return half(pair(scales + kAt.mins, group, part), group, 0, 0xff);
  }

  Reg d_;
  Reg m_;    ///< m or dmin.
  Reg min_;  ///< Blocks of 256.
};

/// The parts of a row of y that kPanels panels make, in registers meanwhile. The last panel may have fewer than 16 rows.
template <typename V, std::size_t kPanels>
class RowSums {
 public:
  RowSums(const PanelJob& job, std::size_t panel, std::size_t token)
      : y_(job.y.row(token) + panel * kPanelRows), rows_(job.rows - panel * kPanelRows) {
    float padded[kPanels * kPanelRows];
    const float* from = y_;
    if (rows_ < kPanels * kPanelRows) {
      std::memset(padded, 0, sizeof padded);
      from = static_cast<float*>(std::memcpy(padded, y_, rows_ * sizeof(float)));
    }
#pragma GCC unroll 4
    for (std::size_t i = 0; i < kVectors; ++i)
      sums_[i] = V::load(reinterpret_cast<const std::byte*>(from + i * V::lanes));
  }
  /// weights(i) are the i-th so many rows.
  template <typename Weights>
  void add(const float& x, Weights weights) {
    const typename V::Reg factor = V::set1(&x);
#pragma GCC unroll 4
    for (std::size_t i = 0; i < kVectors; ++i) sums_[i] = V::fma(weights(i), factor, sums_[i]);
  }
  void store() const {
    float padded[kPanels * kPanelRows];
    float* const to = rows_ < kPanels * kPanelRows ? padded : y_;
#pragma GCC unroll 4
    for (std::size_t i = 0; i < kVectors; ++i) V::store(to + i * V::lanes, sums_[i]);
    if (to != y_) std::memcpy(y_, padded, rows_ * sizeof(float));
  }

 private:
  static constexpr std::size_t kVectors = kPanels * V::parts;

  float* y_;
  std::size_t rows_;
  typename V::Reg sums_[kVectors];
};

/// The columns that a job has outliers in, and of so many panels at a time their weights.
template <typename V, BlockFormat kFormat>
class ColumnTable {
 public:
  static constexpr std::size_t kPanels = 4 / V::parts;
  static constexpr std::size_t kRow = kPanels * kPanelRows;

  static constexpr std::size_t bytes(std::size_t cols) {
    return cols * (kRow * sizeof(float) + sizeof(Column<kFormat>) + 1);
  }

  /// `memory` is bytes(cols), aligned as panels are.
  ColumnTable(const PanelJob& job, std::byte* memory)
      : job_(job),
        weights_(reinterpret_cast<float*>(memory)),
        list_(reinterpret_cast<Column<kFormat>*>(memory + job.cols * kRow * sizeof(float))) {
    auto* const there = reinterpret_cast<std::uint8_t*>(list_ + job.cols);
    std::memset(there, 0, job.cols);
    for (std::size_t token = 0; token < job.x.rows; ++token) {
      const Outlier* const outliers = job.x.row_outliers(token);
      for (std::size_t i = 0; i < job.x.outlier_counts[token]; ++i) there[outliers[i].col] = 1;
    }
    for (std::size_t col = 0; col < job.cols; ++col)
      if (there[col] != 0) new (&list_[count_++]) Column<kFormat>(job.cols, col);
  }

  /// All tokens' outliers by kCount panels.
  template <std::size_t kCount>
  void add(std::size_t panel) {
    read<kCount>(job_.panels + panel * job_.panel_bytes);
    for (std::size_t token = 0; token < job_.x.rows; ++token) {
      const std::size_t count = job_.x.outlier_counts[token];
      if (count == 0) continue;
      const Outlier* const outliers = job_.x.row_outliers(token);
      RowSums<V, kCount> sums(job_, panel, token);
      for (std::size_t i = 0; i < count; ++i) {
        const float* const weights = weights_ + outliers[i].col * kRow;
        sums.add(outliers[i].x, [&](std::size_t k) {
          return V::load(reinterpret_cast<const std::byte*>(weights + k * V::lanes));
        });
      }
      sums.store();
    }
  }

 private:
  /// Columns of a group, which follow one another, share its factors.
  template <std::size_t kCount>
  void read(const std::byte* panel) {
    for (std::size_t i = 0; i < count_;) {
      Factors<V, kFormat> factors[kCount * V::parts];
#pragma GCC unroll 4
      for (std::size_t k = 0; k < kCount * V::parts; ++k)
        factors[k] = Factors<V, kFormat>(panel + k / V::parts * job_.panel_bytes, list_[i], k % V::parts);
      for (const std::uint32_t group = list_[i].group; i < count_ && list_[i].group == group; ++i) {
        const Column<kFormat> column = list_[i];
        float* const to = weights_ + column.col * kRow;
#pragma GCC unroll 4
        for (std::size_t k = 0; k < kCount * V::parts; ++k)
          V::store(to + k * V::lanes,
                   factors[k].weights(panel + k / V::parts * job_.panel_bytes, column, k % V::parts));
      }
    }
  }

  const PanelJob& job_;
  float* weights_;         ///< [cols][kPanels][16], of the columns listed.
  Column<kFormat>* list_;  ///< Ascending.
  std::size_t count_ = 0;
};

/// Many tokens share columns: those of a few panels are read once for all.
template <typename V, BlockFormat kFormat>
void add_by_table(const PanelJob& job, std::size_t panels) {
  using Table = ColumnTable<V, kFormat>;
  Table table(job, job.scratch);
  std::size_t panel = 0;
  for (; panel + Table::kPanels <= panels; panel += Table::kPanels) table.template add<Table::kPanels>(panel);
  if constexpr (Table::kPanels > 2)
    if (panel + 2 <= panels) {
      table.template add<2>(panel);
      panel += 2;
    }
  if (panel < panels) table.template add<1>(panel);
}

/// Column by column: the panels' sums do not wait for one another.
template <typename V, BlockFormat kFormat>
void add_by_column(const PanelJob& job, std::size_t panels) {
  for (std::size_t token = 0; token < job.x.rows; ++token) {
    const Outlier* const outliers = job.x.row_outliers(token);
    for (std::size_t i = 0; i < job.x.outlier_counts[token]; ++i) {
      const Column<kFormat> column(job.cols, outliers[i].col);
      for (std::size_t panel = 0; panel < panels; ++panel) {
        const std::byte* const weights = job.panels + panel * job.panel_bytes;
        RowSums<V, 1> sums(job, panel, token);
        sums.add(outliers[i].x, [&](std::size_t part) {
          return Factors<V, kFormat>(weights, column, part).weights(weights, column, part);
        });
        sums.store();
      }
    }
  }
}

template <typename V, DType kType>
void add_outliers(const PanelJob& job) {
  constexpr std::size_t kFewTokens = 2;
  constexpr BlockFormat kFormat = block_format(kType);
  const std::size_t panels = (job.rows + kPanelRows - 1) / kPanelRows;
  if (job.x.rows <= kFewTokens)
    add_by_column<V, kFormat>(job, panels);
  else
    add_by_table<V, kFormat>(job, panels);
}

template <typename V, DType kType>
constexpr auto add_outliers_for() -> void (*)(const PanelJob&) {
  if constexpr (is_block_type(kType)) return add_outliers<V, kType>;
  return nullptr;
}

template <typename V, std::size_t... kIndex>
constexpr OutlierKernels make_outlier_kernels(std::index_sequence<kIndex...>) {
  return {.add = {add_outliers_for<V, static_cast<DType>(kIndex)>()...},
          .scratch_bytes = ColumnTable<V, block_format(DType::q8_0)>::bytes};
}

template <typename V>
constexpr OutlierKernels make_outlier_kernels() {
  return make_outlier_kernels<V>(std::make_index_sequence<kDTypeTraits.size()>());
}

}  // namespace
}  // namespace mla
