// Jobs on panels of quantized types: cut into tiles (block_tile.h), whose activations are interleaved once a job.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#include "packed/block_tile.h"
#include "packed/implementations.h"

namespace mla {
namespace {

constexpr std::size_t aligned_bytes(std::size_t bytes) {
  return (bytes + kPanelAlignment - 1) / kPanelAlignment * kPanelAlignment;
}

/// What a row of a tile takes at most: values, starts of each 16, min_factors of each 32, scales of each 32.
constexpr std::size_t token_bytes(std::size_t cols) {
  return cols + cols / 4 + cols / 8 + cols / 8;
}

constexpr std::size_t kMostChunkTokens = 192;

/// Rows of activations that pass while panels stay: as many as fit half of a usual second-level cache.
template <typename V>
constexpr std::size_t chunk_tokens(std::size_t cols) {
  constexpr std::size_t kCacheBytes = 512 * 1024;
  const std::size_t tiles = kCacheBytes / (cols * V::most_tokens + 1);
  constexpr std::size_t kMost = kMostChunkTokens / V::most_tokens;
  return (tiles < 2 ? 2 : tiles > kMost ? kMost : tiles) * V::most_tokens;
}

/// Each array of a tile begins aligned.
constexpr std::size_t kTileSlack = 4 * kPanelAlignment;

template <typename V>
std::size_t scratch_bytes(std::size_t cols) {
  const std::size_t whole = (cols + 255) / 256 * 256;
  const std::size_t tokens = chunk_tokens<V>(whole);
  return V::most_panels * aligned_bytes(prepared_bytes(whole)) + tokens * (token_bytes(whole) + kTileSlack);
}

/// The least number of tokens of a tile that holds `tokens`, or the most there is.
template <typename V>
constexpr std::size_t tile_tokens(std::size_t tokens) {
  for (const std::size_t size : {std::size_t{1}, std::size_t{2}, std::size_t{4}})
    if (tokens <= size && size <= V::most_tokens) return size;
  return V::most_tokens;
}

/// Tile `first` of the job's activations, interleaved at `memory`. If fewer than kTokens are left, the last repeats.
template <typename V, BlockFormat kFormat, std::size_t kTokens>
class TileBuilder {
 public:
  TileBuilder(const PanelJob& job, std::size_t first, std::byte* memory)
      : cols_(job.cols), blocks_(job.cols / kFormat.block) {
    for (std::size_t t = 0; t < kTokens; ++t) rows_[t] = first + t < job.x.rows ? first + t : job.x.rows - 1;
    std::byte* const values = memory;
    std::byte* const scales = values + aligned_bytes(cols_ * kTokens);
    std::byte* const starts = scales + aligned_bytes(blocks_ * kTokens * 4);
    std::byte* const factors = starts + aligned_bytes(cols_ / kFormat.group * kTokens * 4);
    interleave_values(job.x, values);
    interleave_sums(job.x, reinterpret_cast<float*>(scales), reinterpret_cast<std::int32_t*>(starts),
                    factors);
    input_ = {values, reinterpret_cast<const float*>(scales), reinterpret_cast<const std::int32_t*>(starts),
              factors};
  }

  const TileInput& input() const { return input_; }

 private:
  void interleave_values(const ActivationView& x, std::byte* values) const {
    const std::byte* from[kTokens];
    for (std::size_t t = 0; t < kTokens; ++t) from[t] = x.values + rows_[t] * x.stride;
    std::size_t t = 0;
    for (; t + 4 <= kTokens; t += 4)
      for (std::size_t at = 0; at < cols_; at += 16)
        V::transpose4(from + t, at, values + at * kTokens + t * 4, kTokens * 4);
    for (; t + 2 <= kTokens; t += 2)
      for (std::size_t at = 0; at < cols_; at += 16)
        V::transpose2(from + t, at, values + at * kTokens + t * 4, kTokens * 4);
    static_assert(kTokens == 1 || kTokens % 2 == 0);
    if constexpr (kTokens == 1) std::memcpy(values, from[0], cols_);
  }

  void interleave_sums(const ActivationView& x, float* scales, std::int32_t* starts,
                       std::byte* factors) const {
    constexpr std::size_t kGroups = kFormat.block / kFormat.group;
    for (std::size_t t = 0; t < kTokens; ++t) {
      for (std::size_t block = 0; block < blocks_; ++block) {
        const std::size_t from = rows_[t] * blocks_ + block;
        const float scale = x.scales[from];
        scales[block * kTokens + t] = scale;
        if constexpr (kFormat.block == 32) {
          const std::int32_t sum = x.sums[from];
          if constexpr (has_starts<V>(kFormat)) starts[block * kTokens + t] = -kFormat.offset * sum;
          const float factor = scale * static_cast<float>(sum);
          if constexpr (kFormat.mins) std::memcpy(factors + (block * kTokens + t) * 4, &factor, 4);
        } else {
          const std::int16_t* const sums =
              x.groups + from * ActivationView::kGroupSums + (kFormat.group == 16 ? 8 : 0);
          if constexpr (has_starts<V>(kFormat))
            for (std::size_t group = 0; group < kGroups; ++group)
              starts[(block * kGroups + group) * kTokens + t] = -kFormat.offset * sums[group];
          if constexpr (kFormat.mins)
            for (std::size_t pair = 0; pair < kGroups / 2; ++pair)
              std::memcpy(factors + ((block * kGroups / 2 + pair) * kTokens + t) * 4, sums + 2 * pair, 4);
        }
      }
    }
  }

