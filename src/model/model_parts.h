// What a Model is made of.
#pragma once

#include <utility>

#include "base/page_memory.h"
#include "mla/model.h"
#include "model/decoder.h"
#include "model/model_source.h"

namespace mla {

struct ModelParts {
  explicit ModelParts(ModelSource opened) : source(std::move(opened)) {}

  ModelSource source;  ///< Keeps the mapped files that the decoder's views look into.
  PageMemory panels;   ///< What the decoder's packed matrices lie in.
  Decoder decoder;
  ModelInfo info;
  bool described_only = false;  ///< LoadOptions::describe_only: not to be computed with.
};

}  // namespace mla
