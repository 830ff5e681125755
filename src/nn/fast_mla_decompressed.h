// The decompressed form of MLA over latents in bf16.
#pragma once

#include <span>

#include "nn/attention.h"
#include "nn/fast_mla.h"

namespace mla {

struct DecompressedMla {
  const MlaShape& shape;
  std::span<const PackedUpProjection> heads;
  const AttentionCall& call;
  ConstMatrix q;                                ///< [rows, heads * qk_head_dim], rotated.
  Matrix out;                                   ///< [rows, heads * v_head_dim]
  const PositionBatch* rotated_keys = nullptr;  ///< All keys' positions if they are rotated whole, else null.
  ScoreBias bias = {};
};

/// k_nope = latent W_UK^T, rotated if that is due, and v = latent W_UV^T, a block of keys at a time, rounded to bf16, then
/// flash attention.
void attend_decompressed(const DecompressedMla& job, Workspace& workspace);

}  // namespace mla
