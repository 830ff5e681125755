// Panels of types in blocks of 32 columns on AMX tiles. Only for files compiled with AMX.
//
// For every 32 columns of a tile of tokens there are a product, whose sums are stored and read again as vectors, and a
// float step, whose results stay in sixteen registers. They run side by side because the float step is that of some
// products before. The float step bounds them: while the tile unit works, vectors are multiplied and converted at half
// the usual rate, one a cycle.
#pragma once

#include <immintrin.h>

#include <cstddef>

#include "packed/amx_chunk.h"

namespace mla {
namespace {

template <DType kType>
class Multiplier32 {
  using Traits = PanelTraits<kType>;

  static constexpr std::size_t kChunkTiles = 16;     ///< Of tokens, at most.
  static constexpr std::size_t kStretchGroups = 16;  ///< Whose weights fit the nearest cache beside tokens.
  static constexpr std::size_t kGroupXBytes = kTileRows * kGroupColumns;
  static constexpr std::size_t kRing = 4;  ///< Products on their way.
  static constexpr std::size_t kLag = 2;   ///< Products from one to its float step.

 public:
  static constexpr std::size_t scratch_bytes(std::size_t cols) {
    return kStretchGroups * (kGroupTileBytes + 2 * kLaneBytes) + kRing * kTileBytes +
           kChunkTiles * (kTileBytes + cols * kTileRows + cols / kGroupColumns * 2 * kLaneBytes);
  }

  Multiplier32(const PanelJob& job, const TokenTiles& tokens)
      : job_(job), tokens_(tokens), groups_(job.cols / kGroupColumns) {
    ScratchTaker scratch(job.scratch);
    planes_ = scratch.take(kStretchGroups * kGroupTileBytes);
    d_ = scratch.take<float>(kStretchGroups * kLaneBytes);
    m_ = scratch.take<float>(kStretchGroups * kLaneBytes);
    products_ = scratch.take(kRing * kTileBytes);
    sums_ = scratch.take<float>(kChunkTiles * kTileBytes);
    x_ = scratch.take(kChunkTiles * job.cols * kTileRows);
    x_scales_ = scratch.take<float>(kChunkTiles * groups_ * kLaneBytes);
    x_sums_ = scratch.take<float>(kChunkTiles * groups_ * kLaneBytes);
    for (std::size_t i = 0; i < kRing * kTileBytes; i += kVectorBytes)
      store_vector(products_ + i, _mm512_setzero_si512());
  }

  void run() {
    const std::size_t panels = (job_.rows + kPanelRows - 1) / kPanelRows;
    const std::size_t chunks = (tokens_.tiles + kChunkTiles - 1) / kChunkTiles;
    for (std::size_t i = 0; i < chunks; ++i) {
      const std::size_t first = tokens_.tiles * i / chunks;
      const TokenChunk chunk{job_, tokens_, first, tokens_.tiles * (i + 1) / chunks - first};
      for (std::size_t tile = 0; tile < chunk.tiles; ++tile) prepare(chunk, tile);
      for (std::size_t panel = 0; panel < panels; ++panel) run_panel(chunk, panel);
    }
  }

 private:
  /// The scales of a tile's tokens, and with their sums, by block.
  void prepare(const TokenChunk& chunk, std::size_t tile) {
    chunk.copy_values<kGroupColumns>(tile, 0, job_.cols, x_ + tile * job_.cols * kTileRows);
    for (std::size_t i = 0; i < kTileRows; ++i) {
      const std::size_t row = chunk.token(tile) + least(i, tokens_.rows - 1);
      const float* const scales = job_.x.scales + row * groups_;
      const std::int32_t* const sums = job_.x.sums + row * groups_;
      const std::size_t to = tile * groups_ * kTileRows + i;
      for (std::size_t group = 0; group < groups_; ++group) {
        x_scales_[to + group * kTileRows] = scales[group];
        if constexpr (Traits::kMins)
          x_sums_[to + group * kTileRows] = scales[group] * static_cast<float>(sums[group]);
      }
    }
  }

  void run_panel(const TokenChunk& chunk, std::size_t panel) {
    const std::byte* const codes = job_.panels + panel * job_.panel_bytes;
    for (std::size_t i = 0; i < chunk.tiles * kTileFloats; i += kPanelRows)
      _mm512_store_ps(sums_ + i, _mm512_setzero_ps());
    for (std::size_t first = 0; first < groups_; first += kStretchGroups) {
      const std::size_t count = least(kStretchGroups, groups_ - first);
      unpack(codes, first, count);
      // Meanwhile what is unpacked next comes nearer: the next stretch, or the next panel, which is behind this one.
      const std::size_t next = first + count < groups_ ? first + count : 0;
      ahead_ = codes + (next == 0 ? job_.panel_bytes : next * Traits::kGroupBytes);
      ahead_end_ = ahead_ + least(kStretchGroups, groups_ - next) * Traits::kGroupBytes;
      ahead_lines_ = 1 + Traits::kGroupBytes * kStretchGroups / kVectorBytes / (chunk.tiles * count);
      for (std::size_t tile = 0; tile < chunk.tiles; ++tile) {
        if (next == 0) chunk.fetch(panel, tile);
        multiply((tile * groups_ + first) * kTileRows, count, sums_ + tile * kTileFloats);
      }
    }
    for (std::size_t tile = 0; tile < chunk.tiles; ++tile)
      chunk.write(panel, tile, sums_ + tile * kTileFloats);
  }

