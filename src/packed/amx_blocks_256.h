// Panels of types in blocks of 256 columns on AMX tiles. Only for files compiled with AMX.
//
// The work is a row of units: one block of one panel by one or two tiles of tokens. Three things go on side by side, dealt
// out to the slots after each tile product when the program is compiled, as the processor sees only some hundred
// instructions ahead: the products of a unit, taking apart the codes of the next block (amx_unpack.h), and the
// float steps of the unit before. That one's sums are stored just before its tile registers are used again: stores one
// after the other hold up all else.
//
// A store that misses the nearest cache holds up all else too. So few tokens pass at a time: they, a block's weights,
// those of the next one and the results fit that cache together.
#pragma once

#include <immintrin.h>

#include <cstddef>

#include "packed/amx_chunk.h"

namespace mla {
namespace {

template <DType kType>
class Multiplier256 {
  using Traits = PanelTraits<kType>;

  static constexpr std::size_t kBlockColumns = 256;
  static constexpr std::size_t kGroups = kBlockColumns / kGroupColumns;
  static constexpr std::size_t kChunkTiles = 4;  ///< Of tokens, at most.
  static constexpr std::size_t kUnitTiles = 2;   ///< As well.
  static constexpr std::size_t kResidentBytes =
      512 << 10;  ///< Of weights that all tokens pass by before the next ones.
  static constexpr std::size_t kPlanesBytes = Traits::kPlanes * kBlockColumns * kPanelRows;
  static constexpr std::size_t kXBytes = kBlockColumns * kTileRows;  ///< Of a block of a tile of tokens.
  static constexpr std::size_t kProductBytes =
      3 * kUnitTiles * kTileBytes;  ///< Low planes, high planes, minimums.
  static constexpr std::size_t kSumFloats = kChunkTiles * kTileFloats;  ///< Of one panel.
  static constexpr std::size_t kAheadBlocks = 2;

  /// One block of a panel by some tiles, which follow one another.
  struct Unit {
    const std::byte* x;
    const std::byte* planes;
    const float* d;  ///< d[16], then dmin[16].
    const std::byte* mins;
    const std::byte* x_sums;
    const float* x_scales;
    float* sums;
  };

  /// One block of a panel, to be unpacked.
  struct Source {
    const std::byte* codes;
    const std::byte* scales;
    std::byte* planes;
    float* d;
    std::byte* mins;
  };

 public:
  static constexpr std::size_t scratch_bytes(std::size_t cols) {
    const std::size_t blocks = cols / kBlockColumns;
    return 2 * kPlanesBytes + 3 * (2 * kLaneBytes + kTileBytes) + kProductBytes +
           2 * kSumFloats * sizeof(float) + blocks * kChunkTiles * (kXBytes + kLaneBytes + kTileBytes);
  }

  Multiplier256(const PanelJob& job, const TokenTiles& tokens)
      : job_(job), tokens_(tokens), blocks_(job.cols / kBlockColumns) {
    ScratchTaker scratch(job.scratch);
    planes_ = scratch.take(2 * kPlanesBytes);
    d_ = scratch.take<float>(3 * 2 * kLaneBytes);
    mins_ = scratch.take(3 * kTileBytes);
    products_ = scratch.take(kProductBytes);
    sums_ = scratch.take<float>(2 * kSumFloats * sizeof(float));
    x_ = scratch.take(blocks_ * kChunkTiles * kXBytes);
    x_scales_ = scratch.take<float>(blocks_ * kChunkTiles * kLaneBytes);
    x_sums_ = scratch.take(blocks_ * kChunkTiles * kTileBytes);
    // Rows of tiles that there are no tokens for are finished as well, and minimums of groups that there are none of added.
    zero(products_, kProductBytes);
    zero(mins_, 3 * kTileBytes);
    zero(x_sums_, blocks_ * kChunkTiles * kTileBytes);
  }

  void run() {
    const std::size_t panels = (job_.rows + kPanelRows - 1) / kPanelRows;
    const std::size_t fit = kResidentBytes / job_.panel_bytes;
    const std::size_t resident = fit > 0 ? fit : 1;
    const std::size_t chunks = (tokens_.tiles + kChunkTiles - 1) / kChunkTiles;
    for (std::size_t panel = 0; panel < panels; panel += resident)
      for (std::size_t i = 0; i < chunks; ++i) {
        const std::size_t first = tokens_.tiles * i / chunks;
        const TokenChunk chunk{job_, tokens_, first, tokens_.tiles * (i + 1) / chunks - first};
        if (i == 0 || chunks > 1) prepare(chunk);
        const std::size_t end = least(panels, panel + resident);
        if (chunk.tiles == 1) run_chunk<1>(chunk, panel, end);
        if (chunk.tiles == 2) run_chunk<2>(chunk, panel, end);
        if (chunk.tiles == 3) run_chunk<3>(chunk, panel, end);
        if (chunk.tiles == 4) run_chunk<4>(chunk, panel, end);
      }
  }

