// BF16 panels on AMX's bf16 tiles.
//
// TDPBF16PS adds the products of 32 columns, the even ones to one sum and the odd ones to another, each from zero and in
// order with one rounding a product and addition, and then their sum to the element; it rounds to nearest and takes
// subnormal numbers for zeros (Intel's Architecture Instruction Set Extensions Programming Reference, TDPBF16PS). Every
// element's sum stays in a tile register over all columns, whatever the number of tokens: its order of additions does
// not depend on what is computed beside it. Of activations in pairs, 32 columns add their first values, then their second.
//
// One token waits for the memory that the weights come from. It does the same by fused multiply-adds of vectors, which
// keep more of the memory coming, and has the same bits.
#if defined(__x86_64__)
#include <immintrin.h>

#include "packed/amx_kernels.h"
#include "packed/amx_tiles.h"
#include "packed/float_avx512.h"

namespace mla {
namespace {

constexpr std::size_t kStepColumns = 32;
constexpr std::size_t kMostPanels = 4;  ///< At a time, by one tile of tokens.
constexpr std::size_t kResidentBytes = 1U
                                       << 20U;  ///< Of weights that all tokens pass by before the next ones.
constexpr std::size_t kAhead = 4;               ///< Steps from a weight's prefetch to its use.

/// kPair: the activations are bf16_pair, not bf16.
template <bool kPair>
class Bf16Multiplier {
 public:
  Bf16Multiplier(const PanelJob& job, const TokenTiles& tokens)
      : job_(job),
        tokens_(tokens),
        steps_((job.cols + kStepColumns - 1) / kStepColumns),
        second_(kPair ? job.x.second() : 0),
        ahead_(job.ahead) {}

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
  /// Tile 7 holds weights; 6 does as well, or, where there are three tiles of sums a panel, tokens.
  template <std::size_t kTiles>
  TileConfig config() const {
    TileConfig config;
    for (std::size_t i = 0; i < 6; ++i) config.set(i, tokens_.rows, kTileRowBytes);
    config.set(6, kTiles == 3 ? tokens_.rows : kTileRows, kTileRowBytes);
    config.set(7, kTileRows, kTileRowBytes);
    return config;
  }

  template <std::size_t kTiles, std::size_t kPanels>
  void run_panels(std::size_t first, std::size_t end, std::size_t tile) const {
    const TileSession session(config<kTiles>());
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
      if constexpr (kTiles == 2) fetch_ahead();
      if constexpr (kTiles == 1)
        add_one<kPanels>(x[0], w);
      else if constexpr (kTiles == 2)
        add_two<kPanels>(x, w);
      else
        add_three<kPanels>(x, w);
      for (const std::byte*& at : x) at += kTileRowBytes;
      for (const std::byte*& at : w) at += kTileBytes;
    }
    store_all<kTiles, kPanels>(panel, tile);
  }

  void fetch_ahead() const {
    for (std::size_t line = 0; line < ahead_.lines && ahead_.next < ahead_.end; ++line, ahead_.next += 64)
      _mm_prefetch(reinterpret_cast<const char*>(ahead_.next), _MM_HINT_T1);
  }

  static void zero_sums() {
    tile_zero<0>();
    tile_zero<1>();
    tile_zero<2>();
    tile_zero<3>();
    tile_zero<4>();
    tile_zero<5>();
  }

  template <std::size_t kTo>
  static void load_weights(const std::byte* w) {
    for (std::size_t i = 0; i < kTileBytes; i += kTileRowBytes)
      _mm_prefetch(reinterpret_cast<const char*>(w + kAhead * kTileBytes + i), _MM_HINT_T0);
    tile_load<kTo>(w, kTileRowBytes);
  }

  template <std::size_t kPanels>
  void add_one(const std::byte* x, const std::byte* const* w) const {
    tile_load<4>(x, job_.x.stride);
    if constexpr (kPair) tile_load<5>(x + second_, job_.x.stride);
    add_panel<0>(w[0]);
    if constexpr (kPanels > 1) {
      add_panel<1>(w[1]);
      add_panel<2>(w[2]);
      add_panel<3>(w[3]);
    }
  }
  template <std::size_t kSum>
  static void add_panel(const std::byte* w) {
    constexpr std::size_t kW = 6 + kSum % 2;
    load_weights<kW>(w);
    tile_dot_bf16<kSum, 4, kW>();
    if constexpr (kPair) tile_dot_bf16<kSum, 5, kW>();
  }

  template <std::size_t kPanels>
  void add_two(const std::byte* const* x, const std::byte* const* w) const {
    load_weights<6>(w[0]);
    if constexpr (kPanels == 2) load_weights<7>(w[1]);
    add_tiles<kPanels>(x, 0);
    if constexpr (kPair) add_tiles<kPanels>(x, second_);
  }
  /// Of two tiles of tokens those values that are `at` bytes from the first ones.
  template <std::size_t kPanels>
  void add_tiles(const std::byte* const* x, std::size_t at) const {
    tile_load<4>(x[0] + at, job_.x.stride);
    tile_dot_bf16<0, 4, 6>();
    if constexpr (kPanels == 2) tile_dot_bf16<2, 4, 7>();
    tile_load<5>(x[1] + at, job_.x.stride);
    tile_dot_bf16<1, 5, 6>();
    if constexpr (kPanels == 2) tile_dot_bf16<3, 5, 7>();
  }

