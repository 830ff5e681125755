#include "mla/model.h"

#include <array>
#include <string>

#include "base/json.h"
#include "mla/error.h"
#include "model/active_weights.h"
#include "model/architecture.h"
#include "model/known_keys.h"
#include "model/model_parts.h"
#include "model/packing.h"

namespace mla {
namespace {

constexpr std::array kPrecisions = {Precision::f32, Precision::fast};

void describe_checkpoint(const Checkpoint& checkpoint, ModelInfo& info) {
  info.weight_bytes = checkpoint.bytes();
  for (const CheckpointTensor& tensor : checkpoint.tensors()) {
    DTypeUse& use = info.dtypes[std::string(tensor.dtype)];
    ++use.tensors;
    use.bytes += tensor.data.size();
  }
}

/// The one name of an encoding: where there is a rotary part, `rope` is decoupled.
std::string canonical_encoding(const std::string& name, const EncodingSettings& settings) {
  return name == "rope" && settings.decoupled ? "rope-decoupled" : name;
}

/// The encoding called `name`, or the checkpoint's own if that is empty.
void choose_encoding(const std::string& name, ModelParts& parts) {
  ModelInfo& info = parts.info;
  const EncodingSettings& settings = parts.decoder.encoding;
  info.trained_position_encoding = canonical_encoding(info.trained_position_encoding, settings);
  info.position_encoding = name.empty() ? info.trained_position_encoding : canonical_encoding(name, settings);
  parts.decoder.encoding.source = info.path;
  parts.decoder.position = encoding_named(info.position_encoding).make(parts.decoder.encoding);
  info.encoding_positions = parts.decoder.position->positions();
  std::string text = parts.decoder.position->describe();
  if (info.position_encoding != info.trained_position_encoding)
    text += " (exchanged: trained with " + info.trained_position_encoding + ")";
  info.features.emplace_back("position", text);
}

/// What LoadOptions::quantize names.
std::optional<DType> quantized_type(const std::string& name) {
  if (name.empty()) return std::nullopt;
  for (const auto& [known, dtype] :
       {std::pair("q8_0", DType::q8_0), std::pair("q4_0", DType::q4_0), std::pair("q4_k", DType::q4_k)})
    if (name == known) return dtype;
  throw Error(ErrorCode::argument, "", "quantize", "found \"" + name + "\", expected q8_0, q4_0 or q4_k");
}

/// Layers do not know which file their weights are from.
void pack_model(const LoadOptions& options, std::optional<DType> quantize, ModelParts& parts) {
  try {
    pack(parts.decoder, parts.source.checkpoint,
         {.quantize = quantize, .threads = options.threads, .progress = options.progress}, parts.panels);
  } catch (const Error& error) {
    if (!error.file().empty()) throw;
    throw Error(error.code(), parts.info.path, "", error.what());
  }
}

}  // namespace

std::string_view to_string(Precision precision) {
  switch (precision) {
    case Precision::f32:
      return "f32";
    case Precision::fast:
      return "fast";
  }
  return "";
}

Precision precision_named(std::string_view name) {
  std::string known;
  for (const Precision precision : kPrecisions) {
    if (to_string(precision) == name) return precision;
    known.append(known.empty() ? "" : " or ").append(to_string(precision));
  }
  throw Error(ErrorCode::argument, "", "precision",
              std::string("found \"").append(name).append("\", expected ").append(known));
}

Model::Model(std::unique_ptr<const ModelParts> parts) : parts_(std::move(parts)) {}
Model::~Model() = default;

const ModelInfo& Model::info() const {
  return parts_->info;
}
const GenerationConfig& Model::generation_config() const {
  return parts_->source.generation;
}

std::shared_ptr<const Model> Model::load(const std::filesystem::path& path, const LoadOptions& options) {
  const std::optional<DType> quantize = quantized_type(options.quantize);
  if (quantize && options.precision != Precision::fast)
    throw Error(ErrorCode::argument, "", "quantize",
                "found " + options.quantize + " with precision f32, expected precision fast");
  auto parts = std::make_unique<ModelParts>(open_model(path));
  const ModelSource& source = parts->source;
  const JsonField config(source.config, source.config_file, {}, &source.config_names);
  const Architecture& architecture = architecture_of(config);
  parts->info.path = source.path;
  parts->info.precision = options.precision;
  parts->info.format = source.format;
  parts->info.file_type = source.file_type;
  parts->info.tokenizer = source.tokenizer;
  parts->info.chat_template = source.chat_template;
  parts->info.architecture = architecture.model_type;
  describe_checkpoint(source.checkpoint, parts->info);
  parts->decoder = architecture.build(config, source.checkpoint, parts->info);
  check_known_keys(config);
  if (source.unread_metadata) parts->info.ignored_config = *source.unread_metadata;
  choose_encoding(options.position_encoding, *parts);
  parts->described_only = options.describe_only;
  if (options.precision == Precision::fast && options.describe_only)
    use_fast_attention(parts->decoder, quantize, parts->panels);
  else if (options.precision == Precision::fast)
    pack_model(options, quantize, *parts);
  parts->info.active_weights = active_weights(source.checkpoint, parts->decoder, parts->info);
  const std::vector<CacheWidths> widths = parts->decoder.cache_widths();
  parts->info.cache_bytes_per_token = KvCache(widths, 0).bytes_per_token();
  if (widths.front().element == CacheElement::bf16) parts->info.full_cache_bytes_per_token /= 2;
  return std::shared_ptr<const Model>(new Model(std::move(parts)));
}

}  // namespace mla
