// Grouped-query attention (Ainslie et al. 2023, GQA): several query heads share one key-value head. With as many
// key-value heads as query heads it is the multi-head attention of Vaswani et al. 2017, with one the multi-query
// attention of Shazeer 2019. transformers' modeling_llama.py, LlamaAttention; norms as in modeling_qwen3.py.
#pragma once

#include <cstddef>
#include <optional>
#include <utility>

#include "nn/attention.h"
#include "nn/linear.h"
#include "nn/norm.h"

namespace mla {

struct GqaShape {
  std::size_t num_heads = 0;
  std::size_t num_key_value_heads = 0;  ///< Divides num_heads; query head h reads key-value head h / group().
  std::size_t head_dim = 0;
  float softmax_scale = 0.0F;

  /// Sliding window: a row sees a key only if their positions differ by less than this. Under the causal mask these
  /// are the row itself and the window - 1 before it (transformers' masking_utils.py, sliding_window_overlay); without
  /// that mask, which no trained model does without, as many on the other side as well.
  std::optional<std::size_t> window;

  std::size_t group() const { return num_heads / num_key_value_heads; }
  std::size_t query_width() const { return num_heads * head_dim; }
  std::size_t key_value_width() const { return num_key_value_heads * head_dim; }
};

struct GqaWeights {
  Linear q_proj;  ///< hidden_size -> num_heads * head_dim
  Linear k_proj;  ///< hidden_size -> num_key_value_heads * head_dim
  Linear v_proj;  ///< as k_proj
  Linear o_proj;  ///< num_heads * head_dim -> hidden_size
  Norm q_norm;    ///< Over each head of the queries before the rotation; without weights it does nothing.
  Norm k_norm;    ///< The same for the keys.
};

/// The cache's first stream has the rotated keys of all key-value heads, its second the values.
class GqaAttention final : public Attention {
 public:
  GqaAttention(const GqaShape& shape, GqaWeights weights) : shape_(shape), weights_(std::move(weights)) {}

  CacheWidths cache_widths() const override;

  /// Nothing has to be packed.
  std::size_t use_fast(const FastPlan& plan) override;
  void pack_fast(std::size_t, const Kernels&) override {}

  AttentionWork work(std::size_t first, std::size_t rows) const override;

  /// Keys and values lie in the cache as they are used, which is the decompressed form. Throws Error(unsupported) if the
  /// options ask for the absorbed one: there is nothing to absorb; and if use_fast was called for what check_fast
  /// refuses.
  void forward(ConstMatrix x, const AttentionCall& call, Workspace& workspace, Matrix out) const override;
  void visit_linears(const LinearVisitor& visit) override;

 private:
  void attend(ConstMatrix q, const AttentionCall& call, Workspace& workspace, Matrix heads_out) const;
  void append_bf16(ConstMatrix k, ConstMatrix v, const AttentionCall& call, Workspace& workspace) const;
  void attend_fast(ConstMatrix q, const AttentionCall& call, Workspace& workspace, Matrix heads_out) const;

  GqaShape shape_;
  GqaWeights weights_;
  bool fast_ = false;
};

/// Floats of scratch that attending needs for `rows` rows that see `context` tokens.
std::size_t gqa_scratch(const GqaShape& shape, std::size_t rows, std::size_t context);

}  // namespace mla
