// Grouped-query attention for Precision::fast: keys and values in bf16, each key-value head's apart, and flash attention
// of a group's heads with the head they share.
#include "nn/flash_attention.h"
#include "nn/gqa_attention.h"
#include "nn/sharing.h"

namespace mla {

CacheWidths GqaAttention::cache_widths() const {
  if (!fast_) return {shape_.key_value_width(), shape_.key_value_width()};
  return {.first = shape_.head_dim,
          .second = shape_.head_dim,
          .element = CacheElement::bf16,
          .heads = shape_.num_key_value_heads};
}

std::size_t GqaAttention::use_fast(const FastPlan&) {
  fast_ = true;
  return 0;
}

void GqaAttention::append_bf16(ConstMatrix k, ConstMatrix v, const AttentionCall& call,
                               Workspace& workspace) const {
  const std::size_t dim = shape_.head_dim;
  for_rows(workspace, k.rows, 2 * shape_.key_value_width(), [&](std::size_t first, std::size_t count) {
    for (std::size_t row = first; row < first + count; ++row)
      for (std::size_t head = 0; head < shape_.num_key_value_heads; ++head) {
        const std::size_t token = call.batch.first + row;
        write_bf16_row({k.row(row) + head * dim, dim}, call.cache.first_bf16.row(head, token),
                       workspace.packed);
        write_bf16_row({v.row(row) + head * dim, dim}, call.cache.second_bf16.row(head, token),
                       workspace.packed);
      }
  });
}

void GqaAttention::attend_fast(ConstMatrix q, const AttentionCall& call, Workspace& workspace,
                               Matrix heads_out) const {
  const std::size_t dim = shape_.head_dim;
  flash_attention({.heads = shape_.num_key_value_heads,
                   .tokens = q.rows,
                   .rows = {.first = call.batch.first, .group = shape_.group(), .window = shape_.window},
                   .queries = {HeadRows<const float>{q.data, q.stride, dim, dim}},
                   .scale = shape_.softmax_scale,
                   .keys = call.cache.first_bf16,
                   .values = call.cache.second_bf16,
                   .out = {heads_out.data, heads_out.stride, dim, dim},
                   .bias = score_bias(call)},
                  workspace);
}

}  // namespace mla
