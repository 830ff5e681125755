// Weights in safetensors files: https://github.com/huggingface/safetensors
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "base/file.h"
#include "formats/safetensors_header.h"

namespace mla {

/// A safetensors file, mapped and not copied: its views are valid as long as it lives. The whole header is
/// checked on opening, so that no view can reach outside the file.
class SafetensorsFile {
 public:
  /// Throws Error(io), Error(format) or Error(unsupported) that names the file and the tensor.
  explicit SafetensorsFile(const std::filesystem::path& path);

  /// The path as given, for errors.
  const std::string& name() const { return name_; }
  /// All tensors, sorted by name.
  std::span<const SafetensorsEntry> entries() const { return header_.entries; }
  const std::map<std::string, std::string>& metadata() const { return header_.metadata; }

  /// The tensor of that name, or null.
  const SafetensorsEntry* find(std::string_view name) const;

  /// `entry` is one of this file's. The bytes have no alignment.
  std::span<const std::byte> bytes_of(const SafetensorsEntry& entry) const {
    return data_.subspan(entry.begin, entry.end - entry.begin);
  }

 private:
  MappedFile file_;
  std::string name_;
  SafetensorsHeader header_;
  std::span<const std::byte> data_;
};

}  // namespace mla