  template <std::size_t kPanels>
  void add_three(const std::byte* const* x, const std::byte* const* w) const {
    load_weights<7>(w[0]);
    add_tile<0>(x[0]);
    add_tile<1>(x[1]);
    add_tile<2>(x[2]);
    if constexpr (kPanels > 1) {
      load_weights<7>(w[1]);
      add_tile<3>(x[0]);
      add_tile<4>(x[1]);
      add_tile<5>(x[2]);
    }
  }
  template <std::size_t kSum>
  void add_tile(const std::byte* x) const {
    tile_load<6>(x, job_.x.stride);
    tile_dot_bf16<kSum, 6, 7>();
    if constexpr (kPair) {
      tile_load<6>(x + second_, job_.x.stride);
      tile_dot_bf16<kSum, 6, 7>();
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
  const std::size_t second_;
  mutable Ahead ahead_;
};

/// As long as it lives, this thread's vectors take subnormal numbers for zeros and round to nearest, as tiles do.
class FlushSubnormals {
 public:
  FlushSubnormals() : before_(_mm_getcsr()) { _mm_setcsr(kMasked | _MM_FLUSH_ZERO_ON | kZeroOperands); }
  ~FlushSubnormals() { _mm_setcsr(before_); }
  FlushSubnormals(const FlushSubnormals&) = delete;
  FlushSubnormals& operator=(const FlushSubnormals&) = delete;

 private:
  static constexpr unsigned kMasked = 0x1f80, kZeroOperands = 0x40;

  unsigned before_;
};

/// The sums of 32 columns, even and odd ones apart.
struct StepSums {
  __m512 even = _mm512_setzero_ps();
  __m512 odd = _mm512_setzero_ps();

  void add(__m512 even_weights, __m512 odd_weights, __m512 even_x, __m512 odd_x) {
    even = _mm512_fmadd_ps(even_x, even_weights, even);
    odd = _mm512_fmadd_ps(odd_x, odd_weights, odd);
  }
  __m512 total() const { return _mm512_add_ps(even, odd); }
};

/// kPanels panels from the `panel`th by the job's one row.
template <bool kPair, std::size_t kPanels>
void multiply_row_panels(const PanelJob& job, std::size_t panel) {
  using V = Sixteen512;
  constexpr std::size_t kAheadOfMemory = 2048;
  const std::byte* w = job.panels + panel * job.panel_bytes;
  const std::byte* x = job.x.values;
  const std::size_t second = kPair ? job.x.second() : 0;
  __m512 y[kPanels];
#pragma GCC unroll 4
  for (std::size_t p = 0; p < kPanels; ++p) y[p] = _mm512_setzero_ps();
  for (std::size_t left = (job.cols + kStepColumns - 1) / kStepColumns; left != 0; --left) {
    StepSums first_sums[kPanels], second_sums[kPanels];
    for (std::size_t pair = 0; pair < kStepColumns / 2; ++pair, x += 4, w += kTileRowBytes) {
#pragma GCC unroll 4
      for (std::size_t p = 0; p < kPanels; ++p) {
        const std::byte* const at = w + p * job.panel_bytes;
        _mm_prefetch(reinterpret_cast<const char*>(at + kAheadOfMemory), _MM_HINT_T0);
        const __m512 even = V::load_even(at);
        const __m512 odd = V::load_odd(at);
        first_sums[p].add(even, odd, V::broadcast_even(x), V::broadcast_odd(x));
        if constexpr (kPair)
          second_sums[p].add(even, odd, V::broadcast_even(x + second), V::broadcast_odd(x + second));
      }
    }
#pragma GCC unroll 4
    for (std::size_t p = 0; p < kPanels; ++p) {
      y[p] = _mm512_add_ps(y[p], first_sums[p].total());
      if constexpr (kPair) y[p] = _mm512_add_ps(y[p], second_sums[p].total());
    }
  }
#pragma GCC unroll 4
  for (std::size_t p = 0; p < kPanels; ++p) {
    const std::size_t column = (panel + p) * kPanelRows;
    const std::size_t rows = job.rows - column < kPanelRows ? job.rows - column : kPanelRows;
    V::store_first(job.y.data + column, y[p], rows);
  }
}

/// A job of one row. Kept apart from its caller, who sets how vectors round.
template <bool kPair>
[[gnu::noinline]] void multiply_row(const PanelJob& job) {
  const std::size_t panels = (job.rows + kPanelRows - 1) / kPanelRows;
  std::size_t panel = 0;
  for (; panel + 4 <= panels; panel += 4) multiply_row_panels<kPair, 4>(job, panel);
  for (; panel + 2 <= panels; panel += 2) multiply_row_panels<kPair, 2>(job, panel);
  if (panel < panels) multiply_row_panels<kPair, 1>(job, panel);
}

}  // namespace

void multiply_bf16_amx(const PanelJob& job) {
  if (job.x.rows == 0) return;
  if (job.x.rows == 1) {
    const FlushSubnormals flush;
    return job.x.form == ActivationForm::bf16_pair ? multiply_row<true>(job) : multiply_row<false>(job);
  }
  const TokenTiles tokens(job.x.rows);
  if (job.x.form == ActivationForm::bf16_pair)
    Bf16Multiplier<true>(job, tokens).run();
  else
    Bf16Multiplier<false>(job, tokens).run();
}

std::size_t bf16_scratch_bytes_amx() {
  return kTileBytes;
}

}  // namespace mla
#endif
