#include <algorithm>
#include <array>
#include <string_view>

#include "convert/plan.h"
#include "formats/gguf_parts.h"
#include "mla/error.h"
#include "model/gguf_names.h"
#include "tensor/decode.h"

namespace mla {
namespace {

constexpr std::uint32_t kQuantizationVersion = 2;  // GGML_QNT_VERSION in ggml.h.
constexpr std::string_view kArchitecture = "general.architecture";
constexpr std::int64_t kMostLayers = 100'000;
constexpr std::int64_t kMostExperts = 1'000'000;

/// Keys that tell of the file and not of the model.
constexpr std::array<std::string_view, 6> kOfTheFile = {
    kArchitecture, "general.file_type", "general.quantization_version",
    "split.no",    "split.count",       "split.tensors.count"};

std::string architecture_of(const GgufFile& file) {
  const auto architecture = file.string(kArchitecture);
  if (!architecture) file.fail(kArchitecture, "the key is missing");
  const auto known = gguf_architectures();
  if (std::find(known.begin(), known.end(), *architecture) != known.end()) return std::string(*architecture);
  std::string names;
  for (const std::string_view name : known) names.append(names.empty() ? "" : ", ").append(name);
  file.unsupported(
      kArchitecture,
      std::string("found \"").append(*architecture).append("\", expected one of ").append(names));
}

MixtureModel read_mixture_model(const GgufFile& file, const std::string& architecture) {
  const auto integer = [&](const char* key, std::int64_t most) {
    return file.integer(architecture + key, 0, most);
  };
  const auto layers = integer(".block_count", kMostLayers);
  if (!layers) file.fail(architecture + ".block_count", "the key is missing");
  MixtureModel model{.layers = static_cast<std::size_t>(*layers),
                     .experts = static_cast<std::size_t>(integer(".expert_count", kMostExperts).value_or(0))};
  model.shares_values =
      shares_values(architecture, model.layers,
                    static_cast<std::size_t>(integer(".attention.head_count", kMostExperts).value_or(0)),
                    static_cast<std::size_t>(integer(".attention.head_count_kv", kMostExperts).value_or(0)));
  return model;
}

GgufMetadata copy_metadata(const GgufFile& file, const std::string& architecture,
                           const Quantization& quantization) {
  GgufMetadata metadata;
  metadata.add_string(kArchitecture, architecture);
  metadata.add_uint32("general.file_type", quantization.file_type);
  metadata.add_uint32("general.quantization_version", kQuantizationVersion);
  for (const auto& [key, value] : file.metadata())
    if (std::find(kOfTheFile.begin(), kOfTheFile.end(), key) == kOfTheFile.end()) metadata.add(key, value);
  return metadata;
}

PlannedTensor plan_tensor(const GgufTensor& tensor, const GgufFile& file) {
  const std::optional<DType> dtype = find_dtype(tensor.dtype);
  if (!dtype)
    file.unsupported(tensor.name,
                     std::string("found dtype ").append(tensor.dtype).append(", which mla cannot decode"));
  PlannedTensor planned{.name = std::string(tensor.name),
                        .shape = tensor.shape,
                        .source = std::string(tensor.name),
                        .file = file.name(),
                        .own_type = *dtype,
                        .data = tensor.data,
                        .read_row = {}};
  const TensorView view{*dtype, Shape(std::span<const std::size_t>(tensor.shape)), tensor.data.data()};
  planned.read_row = [view](std::size_t index, std::span<float> row) { decode_row(view, index, 0, row); };
  return planned;
}

}  // namespace

ConversionPlan plan_gguf(const std::filesystem::path& path, const Quantization& quantization) {
  const auto parts = std::make_shared<const GgufParts>(path);
  const GgufFile& first = parts->first();
  const std::string architecture = architecture_of(first);
  ConversionPlan plan;
  plan.source = path.string();
  plan.owner = parts;
  plan.metadata = copy_metadata(first, architecture, quantization);
  plan.alignment = first.alignment();
  plan.model = read_mixture_model(first, architecture);
  for (const auto& file : parts->files())
    for (const GgufTensor& tensor : file->tensors()) {
      plan.tensors.push_back(plan_tensor(tensor, *file));
      plan.source_bytes += tensor.data.size();
    }
  return plan;
}

}  // namespace mla
