// Where a model comes from: a Hugging Face folder or a GGUF file, in one form for the families.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "formats/checkpoint.h"
#include "mla/model.h"

namespace mla {

struct ModelSource {
  std::string path;       ///< As given.
  std::string format;     ///< "safetensors" or "GGUF v3", for a person.
  std::string file_type;  ///< What a GGUF calls the type of most of its matrices ("Q4_K_M"); empty otherwise.
  bool tokenizer = false;      ///< Whether the model comes with one.
  bool chat_template = false;  ///< Whether it comes with one.

  /// config.json, or what it would say: the families read no other form. `config_file` is for errors.
  Json config;
  std::string config_file;
  FieldNames config_names;  ///< The metadata's own keys, for errors. Empty for a config.json.

  Checkpoint checkpoint;  ///< Its tensors have the names transformers gives them.
  GenerationConfig generation;

  /// Where config.json is made of other metadata: those of them that say nothing the model needs.
  std::optional<std::vector<std::string>> unread_metadata;
};

/// Opens a GGUF file; a Hugging Face folder (config.json, the weights, generation_config.json if there is one); or a
/// folder that has no config.json but the GGUF file, or the parts of the GGUF file, of one model. Throws Error (io,
/// format, unsupported).
ModelSource open_model(const std::filesystem::path& path);

}  // namespace mla