 private:
  static void zero(std::byte* at, std::size_t bytes) {
    for (std::size_t i = 0; i < bytes; i += kVectorBytes) store_vector(at + i, _mm512_setzero_si512());
  }

  void prepare(const TokenChunk& chunk) const {
    constexpr bool kOf16 = kType == DType::q2_k;
    for (std::size_t tile = 0; tile < chunk.tiles; ++tile)
      for (std::size_t block = 0; block < blocks_; ++block) {
        const std::size_t at = block * chunk.tiles + tile;
        chunk.copy_values<kTileRowBytes>(tile, block * kBlockColumns, kBlockColumns, x_ + at * kXBytes);
        for (std::size_t i = 0; i < kTileRows; ++i) {
          const std::size_t from = (chunk.token(tile) + least(i, tokens_.rows - 1)) * blocks_ + block;
          x_scales_[at * kTileRows + i] = job_.x.scales[from];
          if constexpr (Traits::kMins)
            split_sums(job_.x.groups + from * ActivationView::kGroupSums + (kOf16 ? 8 : 0), kOf16 ? 16 : 8,
                       x_sums_ + at * kTileBytes + i * kTileRowBytes);
        }
      }
  }

  /// Where the work is.
  struct Place {
    std::size_t panel = 0;
    std::size_t block = 0;
    std::size_t count = 0;  ///< Counts places.
  };

  Source source(const Place& place) const {
    const std::byte* const panel = job_.panels + place.panel * job_.panel_bytes;
    const std::size_t at = place.count % 3;
    return {panel + place.block * kGroups * Traits::kGroupBytes,
            panel + blocks_ * kGroups * Traits::kGroupBytes + place.block * Traits::kScaleBytes,
            planes_ + place.count % 2 * kPlanesBytes, d_ + at * 2 * kPanelRows, mins_ + at * kTileBytes};
  }

  float* sums_of(std::size_t panel) const { return sums_ + panel % 2 * kSumFloats; }

  template <std::size_t kTiles>
  Unit unit(const Place& place, std::size_t tile) const {
    const Source from = source(place);
    const std::size_t at = place.block * kTiles + tile;
    return {x_ + at * kXBytes,
            from.planes,
            from.d,
            from.mins,
            x_sums_ + at * kTileBytes,
            x_scales_ + at * kTileRows,
            sums_of(place.panel) + tile * kTileFloats};
  }

  /// All of a chunk's kTiles tiles by panels [first, end).
  template <std::size_t kTiles>
  void run_chunk(const TokenChunk& chunk, std::size_t first, std::size_t end) {
    constexpr std::size_t kFirst = kTiles == 1 ? 1 : 2;  ///< Tiles of a place's first unit,
    constexpr std::size_t kSecond = kTiles - kFirst;     ///< and of its second one, if there is one.
    constexpr std::size_t kLast = kSecond > 0 ? kSecond : kFirst;
    constexpr std::size_t kShared = 2 * kGroups * kFirst / kTiles;  ///< Halves that the first one unpacks.
    Place place{first, 0, 0};
    unpack_some<0, 2 * kGroups>(source(place));
    last_ = unit<kTiles>(place, 0);  // Nothing is in the tiles: its results are begun anew.
    while (place.panel < end) {
      Place next{place.panel, place.block + 1, place.count + 1};
      if (next.block == blocks_) next = {place.panel + 1, 0, next.count};
      // After the last one nothing is left to unpack: its own codes once more.
      const Source to_unpack = source(next.panel < end ? next : Place{place.panel, place.block, next.count});
      run_unit<kFirst, kLast, 0, kShared>(unit<kTiles>(place, 0), to_unpack);
      if (place.block == 0) {
        if (place.panel > first) write_results(chunk, place.panel - 1);
        zero(reinterpret_cast<std::byte*>(sums_of(place.panel)), kTiles * kTileBytes);
      }
      if constexpr (kSecond > 0)
        run_unit<kSecond, kFirst, kShared, 2 * kGroups>(unit<kTiles>(place, kFirst), to_unpack);
      place = next;
    }
    retire_low<0>();
    if constexpr (Traits::kPlanes == 2) retire_high<0>();
    if constexpr (kLast == 2) {
      retire_low<1>();
      if constexpr (Traits::kPlanes == 2) retire_high<1>();
    }
    finish_rows<0, kLast * kTileRows>();
    write_results(chunk, end - 1);
  }

