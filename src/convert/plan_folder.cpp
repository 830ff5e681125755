#include <algorithm>
#include <system_error>

#include "convert/folder.h"
#include "mla/error.h"
#include "mla/model.h"

namespace mla {
namespace {

constexpr std::uint32_t kQuantizationVersion = 2;  // GGML_QNT_VERSION in ggml.h.

/// The folder's own name, also for ".".
std::string name_of(const std::filesystem::path& folder) {
  std::error_code ignored;
  const std::filesystem::path whole = std::filesystem::weakly_canonical(folder, ignored);
  const std::string name = whole.filename().string();
  return name.empty() ? whole.parent_path().filename().string() : name;
}

}  // namespace

ConversionPlan plan_folder(const std::filesystem::path& folder, const Quantization& quantization) {
  // What the model refuses need not be refused again here: every shape and every value has been looked at.
  const std::vector<std::string> not_needed =
      Model::load(folder, {.precision = Precision::f32})->info().ignored_tensors;
  const auto source = std::make_shared<const ModelSource>(open_model(folder));
  if (source->format != "safetensors") return plan_gguf(source->path, quantization);

  ConversionPlan plan;
  GgufMetadata keys;
  const FolderModel model = describe_architecture(*source, keys);
  plan.source = folder.string();
  plan.owner = source;
  plan.metadata.add_string("general.architecture", model.architecture);
  plan.metadata.add_string("general.type", "model");
  plan.metadata.add_string("general.name", name_of(folder));
  plan.metadata.add_uint32("general.file_type", quantization.file_type);
  plan.metadata.add_uint32("general.quantization_version", kQuantizationVersion);
  plan.metadata.add_all(keys);
  describe_tokenizer(*source, model.vocab_size, plan.metadata);
  plan.model = {
      .layers = model.layers,
      .experts = model.experts,
      .shares_values = shares_values(model.architecture, model.layers, model.heads, model.key_value_heads)};
  plan_tensors(
      *source, model,
      [&](std::string_view name) {
        return std::find(not_needed.begin(), not_needed.end(), name) == not_needed.end();
      },
      plan);
  return plan;
}

}  // namespace mla