  std::size_t cols_;
  std::size_t blocks_;
  std::size_t rows_[kTokens];
  TileInput input_;
};

/// What is left of a type once its panel is prepared; types that agree in it share their tiles.
constexpr BlockFormat prepared_format(BlockFormat format) {
  const bool wide = wide_codes(format);
  if (format.table) format.offset = 128;
  if (wide) format.low_bits = 8, format.high_bits = 0;
  format.table = false;
  return format;
}

struct TileInMemory {
  TileInput input;
  std::size_t tokens;
};

template <typename V, BlockFormat kFormat>
TileInMemory build_tile(const PanelJob& job, std::size_t first, std::size_t tokens, std::byte* memory) {
  const auto build = [&]<std::size_t kTokens>() -> TileInMemory {
    return {TileBuilder<V, kFormat, kTokens>(job, first, memory).input(), kTokens};
  };
  if (tokens == 1) return build.template operator()<1>();
  if (tokens == 2) return build.template operator()<2>();
  if constexpr (V::most_tokens > 4)
    if (tokens == 4) return build.template operator()<4>();
  return build.template operator()<V::most_tokens>();
}

template <typename V, BlockFormat kFormat, std::size_t kPanels,
          template <typename, BlockFormat> typename BlockOf>
void run_tile(const std::byte* panels, std::size_t panel_bytes, std::size_t cols, const TileInMemory& tile,
              const Upcoming& upcoming, float* out) {
  const auto run = [&]<std::size_t kTokens>() {
    multiply_tile<V, kFormat, kPanels, kTokens, BlockOf>(panels, panel_bytes, cols, tile.input, upcoming,
                                                         out);
  };
  if (tile.tokens == 1) return run.template operator()<1>();
  if (tile.tokens == 2) return run.template operator()<2>();
  if constexpr (V::most_tokens > 4)
    if (tile.tokens == 4) return run.template operator()<4>();
  run.template operator()<V::most_tokens>();
}

/// The panel's rows of y that the job has, for tokens [first, first + count).
inline void store_panel(const PanelJob& job, std::size_t panel, std::size_t first, std::size_t count,
                        const float* out) {
  const std::size_t at = panel * kPanelRows;
  const std::size_t rows = job.rows - at < kPanelRows ? job.rows - at : kPanelRows;
  for (std::size_t t = 0; t < count; ++t) {
    float* const to = job.y.row(first + t) + at;
    if (rows == kPanelRows)  // A number the compiler knows.
      std::memcpy(to, out + t * kPanelRows, kPanelRows * sizeof(float));
    else
      std::memcpy(to, out + t * kPanelRows, rows * sizeof(float));
  }
}

constexpr std::size_t panels_of(const PanelJob& job) {
  return (job.rows + kPanelRows - 1) / kPanelRows;
}

/// kPanels panels from the `panel`th straight from their codes.
template <typename V, BlockFormat kFormat, std::size_t kPanels, std::size_t kTokens>
void multiply_direct(const PanelJob& job, std::size_t panel, const TileInput& x) {
  alignas(kPanelAlignment) float out[kPanels * kTokens * kPanelRows];
  multiply_tile<V, kFormat, kPanels, kTokens, PackedBlock>(job.panels + panel * job.panel_bytes,
                                                           job.panel_bytes, job.cols, x, {}, out);
  for (std::size_t p = 0; p < kPanels; ++p)
    store_panel(job, panel + p, 0, job.x.rows, out + p * kTokens * kPanelRows);
}

/// All of a job of at most kTokens tokens: so few wait for the memory that the codes come from. Several panels at a time
/// keep more of it coming: a processor's own prefetching goes by pages, of which each panel has others.
template <typename V, BlockFormat kFormat, std::size_t kTokens>
void multiply_few(const PanelJob& job) {
  const TileBuilder<V, kFormat, kTokens> tile(job, 0, job.scratch);
  std::size_t panel = 0;
  if constexpr (kTokens == 1 && V::lanes == kPanelRows)  // Others have no registers for so many.
    for (; panel + 4 <= panels_of(job); panel += 4)
      multiply_direct<V, kFormat, 4, kTokens>(job, panel, tile.input());
  for (; panel + 2 <= panels_of(job); panel += 2)
    multiply_direct<V, kFormat, 2, kTokens>(job, panel, tile.input());
  if (panel < panels_of(job)) multiply_direct<V, kFormat, 1, kTokens>(job, panel, tile.input());
}

/// Up to so many tokens it takes longer to prepare a panel than to take its codes apart for each tile.
constexpr std::size_t kMostDirectTokens = 24;

/// All tokens of [first, last), `count` tiles, pass kPanels panels from the `panel`th; meanwhile those after are fetched.
template <typename V, BlockFormat kFormat, std::size_t kPanels>
void multiply_panels(const PanelJob& job, std::size_t panel, std::size_t first, std::size_t last,
                     const TileInMemory* tiles, std::size_t count) {
  alignas(kPanelAlignment) float out[kPanels * V::most_tokens * kPanelRows];
  const std::byte* const panels = job.panels + panel * job.panel_bytes;
  const std::size_t prepared_step = aligned_bytes(prepared_bytes(job.cols));
  const bool direct = last - first <= kMostDirectTokens;
  for (std::size_t p = 0; p < kPanels && !direct; ++p)
    prepare_panel<V, kFormat>(panels + p * job.panel_bytes, job.cols, job.scratch + p * prepared_step);
  const std::size_t steps = count * (job.cols / kFormat.block);
  const std::size_t left = panels_of(job) - panel - kPanels;
  const std::size_t ahead = (left < V::most_panels ? left : V::most_panels) * job.panel_bytes;
  Upcoming upcoming{panels + kPanels * job.panel_bytes, (ahead / 64 + steps - 1) / steps * 64};
  std::size_t token = first;
  for (std::size_t i = 0; i < count; ++i) {
    const TileInMemory& tile = tiles[i];
    if (direct)
      run_tile<V, kFormat, kPanels, PackedBlock>(panels, job.panel_bytes, job.cols, tile, upcoming, out);
    else
      run_tile<V, prepared_format(kFormat), kPanels, PreparedBlock>(job.scratch, prepared_step, job.cols,
                                                                    tile, upcoming, out);
    upcoming.from += upcoming.bytes * (job.cols / kFormat.block);
    const std::size_t used = last - token < tile.tokens ? last - token : tile.tokens;
    for (std::size_t p = 0; p < kPanels; ++p)
      store_panel(job, panel + p, token, used, out + p * tile.tokens * kPanelRows);
    token += tile.tokens;
  }
}

/// Tokens [first, last) of the job.
template <typename V, BlockFormat kFormat>
void multiply_chunk(const PanelJob& job, std::size_t first, std::size_t last) {
  TileInMemory tiles[kMostChunkTokens / V::most_tokens];
  std::byte* memory = job.scratch + V::most_panels * aligned_bytes(prepared_bytes(job.cols));
  std::size_t count = 0;
  for (std::size_t token = first; token < last; token += tiles[count++].tokens) {
    tiles[count] = build_tile<V, kFormat>(job, token, tile_tokens<V>(last - token), memory);
    memory += aligned_bytes(tiles[count].tokens * token_bytes(job.cols)) + kTileSlack;
  }
  std::size_t panel = 0;
  for (; panel + V::most_panels <= panels_of(job); panel += V::most_panels)
    multiply_panels<V, kFormat, V::most_panels>(job, panel, first, last, tiles, count);
  for (; panel < panels_of(job); ++panel)
    multiply_panels<V, kFormat, 1>(job, panel, first, last, tiles, count);
}

template <typename V, DType kType>
void multiply_blocks(const PanelJob& job) {
  constexpr BlockFormat kFormat = block_format(kType);
  if (job.x.rows == 0) return;
  if (job.x.rows == 1) return multiply_few<V, kFormat, 1>(job);
  if (job.x.rows == 2) return multiply_few<V, kFormat, 2>(job);
  if (job.x.rows <= 4) return multiply_few<V, kFormat, 4>(job);
  if constexpr (V::most_tokens > 4)
    if (job.x.rows <= V::most_tokens) return multiply_few<V, kFormat, V::most_tokens>(job);
  const std::size_t step = chunk_tokens<V>(job.cols);
  for (std::size_t first = 0; first < job.x.rows; first += step)
    multiply_chunk<V, kFormat>(job, first, job.x.rows - first < step ? job.x.rows : first + step);
}

template <typename V, DType kType>
constexpr auto multiply_for() -> void (*)(const PanelJob&) {
  if constexpr (is_block_type(kType)) return multiply_blocks<V, kType>;
  return nullptr;
}

template <typename V, std::size_t... kIndex>
constexpr BlockKernels make_block_kernels(std::index_sequence<kIndex...>) {
  return {.multiply = {multiply_for<V, static_cast<DType>(kIndex)>()...}, .scratch_bytes = scratch_bytes<V>};
}

template <typename V>
constexpr BlockKernels make_block_kernels() {
  return make_block_kernels<V>(std::make_index_sequence<kDTypeTraits.size()>());
}

}  // namespace
}  // namespace mla
