#include "mla/model.h"

#include "base/json.h"
#include "mla/error.h"
#include "model/active_weights.h"
#include "model/architecture.h"
#include "model/model_parts.h"

namespace mla {
namespace {

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

}  // namespace

Model::Model(std::unique_ptr<const ModelParts> parts) : parts_(std::move(parts)) {}
Model::~Model() = default;

const ModelInfo& Model::info() const {
  return parts_->info;
}
const GenerationConfig& Model::generation_config() const {
  return parts_->source.generation;
}

std::shared_ptr<const Model> Model::load(const std::filesystem::path& path, const LoadOptions& options) {
  auto parts = std::make_unique<ModelParts>(open_model(path));
  const ModelSource& source = parts->source;
  const JsonField config(source.config, source.config_file, {}, &source.config_names);
  const Architecture& architecture = architecture_of(config);
  parts->info.path = source.path;
  parts->info.format = source.format;
  parts->info.file_type = source.file_type;
  parts->info.tokenizer = source.tokenizer;
  parts->info.chat_template = source.chat_template;
  parts->info.architecture = architecture.model_type;
  describe_checkpoint(source.checkpoint, parts->info);
  parts->decoder = architecture.build(config, source.checkpoint, parts->info);
  parts->info.active_weights = active_weights(source.checkpoint, parts->decoder, parts->info);
  if (source.unread_metadata) parts->info.ignored_config = *source.unread_metadata;
  choose_encoding(options.position_encoding, *parts);
  parts->info.cache_bytes_per_token = KvCache(parts->decoder.cache_widths(), 0).bytes_per_token();
  return std::shared_ptr<const Model>(new Model(std::move(parts)));
}

}  // namespace mla
