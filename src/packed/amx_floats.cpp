// BF16 panels on AMX's bf16 tiles.
//
// TDPBF16PS adds the products of a pair of columns to each element one after the other, rounds to nearest and takes
// subnormal numbers for zeros (Intel's Architecture Instruction Set Extensions Programming Reference, TDPBF16PS). Every
// element's sum stays in a tile register over all columns, whatever the number of tokens: its order of additions does
// not depend on what is computed beside it.
#if defined(__x86_64__)
#include <immintrin.h>

#include "packed/amx_kernels.h"
#include "packed/amx_tiles.h"

namespace mla {
namespace {

constexpr std::size_t kStepColumns = 32;
constexpr std::size_t kMostPanels = 4;  ///< At a time, by one tile of tokens.
constexpr std::size_t kResidentBytes = 1U
                                       << 20U;  ///< Of weights that all tokens pass by before the next ones.
constexpr std::size_t kAhead = 4;               ///< Steps from a weight's prefetch to its use.

class Bf16Multiplier {
 public:
  Bf16Multiplier(const PanelJob& job, const TokenTiles& tokens)
      : job_(job), tokens_(tokens), steps_((job.cols + kStepColumns - 1) / kStepColumns) {}

  void run() const {
    const std::size_t panels = (job_.rows + kPanelRows - 1) / kPanelRows;
    // Counting a byte more, as panels of no columns have none.
    const std::size_t fit = kResidentBytes / (job_.panel_bytes * kMostPanels + 1);
    const std::size_t resident = kMostPanels * (fit > 0 ? fit : 1);
    for (std::size_t first = 0; first < panels; first += resident) {
      const std::size_t end = panels - first < resident ? panels : first + resident;
      if (tokens_.tiles == 1) {
        run_panels<1, 4>(first, end, 0);
        continue;
      }
      std::size_t tile = 0;
      for (; tile + 4 <= tokens_.tiles || tile + 2 == tokens_.tiles; tile += 2)
        run_panels<2, 2>(first, end, tile);
      if (tile < tokens_.tiles) run_panels<3, 2>(first, end, tile);
    }
  }

 private:
  template <std::size_t kTiles, std::size_t kPanels>
  void run_panels(std::size_t first, std::size_t end, std::size_t tile) const {
    std::size_t panel = first;
    for (; panel + kPanels <= end; panel += kPanels) multiply<kTiles, kPanels>(panel, tile);
    for (; panel < end; ++panel) multiply<kTiles, 1>(panel, tile);
  }

  /// kTiles tiles of tokens by kPanels panels: their sums are tiles panel * kTiles + tile.
  template <std::size_t kTiles, std::size_t kPanels>
  void multiply(std::size_t panel, std::size_t tile) const {
    const std::byte* x[kTiles];
    const std::byte* w[kPanels];
    for (std::size_t i = 0; i < kTiles; ++i) x[i] = job_.x.values + tokens_.first(tile + i) * job_.x.stride;
    for (std::size_t i = 0; i < kPanels; ++i) w[i] = job_.panels + (panel + i) * job_.panel_bytes;
    zero_sums();
    for (std::size_t step = 0; step < steps_; ++step) {
      if constexpr (kTiles == 1) {
        tile_load<6>(x[0], job_.x.stride);
        add_panels<kPanels>(w);
      } else if constexpr (kTiles == 2) {
        tile_load<4>(x[0], job_.x.stride);
        tile_load<5>(x[1], job_.x.stride);
        load_weights(w[0]);
        tile_dot_bf16<0, 4, 7>();
        tile_dot_bf16<1, 5, 7>();
        if constexpr (kPanels == 2) {
          load_weights(w[1]);
          tile_dot_bf16<2, 4, 7>();
          tile_dot_bf16<3, 5, 7>();
        }
      } else {
        add_three<kPanels>(x, w);
      }
      for (const std::byte*& at : x) at += kTileRowBytes;
      for (const std::byte*& at : w) at += kTileBytes;
    }
    store_all<kTiles, kPanels>(panel, tile);
  }

  static void zero_sums() {
    tile_zero<0>();
    tile_zero<1>();
    tile_zero<2>();
    tile_zero<3>();
    tile_zero<4>();
    tile_zero<5>();
  }

  static void load_weights(const std::byte* w) {
    for (std::size_t i = 0; i < kTileBytes; i += kTileRowBytes)
      _mm_prefetch(reinterpret_cast<const char*>(w + kAhead * kTileBytes + i), _MM_HINT_T0);
    tile_load<7>(w, kTileRowBytes);
  }

  template <std::size_t kPanels>
  static void add_panels(const std::byte* const* w) {
    load_weights(w[0]);
    tile_dot_bf16<0, 6, 7>();
    if constexpr (kPanels > 1) {
      load_weights(w[1]);
      tile_dot_bf16<1, 6, 7>();
      load_weights(w[2]);
      tile_dot_bf16<2, 6, 7>();
      load_weights(w[3]);
      tile_dot_bf16<3, 6, 7>();
    }
  }

  /// The second panel takes the tiles of tokens backwards, as one is loaded already.
  template <std::size_t kPanels>
  void add_three(const std::byte* const* x, const std::byte* const* w) const {
    const std::size_t stride = job_.x.stride;
    load_weights(w[0]);
    tile_load<6>(x[0], stride);
    tile_dot_bf16<0, 6, 7>();
    tile_load<6>(x[1], stride);
    tile_dot_bf16<1, 6, 7>();
    tile_load<6>(x[2], stride);
    tile_dot_bf16<2, 6, 7>();
    if constexpr (kPanels > 1) {
      load_weights(w[1]);
      tile_dot_bf16<5, 6, 7>();
      tile_load<6>(x[1], stride);
      tile_dot_bf16<4, 6, 7>();
      tile_load<6>(x[0], stride);
      tile_dot_bf16<3, 6, 7>();
    }
  }

  template <std::size_t kTiles, std::size_t kPanels, std::size_t kSum = 0>
  void store_all(std::size_t panel, std::size_t tile) const {
    if constexpr (kSum < kTiles * kPanels) {
      store<kSum>(panel + kSum / kTiles, tile + kSum % kTiles);
      store_all<kTiles, kPanels, kSum + 1>(panel, tile);
    }
  }

  template <std::size_t kSum>
  void store(std::size_t panel, std::size_t tile) const {
    const std::size_t column = panel * kPanelRows;
    float* const y = job_.y.data + tokens_.first(tile) * job_.y.stride + column;
    if (job_.rows - column >= kPanelRows) return tile_store<kSum>(y, job_.y.stride * sizeof(float));
    tile_store<kSum>(job_.scratch, kTileRowBytes);
    const __mmask16 mask = static_cast<__mmask16>((1U << (job_.rows - column)) - 1U);
    for (std::size_t i = 0; i < tokens_.rows; ++i)
      _mm512_mask_storeu_ps(y + i * job_.y.stride, mask, _mm512_load_ps(job_.scratch + i * kTileRowBytes));
  }

  const PanelJob& job_;
  const TokenTiles tokens_;
  const std::size_t steps_;
};

}  // namespace

void multiply_bf16_amx(const PanelJob& job) {
  if (job.x.rows == 0) return;
  const TokenTiles tokens(job.x.rows);
  TileConfig config;
  for (std::size_t i = 0; i < 7; ++i) config.set(i, tokens.rows, kTileRowBytes);
  config.set(7, kTileRows, kTileRowBytes);
  const TileSession session(config);
  Bf16Multiplier(job, tokens).run();
}

std::size_t bf16_scratch_bytes_amx() {
  return kTileBytes;
}

}  // namespace mla
#endif
