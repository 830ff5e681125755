#if defined(__x86_64__)
#include <immintrin.h>

#include "bench/peak_loop.h"

namespace mla {
namespace {

// Four tiles of sums, two of each operand: a product takes 16 cycles and is done after 52 (Intel's optimization manual,
// section 20.5), so that four chains keep the unit busy.
constexpr double kTiles = 4;
constexpr double kTileSums = 16 * 16;
constexpr double kLanes8 = 64;
constexpr double kLanes16 = 32;

/// The form of all eight tiles: 16 rows of 64 bytes.
struct alignas(64) TileConfig {
  unsigned char palette = 1;
  unsigned char start_row = 0;
  unsigned char reserved[14] = {};
  unsigned short row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  unsigned char rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};

void begin_tiles() {
  const TileConfig config;
  asm volatile("ldtilecfg %0" ::"m"(config));
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  _tile_zero(4);
  _tile_zero(5);
  _tile_zero(6);
  _tile_zero(7);
}

void multiply_integers(unsigned long rounds) {
  begin_tiles();
  for (unsigned long round = 0; round < rounds; ++round) {
    _tile_dpbusd(0, 4, 6);
    _tile_dpbusd(1, 4, 7);
    _tile_dpbusd(2, 5, 6);
    _tile_dpbusd(3, 5, 7);
  }
  _tile_release();
}

void multiply_bf16(unsigned long rounds) {
  begin_tiles();
  for (unsigned long round = 0; round < rounds; ++round) {
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
  _tile_release();
}

}  // namespace

const PeakLoop kAmxInt8 = {Isa::amx, MultiplyUnit::int8, 2 * kLanes8* kTileSums* kTiles, multiply_integers};
const PeakLoop kAmxBf16 = {Isa::amx, MultiplyUnit::bf16, 2 * kLanes16* kTileSums* kTiles, multiply_bf16};

}  // namespace mla

#endif
