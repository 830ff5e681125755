// The weights of a model, whichever format they come in.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/view.h"

namespace mla {

class SafetensorsFile;

/// A tensor as it lies in a file.
struct CheckpointTensor {
  std::string name;                ///< As transformers names it.
  std::string stored_name;         ///< As the file names it.
  const std::string* file;         ///< The file's path as given, for errors. Lives as long as the Checkpoint.
  std::string_view dtype;          ///< As the file's format names it.
  std::vector<std::size_t> shape;  ///< Outermost dimension first.
  std::span<const std::byte> data;
  bool mapped = false;  ///< Whether the data is a mapped file's, so that its pages can be given back.

  /// Throws Error(unsupported) if mla does not compute with its dtype or if it has more than Shape::kMaxRank
  /// dimensions. The view's data has no alignment.
  TensorView view() const;
};

/// Named tensors in mapped files, which stay mapped as long as the object lives. Immutable: any thread may read
/// it.
class Checkpoint {
 public:
  /// A folder as Hugging Face lays it out: `model.safetensors`, or else the shards that
  /// `model.safetensors.index.json` names (the order of transformers). Opens and checks every file. Throws
  /// Error(io) if the folder, its weights or a shard are missing, Error(format) if a file is malformed, truncated or
  /// a Git LFS pointer, if a tensor is in two shards, or if the index names a tensor that is not in its shard.
  /// Tensors of a shard that the index leaves out belong to the checkpoint all the same.
  explicit Checkpoint(const std::filesystem::path& folder);

  /// What a tensor that is not there would be called in the file, by transformers' name; nothing if the file's format
  /// has no name for it.
  using Naming = std::function<std::optional<std::string>(std::string_view name)>;

  /// Tensors that lie in memory which `owner` keeps. `place` (a file or folder) is for errors. Throws Error(format)
  /// if two have one name.
  Checkpoint(std::string place, std::shared_ptr<const void> owner, std::vector<CheckpointTensor> tensors,
             Naming naming = {});

  /// All tensors, sorted by name.
  std::span<const CheckpointTensor> tensors() const { return tensors_; }
  /// The bytes of all tensors.
  std::size_t bytes() const { return bytes_; }
  std::size_t file_count() const { return owners_.size(); }

  /// The tensor of that name, or null.
  const CheckpointTensor* find(std::string_view name) const;

  /// The tensor of that name. Throws Error(mismatch) that names place and tensor if there is none.
  const CheckpointTensor& get(std::string_view name) const;

  /// get(name).view()
  TensorView view(std::string_view name) const { return get(name).view(); }

  /// Gives back the memory of mapped tensors; what is touched is read again.
  void release_pages() const noexcept;

  /// The tensor's name in errors: as the file has it, and if transformers has another, "stored (transformers')".
  std::string shown_name(std::string_view name) const;

  /// The file in which the tensor lies, for errors; the place of the whole if there is no such tensor.
  const std::string& file_of(std::string_view name) const;

 private:
  void open_shards(const std::filesystem::path& index);
  void add_file(std::shared_ptr<const SafetensorsFile> file);
  void sort_tensors();

  std::string place_;
  std::vector<std::shared_ptr<const void>> owners_;
  std::vector<CheckpointTensor> tensors_;
  std::size_t bytes_ = 0;
  Naming naming_;
};

}  // namespace mla
