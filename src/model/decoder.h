// The forward pass of a decoder-only transformer, whatever its attention, feed-forward and positional
// encoding are.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "mla/tokenizer.h"
#include "nn/attention.h"
#include "nn/feed_forward.h"
#include "nn/kv_cache.h"
#include "nn/linear.h"
#include "nn/norm.h"
#include "nn/workspace.h"
#include "positional/registry.h"
#include "tensor/view.h"

namespace mla {

struct DecoderLayer {
  Norm input_layernorm;
  std::unique_ptr<Attention> attention;
  Norm post_attention_layernorm;
  std::unique_ptr<FeedForward> feed_forward;
  /// Sees what feed_forward sees; its result joins the stream only behind the next layer (the shortcut-connected
  /// experts of LongCat-Flash). Mostly null.
  std::unique_ptr<FeedForward> shortcut;
};

/// Const after loading and shared by all sessions.
struct Decoder {
  WeightView embed_tokens;       ///< [vocab_size, hidden_size]
  float embedding_scale = 1.0F;  ///< What an embedding is multiplied by before anything is added to it.
  float residual_scale = 1.0F;   ///< What each block's result is multiplied by before it joins the stream.
  float logit_scale = 1.0F;      ///< What the normalized stream is multiplied by before lm_head.
  EncodingSettings encoding;     ///< What an encoding for this model needs to know.
  std::unique_ptr<PositionalEncoding> position;
  std::vector<DecoderLayer> layers;
  Norm norm;
  Linear lm_head;  ///< hidden_size -> vocab_size

  std::size_t vocab_size() const { return lm_head.out_features(); }
  std::size_t hidden_size() const { return lm_head.in_features(); }
  std::vector<CacheWidths> cache_widths() const;

  /// Elements of the embedding and of a table of positions that one token does not pass through: every row but its own.
  /// Tied embeddings are multiplied by as a whole, as the output head.
  std::size_t resting_embeddings() const;

  /// Hands out the matrices that may be packed, in the order in which a pass uses them.
  void visit_linears(const LinearVisitor& visit);

  /// Throws Error(argument) if there are none or one is not in the vocabulary.
  void check_ids(std::span<const TokenId> ids) const;

  /// Runs `ids` at the batch's positions and appends them to the cache, which has room for them; with the
  /// decoder's own encoding unless the options name another. The last `logits.rows` of them are taken to logits
  /// [rows asked for, vocab_size].
  void forward(std::span<const TokenId> ids, PositionBatch& batch, KvCache& cache, const PassOptions& options,
               Workspace& workspace, Matrix logits) const;

 private:
  Matrix embed(std::span<const TokenId> ids, Workspace& workspace) const;
};

}  // namespace mla
