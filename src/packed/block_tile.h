// Tiles: the products of one panel or two of a quantized type with a few rows of activations, written once over a vector type
// V; each instruction set's file supplies V and includes block_multiply.h.
//
// V has: Int and Reg (vectors of `lanes` 32-bit integers and floats), parts (16 / lanes), most_panels and
// most_tokens (of a tile, so that its sums fit registers), signed_bytes (whether codes of 8 bits are to be signed),
// narrow_products (whether dot16 costs less than multiply). Of memory: load_int, store_int, load, store, load_f16, set1_int and set1 (one 32-bit number for all
// lanes), widen_u8_to_32, widen_i8_to_32, widen_u8_to_16, prefetch, prefetch_later. Of bits in bytes: keep_bits (and with a byte),
// flip_bits, add_bits (a | (b & byte)), lookup (of 16 bytes), shift_left_16, shift_right_16. Of integers: zero, add,
// multiply, keep_ints, shift_right_32, dot16 (acc + products of the pairs of signed 16 bits of a lane). Of floats:
// multiply, fma (a b + c), fma_negated (c - a b), to_float. activation gives four bytes of activations as the products
// below want them. transpose4 and transpose2 write words i of so many rows
// side by side, every `stride` bytes.
// Where has_dot: dot8 (acc + the products of four unsigned bytes and four signed ones). Otherwise: pairs (sums of two
// such products in 16 bits), pairs_signed (of signed bytes by signed ones of magnitude <= 127), add16.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "packed/block_source.h"

