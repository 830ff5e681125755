// Rotary position embedding (Su et al. 2021, RoFormer): each pair of values is turned by position *
// frequency, so that the dot product of a query and a key depends on the distance of their positions alone.
#pragma once

#include <string>
#include <vector>

#include "positional/encoding.h"
#include "positional/rope_frequencies.h"

namespace mla {

/// Which two values of a head form a pair: (2i, 2i + 1), or (i, i + rope_dim / 2).
enum class RopePairing { interleaved, halves };

class Rope final : public PositionalEncoding {
 public:
  /// `rope_dim` is even and at least 2.
  Rope(const RopeScaling& scaling, std::size_t rope_dim, RopePairing pairing);

  std::string describe() const override;
  EncodingStage stage() const override { return EncodingStage::rotation; }
  std::vector<float> values(std::size_t position, std::size_t dims) const override;
  void prepare(PositionBatch& batch) const override;

  /// (a, b) -> (a cos - b sin, b cos + a sin) for every pair, in place.
  void rotate_from(std::size_t first, const PositionBatch& batch, Matrix x, std::size_t head_dim,
                   std::size_t offset) const override;
  void rotate_halves(const PositionBatch& batch, Matrix x, std::size_t head_dim,
                     std::size_t offset) const override;

  /// One for each pair, in radians a position, for sequences no longer than the trained context.
  const std::vector<float>& frequencies() const { return frequencies_; }

 private:
  void turn(RopePairing pairing, std::size_t first, const PositionBatch& batch, Matrix x,
            std::size_t head_dim, std::size_t offset) const;

  RopeScaling scaling_;
  std::size_t rope_dim_;
  RopePairing pairing_;
  float attention_factor_;
  std::vector<float> frequencies_;
  std::vector<float>
      long_frequencies_;  ///< longrope: for longer sequences than the trained; otherwise empty.
};

}  // namespace mla
