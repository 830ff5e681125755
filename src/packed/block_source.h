// Where a tile takes the weights of a panel from: straight from the packed codes, or from a panel prepared in scratch
// memory, in which bits are apart and scales as wide as the instructions want them.
//
// Both give, of a block: code(unit, g, part), scale(group, part), min_pair(pair, part), d(part), m(part). A part is as
// many rows as a vector has lanes; `g` is a constant wherever loops are unrolled. Compiled for every instruction set:
// see kernels/vector_kernels.h. block_tile.h says what V has.
#pragma once

#include <cstddef>
#include <cstdint>

#include "packed/block_format.h"
#include "tensor/blocks.h"

namespace mla {
namespace {

/// Whether codes take all 8 bits. Instruction sets whose products of unsigned bytes would saturate, or that have none,
/// then want them signed.
constexpr bool wide_codes(const BlockFormat& format) {
  return format.low_bits == 8 || format.table;
}

template <typename V>
constexpr bool signed_codes(const BlockFormat& format) {
  return V::signed_bytes && wide_codes(format);
}

/// The largest magnitude of code * activation, of codes that are not negative.
constexpr int largest_product(const BlockFormat& format) {
  return ((1 << (format.low_bits + format.high_bits)) - 1) * 127;
}

/// Whether scales apply by a 16-bit multiply-add: sums of 16 products, less the offset, fit 16 bits.
template <typename V>
constexpr bool narrow_sums(const BlockFormat& format) {
  const int largest = (1 << (format.low_bits + format.high_bits)) - 1;
  const int centered = format.offset > 0 ? format.offset : largest;
  return V::narrow_products && !wide_codes(format) && 16 * 127 * centered <= 32767;
}

/// The 16 signed values of the table as unsigned ones, 128 more, and back.
struct CodeTable {
  alignas(16) std::uint8_t values[16];
};
constexpr CodeTable code_table(bool as_signed) {
  CodeTable table{};
  for (std::size_t i = 0; i < 16; ++i)
    table.values[i] = static_cast<std::uint8_t>(kIq4Values[i] + (as_signed ? 0 : 128));
  return table;
}
inline constexpr CodeTable kSignedTable = code_table(true);
inline constexpr CodeTable kUnsignedTable = code_table(false);

/// Panels that are read at the same time, one behind the other in memory.
struct PanelsBeside {
  const std::byte* first;
  std::size_t bytes;  ///< Of one.
  std::size_t count;
};

template <typename V, BlockFormat kFormat>
class PackedBlock {
 public:
  using Int = typename V::Int;
  using Reg = typename V::Reg;

  PackedBlock() = default;
  PackedBlock(const PanelsBeside& panels, std::size_t which, std::size_t cols, std::size_t block)
      : PackedBlock(panels.first + which * panels.bytes, cols, block) {
    fetched_ += block * kUnits * kFetchedBytes + kAhead;
    // After a panel's end come those after all that are read beside it.
    if (fetched_ >= panels.first + (which + 1) * panels.bytes) fetched_ += (panels.count - 1) * panels.bytes;
  }

  /// Some memory a little ahead, as much as a unit has of codes and scales.
  void prefetch(std::size_t unit) const {
    for (std::size_t at = 0; at < kFetchedBytes; at += 64) V::prefetch(fetched_ + unit * kFetchedBytes + at);
  }

  Int code(std::size_t unit, std::size_t g, std::size_t part) const {
    const std::byte* const plane = codes_ + unit * unit_bytes(kFormat) + part * kPartBytes;
    const InPlane low = in_plane(g, kFormat.low_bits);
    Int bits = V::load_int(plane + low.vector * 64);
    if constexpr (kFormat.low_bits == 8) {
      if constexpr (signed_codes<V>(kFormat)) bits = V::flip_bits(bits, 0x80);
      return bits;
    } else {
      bits = V::keep_bits(shifted(bits, low.shift, 0), (1 << kFormat.low_bits) - 1);
      if constexpr (kFormat.table)
        bits = V::lookup(signed_codes<V>(kFormat) ? kSignedTable.values : kUnsignedTable.values, bits);
      if constexpr (kFormat.high_bits > 0) {
        const InPlane high = in_plane(g, kFormat.high_bits);
        const Int more = V::load_int(plane + (static_cast<std::size_t>(kFormat.low_bits) + high.vector) * 64);
        constexpr int kMask = ((1 << kFormat.high_bits) - 1) << kFormat.low_bits;
        bits = V::add_bits(bits, shifted(more, high.shift, kFormat.low_bits), kMask);
      }
      return bits;
    }
  }

  Int scale(std::size_t group, std::size_t part) const {
    const std::byte* const at = scales_ + kAt.scales;
    if constexpr (kFormat.scales == GroupScales::nibbles) {
      const Int pairs = V::widen_u8_to_16(at + (group / 2 * kPanelRows + part * V::lanes) * 2);
      return V::keep_ints(group % 2 == 0 ? pairs : V::shift_right_32(pairs, 16), 15);
    } else {
      const std::byte* const scales = at + group * kPanelRows + part * V::lanes;
      if constexpr (kFormat.scales == GroupScales::u8_and_min) return V::widen_u8_to_32(scales);
      const Int wide = V::widen_i8_to_32(scales);
      return narrow_sums<V>(kFormat) ? V::keep_ints(wide, 0xffff) : wide;
    }
  }

  Int min_pair(std::size_t pair, std::size_t part) const {
    const std::size_t at = (pair * kPanelRows + part * V::lanes) * 2;
    if constexpr (kFormat.scales == GroupScales::nibbles)
      return V::shift_right_16(V::widen_u8_to_16(scales_ + kAt.scales + at), 4);
    else
      return V::widen_u8_to_16(scales_ + kAt.mins + at);
  }