namespace mla {
namespace {

/// Whether the offset goes into what sums start from.
template <typename V>
constexpr bool has_starts(const BlockFormat& format) {
  return format.offset != 0 && !signed_codes<V>(format);
}

/// The activations of the kTokens rows of a tile, interleaved so that what a step needs lies together.
struct TileInput {
  const std::byte* values;     ///< i8 [cols / 4][tokens][4]
  const float* scales;         ///< [blocks][tokens]
  const std::int32_t* starts;  ///< [cols / group][tokens]: -offset * sum of the values, if has_starts.
  const std::byte*
      min_factors;  ///< Blocks of 256: i16 [blocks][groups / 2][tokens][2], the sums of two groups;
                    ///< of 32: float [blocks][tokens], scale * sum.
};

/// How many vectors' sums of pairs 16 bits hold.
constexpr std::size_t vectors_in_16_bits(const BlockFormat& format) {
  const int vectors = wide_codes(format) ? 1 : 32767 / (2 * largest_product(format));
  return vectors >= 8 ? 8 : vectors >= 4 ? 4 : vectors >= 2 ? 2 : 1;
}

/// Sums by panel and by token.
template <typename V, std::size_t kPanels, std::size_t kTokens>
using TileInts = typename V::Int[kPanels][kTokens];
template <typename V, std::size_t kPanels, std::size_t kTokens>
using TileFloats = typename V::Reg[kPanels][kTokens];

/// sums += products of kCount vectors from the `first` of a unit, whose activations are at `values`.
template <typename V, BlockFormat kFormat, std::size_t kCount, std::size_t kPanels, std::size_t kTokens,
          typename Block>
[[gnu::always_inline]] inline void add_products(const Block (&blocks)[kPanels], std::size_t unit,
                                                std::size_t first, std::size_t part, const std::byte* values,
                                                TileInts<V, kPanels, kTokens>& sums) {
  using Int = typename V::Int;
  constexpr std::size_t kFits = V::has_dot ? kCount : vectors_in_16_bits(kFormat);
  constexpr std::size_t kRun = kFits < kCount ? kFits : kCount;
#pragma GCC unroll 8
  for (std::size_t run = first; run < first + kCount; run += kRun) {
    TileInts<V, kPanels, kTokens> narrow;
#pragma GCC unroll 8
    for (std::size_t i = 0; i < kRun; ++i) {
      Int codes[kPanels];
#pragma GCC unroll 4
      for (std::size_t p = 0; p < kPanels; ++p) codes[p] = blocks[p].code(unit, run + i, part);
#pragma GCC unroll 8
      for (std::size_t t = 0; t < kTokens; ++t) {
        const auto value = V::activation(values + ((run + i) * kTokens + t) * 4);
#pragma GCC unroll 4
        for (std::size_t p = 0; p < kPanels; ++p) {
          if constexpr (V::has_dot) {
            sums[p][t] = V::dot8(sums[p][t], codes[p], value);
          } else {
            const Int two =
                signed_codes<V>(kFormat) ? V::pairs_signed(codes[p], value) : V::pairs(codes[p], value);
            narrow[p][t] = i == 0 ? two : V::add16(narrow[p][t], two);
          }
        }
      }
    }
    if constexpr (!V::has_dot) {
#pragma GCC unroll 4
      for (std::size_t p = 0; p < kPanels; ++p)
#pragma GCC unroll 8
        for (std::size_t t = 0; t < kTokens; ++t)
          sums[p][t] = V::dot16(sums[p][t], narrow[p][t], V::ones16());
    }
  }
}

template <typename V, BlockFormat kFormat, std::size_t kPanels, std::size_t kTokens>
[[gnu::always_inline]] inline void start_sums(const TileInput& x, std::size_t group,
                                              TileInts<V, kPanels, kTokens>& sums) {
#pragma GCC unroll 8
  for (std::size_t t = 0; t < kTokens; ++t) {
    typename V::Int start = V::zero();
    if constexpr (has_starts<V>(kFormat)) start = V::set1_int(x.starts + group * kTokens + t);
#pragma GCC unroll 4
    for (std::size_t p = 0; p < kPanels; ++p) sums[p][t] = start;
  }
}

/// totals = the sums over the groups of a block of 256 of scale * products.
template <typename V, BlockFormat kFormat, std::size_t kPanels, std::size_t kTokens, typename Block>
[[gnu::always_inline]] inline void scaled_products(const Block (&blocks)[kPanels], std::size_t index,
                                                   std::size_t part, const TileInput& x,
                                                   TileInts<V, kPanels, kTokens>& totals) {
  using Int = typename V::Int;
  constexpr std::size_t kUnits = kFormat.block / kUnitCols;
  constexpr std::size_t kPieceCols = narrow_sums<V>(kFormat) ? 16 : kFormat.group;
  constexpr std::size_t kPieces = kUnitCols / kPieceCols;
  static_assert(!has_starts<V>(kFormat) || kPieceCols == kFormat.group);
  const std::byte* values = x.values + index * kFormat.block * kTokens;
#pragma GCC unroll 4
  for (std::size_t p = 0; p < kPanels; ++p)
#pragma GCC unroll 8
    for (std::size_t t = 0; t < kTokens; ++t) totals[p][t] = V::zero();
#pragma GCC unroll 1
  for (std::size_t unit = 0; unit < kUnits; ++unit, values += kUnitCols * kTokens) {
    if (part == 0) {
#pragma GCC unroll 4
      for (std::size_t p = 0; p < kPanels; ++p) blocks[p].prefetch(unit);
    }
#pragma GCC unroll 2
    for (std::size_t piece = 0; piece < kPieces; ++piece) {
      const std::size_t group = (unit * kUnitCols + piece * kPieceCols) / kFormat.group;
      TileInts<V, kPanels, kTokens> sums;
      start_sums<V, kFormat>(x, index * (kFormat.block / kFormat.group) + group, sums);
      add_products<V, kFormat, kPieceCols / 4>(blocks, unit, piece * kPieceCols / 4, part, values, sums);
#pragma GCC unroll 4
      for (std::size_t p = 0; p < kPanels; ++p) {
        const Int scale = blocks[p].scale(group, part);
#pragma GCC unroll 8
        for (std::size_t t = 0; t < kTokens; ++t)
          totals[p][t] = narrow_sums<V>(kFormat) ? V::dot16(totals[p][t], sums[p][t], scale)
                                                 : V::add(totals[p][t], V::multiply(sums[p][t], scale));
      }
    }
  }
}

/// totals = the sums over the groups of min * the sum of the activations.
template <typename V, BlockFormat kFormat, std::size_t kPanels, std::size_t kTokens, typename Block>
[[gnu::always_inline]] inline void scaled_mins(const Block (&blocks)[kPanels], std::size_t index,
                                               std::size_t part, const TileInput& x,
                                               TileInts<V, kPanels, kTokens>& totals) {
  constexpr std::size_t kPairs = kFormat.block / kFormat.group / 2;
  const std::byte* sums = x.min_factors + index * kPairs * kTokens * 4;
#pragma GCC unroll 4
  for (std::size_t p = 0; p < kPanels; ++p)
#pragma GCC unroll 8
    for (std::size_t t = 0; t < kTokens; ++t) totals[p][t] = V::zero();
#pragma GCC unroll 2
  for (std::size_t pair = 0; pair < kPairs; ++pair, sums += kTokens * 4) {
#pragma GCC unroll 4
    for (std::size_t p = 0; p < kPanels; ++p) {
      const typename V::Int mins = blocks[p].min_pair(pair, part);
#pragma GCC unroll 8
      for (std::size_t t = 0; t < kTokens; ++t)
        totals[p][t] = V::dot16(totals[p][t], mins, V::set1_int(sums + 4 * t));
    }
  }
}

template <typename V, BlockFormat kFormat, std::size_t kPanels, std::size_t kTokens, typename Block>
[[gnu::always_inline]] inline void add_block_256(const Block (&blocks)[kPanels], std::size_t index,
                                                 std::size_t part, const TileInput& x,
                                                 TileFloats<V, kPanels, kTokens>& y) {
  using Reg = typename V::Reg;
  const float* const scales = x.scales + index * kTokens;
  TileInts<V, kPanels, kTokens> totals;
  scaled_products<V, kFormat>(blocks, index, part, x, totals);
#pragma GCC unroll 4
  for (std::size_t p = 0; p < kPanels; ++p) {
    const Reg d = blocks[p].d(part);
#pragma GCC unroll 8
    for (std::size_t t = 0; t < kTokens; ++t)
      y[p][t] = V::fma(V::to_float(totals[p][t]), V::multiply(d, V::set1(scales + t)), y[p][t]);
  }
  if constexpr (kFormat.mins) {
    scaled_mins<V, kFormat>(blocks, index, part, x, totals);
#pragma GCC unroll 4
    for (std::size_t p = 0; p < kPanels; ++p) {
      const Reg m = blocks[p].m(part);
#pragma GCC unroll 8
      for (std::size_t t = 0; t < kTokens; ++t)
        y[p][t] = V::fma_negated(V::to_float(totals[p][t]), V::multiply(m, V::set1(scales + t)), y[p][t]);
    }
  }
}

template <typename V, BlockFormat kFormat, std::size_t kPanels, std::size_t kTokens, typename Block>
[[gnu::always_inline]] inline void add_block_32(const Block (&blocks)[kPanels], std::size_t index,
                                                std::size_t part, const TileInput& x,
                                                TileFloats<V, kPanels, kTokens>& y) {
  using Reg = typename V::Reg;
  if (part == 0) {
#pragma GCC unroll 4
    for (std::size_t p = 0; p < kPanels; ++p) blocks[p].prefetch(0);
  }
  TileInts<V, kPanels, kTokens> sums;
  start_sums<V, kFormat>(x, index, sums);
  add_products<V, kFormat, 8>(blocks, 0, 0, part, x.values + index * kUnitCols * kTokens, sums);
  const float* const scales = x.scales + index * kTokens;
  const std::byte* const factors = x.min_factors + index * kTokens * 4;
#pragma GCC unroll 4
  for (std::size_t p = 0; p < kPanels; ++p) {
    const Reg d = blocks[p].d(part);
#pragma GCC unroll 8
    for (std::size_t t = 0; t < kTokens; ++t)
      y[p][t] = V::fma(V::to_float(sums[p][t]), V::multiply(d, V::set1(scales + t)), y[p][t]);
    if constexpr (kFormat.mins) {
      const Reg m = blocks[p].m(part);
#pragma GCC unroll 8
      for (std::size_t t = 0; t < kTokens; ++t) y[p][t] = V::fma(m, V::set1(factors + 4 * t), y[p][t]);
    }
  }
}

/// Memory to be read after the tile, of which each block of columns fetches so many bytes.
struct Upcoming {
  const std::byte* from = nullptr;
  std::size_t bytes = 0;
};

/// out [kPanels][kTokens][16] = the products of whole panels, given as Block reads them, `panel_bytes` apart.
template <typename V, BlockFormat kFormat, std::size_t kPanels, std::size_t kTokens,
          template <typename, BlockFormat> typename BlockOf>
void multiply_tile(const std::byte* panels, std::size_t panel_bytes, std::size_t cols, const TileInput& x,
                   const Upcoming& upcoming, float* out) {
  using Block = BlockOf<V, kFormat>;
  TileFloats<V, kPanels, kTokens> y[V::parts];
#pragma GCC unroll 2
  for (std::size_t part = 0; part < V::parts; ++part)
#pragma GCC unroll 4
    for (std::size_t p = 0; p < kPanels; ++p)
#pragma GCC unroll 8
      for (std::size_t t = 0; t < kTokens; ++t) y[part][p][t] = V::zero_float();
  const PanelsBeside beside{panels, panel_bytes, kPanels};
  const std::byte* next = upcoming.from;
  for (std::size_t index = 0; index < cols / kFormat.block; ++index) {
    for (const std::byte* const end = next + upcoming.bytes; next != end; next += 64) V::prefetch_later(next);
    Block blocks[kPanels];
#pragma GCC unroll 4
    for (std::size_t p = 0; p < kPanels; ++p) blocks[p] = Block(beside, p, cols, index);
#pragma GCC unroll 2
    for (std::size_t part = 0; part < V::parts; ++part) {
      if constexpr (kFormat.block == 32)
        add_block_32<V, kFormat>(blocks, index, part, x, y[part]);
      else
        add_block_256<V, kFormat>(blocks, index, part, x, y[part]);
    }
  }
#pragma GCC unroll 2
  for (std::size_t part = 0; part < V::parts; ++part)
#pragma GCC unroll 4
    for (std::size_t p = 0; p < kPanels; ++p)
#pragma GCC unroll 8
      for (std::size_t t = 0; t < kTokens; ++t)
        V::store(out + (p * kTokens + t) * kPanelRows + part * V::lanes, y[part][p][t]);
}

}  // namespace
}  // namespace mla
