// The lightning indexer of DeepSeek sparse attention: a small attention of its own, without values, that says which
// tokens the large one looks at (DeepSeek-AI 2025, DeepSeek-V3.2-Exp, section 1; transformers'
// modeling_deepseek_v32.py, DeepseekV32Indexer).
//
// With queries q_h = R(W_q c), one key k = R(LayerNorm(W_k x)) for all heads and weights w = W_w x, the query at t
// gives the token at s the score
//
//     I(t, s) = sum_h w_h / sqrt(heads) * relu(q_h . k_s / sqrt(head_dim))
//
// and attention sees the top_k tokens of the greatest scores. The published code also turns queries and keys by a
// Hadamard matrix, which changes no product, and rounds them to FP8, which only makes it faster; neither is done here
// or in transformers.
#pragma once

#include <cstddef>

#include "nn/attention.h"
#include "nn/linear.h"
#include "nn/norm.h"
#include "nn/selection.h"

namespace mla {

struct IndexerShape {
  std::size_t num_heads = 0;
  std::size_t head_dim = 0;
  /// Where a head's rotated values end: they come first, and their pairs are (i, i + d/2) whatever those of the
  /// attention itself are. 0: nothing is rotated.
  std::size_t rotary_dim = 0;
  std::size_t top_k = 0;  ///< Tokens that a query attends to, at least 1.
};

struct IndexerWeights {
  Linear wq_b;          ///< [heads * head_dim, rank of the compressed queries]
  Linear wk;            ///< [head_dim, hidden]
  Norm k_norm;          ///< LayerNorm over the key.
  Linear weights_proj;  ///< [heads, hidden]
};

class Indexer {
 public:
  Indexer(const IndexerShape& shape, IndexerWeights weights) : shape_(shape), weights_(std::move(weights)) {}

  const IndexerShape& shape() const { return shape_; }

  /// Has scores computed so that a row's do not hang on what is computed beside them (Precision::fast): in float32 as
  /// before, but by the kernels for panels, which add in the order of the columns.
  void use_fast() { fast_ = true; }

  /// All of its matrices, whose products the choice hangs on.
  void visit_linears(const LinearVisitor& visit);

  /// Writes the keys of x [batch.count, hidden] to the cache's third stream [.., head_dim].
  void append(ConstMatrix x, const AttentionCall& call, Workspace& workspace) const;

  /// The selection for x, whose compressed queries are `latents` [batch.count, rank]; the keys are cached already.
  /// Rows that see top_k tokens or fewer attend to all of them; if that is so for all rows nothing is computed.
  ///
  /// Which of equal scores are taken is not defined by the reference, but what it does is always the same: torch's
  /// topk on the CPU is std::partial_sort or std::nth_element over all tokens of the call (aten/native/TopKImpl.h).
  /// This does the same, so that with the same standard library the same are taken. Without ties the selection
  /// depends on the scores alone. Equal scores are not rare: a token for which every head is below zero has 0.
  Selection select(ConstMatrix x, ConstMatrix latents, const AttentionCall& call, Workspace& workspace) const;

 private:
  Matrix queries(ConstMatrix latents, const AttentionCall& call, Workspace& workspace) const;
  Matrix head_weights(ConstMatrix x, Workspace& workspace) const;
  void multiply_tile(const LinearInput& heads, ConstMatrix keys, float* memory, Matrix products,
                     Workspace& workspace, int worker) const;
  void score(ConstMatrix q, ConstMatrix head_weights, ConstMatrix keys, Workspace& workspace,
             Matrix scores) const;

  IndexerShape shape_;
  IndexerWeights weights_;
  bool fast_ = false;
};

/// Bytes that choosing takes for each token of the context: scores and places of a block of rows.
std::size_t indexer_context_bytes();

/// Floats of scratch that a thread needs to score: bounded, whatever the context is.
std::size_t indexer_scratch(const IndexerShape& shape);

}  // namespace mla
