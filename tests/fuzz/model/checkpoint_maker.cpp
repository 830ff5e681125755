#include "fuzz/model/checkpoint_maker.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <string_view>

#include "mla/error.h"
#include "model/architecture.h"
#include "tensor/dtype.h"

namespace mla::fuzz {
namespace {

const std::string kPlace = "model.safetensors";

/// The last "[2, 3]" of a message; nothing if there is none or it is too large.
std::optional<std::vector<std::size_t>> shape_in(std::string_view message) {
  const std::size_t begin = message.rfind("expected shape [");
  const std::size_t other = message.rfind("expected [");
  const std::size_t at = begin != std::string_view::npos ? begin : other;
  if (at == std::string_view::npos) return std::nullopt;
  message.remove_prefix(message.find('[', at) + 1);
  std::vector<std::size_t> shape;
  std::size_t elements = 1;
  while (!message.empty() && std::isdigit(static_cast<unsigned char>(message.front())) != 0) {
    std::size_t size = 0;
    while (!message.empty() && std::isdigit(static_cast<unsigned char>(message.front())) != 0) {
      size = size * 10 + static_cast<std::size_t>(message.front() - '0');
      message.remove_prefix(1);
    }
    if (size > CheckpointMaker::kMostElements) return std::nullopt;
    elements *= size;
    if (elements > CheckpointMaker::kMostElements) return std::nullopt;
    shape.push_back(size);
    if (message.starts_with(", ")) message.remove_prefix(2);
  }
  return shape;
}

/// What configs with about the same tensors have in common.
std::string kind_of(const JsonField& config) {
  std::string kind(architecture_of(config).model_type);
  for (const char* key : {"hidden_size", "n_embd"})
    if (const auto size = config.find(key)) kind.append(" ").append(size->json().dump());
  return kind;
}

}  // namespace

CheckpointMaker::CheckpointMaker(const std::filesystem::path& folder) : values_(kMostElements) {
  for (std::size_t i = 0; i < values_.size(); ++i)
    values_[i] = static_cast<float>(static_cast<int>(i * 37 % 64) - 32) / 64.0F;
  constexpr std::size_t kMostTensors = 1000;
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  for (const std::filesystem::path& file : files) {
    try {
      const Json document = read_json_file(file);
      const JsonField config(document, file.string());
      const std::string kind = kind_of(config);
      if (!begin_with_.contains(kind)) fit(config, kMostTensors, begin_with_[kind]);
    } catch (const Error&) {
      continue;  // A stored input that is to be refused.
    }
  }
}

Checkpoint CheckpointMaker::checkpoint_of(const Shapes& shapes) const {
  std::vector<CheckpointTensor> tensors;
  for (const auto& [name, shape] : shapes)
    tensors.push_back({.name = name,
                       .stored_name = name,
                       .file = &kPlace,
                       .dtype = "F32",
                       .shape = shape,
                       .data = std::as_bytes(std::span(values_)).first(*byte_size(DType::f32, shape))});
  return {kPlace, nullptr, std::move(tensors), {}};
}

/// Makes up to `changes` changes until the config's builder is content.
void CheckpointMaker::fit(const JsonField& config, std::size_t changes, Shapes& shapes) const {
  const Architecture& architecture = architecture_of(config);
  for (;; --changes) {
    const Checkpoint checkpoint = checkpoint_of(shapes);
    ModelInfo info;
    try {
      architecture.build(config, checkpoint, info);
      return;
    } catch (const Error& error) {
      if (changes == 0 || error.code() != ErrorCode::mismatch) throw;
      if (auto shape = shape_in(error.what()))
        shapes[error.field()] = std::move(*shape);
      else if (shapes.erase(error.field()) == 0)
        throw;
    }
  }
}

Shapes CheckpointMaker::shapes_for(const JsonField& config) const {
  constexpr std::size_t kMostChanges = 16;  // Enough for a layer of another width.
  const auto known = begin_with_.find(kind_of(config));
  Shapes shapes = known == begin_with_.end() ? Shapes{} : known->second;
  fit(config, kMostChanges, shapes);
  std::size_t elements = 0;
  for (const auto& [name, shape] : shapes) elements += *element_count(shape);
  if (elements > kMostInAll)
    throw Error(ErrorCode::limit, "the weights are larger than this target makes them");
  return shapes;
}

std::string CheckpointMaker::file_of(const Shapes& shapes) const {
  Json header = Json::object();
  std::string data;
  for (const auto& [name, shape] : shapes) {
    const std::size_t bytes = *byte_size(DType::f32, shape);
    header[name] = {{"dtype", "F32"}, {"shape", shape}, {"data_offsets", {data.size(), data.size() + bytes}}};
    data.append(reinterpret_cast<const char*>(values_.data()), bytes);
  }
  const std::string text = header.dump();
  std::string file;
  for (std::size_t byte = 0; byte < 8; ++byte) file += static_cast<char>(text.size() >> (8 * byte) & 0xFFU);
  return file.append(text).append(data);
}

}  // namespace mla::fuzz
