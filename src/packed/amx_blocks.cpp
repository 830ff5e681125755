// Quantized panels on AMX's int8 tiles.
//
// The work is a row of units: one block of 256 columns of one panel by a few tiles of tokens. Three things go on side
// by side, so that the tile unit seldom waits for the vector units: the tile products of a unit, unpacking the
// weights of the next block (amx_unpack.h), and the float steps of the unit before. After every tile product comes a
// small share of the other two: the processor sees only some hundred instructions ahead, and few tile registers.
// A few panels take turns at a block, so that its activations are read from the nearest cache.
//
// Types in blocks of 256 keep the sums of both planes of up to three tiles of tokens in six tile registers for the
// whole block; each is stored just before the next unit uses it again, as stores one after the other hold up all
// else. Types in blocks of 32 have a product, a store and a float step for every 32 columns.
#if defined(__x86_64__)
#include <immintrin.h>

#include "packed/amx_kernels.h"
#include "packed/amx_tiles.h"
#include "packed/amx_unpack.h"

namespace mla {
namespace {

constexpr std::size_t kUnitColumns = 256;
constexpr std::size_t kUnitGroups = kUnitColumns / kGroupColumns;
constexpr std::size_t kUnitTiles = 3;   ///< At most, of tokens.
constexpr std::size_t kChunkTiles = 3;  ///< Tiles of tokens that share an unpacked block, at most.
constexpr std::size_t kTurnPanels = 4;  ///< Panels that take turns.
constexpr std::size_t kResidentBytes = 512
                                       << 10;  ///< Of weights that all tokens pass by before the next ones.

constexpr std::size_t kPlaneBytes = kUnitColumns * kPanelRows;
constexpr std::size_t kChunkTokens = kChunkTiles * kTileRows;
constexpr std::size_t kLaneBytes = kPanelRows * sizeof(float);
constexpr std::size_t kProductBytes = kUnitGroups * kTileBytes;

/// The caller's scratch.
struct Scratch {
  std::byte* planes[2];    ///< By 64 columns, then plane: a second operand.
  std::byte* mins[3];      ///< A second operand; as with scales.
  float* scales[3];        ///< d[8][16], then m[8][16]; of the unit being finished, multiplied and unpacked.
  std::byte* products[2];  ///< Tiles of sums.
  float* sums;             ///< [kTurnPanels][kChunkTokens][16]: the results so far.
  std::byte* side;         ///< [blocks][tokens] rows for mins, or [tokens][blocks] scale * sum.

  static constexpr std::size_t kFixed = 2 * 2 * kPlaneBytes + 3 * kTileBytes +
                                        3 * 2 * kUnitGroups * kLaneBytes + 2 * kProductBytes +
                                        kTurnPanels * kChunkTokens * kLaneBytes;

  explicit Scratch(std::byte* at) {
    for (std::byte*& buffer : planes) buffer = take(at, 2 * kPlaneBytes);
    for (std::byte*& buffer : mins) buffer = take(at, kTileBytes);
    for (float*& buffer : scales) buffer = reinterpret_cast<float*>(take(at, 2 * kUnitGroups * kLaneBytes));
    for (std::byte*& buffer : products) buffer = take(at, kProductBytes);
    sums = reinterpret_cast<float*>(take(at, kTurnPanels * kChunkTokens * kLaneBytes));
    side = at;
  }

 private:
  static std::byte* take(std::byte*& at, std::size_t bytes) {
    std::byte* const taken = at;
    at += bytes;
    return taken;
  }
};

constexpr std::size_t least(std::size_t a, std::size_t b) {
  return a < b ? a : b;
}

/// One block of one panel by tiles [first_tile, first_tile + tiles) of the chunk.
struct Unit {
  std::size_t panel = 0;  ///< Among those that take turns.
  std::size_t block = 0;  ///< Of 256 columns.
  std::size_t first_tile = 0;
  std::size_t tiles = 0;
  const float* scales = nullptr;
  const std::byte* mins = nullptr;
  std::byte* products = nullptr;
};

/// Deals `work` things out to `slots` slots, evenly.
struct Share {
  std::size_t work = 0;
  std::size_t slots = 1;
  std::size_t credit = 0;

