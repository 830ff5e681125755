#include "model/gguf_model.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "formats/gguf_parts.h"
#include "model/gguf_config.h"
#include "model/gguf_metadata_keys.h"
#include "model/gguf_names.h"

namespace mla {
namespace {

/// `general.file_type`: what most of the matrices are, as llama.h numbers it (llama_ftype). Empty: no longer in use.
constexpr std::array<std::string_view, 41> kFileTypes = {
    "F32",   "F16",     "Q4_0",   "Q4_1",   "Q4_1 and F16", "",        "",       "Q8_0",   "Q5_0",
    "Q5_1",  "Q2_K",    "Q3_K_S", "Q3_K_M", "Q3_K_L",       "Q4_K_S",  "Q4_K_M", "Q5_K_S", "Q5_K_M",
    "Q6_K",  "IQ2_XXS", "IQ2_XS", "Q2_K_S", "IQ3_XS",       "IQ3_XXS", "IQ1_S",  "IQ4_NL", "IQ3_S",
    "IQ3_M", "IQ2_S",   "IQ2_M",  "IQ4_XS", "IQ1_M",        "BF16",    "",       "",       "",
    "TQ1_0", "TQ2_0",   "MXFP4",  "NVFP4",  "Q1_0"};

constexpr std::int64_t kGuessed = 1024;  // Added where the converter chose the type itself.

std::string read_file_type(const GgufFile& file) {
  constexpr std::string_view kKey = "general.file_type";
  const std::optional<std::int64_t> number = file.integer(kKey, 0, std::numeric_limits<std::int32_t>::max());
  if (!number) return "";
  const auto index = static_cast<std::size_t>(*number >= kGuessed ? *number - kGuessed : *number);
  if (index >= kFileTypes.size() || kFileTypes[index].empty()) {
    file.unsupported(kKey, "found " + std::to_string(*number) +
                               ", expected one of llama.cpp's file types, 0 to " +
                               std::to_string(kFileTypes.size() - 1));
  }
  return std::string(kFileTypes[index]);
}

/// The version of the quantized blocks' layouts, which has been 2 since 2023.
void check_quantization_version(const GgufFile& file) {
  constexpr std::string_view kKey = "general.quantization_version";
  const std::optional<std::int64_t> version = file.integer(kKey, 0, std::numeric_limits<std::int32_t>::max());
  if (version && *version != 2) file.unsupported(kKey, "found " + std::to_string(*version) + ", expected 2");
}

bool has_tokenizer(const GgufFile& file) {
  const std::optional<std::string_view> model = file.string("tokenizer.ggml.model");
  return model && *model != "none" && *model != "no_vocab";
}

std::optional<double> find_number(const GgufFile& file, std::string_view key, double least, double greatest) {
  const std::optional<double> value = file.number(key);
  if (!value || (*value >= least && *value <= greatest)) return value;
  char message[96];
  std::snprintf(message, sizeof message, "found %.10g, expected a number in [%.10g, %.10g]", *value, least,
                greatest);
  file.fail(key, message);
}

GenerationConfig read_generation(const GgufFile& file, std::int64_t vocabulary) {
  GenerationConfig result;
  result.bos_token_id = file.token("tokenizer.ggml.bos_token_id", vocabulary);
  for (const char* key :
       {"tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id"}) {
    if (const auto id = file.token(key, vocabulary); id && std::ranges::count(result.eos_token_ids, *id) == 0)
      result.eos_token_ids.push_back(*id);
  }
  // What generation_config.json says beside do_sample, as the converter has it.
  constexpr double kGreatest = 1e6;  // These bounds as in generation_config.json.
  result.temperature = find_number(file, "general.sampling.temp", 0.0, kGreatest);
  result.top_k = file.integer("general.sampling.top_k", 0, std::numeric_limits<std::int32_t>::max());
  result.top_p = find_number(file, "general.sampling.top_p", 0.0, 1.0);
  result.min_p = find_number(file, "general.sampling.min_p", 0.0, 1.0);
  result.repetition_penalty = find_number(file, "general.sampling.penalty_repeat", 1e-3, kGreatest);
  if (result.temperature || result.top_k || result.top_p || result.min_p) result.do_sample = true;
  return result;
}

/// `architecture` looks into the files.
Checkpoint read_tensors(std::shared_ptr<const GgufParts> parts, std::string_view architecture) {
  std::vector<CheckpointTensor> tensors;
  for (const auto& file : parts->files()) {
    for (const GgufTensor& tensor : file->tensors()) {
      if (is_config_tensor(tensor.name)) continue;
      // What has no name in transformers keeps its own: whoever builds the model says that it does not know it.
      std::string stored(tensor.name);
      tensors.push_back({.name = transformers_name(architecture, tensor.name).value_or(stored),
                         .stored_name = stored,
                         .file = &file->name(),
                         .dtype = tensor.dtype,
                         .shape = tensor.shape,
                         .data = tensor.data,
                         .mapped = true});
    }
  }
  std::string place = parts->first().name();
  const auto naming = [architecture](std::string_view name) -> std::optional<std::string> {
    const std::optional<GgufPlace> found = gguf_place(architecture, name);
    return found ? std::optional(found->name) : std::nullopt;
  };
  return Checkpoint(std::move(place), std::move(parts), std::move(tensors), naming);
}

}  // namespace

ModelSource open_gguf(const std::filesystem::path& path) {
  const auto parts = std::make_shared<const GgufParts>(path);
  const GgufFile& file = parts->first();
  GgufKeys keys(*parts);
  check_quantization_version(file);
  std::string file_type = read_file_type(file);
  Json config = gguf_config(keys);
  GenerationConfig generation = read_generation(file, config.at("vocab_size").get<std::int64_t>());
  return {.path = path.string(),
          .format = "GGUF v" + std::to_string(file.version()),
          .file_type = std::move(file_type),
          .tokenizer = has_tokenizer(file),
          .chat_template = file.string("tokenizer.chat_template").has_value(),
          .config = std::move(config),
          .config_file = file.name(),
          .config_names = gguf_config_names(keys.architecture()),
          .checkpoint = read_tensors(parts, keys.architecture()),
          .generation = std::move(generation),
          .unread_metadata = keys.unread()};
}

}  // namespace mla
