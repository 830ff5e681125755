// Panels of F8_E4M3 times activations in float32, written once over the vector types of float_tiles.h.
//
// Some columns of some panels at a time become a panel of F32 in scratch, each weight times its factor and rounded once, and are
// multiplied as such: the bits are those that F32 panels of the same weights give. V has in addition load_f8 (sixteen codes that are
// finite, as their values), load_factors (sixteen floats of no alignment), mul and store (aligned).
#pragma once

#include "packed/float_tiles.h"

namespace mla {
namespace {

/// Columns that are widened at a time: with all rows of x that pass they stay in the first cache.
constexpr std::size_t kF8Cols = 64;
/// A cache line more, so that panels do not lie in the same sets of a cache.
constexpr std::size_t kF8PanelBytes = kF8Cols * kPanelRows * sizeof(float) + 64;
constexpr std::size_t kMostF8Panels = 4;

/// Columns [col, col + count) of a panel as F32.
template <typename V>
void widen_f8(const PanelJob& job, const std::byte* panel, std::size_t col, std::size_t count,
              std::byte* to) {
  const std::byte* const factors = panel + f8_scales_begin(job.cols);
  const std::size_t end = col + count;
  while (col < end) {
    const std::size_t block = col / job.scale_cols;
    const std::size_t block_end = (block + 1) * job.scale_cols;
    const auto factor =
        V::load_factors(reinterpret_cast<const float*>(factors + block * kPanelRows * sizeof(float)));
    for (const std::size_t stop = block_end < end ? block_end : end; col < stop; ++col, to += 64) {
      const std::byte* const codes = panel + col * kPanelRows;
      __builtin_prefetch(codes + kAheadOfMemory);
      V::store(to, V::mul(V::load_f8(codes), factor));
    }
  }
}

template <typename V>
void multiply_f8(const PanelJob& job) {
  const std::size_t panels = ceil_divide(job.rows, kPanelRows);
  const std::size_t tiles = ceil_divide(job.x.rows, V::kTokens);
  if (job.x.rows == 0) return;
  const std::size_t at_once = V::panels(ceil_divide(job.x.rows, tiles));
  // Panels of no columns give zeros.
  const std::size_t stretches = job.cols == 0 ? 1 : ceil_divide(job.cols, kF8Cols);
  for (std::size_t panel = 0; panel < panels; panel += at_once) {
    const std::size_t count = panels - panel < at_once ? panels - panel : at_once;
    const std::size_t last_rows = panel + count == panels ? job.rows - (panels - 1) * kPanelRows : kPanelRows;
    for (std::size_t stretch = 0; stretch < stretches; ++stretch) {
      const std::size_t col = stretch * kF8Cols;
      const std::size_t cols = job.cols - col < kF8Cols ? job.cols - col : kF8Cols;
      for (std::size_t i = 0; i < count; ++i)
        widen_f8<V>(job, job.panels + (panel + i) * job.panel_bytes, col, cols,
                    job.scratch + i * kF8PanelBytes);
      for (std::size_t tile = 0, token = 0; tile < tiles; ++tile) {
        const std::size_t end = (tile + 1) * job.x.rows / tiles;
        const TileJob whole = {job.scratch,
                               kF8PanelBytes,
                               job.x.values + token * job.x.stride + col * sizeof(float),
                               job.x.stride,
                               cols,
                               job.y.data + token * job.y.stride + panel * kPanelRows,
                               job.y.stride,
                               0,
                               stretch == 0,
                               0,
                               job.x.values,
                               0,
                               0};
        multiply_panels<V, F32Walk<V>>(whole, count, end - token, last_rows);
        token = end;
      }
    }
  }
}

template <typename V>
std::size_t with_f8_scratch(std::size_t cols) {
  constexpr std::size_t kF8Bytes = kMostF8Panels * kF8PanelBytes;
  const std::size_t others = float_scratch_bytes<V>(cols);
  return others < kF8Bytes ? kF8Bytes : others;
}

}  // namespace
}  // namespace mla
