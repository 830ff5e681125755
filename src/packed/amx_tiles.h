// AMX's tile registers. Only for files compiled with AMX; everything is in an unnamed namespace as in
// kernels/vector_kernels.h.
//
// A tile has up to 16 rows of up to 64 bytes. A product C += A B has the tokens as rows of A and C, and one weight row
// in each 4 bytes of a row of B and C: Intel's Architecture Instruction Set Extensions Programming Reference, chapter
// "Intel AMX instruction set reference".
//
// Written in assembler because GCC 12's intrinsics neither say that they read and write memory nor pass the whole
// configuration on.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mla {
namespace {

inline constexpr std::size_t kTileRows = 16;
inline constexpr std::size_t kTileRowBytes = 64;
inline constexpr std::size_t kTileBytes = kTileRows * kTileRowBytes;

/// The operand of LDTILECFG.
struct alignas(64) TileConfig {
  std::uint8_t palette = 1;
  std::uint8_t start_row = 0;
  std::uint8_t reserved[14] = {};
  std::uint16_t row_bytes[16] = {};
  std::uint8_t rows[16] = {};

  void set(std::size_t tile, std::size_t tile_rows, std::size_t bytes) {
    rows[tile] = static_cast<std::uint8_t>(tile_rows);
    row_bytes[tile] = static_cast<std::uint16_t>(bytes);
  }
};

/// The tiles of this thread, for as long as a job takes.
class TileSession {
 public:
  explicit TileSession(const TileConfig& config) { asm volatile("ldtilecfg %0" ::"m"(config)); }
  ~TileSession() { asm volatile("tilerelease" ::); }
  TileSession(const TileSession&) = delete;
  TileSession& operator=(const TileSession&) = delete;
};

template <std::size_t kTile>
inline void tile_zero() {
  asm volatile("tilezero %%tmm%c0" ::"i"(kTile));
}

template <std::size_t kTile>
inline void tile_load(const void* from, std::size_t stride) {
  asm volatile("tileloadd (%0,%1,1), %%tmm%c2" ::"r"(from), "r"(stride), "i"(kTile) : "memory");
}

template <std::size_t kTile>
inline void tile_store(void* to, std::size_t stride) {
  asm volatile("tilestored %%tmm%c2, (%0,%1,1)" ::"r"(to), "r"(stride), "i"(kTile) : "memory");
}

/// C += A B of int8 by int8.
template <std::size_t kC, std::size_t kA, std::size_t kB>
inline void tile_dot_signed() {
  asm volatile("tdpbssd %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(kC), "i"(kA), "i"(kB));
}

/// C += A B of int8 by uint8.
template <std::size_t kC, std::size_t kA, std::size_t kB>
inline void tile_dot_unsigned() {
  asm volatile("tdpbsud %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(kC), "i"(kA), "i"(kB));
}

/// C += A B of bf16 pairs.
template <std::size_t kC, std::size_t kA, std::size_t kB>
inline void tile_dot_bf16() {
  asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(kC), "i"(kA), "i"(kB));
}

/// How the tokens of a job are spread over tiles: evenly, so that a product, whose time goes with its rows, costs as
/// little as possible. There is at least one token. All tiles have the same rows; the last one begins early enough to end with the job.
struct TokenTiles {
  std::size_t tokens;
  std::size_t tiles;
  std::size_t rows;

  explicit TokenTiles(std::size_t count)
      : tokens(count), tiles((count + kTileRows - 1) / kTileRows), rows((count + tiles - 1) / tiles) {}

  std::size_t first(std::size_t tile) const { return tile + 1 == tiles ? tokens - rows : tile * rows; }
};

}  // namespace
}  // namespace mla
