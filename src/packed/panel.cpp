#include "packed/panel.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

#include "base/round_up.h"
#include "packed/block_format.h"
#include "packed/block_parts.h"
#include "tensor/scalar.h"

namespace mla {
namespace {

using Rows = std::span<const std::byte* const>;

constexpr std::size_t aligned(std::size_t bytes) {
  return round_up(bytes, kPanelAlignment);
}

/// The columns of a panel of BF16 (see panel.h).
constexpr std::size_t bf16_cols(std::size_t cols) {
  return round_up(cols, 32);
}

/// out[i][row] = the i-th Word of the row. A few cache lines of `out` at a time are written by all rows.
template <typename Word>
void transpose(Rows rows, std::size_t words, std::byte* out) {
  constexpr std::size_t kStep = 16;
  if (rows.size() < kPanelRows) std::memset(out, 0, words * kPanelRows * sizeof(Word));
  for (std::size_t first = 0; first < words; first += kStep) {
    const std::size_t count = words - first < kStep ? words - first : kStep;
    for (std::size_t row = 0; row < rows.size(); ++row)
      for (std::size_t i = first; i < first + count; ++i)
        std::memcpy(out + (i * kPanelRows + row) * sizeof(Word), rows[row] + i * sizeof(Word), sizeof(Word));
  }
}

void pack_bf16(Rows rows, std::size_t cols, std::byte* panel) {
  const std::size_t pairs = cols / 2;
  transpose<std::uint32_t>(rows, pairs, panel);
  std::byte* const rest = panel + pairs * kPanelRows * 4;
  std::memset(rest, 0, (bf16_cols(cols) / 2 - pairs) * kPanelRows * 4);
  if (cols % 2 == 0) return;
  for (std::size_t row = 0; row < rows.size(); ++row) std::memcpy(rest + row * 4, rows[row] + pairs * 4, 2);
}

/// The vectors v_0 to v_7 of kUnitCols columns, as words of 4 columns of a row.
struct Unit {
  alignas(kPanelAlignment) std::uint32_t words[8][kPanelRows];
};

/// One plane: the `bits` bits from place `from` of all codes. In a byte of a word no bit leaves its byte.
void write_plane(const Unit& unit, int bits, int from, std::byte* out) {
  const std::uint32_t mask = ((1U << bits) - 1U) * 0x01010101U;
  for (std::size_t vector = 0; vector < static_cast<std::size_t>(bits); ++vector) {
    std::uint32_t words[kPanelRows] = {};
    for (std::size_t g = vector; g < 8; g += static_cast<std::size_t>(bits))
      for (std::size_t row = 0; row < kPanelRows; ++row)
        words[row] |= (unit.words[g][row] >> from & mask) << in_plane(g, bits).shift;
    std::memcpy(out + vector * sizeof words, words, sizeof words);
  }
}

/// The scales of one row of a block, whose scales in the panel begin at `out`.
void write_scales(const BlockFormat& format, const BlockParts& parts, std::size_t row, std::byte* out) {
  const ScaleBytes at = scale_bytes(format);
  std::memcpy(out + 2 * row, &parts.d, 2);
  if (format.mins) std::memcpy(out + at.m + 2 * row, &parts.m, 2);
  if (format.scales == GroupScales::none) return;
  for (std::size_t group = 0; group < format.block / format.group; ++group) {
    const std::byte scale = static_cast<std::byte>(parts.scales[group]);
    const std::byte min = static_cast<std::byte>(parts.mins[group]);
    const std::size_t in_pairs = (group / 2 * kPanelRows + row) * 2 + group % 2;
    if (format.scales == GroupScales::nibbles) {
      out[at.scales + in_pairs] = scale | min << 4;
    } else {
      out[at.scales + group * kPanelRows + row] = scale;
      if (format.scales == GroupScales::u8_and_min) out[at.mins + in_pairs] = min;
    }
  }
}

void pack_blocks(DType dtype, Rows rows, std::size_t cols, std::byte* panel) {
  const BlockFormat format = block_format(dtype);
  const std::size_t block_bytes = dtype_traits(dtype).block_bytes;
  const std::size_t units = format.block / kUnitCols;
  const ScaleBytes scale_at = scale_bytes(format);
  std::byte* scales = panel + panel_shape(dtype, cols).scales;
  const std::size_t scales_end = panel_shape(dtype, cols).bytes - panel_shape(dtype, cols).scales;
  std::memset(scales, 0, scales_end);
  std::byte* codes = panel;
  Unit block[kMostBlockElements / kUnitCols] = {};
  BlockParts parts{};
  for (std::size_t index = 0; index < cols / format.block; ++index, scales += scale_at.block) {
    for (std::size_t row = 0; row < rows.size(); ++row) {
      take_apart(dtype, rows[row] + index * block_bytes, parts);
      write_scales(format, parts, row, scales);
      for (std::size_t word = 0; word < format.block / 4; ++word)
        std::memcpy(&block[word / 8].words[word % 8][row], parts.codes + 4 * word, 4);
    }
    for (std::size_t unit = 0; unit < units; ++unit, codes += unit_bytes(format)) {
      write_plane(block[unit], format.low_bits, 0, codes);
      if (format.high_bits > 0)
        write_plane(block[unit], format.high_bits, format.low_bits, codes + format.low_bits * 64);
    }
  }
}

}  // namespace

PanelShape panel_shape(DType dtype, std::size_t cols, std::size_t scale_cols) {
  assert(cols % dtype_traits(dtype).block_elements == 0);
  switch (dtype) {
    case DType::f32:
      return {0, aligned(cols * kPanelRows * 4)};
    case DType::f16:
      return {0, aligned(cols * kPanelRows * 2)};
    case DType::bf16:
      return {0, bf16_cols(cols) * kPanelRows * 2};
    case DType::f8_e4m3: {
      assert(scale_cols != 0);
      const std::size_t blocks = (cols + scale_cols - 1) / scale_cols;
      const std::size_t scales = aligned(cols * kPanelRows);
      return {scales, scales + blocks * kPanelRows * sizeof(float)};
    }
    default:
      break;
  }
  const BlockFormat format = block_format(dtype);
  const std::size_t codes = cols / kUnitCols * unit_bytes(format);
  return {codes, aligned(codes + cols / format.block * scale_bytes(format).block)};
}

void pack_panel(DType dtype, Rows rows, std::size_t cols, std::byte* panel) {
  assert(dtype != DType::f8_e4m3 && rows.size() <= kPanelRows);
  switch (dtype) {
    case DType::f32:
      return transpose<std::uint32_t>(rows, cols, panel);
    case DType::f16: {
      const std::size_t used = cols * kPanelRows * 2;
      std::memset(panel + used, 0, panel_shape(dtype, cols).bytes - used);
      return transpose<std::uint16_t>(rows, cols, panel);
    }
    case DType::bf16:
      return pack_bf16(rows, cols, panel);
    default:
      return pack_blocks(dtype, rows, cols, panel);
  }
}

void pack_f8_panel(Rows rows, std::span<const float> scales, std::size_t cols, std::size_t scale_cols,
                   std::byte* panel) {
  const std::size_t blocks = (cols + scale_cols - 1) / scale_cols;
  assert(rows.size() <= kPanelRows && scales.size() == rows.size() * blocks);
  std::byte* const factors = panel + panel_shape(DType::f8_e4m3, cols, scale_cols).scales;
  std::memset(factors, 0, blocks * kPanelRows * sizeof(float));
  transpose<std::uint8_t>(rows, cols, panel);
  for (std::size_t row = 0; row < rows.size(); ++row)
    for (std::size_t block = 0; block < blocks; ++block) {
      float factor = scales[row * blocks + block] * 256.0F;
      for (std::size_t col = block * scale_cols; col < std::min(cols, (block + 1) * scale_cols); ++col)
        if (std::isnan(e4m3_to_float(static_cast<std::uint8_t>(rows[row][col])))) {
          factor = std::numeric_limits<float>::quiet_NaN();
          panel[col * kPanelRows + row] = std::byte{0};
        }
      std::memcpy(factors + (block * kPanelRows + row) * sizeof factor, &factor, sizeof factor);
    }
}

}  // namespace mla
