// Tokens of a job on AMX tiles, some tiles of them at a time. Only for files compiled with AMX.
#pragma once

#include <immintrin.h>

#include <cstddef>

#include "packed/amx_tiles.h"
#include "packed/amx_unpack.h"
#include "packed/packed_kernels.h"

namespace mla {
namespace {

inline constexpr std::size_t kLaneBytes = kPanelRows * sizeof(float);
inline constexpr std::size_t kTileFloats = kTileRows * kPanelRows;

constexpr std::size_t least(std::size_t a, std::size_t b) {
  return a < b ? a : b;
}

/// Hands out the caller's scratch, aligned to vectors.
class ScratchTaker {
 public:
  explicit ScratchTaker(std::byte* at) : at_(at) {}

  template <typename T = std::byte>
  T* take(std::size_t bytes) {
    std::byte* const taken = at_;
    at_ += bytes;
    return reinterpret_cast<T*>(taken);
  }

 private:
  std::byte* at_;
};

/// Tiles [first, first + tiles) of a job's tokens.
struct TokenChunk {
  const PanelJob& job;
  const TokenTiles& tokens;
  std::size_t first;
  std::size_t tiles;

  std::size_t token(std::size_t tile) const { return tokens.first(first + tile); }

  /// `columns` columns of a tile from `column` on, kWidth at a time, each a first operand without gaps: rows of a stride
  /// that is a power of two would fall on one another in the caches.
  template <std::size_t kWidth>
  void copy_values(std::size_t tile, std::size_t column, std::size_t columns, std::byte* to) const {
    const std::byte* x = job.x.values + token(tile) * job.x.stride + column;
    for (std::size_t i = 0; i < tokens.rows; ++i, x += job.x.stride, to += kWidth)
      for (std::size_t at = 0; at < columns; at += kWidth)
        __builtin_memcpy(to + at * kTileRows, x + at, kWidth);
  }

  /// Brings where write() writes nearer, which takes long: rows of results are far from one another.
  void fetch(std::size_t panel, std::size_t tile) const {
    const float* y = job.y.data + token(tile) * job.y.stride + panel * kPanelRows;
    for (std::size_t i = 0; i < tokens.rows; ++i, y += job.y.stride) __builtin_prefetch(y, 1, 3);
  }

  /// The sums [16][16] of a tile, rows of tokens, to y.
  void write(std::size_t panel, std::size_t tile, const float* sums) const {
    const std::size_t column = panel * kPanelRows;
    const std::size_t lanes = least(kPanelRows, job.rows - column);
    const __mmask16 mask = static_cast<__mmask16>((1U << lanes) - 1U);
    float* y = job.y.data + token(tile) * job.y.stride + column;
    for (std::size_t i = 0; i < tokens.rows; ++i, y += job.y.stride)
      _mm512_mask_storeu_ps(y, mask, _mm512_load_ps(sums + i * kPanelRows));
  }
};

}  // namespace
}  // namespace mla
