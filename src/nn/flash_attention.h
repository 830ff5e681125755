// Attention in blocks of keys over bf16, with an online softmax (Dao et al. 2022, FlashAttention): scores exist for some
// query rows and one block of keys at a time.
//
// Queries, keys, probabilities and values are rounded to bf16, sums are float32. Blocks of kKeyBlock keys lie at
// multiples of it, each is computed on its own, and a row's blocks are merged in their order: the bits of a row depend
// neither on the rows beside it nor on who computes what.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "base/round_up.h"
#include "nn/kv_cache.h"
#include "nn/score_bias.h"
#include "nn/workspace.h"
#include "packed/attention_kernels.h"

namespace mla {

/// Query rows that pass over a block of keys together.
inline constexpr std::size_t kTileRows = 64;
/// Columns of keys and queries are filled up with zeros to a multiple of this.
inline constexpr std::size_t kColumnStep = 32;

/// Cuts memory into arrays at multiples of 64 bytes. From null it only counts.
class Carver {
 public:
  explicit Carver(std::byte* memory) : memory_(memory) {}

  template <typename Value>
  Value* take(std::size_t count) {
    const std::size_t begin = used_;
    used_ += round_up(count * sizeof(Value), 64);
    return memory_ == nullptr ? nullptr : reinterpret_cast<Value*>(memory_ + begin);
  }
  std::size_t used() const { return used_; }

 private:
  std::byte* memory_;
  std::size_t used_ = 0;
};

/// A worker's scratch as a Memory, whose constructor takes its arrays from a Carver: once to count, once for good.
template <typename Memory, typename... Arguments>
Memory worker_memory(Workspace& workspace, int worker, Arguments... arguments) {
  Carver count(nullptr);
  Memory(count, arguments...);
  Carver memory(reinterpret_cast<std::byte*>(workspace.scratch(worker, count.used() / sizeof(float)).data()));
  return Memory(memory, arguments...);
}

/// The rows that heads have of each token's row.
template <typename Value>
struct HeadRows {
  Value* data = nullptr;
  std::size_t token_stride = 0;
  std::size_t head_stride = 0;
  std::size_t cols = 0;

  Value* row(std::size_t token, std::size_t head) const {
    return data + token * token_stride + head * head_stride;
  }
};

/// Query rows of one key-value head and what they see: row r is one of `group` heads of token `first` + r / group.
struct QueryRows {
  std::size_t first = 0;
  std::size_t group = 1;
  std::optional<std::size_t> window = std::nullopt;

  std::size_t end(std::size_t row) const { return first + row / group + 1; }
  std::size_t begin(std::size_t row) const { return window && *window < end(row) ? end(row) - *window : 0; }
};

/// Up to kTileRows rows from `row` on, as panels of `cols` columns.
struct QueryTile {
  QueryRows rows;
  std::size_t row = 0;
  std::size_t count = 0;
  std::size_t cols = 0;
  std::byte* panels = nullptr;
  std::size_t head = 0;             ///< The key-value head.
  const ScoreBias* bias = nullptr;  ///< Null if nothing is added to scores.

  std::size_t lanes() const { return round_up(count, kLanes); }
  std::size_t panel_bytes() const { return cols * kLanes * 2; }
  std::byte* panel(std::size_t index) const { return panels + index * panel_bytes(); }

  /// The keys that one of the rows sees.
  std::size_t keys_begin() const { return rows.begin(row); }
  std::size_t keys_end() const { return rows.end(row + count - 1); }
};

/// Values of a block of keys as panels of kLanes columns.
struct ValuePanels {
  /// Room for a whole block, whatever it holds, and a cache line that keeps panels from lying in the same sets of a
  /// cache.
  static constexpr std::size_t kPanelBytes = kKeyBlock * kLanes * 2 + 64;
  static std::size_t bytes(std::size_t cols) { return round_up(cols, kLanes) / kLanes * kPanelBytes; }
};

/// Keys [first, first + keys.rows), which are in one block, and their values: as panels where several tiles go past
/// them, else as rows of bf16, of which some columns at a time become panels while they are near.
struct BlockOfKeys {
  std::size_t first = 0;
  ActivationView keys;
  const std::byte* value_panels = nullptr;
  const std::byte* value_rows = nullptr;
  std::size_t value_stride = 0;  ///< Bytes.
  std::size_t value_cols = 0;
  std::span<const std::uint32_t> chosen = {};  ///< Of gathered keys: which rows of the cache they are.
};

/// What a tile's rows have of some keys: of each the largest score, the sum of its probabilities and their mixture of
/// values, neither divided by the other yet.
struct PartialRows {
  float* largest = nullptr;  ///< [lanes]
  float* sum = nullptr;      ///< [lanes]
  float* out = nullptr;      ///< [count][stride]
  std::size_t stride = 0;

  PartialRows(Carver& memory, std::size_t lanes, std::size_t value_cols)
      : largest(memory.take<float>(lanes)),
        sum(memory.take<float>(lanes)),
        out(memory.take<float>(lanes * round_up(value_cols, kLanes))),
        stride(round_up(value_cols, kLanes)) {}
};

/// What attending a tile to a block needs.
struct FlashScratch {
  float* scores;
  std::byte* probabilities;
  float* begin;
  float* end;
  std::byte* values;  ///< Panels of some columns.
  PartialRows partial;
  float* biases;  ///< Rows of kLanes lanes.

  FlashScratch(Carver& memory, std::size_t lanes, std::size_t value_cols);
};

/// The tile's rows on what they see of one block, at least one key. `next` is what comes after it, or empty.
void attend_block(const QueryTile& tile, const BlockOfKeys& block, const BlockOfKeys& next,
                  const FlashScratch& scratch, const PartialRows& result, Workspace& workspace, int worker);

/// The rows of a tile that the blocks so far are merged into: `largest` and `sum` [lanes], and for each row where it is.
struct MergedRows {
  float* largest = nullptr;
  float* sum = nullptr;
  std::array<float*, kTileRows> rows = {};
  std::size_t count = 0;
  std::size_t cols = 0;

  void begin() const;
  void add(const PartialRows& block, const AttentionKernels& kernels) const;
  void finish(const AttentionKernels& kernels) const;
};

/// Attention over a cache of bf16: causal, every head of a group with the key-value head they share.
struct FlashProblem {
  std::size_t heads = 0;  ///< Key-value heads.
  std::size_t tokens =
      0;  ///< Query head g of key-value head h is head h * rows.group + g of the matrices below.
  QueryRows rows;
  /// What stands side by side in a key: each begins at a multiple of kColumnStep.
  std::array<HeadRows<const float>, 2> queries = {};
  float scale = 0.0F;
  Bf16Stream keys;
  Bf16Stream values;    ///< Its first out.cols columns.
  HeadRows<float> out;  ///< Like the queries.
  ScoreBias bias = {};
  std::span<const std::uint32_t> chosen = {};  ///< If keys and values are gathered: which rows of the cache.
};

void flash_attention(const FlashProblem& problem, Workspace& workspace);

/// Values as bf16 with zeros up to a multiple of kColumnStep.
void write_bf16_row(std::span<const float> values, std::byte* to, const PackedKernels& kernels);

/// A tile's rows as panels.
void pack_queries(const QueryTile& tile, std::span<const HeadRows<const float>> parts, float scale,
                  const AttentionKernels& kernels);

/// Columns of a packed query.
std::size_t packed_cols(std::span<const HeadRows<const float>> parts);

}  // namespace mla
