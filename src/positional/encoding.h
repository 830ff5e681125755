// The pluggable stage that tells a model where its tokens stand.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tensor/matrix.h"

namespace mla {

/// The consecutive positions of the rows of one forward pass, and what the encoding computed for them.
struct PositionBatch {
  std::size_t first = 0;            ///< Row of the cache that the first row of the pass becomes.
  std::size_t count = 0;            ///< Number of rows.
  std::size_t sequence_length = 0;  ///< Tokens seen when the whole call is done; >= first + count.
  std::size_t call_count =
      0;  ///< Rows of the whole call, of which this pass may be a part; 0: of this pass alone.
  std::size_t offset = 0;  ///< Position of the cache's row 0: other than 0 only to shift a whole text.

  /// [count, pairs]: cosine and sine of each row's rotation, already multiplied by the encoding's attention
  /// factor.
  std::vector<float> cosines = {};
  std::vector<float> sines = {};

  /// [count]: what each row's queries are multiplied by besides; empty if by nothing.
  std::vector<float> query_scales = {};

  std::size_t position(std::size_t row) const { return offset + first + row; }
};

/// Where the scores of one head stand: row t belongs to the query at position `first_query` + t, column j to
/// the key at position `first_key` + j.
struct ScorePlace {
  std::size_t head = 0;
  std::size_t first_query = 0;
  std::size_t first_key = 0;
  /// Where only some keys have a column: column j then belongs to the key at position `first_key` + chosen[j].
  std::span<const std::uint32_t> chosen = {};
};

/// Where an encoding does its work.
enum class EncodingStage {
  nowhere,
  embedding,  ///< Adds a vector to each embedding.
  rotation,   ///< Rotates queries and keys.
  scores,     ///< Adds a bias to the scores.
};

/// One object a model, const and shared. A subclass overrides the hooks it has work in; each is called once
/// for a batch of rows, never once for an element.
class PositionalEncoding {
 public:
  virtual ~PositionalEncoding() = default;

  virtual std::string describe() const = 0;
  virtual EncodingStage stage() const = 0;

  /// Positions 0 up to this are defined; nothing if there is no end.
  virtual std::optional<std::size_t> positions() const { return std::nullopt; }

  /// The encoding itself, for looking at: what it says of a position in `dims` numbers. An added vector; for a
  /// rotation cosine and sine of each pair, (cos, sin) side by side; for a score bias what each head adds at
  /// this distance. Throws Error(limit) beyond positions().
  virtual std::vector<float> values(std::size_t position, std::size_t dims) const = 0;

  /// Called once before the layers: computes what the other hooks need for the batch's positions. Throws
  /// Error(limit) if one of them is beyond positions().
  virtual void prepare(PositionBatch& batch) const { static_cast<void>(batch); }

  /// Adds to the embeddings x [batch.count, hidden_size].
  virtual void add_to_embedding(const PositionBatch& batch, Matrix x) const {
    static_cast<void>(batch);
    static_cast<void>(x);
  }

  /// Rotates queries or keys in place: x [batch.count, heads * head_dim]; in each head the `rope_dim` values
  /// from `offset` on.
  void rotate(const PositionBatch& batch, Matrix x, std::size_t head_dim, std::size_t offset) const {
    rotate_from(0, batch, x, head_dim, offset);
  }

  /// The same where x has the batch's rows from `first` on.
  virtual void rotate_from(std::size_t first, const PositionBatch& batch, Matrix x, std::size_t head_dim,
                           std::size_t offset) const {
    static_cast<void>(first);
    static_cast<void>(batch);
    static_cast<void>(x);
    static_cast<void>(head_dim);
    static_cast<void>(offset);
  }

  /// `rotate` with the pairs (i, i + rope_dim / 2), whatever pairs `rotate` turns: an indexer's are these.
  virtual void rotate_halves(const PositionBatch& batch, Matrix x, std::size_t head_dim,
                             std::size_t offset) const {
    static_cast<void>(batch);
    static_cast<void>(x);
    static_cast<void>(head_dim);
    static_cast<void>(offset);
  }

  /// Adds to a head's scaled scores [queries, keys].
  virtual void add_score_bias(const ScorePlace& place, Matrix scores) const {
    static_cast<void>(place);
    static_cast<void>(scores);
  }
};

}  // namespace mla
