// Panels of F8_E4M3 times activations in float32, written once over the vector types of float_tiles.h.
//
// A weight is its code times its factor, rounded once. For one row of x weights are made in registers; for more, some columns of
// some panels at a time become panels of F32 in scratch, and are multiplied as such. Either way the bits are those that F32
// panels of the same weights give. V has in addition load_f8 (sixteen codes that are finite, as a 256th of their values),
// load_factors (sixteen floats of no alignment), mul and store (aligned).
#pragma once

#include "packed/float_tiles.h"

namespace mla {
namespace {

/// What is widened at a time: for few rows of x it stays in the first cache, for many in the second. Panels have a cache line
/// more, so that they do not lie in the same sets of a cache.
struct F8Piece {
  std::size_t panels;
  std::size_t cols;

  constexpr std::size_t panel_bytes() const { return cols * kPanelRows * sizeof(float) + 64; }
  constexpr std::size_t bytes() const { return panels * panel_bytes(); }
};
constexpr F8Piece kFewRows = {4, 64}, kManyRows = {8, 256};

template <typename V>
std::size_t with_f8_scratch(std::size_t cols) {
  return kManyRows.bytes() + float_scratch_bytes<V>(cols);
}

/// Calls body(col, end, factors) for the stretches of the columns [col, end) that have the same factors: these are
/// `factors` bytes from the begin of a panel.
template <typename Body>
void for_f8_blocks(const PanelJob& job, std::size_t col, std::size_t end, Body body) {
  while (col < end) {
    const std::size_t block = col / job.scale_cols;
    const std::size_t block_end = (block + 1) * job.scale_cols;
    const std::size_t stop = block_end < end ? block_end : end;
    body(col, stop, job.scales + block * kPanelRows * sizeof(float));
    col = stop;
  }
}

/// Columns [col, end) of a panel as F32.
template <typename V>
void widen_f8(const PanelJob& job, const std::byte* panel, std::size_t begin, std::size_t end,
              std::byte* to) {
  for_f8_blocks(job, begin, end, [&](std::size_t col, std::size_t stop, std::size_t factors) {
    const auto factor = V::load_factors(reinterpret_cast<const float*>(panel + factors));
    for (const std::byte* codes = panel + col * kPanelRows; col < stop;
         ++col, codes += kPanelRows, to += 64) {
      __builtin_prefetch(codes + kAheadOfMemory);
      V::store(to, V::mul(V::load_f8(codes), factor));
    }
  });
}

/// kPanels panels from the `panel`th by the job's one row.
template <typename V, std::size_t kPanels>
void multiply_f8_row(const PanelJob& job, std::size_t panel) {
  const std::byte* const panels = job.panels + panel * job.panel_bytes;
  typename V::Reg sums[kPanels];
#pragma GCC unroll 4
  for (std::size_t p = 0; p < kPanels; ++p) sums[p] = V::zero();
  for_f8_blocks(job, 0, job.cols, [&](std::size_t col, std::size_t stop, std::size_t factors) {
    typename V::Reg factor[kPanels];
#pragma GCC unroll 4
    for (std::size_t p = 0; p < kPanels; ++p)
      factor[p] = V::load_factors(reinterpret_cast<const float*>(panels + p * job.panel_bytes + factors));
    for (; col < stop; ++col) {
      const auto x = V::broadcast(job.x.values + col * sizeof(float));
#pragma GCC unroll 4
      for (std::size_t p = 0; p < kPanels; ++p) {
        const std::byte* const codes = panels + p * job.panel_bytes + col * kPanelRows;
        __builtin_prefetch(codes + kAheadOfMemory);
        sums[p] = V::fma(V::mul(V::load_f8(codes), factor[p]), x, sums[p]);
      }
    }
  });
#pragma GCC unroll 4
  for (std::size_t p = 0; p < kPanels; ++p) {
    const std::size_t row = (panel + p) * kPanelRows;
    V::store_first(job.y.data + row, sums[p], job.rows - row < kPanelRows ? job.rows - row : kPanelRows);
  }
}

/// Panels [panel, panel + count) by all rows of x.
template <typename V>
void multiply_f8_panels(const PanelJob& job, const F8Piece& piece, std::size_t panel, std::size_t count) {
  const std::size_t row = panel * kPanelRows;
  PanelJob part = job;
  part.panels = job.scratch;
  part.panel_bytes = piece.panel_bytes();
  part.rows = job.rows - row < count * kPanelRows ? job.rows - row : count * kPanelRows;
  part.y.data = job.y.data + row;
  part.scratch = job.scratch + kManyRows.bytes();
  for (std::size_t col = 0; col == 0 || col < job.cols; col += piece.cols) {
    part.cols = job.cols - col < piece.cols ? job.cols - col : piece.cols;
    for (std::size_t i = 0; i < count; ++i)
      widen_f8<V>(job, job.panels + (panel + i) * job.panel_bytes, col, col + part.cols,
                  job.scratch + i * part.panel_bytes);
    part.x.values = job.x.values + col * sizeof(float);
    multiply_floats<V, F32Walk<V>>(part, col == 0);
  }
}

template <typename V>
void multiply_f8(const PanelJob& job) {
  if (job.x.rows == 0) return;
  const std::size_t panels = ceil_divide(job.rows, kPanelRows);
  std::size_t panel = 0;
  if (job.x.rows == 1) {
    for (; panel + 4 <= panels; panel += 4) multiply_f8_row<V, 4>(job, panel);
    for (; panel < panels; ++panel) multiply_f8_row<V, 1>(job, panel);
    return;
  }
  const F8Piece& piece = job.x.rows <= V::kTokens ? kFewRows : kManyRows;
  for (; panel < panels; panel += piece.panels)
    multiply_f8_panels<V>(job, piece, panel, panels - panel < piece.panels ? panels - panel : piece.panels);
}

}  // namespace
}  // namespace mla
