// What attending takes, counted from the shapes.
#include <algorithm>
#include <limits>

#include "nn/gqa_attention.h"
#include "nn/mla_attention.h"

namespace mla {
namespace {

double number(std::size_t count) {
  return static_cast<double>(count);
}

}  // namespace

double visible_pairs(std::size_t first, std::size_t rows, std::size_t most) {
  // The rows that see everything before them, then those that see `most`.
  const std::size_t growing = most <= first ? 0 : std::min(rows, most - first);
  return number(growing) * (number(first) + (number(growing) + 1.0) / 2.0) +
         number(rows - growing) * number(most);
}

AttentionWork MlaAttention::work(std::size_t first, std::size_t rows) const {
  const std::size_t context = first + rows;
  const std::size_t up = shape_.qk_nope_head_dim + shape_.v_head_dim;
  const std::size_t top_k =
      weights_.indexer ? weights_.indexer->shape().top_k : std::numeric_limits<std::size_t>::max();
  const double pairs = visible_pairs(first, rows, top_k);
  const double decompressed =
      number(first) * number(shape_.kv_lora_rank * up) + pairs * number(shape_.qk_rope_head_dim + up);
  const double absorbed = pairs * number(shape_.qk_rope_head_dim + 2 * shape_.kv_lora_rank);
  const bool can_absorb = shape_.decoupled();
  AttentionWork work;
  work.multiplications =
      number(shape_.num_heads) * (can_absorb ? std::min(decompressed, absorbed) : decompressed);
  const double seen = std::min(number(context), pairs);  // At most all, if each row selects others.
  work.cache_values = seen * number(shape_.kv_lora_rank + shape_.qk_rope_head_dim);
  if (weights_.indexer) {
    const IndexerShape& indexer = weights_.indexer->shape();
    if (context > top_k) {
      work.index_multiplications =
          visible_pairs(first, rows, context) * number(indexer.num_heads * indexer.head_dim);
      work.index_values = number(context) * number(indexer.head_dim);
    }
  }
  return work;
}

AttentionWork GqaAttention::work(std::size_t first, std::size_t rows) const {
  const std::size_t context = first + rows;
  const std::size_t most = shape_.window.value_or(context);
  const std::size_t seen = std::min(context, most + rows - 1);
  return {2.0 * visible_pairs(first, rows, most) * number(shape_.query_width()),
          2.0 * number(seen) * number(shape_.key_value_width())};
}

}  // namespace mla
