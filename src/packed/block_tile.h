// Tiles: the products of one panel of a quantized type with a few rows of activations, written once over a vector type
// V; each instruction set's file supplies V and includes block_multiply.h.
//
// V has: Int and Reg (vectors of `lanes` 32-bit integers and floats), parts (16 / lanes), most_tokens (of a tile, as its
// registers allow), signed_bytes (whether codes of 8 bits are to be signed), narrow_products (whether dot16 costs less
// than multiply). Of memory: load_int, store_int, load, store, load_f16, set1_int and set1 (one 32-bit number for all
// lanes), widen_u8_to_32, widen_i8_to_32, widen_u8_to_16, prefetch. Of bits in bytes: keep_bits (and with a byte),
// flip_bits, add_bits (a | (b & byte)), lookup (of 16 bytes), shift_left_16, shift_right_16. Of integers: zero, add,
// multiply, keep_ints, shift_right_32, dot16 (acc + products of the pairs of signed 16 bits of a lane). Of floats:
// multiply, fma (a b + c), fma_negated (c - a b), to_float. transpose4 writes words i of four rows side by side, every
// `stride` bytes.
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

/// sums[t] += products of kCount vectors from v_first of a unit, whose activations are at `values`.
template <typename V, BlockFormat kFormat, std::size_t kTokens, std::size_t kCount, typename Block>
[[gnu::always_inline]] inline void add_products(const Block& block, std::size_t unit, std::size_t first,
                                                std::size_t part, const std::byte* values,
                                                typename V::Int (&sums)[kTokens]) {
  using Int = typename V::Int;
  if constexpr (V::has_dot) {
#pragma GCC unroll 8
    for (std::size_t i = 0; i < kCount; ++i) {
      const Int code = block.code(unit, first + i, part);
#pragma GCC unroll 12
      for (std::size_t t = 0; t < kTokens; ++t)
        sums[t] = V::dot8(sums[t], code, values + ((first + i) * kTokens + t) * 4);
    }
  } else {
    constexpr std::size_t kFits = vectors_in_16_bits(kFormat);
    constexpr std::size_t kRun = kFits < kCount ? kFits : kCount;
#pragma GCC unroll 8
    for (std::size_t run = first; run < first + kCount; run += kRun) {
      Int narrow[kTokens];
#pragma GCC unroll 8
      for (std::size_t i = 0; i < kRun; ++i) {
        const Int code = block.code(unit, run + i, part);
#pragma GCC unroll 12
        for (std::size_t t = 0; t < kTokens; ++t) {
          const Int value = V::set1_int(values + ((run + i) * kTokens + t) * 4);
          const Int two = signed_codes<V>(kFormat) ? V::pairs_signed(code, value) : V::pairs(code, value);
          narrow[t] = i == 0 ? two : V::add16(narrow[t], two);
        }
      }
#pragma GCC unroll 12
      for (std::size_t t = 0; t < kTokens; ++t) sums[t] = V::dot16(sums[t], narrow[t], V::ones16());
    }
  }
}

template <typename V, BlockFormat kFormat, std::size_t kTokens>
[[gnu::always_inline]] inline void start_sums(const TileInput& x, std::size_t group,
                                              typename V::Int (&sums)[kTokens]) {
#pragma GCC unroll 12
  for (std::size_t t = 0; t < kTokens; ++t) {
    if constexpr (has_starts<V>(kFormat))
      sums[t] = V::set1_int(x.starts + group * kTokens + t);
    else
      sums[t] = V::zero();
  }
}

/// totals[t] = the sum over the groups of a block of 256 of scale * products.
template <typename V, BlockFormat kFormat, std::size_t kTokens, typename Block>
[[gnu::always_inline]] inline void scaled_products(const Block& block, std::size_t index, std::size_t part,
                                                   const TileInput& x, typename V::Int (&totals)[kTokens]) {
  using Int = typename V::Int;
  constexpr std::size_t kUnits = kFormat.block / kUnitCols;
  constexpr std::size_t kPieceCols = narrow_sums<V>(kFormat) ? 16 : kFormat.group;
  constexpr std::size_t kPieces = kUnitCols / kPieceCols;
  static_assert(!has_starts<V>(kFormat) || kPieceCols == kFormat.group);
  const std::byte* values = x.values + index * kFormat.block * kTokens;
#pragma GCC unroll 12
  for (std::size_t t = 0; t < kTokens; ++t) totals[t] = V::zero();
#pragma GCC unroll 1
  for (std::size_t unit = 0; unit < kUnits; ++unit, values += kUnitCols * kTokens) {
    if (part == 0) Block::prefetch(block, unit);
#pragma GCC unroll 2
    for (std::size_t piece = 0; piece < kPieces; ++piece) {
      const std::size_t group = (unit * kUnitCols + piece * kPieceCols) / kFormat.group;
      Int sums[kTokens];
      start_sums<V, kFormat, kTokens>(x, index * (kFormat.block / kFormat.group) + group, sums);
      add_products<V, kFormat, kTokens, kPieceCols / 4>(block, unit, piece * kPieceCols / 4, part, values,
                                                        sums);
      const Int scale = block.scale(group, part);
#pragma GCC unroll 12
      for (std::size_t t = 0; t < kTokens; ++t)
        totals[t] = narrow_sums<V>(kFormat) ? V::dot16(totals[t], sums[t], scale)
                                            : V::add(totals[t], V::multiply(sums[t], scale));
    }
  }
}

