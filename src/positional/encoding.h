// The pluggable stage that tells a model where its tokens stand.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "tensor/matrix.h"

namespace mla {

/// The consecutive positions of the rows of one forward pass, and what the encoding computed for them.
struct PositionBatch {
  std::size_t first = 0;            ///< Position of the first row.
  std::size_t count = 0;            ///< Number of rows.
  std::size_t sequence_length = 0;  ///< Tokens seen when the whole call is done; >= first + count.

  /// [count, pairs]: cosine and sine of each row's rotation, already multiplied by the encoding's attention
  /// factor.
  std::vector<float> cosines;
  std::vector<float> sines;
};

/// One object a model, const and shared. A subclass overrides the hooks it has work in; each is called once
/// for a batch of rows, never once for an element.
class PositionalEncoding {
 public:
  virtual ~PositionalEncoding() = default;

  virtual std::string describe() const = 0;

  /// Called once before the layers: computes what the other hooks need for the batch's positions.
  virtual void prepare(PositionBatch& batch) const { static_cast<void>(batch); }

  /// Adds to the embeddings x [batch.count, hidden_size].
  virtual void add_to_embedding(const PositionBatch& batch, Matrix x) const {
    static_cast<void>(batch);
    static_cast<void>(x);
  }

  /// Rotates queries or keys in place: x [batch.count, heads * head_dim]; in each head the `rope_dim` values
  /// from `offset` on.
  virtual void rotate(const PositionBatch& batch, Matrix x, std::size_t head_dim, std::size_t offset) const {
    static_cast<void>(batch);
    static_cast<void>(x);
    static_cast<void>(head_dim);
    static_cast<void>(offset);
  }
};

}  // namespace mla
