// One forward pass of the real decoder, with everything it did written down.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "lab/grid.h"
#include "mla/tokenizer.h"
#include "model/decoder.h"

namespace mla::lab {

/// One head of one layer. Rows are queries, columns keys; what the mask hides is 0 in all of them.
/// The logits of the softmax are content_scores + rotary_scores + bias.
struct HeadObservation {
  double scale = 1.0;                      ///< Softmax scale.
  std::optional<std::size_t> window = {};  ///< Keys at this distance or more are hidden as well.
  Grid q;                                  ///< [tokens, content | rotary], rotated.
  Grid k_content;                          ///< [tokens, content]
  Grid k_rotary;        ///< [tokens, rotary], rotated; no columns where nothing is decoupled.
  Grid content_scores;  ///< scale * q_content . k_content
  Grid rotary_scores;   ///< scale * q_rotary . k_rotary
  Grid bias;            ///< What the encoding adds.
  Grid probabilities;
  Grid context;  ///< [tokens, v_head_dim]: the context vectors.

  float score(std::size_t query, std::size_t key) const {
    return content_scores.at(query, key) + rotary_scores.at(query, key) + bias.at(query, key);
  }
};

struct LayerObservation {
  Grid input;   ///< [tokens, hidden_size]; layer 0: embeddings with what the encoding added.
  Grid output;  ///< [tokens, hidden_size]: what the attention block adds to the residual stream.
  std::vector<HeadObservation> heads;
};

/// Keys [begin, end).
struct VisibleKeys {
  std::size_t begin;
  std::size_t end;
  std::size_t count() const { return end - begin; }
};

struct Observation {
  AttentionMask mask = AttentionMask::causal;
  std::size_t tokens = 0;
  std::vector<LayerObservation> layers;

  /// The keys that a query may attend to in a head.
  VisibleKeys visible(const HeadObservation& head, std::size_t query) const;
};

struct ObserveOptions {
  AttentionMask mask = AttentionMask::causal;
  const PositionalEncoding* encoding = nullptr;  ///< Null: the decoder's own.
  std::size_t first_position = 0;
};

/// Runs `ids` (at least one) through the decoder in one pass. Equal rows give equal bits wherever they stand.
/// Throws Error(argument) for no ids or an id out of range, and what the encoding throws.
Observation observe(const Decoder& decoder, std::span<const TokenId> ids, const ObserveOptions& options);

}  // namespace mla::lab
