// One head's share of MLA over the latent cache, in its two forms.
#pragma once

#include <cstddef>

#include "kernels/kernels.h"
#include "nn/mla_attention.h"
#include "tensor/matrix.h"
#include "tensor/view.h"

namespace mla {

/// What one head works on. Row t of the queries stands at position first + t and sees the cache's rows up to
/// there.
struct MlaHead {
  const MlaShape& shape;
  WeightView up;  ///< The head's rows of kv_b_proj: qk_nope_head_dim for keys, then v_head_dim for values.
  ConstMatrix q;  ///< [rows, qk_nope_head_dim | qk_rope_head_dim], rotated.
  ConstMatrix latent;  ///< [first + rows, kv_lora_rank]
  ConstMatrix k_rope;  ///< [first + rows, qk_rope_head_dim]
  std::size_t first;
  Matrix out;  ///< [rows, v_head_dim]
};

/// Floats of scratch that either form needs.
std::size_t mla_head_scratch(const MlaShape& shape, std::size_t rows, std::size_t context);

/// k_nope = latent W_UK^T and v = latent W_UV^T, then plain attention.
void attend_decompressed(const MlaHead& head, float* scratch, const Kernels& kernels);

/// q_nope . (W_UK c) = (W_UK^T q_nope) . c and sum p (W_UV c) = W_UV (sum p c): the cache is used as it lies.
void attend_absorbed(const MlaHead& head, float* scratch, const Kernels& kernels);

}  // namespace mla
