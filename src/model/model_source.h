// Where a model comes from: a Hugging Face folder or a GGUF file, in one form for the families.
#pragma once

#include <filesystem>
#include <string>

#include "base/json.h"
#include "formats/checkpoint.h"
#include "mla/model.h"

namespace mla {

struct ModelSource {
  std::string path;    ///< As given.
  std::string format;  ///< "safetensors" or "GGUF v3", for a person.

  /// config.json, or what it would say: the families read no other form. `config_file` is for errors.
  Json config;
  std::string config_file;

  Checkpoint checkpoint;  ///< Its tensors have the names transformers gives them.
  GenerationConfig generation;
};

/// Opens a folder (config.json, the weights, generation_config.json if there is one). Throws Error (io, format,
/// unsupported).
ModelSource open_model(const std::filesystem::path& path);

}  // namespace mla