  void write_results(const TokenChunk& chunk, std::size_t panel) const {
    for (std::size_t tile = 0; tile < chunk.tiles; ++tile)
      chunk.write(panel, tile, sums_of(panel) + tile * kTileFloats);
  }

  /// Half of a group.
  template <std::size_t kHalf>
  static inline __attribute__((always_inline)) void unpack(const Source& source) {
    constexpr std::size_t kGroup = kHalf / 2;
    if constexpr (kHalf == 0) {
      store_vector(reinterpret_cast<std::byte*>(source.d), load_halves(source.scales));
      if constexpr (Traits::kMins) {
        store_vector(reinterpret_cast<std::byte*>(source.d + kPanelRows),
                     load_halves(source.scales + Traits::kHalfBytes));
        unpack_mins<kType>(source.scales, source.mins);
      }
      for (std::size_t i = 0; i < Traits::kScaleBytes; i += kVectorBytes)
        prefetch(source.scales + kAheadBlocks * Traits::kScaleBytes + i);
    }
    const std::byte* const codes = source.codes + kGroup * Traits::kGroupBytes;
    if constexpr (kHalf % 2 == 0)
      for (std::size_t i = 0; i < Traits::kGroupBytes; i += kVectorBytes)
        prefetch(codes + kAheadBlocks * kGroups * Traits::kGroupBytes + i);
    std::byte* const low =
        source.planes + kGroup / 2 * Traits::kPlanes * kTileBytes + kGroup % 2 * kGroupTileBytes;
    unpack_half<kType>(codes, source.scales, kGroup, kHalf % 2, low, low + kTileBytes);
  }
  static void prefetch(const std::byte* at) { _mm_prefetch(reinterpret_cast<const char*>(at), _MM_HINT_T1); }

  template <std::size_t kHalf, std::size_t kEnd>
  static inline __attribute__((always_inline)) void unpack_some(const Source& source) {
    if constexpr (kHalf < kEnd) {
      unpack<kHalf>(source);
      unpack_some<kHalf + 1, kEnd>(source);
    }
  }

  /// What comes after product kSlot of kSlots. The first few are too early for the results of the unit before.
  template <std::size_t kSlot, std::size_t kSlots, std::size_t kLast, std::size_t kHalf, std::size_t kHalfEnd>
  inline __attribute__((always_inline)) void slot(const Source& next) const {
    constexpr std::size_t kEarly = kSlots / 4;
    constexpr std::size_t kHalves = kHalfEnd - kHalf;
    unpack_some<kHalf + kSlot * kHalves / kSlots, kHalf + (kSlot + 1) * kHalves / kSlots>(next);
    if constexpr (kSlot >= kEarly) {
      constexpr std::size_t kFrom = kSlot - kEarly;
      constexpr std::size_t kAll = kSlots - kEarly;
      constexpr std::size_t kRows = kLast * kTileRows;
      finish_rows<kFrom * kRows / kAll, (kFrom + 1) * kRows / kAll>();
    }
  }

  template <std::size_t kSum, std::size_t kX, std::size_t kW, bool kSigned>
  static void dot() {
    if constexpr (kSigned)
      tile_dot_signed<kSum, kX, kW>();
    else
      tile_dot_unsigned<kSum, kX, kW>();
  }

  /// kTiles tiles; the unit before had kLast. Halves [kHalf, kHalfEnd) are unpacked meanwhile.
  template <std::size_t kTiles, std::size_t kLast, std::size_t kHalf, std::size_t kHalfEnd>
  __attribute__((noinline)) void run_unit(const Unit& unit, const Source& next) {
    step<0, kTiles, kLast, kHalf, kHalfEnd>(unit, next);
    step<1, kTiles, kLast, kHalf, kHalfEnd>(unit, next);
    step<2, kTiles, kLast, kHalf, kHalfEnd>(unit, next);
    step<3, kTiles, kLast, kHalf, kHalfEnd>(unit, next);
    last_ = unit;
  }