  Reg d(std::size_t part) const { return V::load_f16(scales_ + part * V::lanes * 2); }
  Reg m(std::size_t part) const { return V::load_f16(scales_ + kAt.m + part * V::lanes * 2); }

 private:
  static constexpr ScaleBytes kAt = scale_bytes(kFormat);
  static constexpr std::size_t kPartBytes = V::lanes * 4;
  static constexpr std::size_t kUnits = kFormat.block / kUnitCols;
  static constexpr std::size_t kFetchedBytes =
      (unit_bytes(kFormat) + kAt.block / kUnits + 63) / 64 * 64;  ///< For each unit.
  static constexpr std::size_t kAhead = 1024;

  PackedBlock(const std::byte* panel, std::size_t cols, std::size_t block)
      : codes_(panel + block * kUnits * unit_bytes(kFormat)),
        scales_(panel + cols / kUnitCols * unit_bytes(kFormat) + block * kAt.block),
        fetched_(panel) {}

  /// Bits that are at `from` of each byte moved to `to`; what comes over from other bytes is beside the bits wanted.
  static Int shifted(Int bits, int from, int to) {
    return from >= to ? V::shift_right_16(bits, from - to) : V::shift_left_16(bits, to - from);
  }

  const std::byte* codes_;
  const std::byte* scales_;
  const std::byte* fetched_;
};

/// How a prepared panel lies in memory: the codes of all columns, a byte each, then a record a block.
template <BlockFormat kFormat>
struct PreparedLayout {
  static constexpr std::size_t kGroups =
      kFormat.scales == GroupScales::none ? 0 : kFormat.block / kFormat.group;
  static constexpr std::size_t kM = 64;
  static constexpr std::size_t kScales = kFormat.mins ? 128 : 64;
  static constexpr std::size_t kMins = kScales + kGroups * 64;
  static constexpr std::size_t kRecord = kMins + (kFormat.mins ? kGroups / 2 * 64 : 0);
  static constexpr std::size_t kCodes = kFormat.block * kPanelRows;
};

/// The largest of all types: blocks of 32 have d and m, of 256 at most 16 groups with scale and min.
constexpr std::size_t prepared_bytes(std::size_t cols) {
  const std::size_t small = (cols + 31) / 32 * PreparedLayout<block_format(DType::q4_1)>::kRecord;
  const std::size_t large = (cols + 255) / 256 * PreparedLayout<block_format(DType::q2_k)>::kRecord;
  return (cols + 31) / 32 * 32 * kPanelRows + (small > large ? small : large);
}

template <typename V, BlockFormat kFormat>
class PreparedBlock {
 public:
  using Int = typename V::Int;
  using Reg = typename V::Reg;
  using Layout = PreparedLayout<kFormat>;

  PreparedBlock() = default;
  PreparedBlock(const PanelsBeside& panels, std::size_t which, std::size_t cols, std::size_t block)
      : codes_(panels.first + which * panels.bytes + block * Layout::kCodes),
        record_(panels.first + which * panels.bytes + cols * kPanelRows + block * Layout::kRecord) {}

  void prefetch(std::size_t) const {}  ///< They are in the caches.

  Int code(std::size_t unit, std::size_t g, std::size_t part) const {
    return V::load_int(codes_ + (unit * 8 + g) * 64 + part * kPartBytes);
  }
  Int scale(std::size_t group, std::size_t part) const {
    return V::load_int(lane(Layout::kScales, group, part));
  }
  Int min_pair(std::size_t pair, std::size_t part) const {
    return V::load_int(lane(Layout::kMins, pair, part));
  }
  Reg d(std::size_t part) const { return V::load(lane(0, 0, part)); }
  Reg m(std::size_t part) const { return V::load(lane(Layout::kM, 0, part)); }

 private:
  static constexpr std::size_t kPartBytes = V::lanes * 4;

  const std::byte* lane(std::size_t at, std::size_t index, std::size_t part) const {
    return record_ + at + index * 64 + part * kPartBytes;
  }

  const std::byte* codes_;
  const std::byte* record_;
};

/// The whole panel, prepared (prepared_bytes of memory, aligned as panels are).
template <typename V, BlockFormat kFormat>
void prepare_panel(const std::byte* panel, std::size_t cols, std::byte* prepared) {
  using Layout = PreparedLayout<kFormat>;
  std::byte* codes = prepared;
  std::byte* record = prepared + cols * kPanelRows;
  for (std::size_t index = 0; index < cols / kFormat.block; ++index, record += Layout::kRecord) {
    const PackedBlock<V, kFormat> block({panel, 0, 1}, 0, cols, index);
    for (std::size_t unit = 0; unit < kFormat.block / kUnitCols; ++unit, codes += kUnitCols * kPanelRows) {
      block.prefetch(unit);
#pragma GCC unroll 8
      for (std::size_t g = 0; g < 8; ++g)
#pragma GCC unroll 2
        for (std::size_t part = 0; part < V::parts; ++part)
          V::store_int(codes + g * 64 + part * V::lanes * 4, block.code(unit, g, part));
    }
#pragma GCC unroll 2
    for (std::size_t part = 0; part < V::parts; ++part) {
      std::byte* const to = record + part * V::lanes * 4;
      V::store(to, block.d(part));
      if constexpr (kFormat.mins) V::store(to + Layout::kM, block.m(part));
      for (std::size_t group = 0; group < Layout::kGroups; ++group)
        V::store_int(to + Layout::kScales + group * 64, block.scale(group, part));
      if constexpr (kFormat.mins)
        for (std::size_t pair = 0; pair < Layout::kGroups / 2; ++pair)
          V::store_int(to + Layout::kMins + pair * 64, block.min_pair(pair, part));
    }
  }
}

}  // namespace
}  // namespace mla