  std::size_t take() {
    std::size_t taken = 0;
    for (credit += work; credit >= slots; credit -= slots) ++taken;
    return taken;
  }
};

/// What goes on beside a unit's tile products. It is kept in registers, for which it must be a local variable: a
/// counter in memory would wait for every store before it, and make the next ones wait.
struct Flow {
  Share unpack_share;
  const std::byte* codes = nullptr;  ///< Of the next block, as all of unpacking.
  const std::byte* scales = nullptr;
  const std::byte* ahead = nullptr;  ///< Codes to prefetch.
  std::byte* planes = nullptr;
  std::byte* mins = nullptr;
  float* d = nullptr;
  std::size_t half = 0;  ///< Of a group; the next one.

  Share finish_share;
  std::size_t wait = 0;      ///< Slots before finishing begins.
  std::size_t finished = 0;  ///< Tokens of the unit before, as all of finishing.
  const std::byte* products = nullptr;
  const float* last_d = nullptr;
  float* sums = nullptr;
  const float* x_scales = nullptr;  ///< Of the unit's first token and block.
  std::size_t x_blocks = 0;
  const float* side = nullptr;
  std::size_t groups = 0;      ///< Of 32 columns in the unit.
  std::size_t shift_from = 0;  ///< The token from which on rows of x are `shift` before.
  std::size_t shift = 0;

  const float* scale_of(std::size_t local) const {
    return x_scales + (local - (local >= shift_from ? shift : 0)) * x_blocks;
  }
};

template <DType kType>
class BlockMultiplier {
  using Traits = PanelTraits<kType>;

 public:
  BlockMultiplier(const PanelJob& job, const TokenTiles& tokens)
      : job_(job),
        tokens_(tokens),
        scratch_(job.scratch),
        blocks_((job.cols + kUnitColumns - 1) / kUnitColumns),
        groups_(job.cols / kGroupColumns),
        scales_at_(groups_ * Traits::kGroupBytes),
        shift_(tokens.tiles * tokens.rows - tokens.tokens) {}

  void run() {
    const std::size_t panels = (job_.rows + kPanelRows - 1) / kPanelRows;
    const std::size_t turns = kResidentBytes / (job_.panel_bytes * kTurnPanels);
    const std::size_t resident = kTurnPanels * (turns > 0 ? turns : 1);
    const std::size_t chunks = (tokens_.tiles + kChunkTiles - 1) / kChunkTiles;
    if constexpr (Traits::kMins && Traits::kBlocks256)
      for (std::byte* buffer : scratch_.mins)
        for (std::size_t i = 0; i < kTileRows; ++i)
          store_vector(buffer + i * kVectorBytes, _mm512_setzero_si512());
    for (std::size_t outer = 0; outer < panels; outer += resident) {
      const std::size_t outer_end = least(panels, outer + resident);
      for (std::size_t chunk = 0; chunk < chunks; ++chunk) {
        begin_chunk(tokens_.tiles * chunk / chunks, tokens_.tiles * (chunk + 1) / chunks);
        for (std::size_t panel = outer; panel < outer_end; panel += kTurnPanels)
          run_turn(panel, least(kTurnPanels, outer_end - panel));
      }
    }
  }

 private:
  std::size_t block_groups(std::size_t block) const {
    return least(kUnitGroups, groups_ - block * kUnitGroups);
  }

  /// The row of x that row `local` of the chunk is: tiles follow one another, but the last one of all.
  std::size_t token(std::size_t local) const {
    return first_token_ + local - (local >= last_tile_row_ ? shift_ : 0);
  }

  void begin_chunk(std::size_t first_tile, std::size_t last_tile) {
    chunk_tiles_ = last_tile - first_tile;
    first_token_ = first_tile * tokens_.rows;
    last_tile_row_ = (tokens_.tiles - 1 - first_tile) * tokens_.rows;
    chunk_rows_ = chunk_tiles_ * tokens_.rows;
    if constexpr (Traits::kMins) prepare_side();
  }

