// One head's share of MLA over the latent cache, in its two forms.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/kernels.h"
#include "nn/mla_attention.h"
#include "nn/selection.h"
#include "tensor/matrix.h"
#include "tensor/view.h"

namespace mla {

/// What one head works on. Row t of the queries is the cache's row batch.first + t and, under the causal mask,
/// sees the cache's rows up to there.
struct MlaHead {
  const MlaShape& shape;
  const AttentionCall& call;
  const Selection& selection;
  std::size_t head;
  MlaUpProjection up;
  ConstMatrix q;                      ///< [rows, qk_nope_head_dim | qk_rope_head_dim], rotated.
  const PositionBatch* rotated_keys;  ///< All keys' positions if they are rotated whole, else null.
  Matrix out;                         ///< [rows, v_head_dim]

  ConstMatrix latent() const { return call.cache.first; }   ///< [batch.first + rows, kv_lora_rank]
  ConstMatrix k_rope() const { return call.cache.second; }  ///< [batch.first + rows, qk_rope_head_dim]

  /// Cache rows that `rows` query rows from `row` on may see together.
  std::size_t keys(std::size_t row, std::size_t rows) const;

  /// Scores to probabilities for query rows [row, row + scores.rows): scale, the encoding's bias, softmax over
  /// what the mask shows and the selection keeps.
  void softmax(std::size_t row, Matrix scores, const Kernels& kernels) const;

  /// The same for one row of which only the scores of the `chosen` keys are there, one behind the other.
  void softmax_chosen(std::size_t row, std::span<const std::uint32_t> chosen, Matrix scores,
                      const Kernels& kernels) const;
};

/// Keys that the absorbed form multiplies a query row by, where a selection keeps `kept` of `context`: all of them if
/// many rows are multiplied at once, else those kept. Beyond some times `kept`, row by row is faster even so; then
/// this is what it costs in keys of a multiplication of many rows.
std::size_t absorbed_keys(std::size_t rows, std::size_t context, std::size_t kept);

/// Floats of scratch that either form needs.
std::size_t mla_head_scratch(const MlaShape& shape, std::size_t rows, std::size_t context);

/// k_nope = latent W_UK^T and v = latent W_UV^T, then plain attention.
void attend_decompressed(const MlaHead& head, float* scratch, const Kernels& kernels);

/// q_nope . (W_UK c) = (W_UK^T q_nope) . c and sum p (W_UV c) = W_UV (sum p c): the cache is used as it lies.
void attend_absorbed(const MlaHead& head, float* scratch, const Kernels& kernels);

}  // namespace mla
