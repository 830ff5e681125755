// Multi-head latent attention with decoupled RoPE (DeepSeek-AI 2024, DeepSeek-V2, section 2.1 and appendix C;
// transformers' modeling_deepseek_v3.py, DeepseekV3Attention).
//
// Without a rotary part of its own (qk_rope_head_dim 0) it is the "simplified" MLA of section 2.1.2: positions come
// from another encoding, or from rotating the whole decompressed keys. The latter ("coupled" RoPE) works, but the
// rotation stands between W_UQ and W_UK, so that they cannot be absorbed into each other: every step decompresses
// and rotates the keys of the whole context again. That is why DeepSeek decouples.
//
// With an indexer it is DeepSeek sparse attention: each row attends only to the cache rows that the indexer selects.
#pragma once

#include <cstddef>
#include <optional>

#include "nn/attention.h"
#include "nn/fast_mla.h"
#include "nn/indexer.h"
#include "nn/linear.h"
#include "nn/mla_shape.h"
#include "nn/norm.h"

namespace mla {

/// Low-rank queries, if the model has them (`q_lora_rank`).
struct QueryCompression {
  Linear q_a_proj;
  Norm q_a_layernorm;
};

/// W_UK and W_UV as GGUF files have them since 2025: apart, and W_UK transposed so that it can be absorbed as it lies
/// (llama.cpp's `attn_k_b` and `attn_v_b`).
struct SplitKvUp {
  WeightView k_b;  ///< [heads * kv_lora_rank, qk_nope_head_dim]
  WeightView v_b;  ///< [heads * v_head_dim, kv_lora_rank]
};

struct MlaWeights {
  std::optional<QueryCompression> compression;
  Linear q_proj;              ///< q_b_proj with compression; [heads * (nope | rope), ...]
  Linear kv_a_proj_with_mqa;  ///< [kv_lora_rank | rope, hidden]
  Norm kv_a_layernorm;        ///< over the latent
  Linear kv_b_proj;           ///< [heads * (nope keys | values), kv_lora_rank]; empty if it is split.
  std::optional<SplitKvUp> split_kv_b = std::nullopt;
  Linear o_proj;  ///< [hidden, heads * v_head_dim]
  std::optional<Indexer> indexer =
      std::nullopt;  ///< Of sparse attention; it works on the compressed queries.
};

class MlaAttention final : public Attention {
 public:
  MlaAttention(const MlaShape& shape, MlaWeights weights) : shape_(shape), weights_(std::move(weights)) {}

  bool caches_latent() const override { return true; }
  CacheWidths cache_widths() const override {
    CacheWidths widths{shape_.kv_lora_rank, shape_.qk_rope_head_dim};
    if (fast_) widths = fast_->cache_widths();
    if (weights_.indexer) widths.third = weights_.indexer->shape().head_dim;
    return widths;
  }

  /// The up-projections of the new rows' own latents count as matrices in either way: as many multiplications.
  AttentionWork work(std::size_t first, std::size_t rows) const override;

  std::size_t use_fast(const FastPlan& plan) override;
  void pack_fast(std::size_t item, const Kernels& kernels) override { fast_->pack(item, kernels); }

  /// Throws Error(unsupported) if the options ask for the absorbed path where keys are rotated whole, and if use_fast
  /// was called for what check_fast refuses.
  void forward(ConstMatrix x, const AttentionCall& call, Workspace& workspace, Matrix out) const override;
  /// All but the up-projection, which heads take apart.
  void visit_linears(const LinearVisitor& visit) override;

  /// The way `automatic` takes for `rows` new rows that see `context` tokens: the one with fewer
  /// multiplications. What an indexer does not select costs the absorbed way nothing where it goes row by row.
  AttentionPath cheaper_path(std::size_t rows, std::size_t context) const;

 private:
  ConstMatrix project(ConstMatrix x, Matrix q, Matrix compressed, Workspace& workspace) const;
  void append(Matrix compressed, const AttentionCall& call, Workspace& workspace) const;
  Selection select(ConstMatrix x, ConstMatrix latents, const AttentionCall& call, Workspace& workspace) const;
  void attend(ConstMatrix q, const Selection& selection, const AttentionCall& call, Workspace& workspace,
              Matrix heads_out) const;
  void attend_fast(ConstMatrix q, const Selection& selection, const AttentionCall& call, Workspace& workspace,
                   Matrix heads_out) const;
  MlaUpProjection up_projection(std::size_t head) const;
  bool rotates_whole_keys(const AttentionCall& call) const;
  const PositionBatch* whole_key_positions(const AttentionCall& call, std::size_t context,
                                           Workspace& workspace) const;
  AttentionPath chosen_path(std::size_t rows, const AttentionCall& call) const;
  AttentionPath fast_path(const AttentionCall& call) const;
  AttentionPath cheaper_path(std::size_t rows, std::size_t context, std::size_t keys) const;

  MlaShape shape_;
  MlaWeights weights_;
  std::optional<FastMla> fast_;
};

}  // namespace mla
