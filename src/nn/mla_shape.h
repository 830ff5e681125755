// The sizes of multi-head latent attention, and what each head has of its up-projections.
#pragma once

#include <cstddef>

#include "tensor/view.h"

namespace mla {

struct MlaShape {
  std::size_t num_heads = 0;
  std::size_t kv_lora_rank = 0;
  std::size_t qk_nope_head_dim = 0;
  std::size_t qk_rope_head_dim = 0;
  std::size_t v_head_dim = 0;
  float softmax_scale =
      0.0F;  ///< (qk_nope + qk_rope)^-1/2, times YaRN's m^2; the same in both ways of attending.

  std::size_t qk_head_dim() const { return qk_nope_head_dim + qk_rope_head_dim; }

  /// Where a head's rotated values begin and how many they are.
  bool decoupled() const { return qk_rope_head_dim > 0; }
  std::size_t rotary_begin() const { return decoupled() ? qk_nope_head_dim : 0; }
  std::size_t rotary_dim() const { return decoupled() ? qk_rope_head_dim : qk_nope_head_dim; }
};

/// One head's W_UK and W_UV.
struct MlaUpProjection {
  WeightView keys;       ///< [qk_nope_head_dim, kv_lora_rank], or the other way round
  bool keys_transposed;  ///< if this says so.
  WeightView values;     ///< [v_head_dim, kv_lora_rank]
};

}  // namespace mla
