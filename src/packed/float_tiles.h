// Panels of floats times activations, written once over a vector type; each instruction set's file supplies it.
//
// V has: Reg (sixteen floats, in one register or more), Factor (one float in every lane), kTokens (the most rows of x in a
// tile), panels(tokens) (how many panels a tile of so many rows has: 1, 2 or 4; their sums fit the registers), zero, load
// (aligned), load_f16, load_even and load_odd (those of sixteen pairs of bf16, widened), load_first and store_first (the
// first n of sixteen), broadcast (the four bytes at an address in every lane), broadcast_even and broadcast_odd (of a
// pair of bf16, widened), and fma (w, factor, sum).
//
// A walk W over the columns goes by steps: kStepBytes of a panel and kStepX bytes of a row of x. A step has kParts
// products: add(weights(panel, part), factor(x, part), sum). The walk `Copied` does the same on rows that `copy` copied.
// A sum takes its products one by one in the order of the columns, whatever the tile it is made in: the bits depend on
// nothing else. Between blocks of columns sums rest in y, which changes none.
//
// Everything is in an unnamed namespace and nothing of the standard library is instantiated, as in
// kernels/vector_kernels.h and for the same reason.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "packed/packed_kernels.h"

namespace mla {
namespace {

/// F32 weights.
template <typename V>
struct F32Walk {
  using Copied = F32Walk;
  static constexpr std::size_t kStepBytes = 64, kStepX = 4, kParts = 1;
  static constexpr bool kPairs = false;
  static auto weights(const std::byte* panel, std::size_t) { return V::load(panel); }
  static auto factor(const std::byte* x, std::size_t) { return V::broadcast(x); }
  static auto add(typename V::Reg w, typename V::Factor x, typename V::Reg sum) { return V::fma(w, x, sum); }
  static void copy(const std::byte* x, std::size_t steps, std::byte* to) { std::memcpy(to, x, steps * 4); }
};

/// F16 weights, widened as they come.
template <typename V>
struct F16Walk : F32Walk<V> {
  using Copied = F16Walk;
  static constexpr std::size_t kStepBytes = 32;
  static auto weights(const std::byte* panel, std::size_t) { return V::load_f16(panel); }
};

/// BF16 weights by float32 products: of each pair the even column, then the odd one. Activations in bf16 that are read
/// many times are widened before, into twice the bytes.
template <typename V>
struct Bf16WidenedWalk : F32Walk<V> {
  using Copied = Bf16WidenedWalk;
  static constexpr std::size_t kStepX = 8, kParts = 2;
  static constexpr bool kPairs = true;
  static auto weights(const std::byte* panel, std::size_t part) {
    return part == 0 ? V::load_even(panel) : V::load_odd(panel);
  }
  static auto factor(const std::byte* x, std::size_t part) { return V::broadcast(x + 4 * part); }
  static void copy(const std::byte* x, std::size_t steps, std::byte* to) { std::memcpy(to, x, steps * 8); }
};
template <typename V>
struct Bf16Walk : Bf16WidenedWalk<V> {
  using Copied = Bf16WidenedWalk<V>;
  static constexpr std::size_t kStepX = 4;
  static auto factor(const std::byte* x, std::size_t part) {
    return part == 0 ? V::broadcast_even(x) : V::broadcast_odd(x);
  }
  static void copy(const std::byte* x, std::size_t steps, std::byte* to) {
    std::size_t i = 0;
    for (; i + 8 <= steps; i += 8)
      V::from_bf16(reinterpret_cast<const std::uint16_t*>(x + 4 * i), reinterpret_cast<float*>(to + 8 * i));
    for (; i < steps; ++i)
      for (std::size_t part = 0; part < 2; ++part) {
        std::memset(to + 8 * i + 4 * part, 0, 2);
        std::memcpy(to + 8 * i + 4 * part + 2, x + 4 * i + 2 * part, 2);
      }
  }
};

/// One tile of sums: some panels times some rows of x over some steps.
struct TileJob {
  const std::byte* panels;
  std::size_t panel_bytes;
  const std::byte* x;
  std::size_t x_stride;  ///< Bytes.
  std::size_t steps;
  float* y;
  std::size_t y_stride;     ///< Floats.
  std::size_t last_rows;    ///< Of the last panel, 1 to 16.
  bool first;               ///< The sums begin at zero, not at y.
  std::size_t ahead;        ///< Bytes of a panel that are on their way to the cache.
  const std::byte* next;    ///< What will be copied next: the first row of x of it that this tile fetches,
  std::size_t next_rows;    ///< how many,
  std::size_t next_stride;  ///< and their distance in bytes.
};

template <typename V, typename W, std::size_t kPanels, std::size_t kTokens>
void multiply_tile(const TileJob& job) {
  constexpr std::size_t kChunk = 16;  // Steps; 64 bytes of a row of x that is to be copied.
  constexpr std::size_t kBases = (kTokens + 3) / 4;
  typename V::Reg sums[kTokens][kPanels];
#pragma GCC unroll 12
  for (std::size_t t = 0; t < kTokens; ++t)
#pragma GCC unroll 4
    for (std::size_t p = 0; p < kPanels; ++p) {
      const float* y = job.y + t * job.y_stride + p * kPanelRows;
      sums[t][p] = job.first ? V::zero() : V::load_first(y, p + 1 == kPanels ? job.last_rows : kPanelRows);
    }
  const std::byte* panel[kPanels];
#pragma GCC unroll 4
  for (std::size_t p = 0; p < kPanels; ++p) panel[p] = job.panels + p * job.panel_bytes;
  const std::byte* base[kBases];
#pragma GCC unroll 3
  for (std::size_t b = 0; b < kBases; ++b) base[b] = job.x + 4 * b * job.x_stride;
  // Twelve pointers to rows would not fit the registers: rows are found from every fourth by multiples of the stride, and
  // the compiler is kept from making pointers of them again.
  std::size_t stride = job.x_stride, stride3 = 3 * stride;
  asm("" : "+r"(stride), "+r"(stride3));
  const std::size_t ahead = job.ahead;
  const std::byte* next = job.next;
  for (std::size_t left = job.steps; left != 0;) {
    std::size_t step = left < kChunk ? left : kChunk;
    left -= step;
    for (; step != 0; --step) {
#pragma GCC unroll 4
      for (std::size_t p = 0; p < kPanels; ++p) __builtin_prefetch(panel[p] + ahead);
#pragma GCC unroll 2
      for (std::size_t part = 0; part < W::kParts; ++part) {
        decltype(W::weights(panel[0], part)) w[kPanels];
#pragma GCC unroll 4
        for (std::size_t p = 0; p < kPanels; ++p) w[p] = W::weights(panel[p], part);
#pragma GCC unroll 12
        for (std::size_t t = 0; t < kTokens; ++t) {
          const auto x = W::factor(base[t / 4] + (t % 4 == 3 ? stride3 : t % 4 * stride), part);
#pragma GCC unroll 4
          for (std::size_t p = 0; p < kPanels; ++p) sums[t][p] = W::add(w[p], x, sums[t][p]);
        }
      }
#pragma GCC unroll 4
      for (std::size_t p = 0; p < kPanels; ++p) panel[p] += W::kStepBytes;
#pragma GCC unroll 3
      for (std::size_t b = 0; b < kBases; ++b) {
        base[b] += W::kStepX;
        asm("" : "+r"(base[b]));
      }
    }
    for (std::size_t r = 0; r < job.next_rows; ++r) __builtin_prefetch(next + r * job.next_stride, 0, 2);
    next += 64;
  }
#pragma GCC unroll 12
  for (std::size_t t = 0; t < kTokens; ++t)
#pragma GCC unroll 4
    for (std::size_t p = 0; p < kPanels; ++p)
      V::store_first(job.y + t * job.y_stride + p * kPanelRows, sums[t][p],
                     p + 1 == kPanels ? job.last_rows : kPanelRows);
}

using TileFunction = void (*)(const TileJob&);

/// The functions of 1, 2 and 4 panels by the number of rows of x, null where such a tile has no use.
template <typename V, typename W>
struct TileTable {
  TileFunction of[3][V::kTokens + 1] = {};

