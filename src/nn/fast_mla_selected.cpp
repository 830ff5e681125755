#include "nn/fast_mla_selected.h"

#include <algorithm>
#include <cstring>
#include <span>

#include "nn/sharing.h"

namespace mla {
namespace {

using Chosen = std::span<const std::uint32_t>;

/// What one token takes from a worker's scratch.
struct TokenMemory {
  std::byte* queries;  ///< The tiles' panels, one behind the other.
  float* largest;      ///< [heads filled up]
  float* sum;
  std::byte* keys;  ///< [kKeyBlock] rows of the cache.
  FlashScratch scratch;

  TokenMemory(Carver& memory, std::size_t heads, std::size_t cols, std::size_t value_cols,
              std::size_t row_bytes)
      : queries(memory.take<std::byte>(round_up(heads, kLanes) * cols * 2)),
        largest(memory.take<float>(round_up(heads, kLanes))),
        sum(memory.take<float>(round_up(heads, kLanes))),
        keys(memory.take<std::byte>(kKeyBlock * row_bytes)),
        scratch(memory, round_up(std::min(heads, kTileRows), kLanes), value_cols) {}
};

class Selected {
 public:
  Selected(const LatentQueries& queries, const AttentionCall& call, const Selection& selection,
           Workspace& workspace)
      : queries_(queries),
        call_(call),
        selection_(selection),
        workspace_(workspace),
        cache_(call.cache.first_bf16),
        cols_(packed_cols(queries.parts)) {}

  void run();

 private:
  void attend(std::size_t token, int worker) const;
  void attend_on_all_threads(std::size_t token) const;
  void gather(Chosen chosen, std::byte* to) const;
  std::array<HeadRows<const float>, 2> parts(std::size_t token) const;
  ScoreBias bias(std::size_t token) const;
  QueryTile tile(std::size_t head, const ScoreBias& bias, const TokenMemory& memory) const;
  MergedRows merged(std::size_t token, const QueryTile& tile, const TokenMemory& memory) const;
  /// A token's heads see all that was chosen for it.
  QueryRows rows() const { return {.first = selection_.kept() - 1, .group = queries_.heads}; }

  const LatentQueries& queries_;
  const AttentionCall& call_;
  const Selection& selection_;
  Workspace& workspace_;
  const Bf16Stream& cache_;
  std::size_t cols_;
};

/// Many tokens are shared out among the threads; of a few the keys are. A block is attended to in the same way.
void Selected::run() {
  const std::size_t first = selection_.dense_rows(queries_.tokens);
  const std::size_t count = queries_.tokens - first;
  const auto threads = static_cast<std::size_t>(workspace_.pool.size());
  if (threads > 1 && count < 2 * threads) {
    for (std::size_t token = first; token < queries_.tokens; ++token) attend_on_all_threads(token);
    return;
  }
  const std::size_t work = count * queries_.heads * selection_.kept() * (cols_ + queries_.out.cols);
  for_items(workspace_, count, work, [&](std::size_t item, int worker) { attend(first + item, worker); });
}

void Selected::gather(Chosen chosen, std::byte* to) const {
  for (std::size_t i = 0; i < chosen.size(); ++i)
    std::memcpy(to + i * cache_.stride, cache_.row(0, chosen[i]), cache_.stride);
}

std::array<HeadRows<const float>, 2> Selected::parts(std::size_t token) const {
  std::array<HeadRows<const float>, 2> parts = queries_.parts;
  for (HeadRows<const float>& part : parts) part.data += token * part.token_stride;
  return parts;
}

ScoreBias Selected::bias(std::size_t token) const {
  ScoreBias bias = score_bias(call_);
  bias.first_query += token;
  return bias;
}

QueryTile Selected::tile(std::size_t head, const ScoreBias& bias, const TokenMemory& memory) const {
  return {.rows = rows(),
          .row = head,
          .count = std::min(kTileRows, queries_.heads - head),
          .cols = cols_,
          .panels = memory.queries + head * cols_ * 2,
          .bias = bias.empty() ? nullptr : &bias};
}

MergedRows Selected::merged(std::size_t token, const QueryTile& tile, const TokenMemory& memory) const {
  MergedRows rows{.largest = memory.largest + tile.row,
                  .sum = memory.sum + tile.row,
                  .count = tile.count,
                  .cols = queries_.out.cols};
  for (std::size_t i = 0; i < tile.count; ++i) rows.rows[i] = queries_.out.row(token, tile.row + i);
  return rows;
}

void Selected::attend(std::size_t token, int worker) const {
  const auto memory =
      worker_memory<TokenMemory>(workspace_, worker, queries_.heads, cols_, queries_.out.cols, cache_.stride);
  const Chosen chosen = selection_.row(token);
  const ScoreBias bias = this->bias(token);
  for (std::size_t head = 0; head < queries_.heads; head += kTileRows) {
    const QueryTile tile = this->tile(head, bias, memory);
    pack_queries(tile, parts(token), queries_.scale, workspace_.attention);
    merged(token, tile, memory).begin();
  }
  for (std::size_t first = 0; first < chosen.size(); first += kKeyBlock) {
    const Chosen some = chosen.subspan(first, std::min(kKeyBlock, chosen.size() - first));
    gather(some, memory.keys);
    const BlockOfKeys block{.first = first,
                            .keys = {.form = ActivationForm::bf16,
                                     .rows = some.size(),
                                     .cols = cols_,
                                     .values = memory.keys,
                                     .stride = cache_.stride},
                            .value_rows = memory.keys,
                            .value_stride = cache_.stride,
                            .value_cols = queries_.out.cols,
                            .chosen = some};
    for (std::size_t head = 0; head < queries_.heads; head += kTileRows) {
      const QueryTile tile = this->tile(head, bias, memory);
      attend_block(tile, block, {}, memory.scratch, memory.scratch.partial, workspace_, worker);
      merged(token, tile, memory).add(memory.scratch.partial, workspace_.attention);
    }
  }
  for (std::size_t head = 0; head < queries_.heads; head += kTileRows)
    merged(token, tile(head, bias, memory), memory).finish(workspace_.attention);
}

void Selected::attend_on_all_threads(std::size_t token) const {
  const Arena::Scope scope(workspace_.arena);
  const Chosen chosen = selection_.row(token);
  std::byte* const keys = workspace_.arena.bytes(chosen.size() * cache_.stride);
  for_rows(workspace_, chosen.size(), cache_.stride, [&](std::size_t first, std::size_t count) {
    gather(chosen.subspan(first, count), keys + first * cache_.stride);
  });
  const Bf16Stream gathered{.data = keys,
                            .tokens = chosen.size(),
                            .heads = 1,
                            .cols = cache_.cols,
                            .stride = cache_.stride,
                            .block_stride = kKeyBlock * cache_.stride};
  HeadRows<float> out = queries_.out;
  out.data += token * out.token_stride;
  flash_attention({.heads = 1,
                   .tokens = 1,
                   .rows = rows(),
                   .queries = parts(token),
                   .scale = queries_.scale,
                   .keys = gathered,
                   .values = gathered,
                   .out = out,
                   .bias = bias(token),
                   .chosen = chosen},
                  workspace_);
}

}  // namespace

void attend_selected(const LatentQueries& queries, const AttentionCall& call, const Selection& selection,
                     Workspace& workspace) {
  Selected(queries, call, selection, workspace).run();
}

}  // namespace mla
