#include "formats/checkpoint.h"

#include <algorithm>
#include <map>
#include <optional>
#include <system_error>

#include "base/file.h"
#include "base/json.h"
#include "formats/safetensors.h"
#include "mla/error.h"

namespace mla {
namespace {

constexpr const char* kSingleFile = "model.safetensors";
constexpr const char* kIndexFile = "model.safetensors.index.json";
constexpr std::size_t kMaxIndexBytes = std::size_t{64}
                                       << 20;  // A trillion weights by experts are some 15 MB.

/// Shards lie beside the index: a name must not lead anywhere else.
void check_shard_name(const JsonField& shard) {
  const std::string& name = shard.as_string();
  const bool plain = !name.empty() && name != "." && name != ".." && name.find('/') == std::string::npos &&
                     name.find('\0') == std::string::npos;
  if (!plain) shard.fail("found \"" + name + "\", expected the name of a file beside the index");
}

}  // namespace

Checkpoint::Checkpoint(const std::filesystem::path& folder) : place_(folder.string()) {
  std::error_code ignored;
  if (!std::filesystem::is_directory(folder, ignored))
    throw Error(ErrorCode::io, place_, "", "found no folder, expected a model folder");
  if (is_present(folder / kSingleFile)) {
    place_ = (folder / kSingleFile).string();
    add_file(std::make_shared<const SafetensorsFile>(place_));
  } else if (is_present(folder / kIndexFile)) {
    place_ = (folder / kIndexFile).string();
    open_shards(place_);
  } else {
    throw Error(ErrorCode::io, place_, "",
                std::string("found neither ") + kSingleFile + " nor " + kIndexFile + " in the folder");
  }
  sort_tensors();
}

Checkpoint::Checkpoint(std::string place, std::shared_ptr<const void> owner,
                       std::vector<CheckpointTensor> tensors, Naming naming)
    : place_(std::move(place)),
      owners_{std::move(owner)},
      tensors_(std::move(tensors)),
      naming_(std::move(naming)) {
  sort_tensors();
}

void Checkpoint::open_shards(const std::filesystem::path& index) {
  const Json document = read_json_file(index, kMaxIndexBytes, {"weight_map"});
  const JsonField map = JsonField(document, index.string()).get("weight_map");
  map.expect_object();
  if (map.json().empty()) map.fail("found no tensors, expected at least one");
  // Names first: no file is touched before all of them are known to be harmless.
  for (const auto& [tensor, shard] : map.json().items())
    check_shard_name(JsonField(shard, index.string(), "weight_map." + tensor));
  std::map<std::string_view, std::shared_ptr<const SafetensorsFile>> shards;
  for (const auto& [tensor, shard] : map.json().items()) {
    const std::string& name = shard.get_ref<const std::string&>();
    std::shared_ptr<const SafetensorsFile>& file = shards[name];
    if (file == nullptr) {
      file = std::make_shared<const SafetensorsFile>(index.parent_path() / name);
      add_file(file);
    }
    if (file->find(tensor) == nullptr)
      throw Error(ErrorCode::format, index.string(), "weight_map." + tensor,
                  "the tensor is not in " + name + ", where the index has it");
  }
}

void Checkpoint::add_file(std::shared_ptr<const SafetensorsFile> file) {
  for (const SafetensorsEntry& entry : file->entries()) {
    tensors_.push_back({.name = entry.name,
                        .stored_name = entry.name,
                        .file = &file->name(),
                        .dtype = entry.dtype,
                        .shape = entry.shape,
                        .data = file->bytes_of(entry),
                        .mapped = true});
  }
  owners_.push_back(std::move(file));
}

void Checkpoint::sort_tensors() {
  for (const CheckpointTensor& tensor : tensors_) bytes_ += tensor.data.size();
  std::sort(tensors_.begin(), tensors_.end(),
            [](const CheckpointTensor& a, const CheckpointTensor& b) { return a.name < b.name; });
  const auto twice = std::adjacent_find(
      tensors_.begin(), tensors_.end(),
      [](const CheckpointTensor& a, const CheckpointTensor& b) { return a.name == b.name; });
  if (twice != tensors_.end())
    throw Error(ErrorCode::format, *twice->file, twice->stored_name,
                "the tensor is also in " + *std::next(twice)->file);
}

TensorView CheckpointTensor::view() const {
  const std::optional<DType> known = find_dtype(dtype);
  if (!known)
    throw Error(ErrorCode::unsupported, *file, stored_name,
                "found dtype " + std::string(dtype) + ", expected F32, F16, BF16 or F8_E4M3");
  if (shape.size() > Shape::kMaxRank) {
    throw Error(ErrorCode::unsupported, *file, stored_name,
                "found " + std::to_string(shape.size()) + " dimensions, expected at most " +
                    std::to_string(Shape::kMaxRank));
  }
  return {*known, Shape(std::span<const std::size_t>(shape)), data.data()};
}

void Checkpoint::release_pages() const noexcept {
  for (const CheckpointTensor& tensor : tensors_)
    if (tensor.mapped) mla::release_pages(tensor.data);
}

const CheckpointTensor* Checkpoint::find(std::string_view name) const {
  const auto at = std::lower_bound(
      tensors_.begin(), tensors_.end(), name,
      [](const CheckpointTensor& tensor, std::string_view key) { return tensor.name < key; });
  return at != tensors_.end() && at->name == name ? &*at : nullptr;
}

const CheckpointTensor& Checkpoint::get(std::string_view name) const {
  const CheckpointTensor* const tensor = find(name);
  if (tensor == nullptr) throw Error(ErrorCode::mismatch, place_, shown_name(name), "found no such tensor");
  return *tensor;
}

std::string Checkpoint::shown_name(std::string_view name) const {
  const CheckpointTensor* const tensor = find(name);
  std::optional<std::string> stored;
  if (tensor != nullptr)
    stored = tensor->stored_name;
  else if (naming_)
    stored = naming_(name);
  if (!stored || *stored == name) return std::string(name);
  return stored->append(" (").append(name).append(")");
}

const std::string& Checkpoint::file_of(std::string_view name) const {
  const CheckpointTensor* const tensor = find(name);
  return tensor == nullptr ? place_ : *tensor->file;
}

}  // namespace mla