template <typename V, BlockFormat kFormat, std::size_t kTokens, typename Block>
[[gnu::always_inline]] inline void add_block_256(const Block& block, std::size_t index, std::size_t part,
                                                 const TileInput& x, typename V::Reg (&y)[kTokens]) {
  using Int = typename V::Int;
  using Reg = typename V::Reg;
  const float* const scales = x.scales + index * kTokens;
  Int totals[kTokens];
  scaled_products<V, kFormat, kTokens>(block, index, part, x, totals);
  const Reg d = block.d(part);
#pragma GCC unroll 12
  for (std::size_t t = 0; t < kTokens; ++t)
    y[t] = V::fma(V::to_float(totals[t]), V::multiply(d, V::set1(scales + t)), y[t]);
  if constexpr (kFormat.mins) {
    constexpr std::size_t kPairs = kFormat.block / kFormat.group / 2;
    const std::byte* sums = x.min_factors + index * kPairs * kTokens * 4;
#pragma GCC unroll 12
    for (std::size_t t = 0; t < kTokens; ++t) totals[t] = V::zero();
#pragma GCC unroll 2
    for (std::size_t pair = 0; pair < kPairs; ++pair, sums += kTokens * 4) {
      const Int mins = block.min_pair(pair, part);
#pragma GCC unroll 12
      for (std::size_t t = 0; t < kTokens; ++t)
        totals[t] = V::dot16(totals[t], mins, V::set1_int(sums + 4 * t));
    }
    const Reg m = block.m(part);
#pragma GCC unroll 12
    for (std::size_t t = 0; t < kTokens; ++t)
      y[t] = V::fma_negated(V::to_float(totals[t]), V::multiply(m, V::set1(scales + t)), y[t]);
  }
}

template <typename V, BlockFormat kFormat, std::size_t kTokens, typename Block>
[[gnu::always_inline]] inline void add_block_32(const Block& block, std::size_t index, std::size_t part,
                                                const TileInput& x, typename V::Reg (&y)[kTokens]) {
  using Int = typename V::Int;
  using Reg = typename V::Reg;
  if (part == 0) Block::prefetch(block, 0);
  Int sums[kTokens];
  start_sums<V, kFormat, kTokens>(x, index, sums);
  add_products<V, kFormat, kTokens, 8>(block, 0, 0, part, x.values + index * kUnitCols * kTokens, sums);
  const float* const scales = x.scales + index * kTokens;
  const Reg d = block.d(part);
#pragma GCC unroll 12
  for (std::size_t t = 0; t < kTokens; ++t)
    y[t] = V::fma(V::to_float(sums[t]), V::multiply(d, V::set1(scales + t)), y[t]);
  if constexpr (kFormat.mins) {
    const std::byte* const factors = x.min_factors + index * kTokens * 4;
    const Reg m = block.m(part);
#pragma GCC unroll 12
    for (std::size_t t = 0; t < kTokens; ++t) y[t] = V::fma(m, V::set1(factors + 4 * t), y[t]);
  }
}

/// out [kTokens][16] = the products of the whole panel, given as Block reads it.
template <typename V, BlockFormat kFormat, std::size_t kTokens,
          template <typename, BlockFormat> typename Block>
void multiply_tile(const std::byte* panel, std::size_t cols, const TileInput& x, float* out) {
  typename V::Reg y[V::parts][kTokens];
#pragma GCC unroll 2
  for (std::size_t part = 0; part < V::parts; ++part)
#pragma GCC unroll 12
    for (std::size_t t = 0; t < kTokens; ++t) y[part][t] = V::zero_float();
  for (std::size_t index = 0; index < cols / kFormat.block; ++index) {
    const Block<V, kFormat> block(panel, cols, index);
#pragma GCC unroll 2
    for (std::size_t part = 0; part < V::parts; ++part) {
      if constexpr (kFormat.block == 32)
        add_block_32<V, kFormat, kTokens>(block, index, part, x, y[part]);
      else
        add_block_256<V, kFormat, kTokens>(block, index, part, x, y[part]);
    }
  }
#pragma GCC unroll 2
  for (std::size_t part = 0; part < V::parts; ++part)
#pragma GCC unroll 12
    for (std::size_t t = 0; t < kTokens; ++t) V::store(out + t * kPanelRows + part * V::lanes, y[part][t]);
}

}  // namespace
}  // namespace mla