  template <std::size_t kTokens>
  constexpr void fill() {
    of[0][kTokens] = multiply_tile<V, W, 1, kTokens>;
    if constexpr (V::panels(kTokens) >= 2) of[1][kTokens] = multiply_tile<V, W, 2, kTokens>;
    if constexpr (V::panels(kTokens) >= 4) of[2][kTokens] = multiply_tile<V, W, 4, kTokens>;
    if constexpr (kTokens > 1) fill<kTokens - 1>();
  }
  constexpr TileTable() { fill<V::kTokens>(); }
};

template <typename V, typename W>
constexpr TileTable<V, W> kTiles{};

constexpr std::size_t ceil_divide(std::size_t a, std::size_t b) {
  return (a + b - 1) / b;
}

/// The steps of `job` for all of its columns; an odd last column of bf16 weights has its partner of zeros.
template <typename W>
std::size_t steps_of(const PanelJob& job) {
  return W::kPairs ? (job.cols + 1) / 2 : job.cols;
}

/// How far in front of a panel's columns its bytes are asked for.
constexpr std::size_t kAheadOfMemory = 2048, kAheadOfCache = 512;

/// `panels` panels times `tokens` (at most V::kTokens) rows of x.
template <typename V, typename W>
void multiply_panels(TileJob tile, std::size_t panels, std::size_t tokens, std::size_t last_rows) {
  const std::size_t most = V::panels(tokens);
  while (panels != 0) {
    const std::size_t log = most >= 4 && panels >= 4 ? 2 : most >= 2 && panels >= 2 ? 1 : 0;
    const std::size_t count = std::size_t{1} << log;
    panels -= count;
    tile.last_rows = panels == 0 ? last_rows : kPanelRows;
    kTiles<V, W>.of[log][tokens](tile);
    tile.panels += count * tile.panel_bytes;
    tile.y += count * kPanelRows;
    tile.next += tile.next_rows * tile.next_stride;
  }
}

/// Blocks of columns of so many steps: of twelve rows of x they leave room in the first cache for panels.
template <typename W>
constexpr std::size_t kBlockSteps = 2560 / W::Copied::kStepX;
/// Rows of a block are not a multiple of the first cache's 4096 bytes apart.
constexpr std::size_t kCopyStride = 2560 + 64;

template <typename V>
std::size_t float_scratch_bytes(std::size_t) {
  return V::kTokens * kCopyStride;
}

/// Many rows of x by many panels: a block of columns of some panels stays in the second cache while all rows of x
/// pass, a copied few at a time, which stay in the first.
template <typename V, typename W>
void multiply_blocked(const PanelJob& job, std::size_t panels, bool from_zero) {
  using Copied = typename W::Copied;
  constexpr std::size_t kGroup = 8;  // Panels; those of 2048 columns may all lie in the same sets of a cache.
  const std::size_t steps = steps_of<W>(job);
  const std::size_t last_rows = job.rows - (panels - 1) * kPanelRows;
  const std::size_t blocks = ceil_divide(steps, kBlockSteps<W>);
  const std::size_t block_steps = ceil_divide(ceil_divide(steps, blocks), 16) * 16;
  const std::size_t group_panels = ceil_divide(ceil_divide(panels, ceil_divide(panels, kGroup)), 2) * 2;
  const std::size_t tiles = ceil_divide(job.x.rows, V::kTokens);
  for (std::size_t panel = 0; panel < panels; panel += group_panels) {
    const std::size_t count = panels - panel < group_panels ? panels - panel : group_panels;
    for (std::size_t step = 0; step < steps; step += block_steps) {
      const std::size_t now = steps - step < block_steps ? steps - step : block_steps;
      for (std::size_t tile = 0, token = 0; tile < tiles; ++tile) {
        const std::size_t end = (tile + 1) * job.x.rows / tiles;
        for (std::size_t t = token; t < end; ++t)
          W::copy(job.x.values + t * job.x.stride + step * W::kStepX, now,
                  job.scratch + (t - token) * kCopyStride);
        TileJob whole = {
            job.panels + panel * job.panel_bytes + step * W::kStepBytes,
            job.panel_bytes,
            job.scratch,
            kCopyStride,
            now,
            job.y.data + token * job.y.stride + panel * kPanelRows,
            job.y.stride,
            0,
            from_zero && step == 0,
            kAheadOfCache,
            job.x.values + end * job.x.stride + step * W::kStepX,
            tile + 1 == tiles ? 0 : ceil_divide((tile + 2) * job.x.rows / tiles - end, ceil_divide(count, 2)),
            job.x.stride};
        multiply_panels<V, Copied>(whole, count, end - token,
                                   panel + count == panels ? last_rows : kPanelRows);
        token = end;
      }
    }
  }
}

/// Few rows of x, which stay in a cache, by panels that stream; or few panels, for which copies of x would not pay.
template <typename V, typename W>
void multiply_direct(const PanelJob& job, std::size_t panels, bool from_zero) {
  const std::size_t last_rows = job.rows - (panels - 1) * kPanelRows;
  const std::size_t tiles = ceil_divide(job.x.rows, V::kTokens);
  for (std::size_t tile = 0, token = 0; tile < tiles; ++tile) {
    const std::size_t end = (tile + 1) * job.x.rows / tiles;
    const TileJob whole = {job.panels,
                           job.panel_bytes,
                           job.x.values + token * job.x.stride,
                           job.x.stride,
                           steps_of<W>(job),
                           job.y.data + token * job.y.stride,
                           job.y.stride,
                           0,
                           from_zero,
                           kAheadOfMemory,
                           job.x.values,
                           0,
                           0};
    multiply_panels<V, W>(whole, panels, end - token, last_rows);
    token = end;
  }
}

/// Adds to what is in y, unless the sums begin at zero.
template <typename V, typename W>
void multiply_floats(const PanelJob& job, bool from_zero) {
  constexpr std::size_t kFewPanels = 3;
  if (job.rows == 0) return;
  const std::size_t panels = ceil_divide(job.rows, kPanelRows);
  if (job.x.rows <= V::kTokens || panels <= kFewPanels || job.cols == 0)
    multiply_direct<V, W>(job, panels, from_zero);
  else
    multiply_blocked<V, W>(job, panels, from_zero);
}

/// As `W` walks activations in bf16; those in float32 are widened already.
template <typename V, typename W>
void multiply_floats(const PanelJob& job) {
  multiply_floats<V, W>(job, true);
}

/// BF16 weights by activations in bf16, which W walks, or in float32.
template <typename V, typename W>
void multiply_bf16(const PanelJob& job) {
  if (job.x.form == ActivationForm::f32)
    multiply_floats<V, Bf16WidenedWalk<V>>(job);
  else
    multiply_floats<V, W>(job);
}

}  // namespace
}  // namespace mla
