// What a Model is made of.
#pragma once

#include "formats/checkpoint.h"
#include "mla/model.h"
#include "model/decoder.h"

namespace mla {

struct ModelParts {
  explicit ModelParts(const std::filesystem::path& folder) : checkpoint(folder) {}

  Checkpoint checkpoint;  ///< Owns the mapped files that the decoder's views look into.
  Decoder decoder;
  ModelInfo info;
  GenerationConfig generation;
};

}  // namespace mla