  void prepare_side() {
    for (std::size_t local = 0; local < chunk_rows_; ++local) {
      const std::size_t row = token(local);
      if constexpr (Traits::kBlocks256) {
        constexpr bool kOf16 = kType == DType::q2_k;
        for (std::size_t block = 0; block < blocks_; ++block)
          split_sums(job_.x.groups + (row * blocks_ + block) * ActivationView::kGroupSums + (kOf16 ? 8 : 0),
                     kOf16 ? 16 : 8, side_row(block, local));
      } else {
        for (std::size_t i = 0; i < groups_; ++i)
          side_scales(local)[i] =
              job_.x.scales[row * groups_ + i] * static_cast<float>(job_.x.sums[row * groups_ + i]);
      }
    }
  }

  std::byte* side_row(std::size_t block, std::size_t local) const {
    return scratch_.side + (block * kChunkTokens + local) * kTileRowBytes;
  }
  float* side_scales(std::size_t local) const {
    return reinterpret_cast<float*>(scratch_.side) + local * groups_;
  }

  void run_turn(std::size_t first_panel, std::size_t panels) {
    panels_ = job_.panels + first_panel * job_.panel_bytes;
    turn_panels_ = panels;
    for (std::size_t i = 0; i < panels * kChunkTokens; ++i)
      _mm512_store_ps(scratch_.sums + i * kPanelRows, _mm512_setzero_ps());
    const std::size_t pairs = blocks_ * panels;
    const std::size_t units =
        Traits::kBlocks256 ? (chunk_tiles_ + kUnitTiles - 1) / kUnitTiles : chunk_tiles_;
    last_ = {};
    next_ = {};
    Flow flow = beside();
    for (std::size_t half = 0; half < 2 * block_groups(0); ++half) unpack(flow);
    std::size_t flip = 0;
    for (std::size_t pair = 0, block = 0, panel = 0; pair < pairs; ++pair) {
      const bool wraps = panel + 1 == panels;
      next_ = {block + (wraps ? 1 : 0), wraps ? 0 : panel + 1, pair + 1, 0};
      const std::size_t halves = pair + 1 < pairs ? 2 * block_groups(next_.block) : 0;
      for (std::size_t i = 0; i < units; ++i, ++flip) {
        const std::size_t first = chunk_tiles_ * i / units;
        const Unit unit = {panel,
                           block,
                           first,
                           chunk_tiles_ * (i + 1) / units - first,
                           scratch_.scales[pair % 3],
                           scratch_.mins[pair % 3],
                           scratch_.products[Traits::kBlocks256 ? 0 : flip % 2]};
        run_unit(unit, scratch_.planes[pair % 2], halves * (i + 1) / units - halves * i / units);
      }
      block = next_.block;
      panel = next_.panel;
    }
    if constexpr (Traits::kBlocks256) retire_above<0>();
    flow = beside();
    finish(flow, last_.tiles * tokens_.rows);
    write_results(first_panel);
  }

  void run_unit(const Unit& unit, const std::byte* planes, std::size_t halves) {
    // The results of the unit before take a while to come.
    constexpr std::size_t kWait = Traits::kBlocks256 ? Traits::kPlanes : 2;
    const std::size_t slots =
        Traits::kBlocks256 ? 4 * Traits::kPlanes * unit.tiles : block_groups(unit.block);
    Flow flow = beside();
    flow.wait = Traits::kBlocks256 ? kWait * unit.tiles : least(kWait, slots - 1);
    flow.unpack_share = {halves, slots};
    flow.finish_share = {last_.tiles * tokens_.rows, slots - flow.wait};
    if constexpr (!Traits::kBlocks256)
      multiply_32(unit, planes, flow);
    else if (unit.tiles == 1)
      multiply_256<1>(unit, planes, flow);
    else if (unit.tiles == 2)
      multiply_256<2>(unit, planes, flow);
    else
      multiply_256<3>(unit, planes, flow);
    next_.half += halves;
    last_ = unit;
  }

