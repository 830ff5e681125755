// What the encodings that add a vector to each embedding share.
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "positional/encoding.h"

namespace mla {

class AdditiveEncoding : public PositionalEncoding {
 public:
  EncodingStage stage() const final { return EncodingStage::embedding; }
  std::vector<float> values(std::size_t position, std::size_t dims) const final;
  void prepare(PositionBatch& batch) const final;
  void add_to_embedding(const PositionBatch& batch, Matrix x) const final;

 protected:
  /// `source` is the checkpoint for messages, where the encoding has a part of it.
  explicit AdditiveEncoding(std::string source = {}) : source_(std::move(source)) {}

 private:
  /// Adds the vector of a position, which has as many values as `x`. `position` is below positions().
  virtual void add(std::size_t position, std::span<float> x) const = 0;

  void check(std::size_t position) const;

  std::string source_;
};

}  // namespace mla