  /// Lines of the weights ahead that go with so many products.
  void fetch(std::size_t products) {
    for (std::size_t i = products * ahead_lines_; i > 0 && ahead_ < ahead_end_; --i, ahead_ += kVectorBytes)
      _mm_prefetch(reinterpret_cast<const char*>(ahead_), _MM_HINT_T1);
  }

  void unpack(const std::byte* panel, std::size_t first, std::size_t count) {
    const std::byte* codes = panel + first * Traits::kGroupBytes;
    const std::byte* scales = panel + groups_ * Traits::kGroupBytes + first * Traits::kScaleBytes;
    std::byte* to = planes_;
    for (std::size_t i = 0; i < count; ++i, to += kGroupTileBytes) {
      unpack_half<kType>(codes, scales, 0, 0, to, nullptr);
      unpack_half<kType>(codes, scales, 0, 1, to, nullptr);
      store_vector(reinterpret_cast<std::byte*>(d_ + i * kPanelRows), load_halves(scales));
      if constexpr (Traits::kMins)
        store_vector(reinterpret_cast<std::byte*>(m_ + i * kPanelRows),
                     load_halves(scales + Traits::kHalfBytes));
      codes += Traits::kGroupBytes;
      scales += Traits::kScaleBytes;
    }
  }

  template <std::size_t kSet>
  inline __attribute__((always_inline)) void product(const std::byte* x, std::size_t group) const {
    tile_zero<kSet>();
    tile_load<4 + kSet>(planes_ + group * kGroupTileBytes, kVectorBytes);
    tile_load<2 + kSet>(x + group * kGroupXBytes, kGroupColumns);
    tile_dot_signed<kSet, 2 + kSet, 4 + kSet>();
    tile_store<kSet>(products_ + group % kRing * kTileBytes, kVectorBytes);
  }

  void multiply(std::size_t at, std::size_t groups, float* sums) {
    const std::byte* const x = x_ + at * kGroupColumns;
    const float* const x_scales = x_scales_ + at;
    const float* const x_sums = x_sums_ + at;
    __m512 y[kTileRows];
#pragma GCC unroll 16
    for (std::size_t i = 0; i < kTileRows; ++i) y[i] = _mm512_load_ps(sums + i * kPanelRows);
    const auto finish = [&](std::size_t group) __attribute__((always_inline)) {
      const std::byte* const dots = products_ + group % kRing * kTileBytes;
      const __m512 d = _mm512_load_ps(d_ + group * kPanelRows);
      const __m512 m = _mm512_load_ps(m_ + group * kPanelRows);
#pragma GCC unroll 16
      for (std::size_t i = 0; i < kTileRows; ++i) {
        const __m512 dot = _mm512_cvtepi32_ps(_mm512_load_si512(dots + i * kLaneBytes));
        const __m512 scale = _mm512_mul_ps(d, _mm512_set1_ps(x_scales[group * kTileRows + i]));
        y[i] = _mm512_fmadd_ps(dot, scale, y[i]);
        if constexpr (Traits::kMins)
          y[i] = _mm512_fmadd_ps(m, _mm512_set1_ps(x_sums[group * kTileRows + i]), y[i]);
      }
    };
    product<0>(x, 0);
    if (groups > 1) product<1>(x, 1);
    std::size_t group = kLag;
    for (; group + 2 <= groups; group += 2) {
      fetch(2);
      product<0>(x, group);
      finish(group - kLag);
      product<1>(x, group + 1);
      finish(group + 1 - kLag);
    }
    std::size_t left = group - kLag;
    if (group < groups) {
      product<0>(x, group);
      finish(left++);
    }
    for (; left < groups; ++left) finish(left);
#pragma GCC unroll 16
    for (std::size_t i = 0; i < kTileRows; ++i) _mm512_store_ps(sums + i * kPanelRows, y[i]);
  }

  const PanelJob& job_;
  const TokenTiles& tokens_;
  const std::size_t groups_;
  const std::byte* ahead_ =
      nullptr;  ///< Weights to be unpacked next, up to their end; lines for each product.
  const std::byte* ahead_end_ = nullptr;
  std::size_t ahead_lines_ = 0;
  std::byte* planes_;    ///< [kStretchGroups]: a second operand each.
  float* d_;             ///< [kStretchGroups][16]
  float* m_;             ///< As d.
  std::byte* products_;  ///< [kRing] tiles of sums.
  float* sums_;          ///< [kChunkTiles][16][16]: the results so far.
  std::byte* x_;         ///< [kChunkTiles][groups]: a first operand each.
  float* x_scales_;      ///< [kChunkTiles][groups][16]
  float* x_sums_;        ///< As x_scales_: scale * sum.
};

}  // namespace
}  // namespace mla