  /// Unpacking what is next_ and finishing last_.
  Flow beside() const {
    Flow flow;
    const std::size_t group = next_.block * kUnitGroups;
    const std::byte* const base = panels_ + next_.panel * job_.panel_bytes;
    flow.codes = base + group * Traits::kGroupBytes;
    flow.scales = base + scales_at_ + (Traits::kBlocks256 ? next_.block : group) * Traits::kScaleBytes;
    // Weights come from memory: the panel's next block, or the first of the panel that is next after these.
    flow.ahead = next_.block + 1 == blocks_ ? base + kTurnPanels * job_.panel_bytes
                                            : flow.codes + kUnitGroups * Traits::kGroupBytes;
    flow.planes = scratch_.planes[next_.pair % 2];
    flow.mins = scratch_.mins[next_.pair % 3];
    flow.d = scratch_.scales[next_.pair % 3];
    flow.half = next_.half;
    if (last_.tiles == 0) return flow;
    const std::size_t first = last_.first_tile * tokens_.rows;
    flow.products = last_.products;
    flow.last_d = last_.scales;
    flow.sums = scratch_.sums + (last_.panel * kChunkTokens + first) * kPanelRows;
    flow.x_blocks = Traits::kBlocks256 ? blocks_ : groups_;
    flow.x_scales = job_.x.scales + (first_token_ + first) * flow.x_blocks +
                    last_.block * (Traits::kBlocks256 ? 1 : kUnitGroups);
    flow.side = side_scales(first) + last_.block * kUnitGroups;
    flow.groups = block_groups(last_.block);
    flow.shift_from = last_tile_row_ - least(first, last_tile_row_);
    flow.shift = shift_;
    return flow;
  }

  /// What comes after every tile product.
  static inline __attribute__((always_inline)) void slot(Flow& flow) {
    for (std::size_t count = flow.unpack_share.take(); count > 0; --count) unpack(flow);
    if (flow.wait > 0)
      --flow.wait;
    else
      finish(flow, flow.finish_share.take());
  }

  /// The next half of a group.
  static inline __attribute__((always_inline)) void unpack(Flow& flow) {
    const std::size_t group = flow.half / 2;
    const std::byte* const codes = flow.codes + group * Traits::kGroupBytes;
    const std::byte* const scales = flow.scales + (Traits::kBlocks256 ? 0 : group * Traits::kScaleBytes);
    if (flow.half % 2 == 0) begin_group(flow, scales, group);
    std::byte* const low = flow.planes + (Traits::kBlocks256 ? group / 2 * Traits::kPlanes * kTileBytes +
                                                                   group % 2 * kGroupTileBytes
                                                             : group * kGroupTileBytes);
    unpack_half<kType>(codes, scales, group, flow.half % 2, low, low + kTileBytes);
    ++flow.half;
  }

  static inline __attribute__((always_inline)) void begin_group(const Flow& flow, const std::byte* scales,
                                                                std::size_t group) {
    for (std::size_t i = 0; i < Traits::kGroupBytes; i += kVectorBytes)
      _mm_prefetch(reinterpret_cast<const char*>(flow.ahead + group * Traits::kGroupBytes + i), _MM_HINT_T1);
    if constexpr (Traits::kBlocks256) {
      if (group > 0) return;
      convert_scales(scales, flow.d);
      if constexpr (Traits::kMins) unpack_mins<kType>(scales, flow.mins);
      for (std::size_t i = 0; i < Traits::kScaleBytes; i += kVectorBytes)
        _mm_prefetch(reinterpret_cast<const char*>(scales + Traits::kScaleBytes + i), _MM_HINT_T1);
    } else {
      convert_scales(scales, flow.d + group * kPanelRows);
      _mm_prefetch(reinterpret_cast<const char*>(scales + kUnitGroups * Traits::kScaleBytes), _MM_HINT_T1);
    }
  }

