// MLA for Precision::fast: flash attention over latents in bf16, with the up-projections in panels.
//
// A token's row of the cache is [latent | rotated key], each filled up with zeros to a multiple of kColumnStep. In the
// absorbed form all heads read these rows as they lie: the key is the whole row, the value its latent. In the
// decompressed form each head makes keys and values of a block of latents and takes all query rows past them.
//
// Rows with a selection of their own attend to these rows alone in the absorbed form, which are gathered first; in the
// decompressed form all others are hidden from them.
#pragma once

#include <cstddef>
#include <vector>

#include "nn/attention.h"
#include "nn/fast_mla_selected.h"
#include "nn/flash_attention.h"
#include "nn/mla_shape.h"
#include "nn/selection.h"
#include "packed/packed_matrix.h"

namespace mla {

/// One head's up-projections.
struct PackedUpProjection {
  PackedMatrix absorb;  ///< W_UK transposed [kv_lora_rank, qk_nope_head_dim]
  PackedMatrix keys;    ///< W_UK [qk_nope_head_dim, kv_lora_rank]
  PackedMatrix values;  ///< W_UV [v_head_dim, kv_lora_rank]
};

/// How a pass attends.
struct FastMlaWay {
  AttentionPath path;  ///< One of the two forms.
  const Selection& selection;
  const PositionBatch*
      rotated_keys;  ///< All keys' positions if they are rotated whole (decompressed), else null.
};

class FastMla {
 public:
  /// Takes the memory for `up` [heads], whose views must live until all heads are packed.
  FastMla(const MlaShape& shape, std::vector<MlaUpProjection> up, const FastPlan& plan);

  std::size_t items() const { return heads_.size(); }
  /// Throws Error(unsupported) if a weight does not fit its type.
  void pack(std::size_t head, const Kernels& kernels);

  CacheWidths cache_widths() const;

  /// latents [rows, kv_lora_rank] and rotated keys [rows, qk_rope_head_dim] into the cache's rows of the pass.
  void append(ConstMatrix latents, ConstMatrix keys, const AttentionCall& call, Workspace& workspace) const;

  /// heads_out [rows, heads * v_head_dim] of q [rows, heads * qk_head_dim], rotated.
  void attend(ConstMatrix q, const AttentionCall& call, const FastMlaWay& way, Workspace& workspace,
              Matrix heads_out) const;

 private:
  void attend_absorbed(ConstMatrix q, const AttentionCall& call, const Selection& selection,
                       Workspace& workspace, Matrix heads_out) const;
  void attend_latents(const LatentQueries& queries, const AttentionCall& call, const Selection& selection,
                      Workspace& workspace) const;
  std::size_t latent_cols() const { return round_up(shape_.kv_lora_rank, kColumnStep); }
  std::size_t rotary_cols() const { return round_up(shape_.qk_rope_head_dim, kColumnStep); }

  MlaShape shape_;
  std::vector<MlaUpProjection> sources_;
  std::vector<PackedUpProjection> heads_;
};

}  // namespace mla
