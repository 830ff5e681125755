// A model that lies in one GGUF file or in several, as llama.cpp's gguf-split cuts it: NAME-00001-of-00005.gguf
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "formats/gguf.h"

namespace mla {

/// All files of a model. They stay mapped, and the views valid, as long as the object lives.
class GgufParts {
 public:
  /// Opens the file, and if its `split.count` says that it is one of several, all the others beside it. Throws what
  /// GgufFile throws; Error(io) if a part is missing; Error(format) if file names, `split.no`, `split.count` and
  /// `split.tensors.count` do not fit together or a tensor is in two parts.
  explicit GgufParts(const std::filesystem::path& any_part);

  /// In their order, at least one.
  std::span<const std::unique_ptr<const GgufFile>> files() const { return files_; }

  /// The first file, whose metadata are the model's.
  const GgufFile& first() const { return *files_.front(); }

  struct Found {
    const GgufFile* file = nullptr;  ///< Null if there is no such tensor.
    const GgufTensor* tensor = nullptr;
  };
  Found find_tensor(std::string_view name) const;

 private:
  void open_siblings(std::unique_ptr<const GgufFile> opened, std::size_t count);
  void refuse_tensors_in_two_parts() const;

  std::vector<std::unique_ptr<const GgufFile>> files_;
};

}  // namespace mla