  static void convert_scales(const std::byte* from, float* d) {
    store_vector(reinterpret_cast<std::byte*>(d), load_halves(from));
    if constexpr (Traits::kMins)
      store_vector(reinterpret_cast<std::byte*>(d + kUnitGroups * kPanelRows),
                   load_halves(from + Traits::kHalfBytes));
  }

  const std::byte* x_at(std::size_t tile, std::size_t column) const {
    return job_.x.values + token(tile * tokens_.rows) * job_.x.stride + column;
  }

  void multiply_32(const Unit& unit, const std::byte* planes, Flow flow) {
    const std::size_t stride = job_.x.stride;
    std::byte* const products = unit.products;
    const std::size_t groups = block_groups(unit.block);
    const std::byte* x = x_at(unit.first_tile, unit.block * kUnitColumns);
    for (std::size_t group = 0; group < groups; ++group, x += kGroupColumns) {
      tile_zero<0>();
      tile_load<7>(planes + group * kGroupTileBytes, kVectorBytes);
      tile_load<6>(x, stride);
      tile_dot_signed<0, 6, 7>();
      tile_store<0>(products + group * kTileBytes, kVectorBytes);
      slot(flow);
    }
  }

  template <std::size_t kSum, bool kSigned>
  static void dot() {
    if constexpr (kSigned)
      tile_dot_signed<kSum, 6, 7>();
    else
      tile_dot_unsigned<kSum, 6, 7>();
  }

  /// In steps of 64 columns. Of the second plane the tiles of tokens come backwards, as one is loaded already.
  template <std::size_t kTiles>
  void multiply_256(const Unit& unit, const std::byte* planes, Flow flow) {
    const std::size_t stride = job_.x.stride;
    const std::byte* x[3];
    for (std::size_t i = 0; i < 3; ++i)
      x[i] = x_at(unit.first_tile + least(i, kTiles - 1), unit.block * kUnitColumns);
    retire_above<kTiles>();
    for (std::size_t step = 0; step < kUnitColumns; step += kTileRowBytes) {
      multiply_low<0>(x[0] + step, stride, planes, step == 0, flow);
      if constexpr (kTiles > 1) multiply_low<1>(x[1] + step, stride, planes, step == 0, flow);
      if constexpr (kTiles > 2) multiply_low<2>(x[2] + step, stride, planes, step == 0, flow);
      planes += kTileBytes;
      if constexpr (Traits::kPlanes == 2) {
        tile_load<7>(planes, kVectorBytes);
        multiply_high<kTiles - 1>(step == 0, flow);
        if constexpr (kTiles > 2) {
          tile_load<6>(x[1] + step, stride);
          multiply_high<1>(step == 0, flow);
        }
        if constexpr (kTiles > 1) {
          tile_load<6>(x[0] + step, stride);
          multiply_high<0>(step == 0, flow);
        }
        planes += kTileBytes;
      }
    }
  }

  template <std::size_t kTile>
  inline __attribute__((always_inline)) void multiply_low(const std::byte* x, std::size_t stride,
                                                          const std::byte* plane, bool first, Flow& flow) {
    if (first) retire_low<kTile>();
    if (kTile == 0 || (Traits::kMins && first)) tile_load<7>(plane, kVectorBytes);
    tile_load<6>(x, stride);
    dot<kTile, Traits::kLowSigned>();
    slot(flow);
  }

  template <std::size_t kTile>
  inline __attribute__((always_inline)) void multiply_high(bool first, Flow& flow) {
    if (first) retire_high<kTile>();
    dot<kUnitTiles + kTile, Traits::kHighSigned>();
    slot(flow);
  }

  std::byte* product(std::size_t plane, std::size_t tile) const {
    return last_.products + plane * kUnitTiles * kTileBytes + tile * tokens_.rows * kTileRowBytes;
  }

