// The families of models mla can build, by the `model_type` of their config.json.
#pragma once

#include <span>
#include <string_view>

#include "base/json.h"
#include "formats/checkpoint.h"
#include "mla/model.h"
#include "model/decoder.h"

namespace mla {

struct Architecture {
  std::string_view model_type;

  /// Reads the family's config keys, takes its weights from the checkpoint, and fills in the parts of `info`
  /// that are the family's to know. Says what an encoding needs to know (`Decoder::encoding`) and which one
  /// belongs to the checkpoint, but makes none. Throws Error.
  Decoder (*build)(const JsonField& config, const Checkpoint& checkpoint, ModelInfo& info);
};

/// All of them. A new family is a file with its build function and a line here.
std::span<const Architecture> architectures();

/// The one the config names. Throws Error(unsupported) that lists the known ones.
const Architecture& architecture_of(const JsonField& config);

}  // namespace mla
