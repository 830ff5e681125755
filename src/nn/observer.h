// A window into a forward pass, for whoever wants to look on and not only have the result.
#pragma once

#include <cstddef>
#include <optional>

#include "tensor/matrix.h"

namespace mla {

/// What one head of one layer did with some rows of a pass, after the softmax. Scores are
/// `scale` * (q . k_content + q_rotary . k_rotary), then the encoding's bias; a key that the mask hides or an
/// indexer does not select has probability 0.
struct HeadView {
  std::size_t layer;
  std::size_t head;
  std::size_t first_row;              ///< Of the rows below, within the pass.
  std::size_t first_key;              ///< Position of the cache's row 0, as PositionBatch::offset.
  std::optional<std::size_t> window;  ///< Keys at this distance or more are hidden as well.
  float scale;                        ///< Softmax scale.
  ConstMatrix q;                      ///< [rows, content | rotary], rotated.
  ConstMatrix k_content;              ///< [keys, content]
  ConstMatrix k_rotary;               ///< [keys, rotary], rotated; no columns where nothing is decoupled.
  ConstMatrix probabilities;          ///< [rows, keys]
  ConstMatrix out;                    ///< [rows, v_head_dim]: the context vectors.
};

/// All views are valid during the call only. `head` is called from the threads that compute, for different
/// heads at once; the others from the thread that runs the pass.
class ForwardObserver {
 public:
  virtual ~ForwardObserver() = default;

  /// The residual stream that goes into a layer [rows, hidden_size]; for layer 0 the embeddings with what the
  /// encoding added.
  virtual void layer_input(std::size_t layer, ConstMatrix x) {
    static_cast<void>(layer);
    static_cast<void>(x);
  }
  virtual void head(const HeadView& view) { static_cast<void>(view); }

  /// What the attention block adds to the residual stream [rows, hidden_size].
  virtual void attention_output(std::size_t layer, ConstMatrix out) {
    static_cast<void>(layer);
    static_cast<void>(out);
  }
};

}  // namespace mla