  /// Stores a tile's sums of the unit before: of the low plane, and the products with the mins; of the high one. The
  /// rows of tiles follow one another without a gap.
  template <std::size_t kTile>
  void retire_low() {
    if (kTile < last_.tiles) {
      tile_store<kTile>(product(0, kTile), kTileRowBytes);
      if constexpr (Traits::kMins) {
        tile_zero<kTile>();
        tile_load<7>(last_.mins, kVectorBytes);
        tile_load<6>(side_row(last_.block, (last_.first_tile + kTile) * tokens_.rows), kTileRowBytes);
        tile_dot_bf16<kTile, 6, 7>();
        tile_store<kTile>(product(2, kTile), kTileRowBytes);
      }
    }
    tile_zero<kTile>();
  }
  template <std::size_t kTile>
  void retire_high() {
    if (kTile < last_.tiles) tile_store<kUnitTiles + kTile>(product(1, kTile), kTileRowBytes);
    tile_zero<kUnitTiles + kTile>();
  }
  template <std::size_t kTile>
  void retire_above() {
    if constexpr (kTile < kUnitTiles) {
      if (kTile < last_.tiles) {
        retire_low<kTile>();
        if constexpr (Traits::kPlanes == 2) retire_high<kTile>();
      }
      retire_above<kTile + 1>();
    }
  }

  /// The float steps of the next `count` tokens of the unit before.
  static inline __attribute__((always_inline)) void finish(Flow& flow, std::size_t count) {
    const std::size_t end = flow.finished + count;
    if constexpr (Traits::kBlocks256) {
      for (; flow.finished < end; ++flow.finished) finish_256(flow, flow.finished);
    } else {
      for (; flow.finished + 2 <= end; flow.finished += 2) finish_32<2>(flow, flow.finished);
      if (flow.finished < end) finish_32<1>(flow, flow.finished++);
    }
  }

  static inline __attribute__((always_inline)) void finish_256(const Flow& flow, std::size_t i) {
    const std::byte* const low = flow.products + i * kLaneBytes;
    const std::byte* const high = low + kUnitTiles * kTileBytes;
    const __m512 scale = _mm512_set1_ps(*flow.scale_of(i));
    __m512i dot = load_vector(low);
    if constexpr (Traits::kPlanes == 2)
      dot = _mm512_add_epi32(dot, _mm512_slli_epi32(load_vector(high), Traits::kShift));
    if constexpr (Traits::kNegated) dot = _mm512_sub_epi32(_mm512_setzero_si512(), dot);
    __m512 y = _mm512_load_ps(flow.sums + i * kPanelRows);
    const __m512 d = _mm512_load_ps(flow.last_d);
    y = _mm512_fmadd_ps(_mm512_cvtepi32_ps(dot), _mm512_mul_ps(d, scale), y);
    if constexpr (Traits::kMins) {
      const __m512 m = _mm512_load_ps(flow.last_d + kUnitGroups * kPanelRows);
      y = _mm512_fnmadd_ps(_mm512_load_ps(high + kUnitTiles * kTileBytes), _mm512_mul_ps(m, scale), y);
    }
    _mm512_store_ps(flow.sums + i * kPanelRows, y);
  }

  /// kRows tokens, all blocks of 32 in the unit.
  template <std::size_t kRows>
  static inline __attribute__((always_inline)) void finish_32(const Flow& flow, std::size_t from) {
    const float* scale[kRows];
    const float* side[kRows];
    __m512 y[kRows];
    for (std::size_t i = 0; i < kRows; ++i) {
      scale[i] = flow.scale_of(from + i);
      side[i] = flow.side + (from + i) * flow.x_blocks;
      y[i] = _mm512_load_ps(flow.sums + (from + i) * kPanelRows);
    }
    const std::byte* dots = flow.products + from * kLaneBytes;
    for (std::size_t group = 0; group < flow.groups; ++group, dots += kTileBytes) {
      const __m512 d = _mm512_load_ps(flow.last_d + group * kPanelRows);
      for (std::size_t i = 0; i < kRows; ++i) {
        const __m512 dot = _mm512_cvtepi32_ps(load_vector(dots + i * kLaneBytes));
        y[i] = _mm512_fmadd_ps(dot, _mm512_mul_ps(d, _mm512_set1_ps(scale[i][group])), y[i]);
        if constexpr (Traits::kMins) {
          const __m512 m = _mm512_load_ps(flow.last_d + (kUnitGroups + group) * kPanelRows);
          y[i] = _mm512_fmadd_ps(m, _mm512_set1_ps(side[i][group]), y[i]);
        }
      }
    }
    for (std::size_t i = 0; i < kRows; ++i) _mm512_store_ps(flow.sums + (from + i) * kPanelRows, y[i]);
  }