  /// 64 columns. Tiles 0 and 1 sum up the low planes, 2 and 3 the high ones.
  template <std::size_t kStep, std::size_t kTiles, std::size_t kLast, std::size_t kHalf, std::size_t kHalfEnd>
  inline __attribute__((always_inline)) void step(const Unit& unit, const Source& next) const {
    constexpr std::size_t kStepSlots = kTiles * Traits::kPlanes;
    constexpr std::size_t kSlots = 4 * kStepSlots;
    constexpr std::size_t kSlot = kStep * kStepSlots;
    const std::byte* const x = unit.x + kStep * kTileBytes;
    const std::byte* const planes = unit.planes + kStep * Traits::kPlanes * kTileBytes;
    if constexpr (kStep == 0) retire_low<0>();
    tile_load<4>(x, kTileRowBytes);
    tile_load<6>(planes, kTileRowBytes);
    dot<0, 4, 6, Traits::kLowSigned>();
    slot<kSlot, kSlots, kLast, kHalf, kHalfEnd>(next);
    if constexpr (kStep == 0 && kLast == 2) retire_low<1>();
    if constexpr (kTiles == 2) {
      tile_load<5>(x + kXBytes, kTileRowBytes);
      dot<1, 5, 6, Traits::kLowSigned>();
      slot<kSlot + 1, kSlots, kLast, kHalf, kHalfEnd>(next);
    }
    if constexpr (Traits::kPlanes == 2) {
      if constexpr (kStep == 0) retire_high<0>();
      tile_load<7>(planes + kTileBytes, kTileRowBytes);
      dot<2, 4, 7, Traits::kHighSigned>();
      slot<kSlot + kTiles, kSlots, kLast, kHalf, kHalfEnd>(next);
      if constexpr (kStep == 0 && kLast == 2) retire_high<1>();
      if constexpr (kTiles == 2) {
        dot<3, 5, 7, Traits::kHighSigned>();
        slot<kSlot + 3, kSlots, kLast, kHalf, kHalfEnd>(next);
      }
    }
  }

  /// Stores the sums of a tile of the last unit, and makes and stores those of the minimums.
  template <std::size_t kTile>
  inline __attribute__((always_inline)) void retire_low() const {
    tile_store<kTile>(products_ + kTile * kTileBytes, kTileRowBytes);
    tile_zero<kTile>();
    if constexpr (Traits::kMins) {
      tile_load<7>(last_.mins, kTileRowBytes);
      tile_load<5>(last_.x_sums + kTile * kTileBytes, kTileRowBytes);
      tile_dot_bf16<kTile, 5, 7>();
      tile_store<kTile>(products_ + (4 + kTile) * kTileBytes, kTileRowBytes);
      tile_zero<kTile>();
    }
  }
  template <std::size_t kTile>
  inline __attribute__((always_inline)) void retire_high() const {
    tile_store<2 + kTile>(products_ + (2 + kTile) * kTileBytes, kTileRowBytes);
    tile_zero<2 + kTile>();
  }

  /// The float steps of rows [kRow, kEnd) of the last unit.
  template <std::size_t kRow, std::size_t kEnd>
  inline __attribute__((always_inline)) void finish_rows() const {
    if constexpr (kRow < kEnd) {
      finish<kRow>();
      finish_rows<kRow + 1, kEnd>();
    }
  }

  template <std::size_t kRow>
  inline __attribute__((always_inline)) void finish() const {
    const std::byte* const low = products_ + kRow * kTileRowBytes;
    const __m512 scale = _mm512_set1_ps(last_.x_scales[kRow]);
    float* const sums = last_.sums + kRow * kPanelRows;
    __m512i dot = load_vector(low);
    if constexpr (Traits::kPlanes == 2)
      dot = _mm512_add_epi32(dot, _mm512_slli_epi32(load_vector(low + 2 * kTileBytes), Traits::kShift));
    if constexpr (Traits::kNegated) dot = _mm512_sub_epi32(_mm512_setzero_si512(), dot);
    __m512 y = _mm512_load_ps(sums);
    const __m512 d = _mm512_load_ps(last_.d);
    y = _mm512_fmadd_ps(_mm512_cvtepi32_ps(dot), _mm512_mul_ps(d, scale), y);
    if constexpr (Traits::kMins) {
      const __m512 dmin = _mm512_load_ps(last_.d + kPanelRows);
      y = _mm512_fnmadd_ps(_mm512_load_ps(low + 4 * kTileBytes), _mm512_mul_ps(dmin, scale), y);
    }
    _mm512_store_ps(sums, y);
  }

  const PanelJob& job_;
  const TokenTiles& tokens_;
  const std::size_t blocks_;
  std::byte* planes_;    ///< [2]: by 64 columns, then plane, a second operand.
  float* d_;             ///< [3][2][16]: in use, to be finished, being unpacked.
  std::byte* mins_;      ///< [3]: a second operand, as d_.
  std::byte* products_;  ///< [3][kUnitTiles] tiles of sums.
  float* sums_;          ///< [2][kChunkTiles][16][16]: the results so far.
  std::byte* x_;         ///< [blocks][tiles]: by 64 columns a first operand.
  float* x_scales_;      ///< [blocks][tiles][16]
  std::byte* x_sums_;    ///< [blocks][tiles]: first operands, the tokens' factors of the minimums.
  Unit last_;            ///< The unit before the one being multiplied.
};

}  // namespace
}  // namespace mla
