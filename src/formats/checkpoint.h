// The weights of a model folder as Hugging Face lays it out.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/safetensors.h"
#include "tensor/view.h"

namespace mla {

/// A tensor and the file it lies in. It lives as long as its Checkpoint.
struct CheckpointTensor {
  const SafetensorsFile* file;
  const SafetensorsEntry* entry;

  std::string_view name() const { return entry->name; }
  /// As SafetensorsFile::view.
  TensorView view() const { return file->view(*entry); }
};

/// `model.safetensors`, or else the shards that `model.safetensors.index.json` names (the order of
/// transformers). The files stay mapped as long as the object lives. Immutable: any thread may read it.
class Checkpoint {
 public:
  /// Opens and checks every file. Throws Error(io) if the folder, its weights or a shard are missing,
  /// Error(format) if a file is malformed, truncated or a Git LFS pointer, if a tensor is in two shards, or
  /// if the index names a tensor that is not in its shard. Tensors of a shard that the index leaves out
  /// belong to the checkpoint all the same.
  explicit Checkpoint(const std::filesystem::path& folder);

  /// All tensors, sorted by name.
  std::span<const CheckpointTensor> tensors() const { return tensors_; }
  /// The bytes of all tensors.
  std::size_t bytes() const { return bytes_; }
  std::size_t file_count() const { return files_.size(); }

  /// The tensor of that name, or null.
  const CheckpointTensor* find(std::string_view name) const;

  /// The tensor of that name. Throws Error(mismatch) that names folder and tensor if there is none.
  const CheckpointTensor& get(std::string_view name) const;

  /// get(name).view()
  TensorView view(std::string_view name) const { return get(name).view(); }

  /// The file in which the tensor lies, for errors; the folder if there is no such tensor.
  const std::string& file_of(std::string_view name) const;

 private:
  void open_shards(const std::filesystem::path& index);
  void collect_tensors();

  std::string folder_;
  std::vector<std::unique_ptr<SafetensorsFile>> files_;
  std::vector<CheckpointTensor> tensors_;
  std::size_t bytes_ = 0;
};

}  // namespace mla