  void write_results(std::size_t first_panel) {
    for (std::size_t panel = 0; panel < turn_panels_; ++panel) {
      const std::size_t column = (first_panel + panel) * kPanelRows;
      const std::size_t lanes = least(kPanelRows, job_.rows - column);
      const __mmask16 mask = static_cast<__mmask16>((1U << lanes) - 1U);
      for (std::size_t local = 0; local < chunk_rows_; ++local)
        _mm512_mask_storeu_ps(job_.y.data + token(local) * job_.y.stride + column, mask,
                              _mm512_load_ps(scratch_.sums + (panel * kChunkTokens + local) * kPanelRows));
    }
  }

  const PanelJob& job_;
  const TokenTiles tokens_;
  const Scratch scratch_;
  const std::size_t blocks_;  ///< Of 256 columns, the last one perhaps with fewer.
  const std::size_t groups_;  ///< Of 32 columns.
  const std::size_t scales_at_;
  const std::size_t shift_;  ///< Rows that the last tile shares with the one before.
  std::size_t chunk_tiles_ = 0;
  std::size_t chunk_rows_ = 0;
  std::size_t first_token_ = 0;
  std::size_t last_tile_row_ = 0;
  const std::byte* panels_ = nullptr;
  std::size_t turn_panels_ = 0;
  Unit last_;  ///< The unit before the one being multiplied.
  struct {
    std::size_t block, panel, pair, half;
  } next_ = {};  ///< What is unpacked next.
};

template <DType kType>
void multiply_on_tiles(const PanelJob& job) {
  constexpr bool kWhole = PanelTraits<kType>::kBlocks256;
  const TokenTiles tokens(job.x.rows);
  TileConfig config;
  for (std::size_t i = 0; i < 6; ++i) config.set(i, tokens.rows, kTileRowBytes);
  config.set(6, tokens.rows, kWhole ? kTileRowBytes : kGroupColumns);
  config.set(7, kWhole ? kTileRows : kGroupColumns / 4, kTileRowBytes);
  const TileSession session(config);
  BlockMultiplier<kType>(job, tokens).run();
}

}  // namespace

void multiply_blocks_amx(DType dtype, const PanelJob& job) {
  switch (dtype) {
    case DType::q8_0:
      return multiply_on_tiles<DType::q8_0>(job);
    case DType::q4_0:
      return multiply_on_tiles<DType::q4_0>(job);
    case DType::q4_1:
      return multiply_on_tiles<DType::q4_1>(job);
    case DType::q5_0:
      return multiply_on_tiles<DType::q5_0>(job);
    case DType::q5_1:
      return multiply_on_tiles<DType::q5_1>(job);
    case DType::q2_k:
      return multiply_on_tiles<DType::q2_k>(job);
    case DType::q3_k:
      return multiply_on_tiles<DType::q3_k>(job);
    case DType::q4_k:
      return multiply_on_tiles<DType::q4_k>(job);
    case DType::q5_k:
      return multiply_on_tiles<DType::q5_k>(job);
    case DType::q6_k:
      return multiply_on_tiles<DType::q6_k>(job);
    case DType::iq4_nl:
      return multiply_on_tiles<DType::iq4_nl>(job);
    case DType::iq4_xs:
      return multiply_on_tiles<DType::iq4_xs>(job);
    default:
      return;
  }
}

std::size_t block_scratch_bytes_amx(std::size_t cols) {
  const std::size_t blocks = (cols + kUnitColumns - 1) / kUnitColumns;
  return Scratch::kFixed + kChunkTokens * blocks * kTileRowBytes;
}

}  // namespace mla
#endif
