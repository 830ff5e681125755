// An untrained layer, as tutorials build it to show what an encoding does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "model/decoder.h"

namespace mla::lab {

struct RandomModelOptions {
  std::size_t vocab_size = 0;
  bool decoupled = false;  ///< With a rotary part of its own.
  bool scaled = false;     ///< Embeddings times sqrt(hidden size), as the sinusoidal encoding's authors do.
  bool normalized = true;  ///< RMSNorm in front of the attention, or nothing.
  std::uint64_t seed = 1;
};

/// One layer of MLA: 64 hidden values, 4 heads of 16 content values (and 8 rotary ones), a latent of 32. Embeddings are
/// drawn from N(0, 0.02^2), as models begin their training (GPT-2; transformers' initializer_range); matrices
/// from N(0, 1 / in), so that they keep the size of what goes through. The same seed gives the same numbers on
/// every machine.
class RandomModel {
 public:
  explicit RandomModel(const RandomModelOptions& options);
  const Decoder& decoder() const { return decoder_; }

 private:
  WeightView draw(std::uint64_t stream, std::size_t rows, std::size_t cols, double deviation);

  std::uint64_t seed_;
  std::vector<std::unique_ptr<std::vector<float>>> weights_;
  Decoder decoder_;
};

}  // namespace mla::lab
