// Writes GGUF files, version 3, little-endian: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "formats/gguf.h"
#include "tensor/dtype.h"

namespace mla {

/// Keys and values in the order they were added, in the form they have in the file.
class GgufMetadata {
 public:
  /// Throw Error(argument) for a key that is there already, is empty or has more than 65535 bytes.
  void add_string(std::string_view key, std::string_view value);
  void add_uint32(std::string_view key, std::uint32_t value);
  void add_float32(std::string_view key, float value);
  void add_bool(std::string_view key, bool value);
  void add_strings(std::string_view key, std::span<const std::string> values);
  void add_int32s(std::string_view key, std::span<const std::int32_t> values);
  void add_float32s(std::string_view key, std::span<const float> values);
  /// Any value a GGUF file can hold, in its own type.
  void add(std::string_view key, const GgufValue& value);

  /// All of the other's, behind these.
  void add_all(const GgufMetadata& other);

  bool has(std::string_view key) const { return keys_.find(key) != keys_.end(); }
  std::size_t size() const { return keys_.size(); }
  const std::string& bytes() const { return bytes_; }

 private:
  void begin(std::string_view key, GgufType type);
  void begin_array(std::string_view key, GgufType element, std::size_t count);

  std::set<std::string, std::less<>> keys_;
  std::string bytes_;
};

/// A tensor to write.
struct GgufTensorInfo {
  std::string name;
  DType dtype = DType::f32;
  std::vector<std::size_t> shape;  ///< Outermost dimension first.
};

/// The file appears under its name when all of it is on disk; until then a temporary file beside it grows.
class GgufWriter {
 public:
  /// Writes header, metadata and tensor infos. Throws Error(io); Error(unsupported) that names the tensor for a name
  /// longer than 63 bytes, more than four dimensions or a dtype without a number in GGUF; Error(format) if two tensors
  /// have one name or a row is not whole blocks. `alignment` is a power of two; the caller adds `general.alignment`
  /// where it is not 32.
  GgufWriter(const std::filesystem::path& path, const GgufMetadata& metadata,
             const std::vector<GgufTensorInfo>& tensors, std::size_t alignment = 32);

  /// The data of the tensors, one after the other, in pieces of any size within a tensor.
  void write(std::span<const std::byte> data);

  /// Call once all data are written.
  void commit();

  /// The whole file's.
  std::size_t bytes() const { return total_bytes_; }

 private:
  void pad();

  AtomicFile file_;
  std::vector<std::size_t> sizes_;  ///< Of the tensors, without padding.
  std::size_t alignment_;
  std::size_t total_bytes_ = 0;
  std::size_t tensor_ = 0;   ///< The one being written.
  std::size_t written_ = 0;  ///< Bytes of it.
};

}  // namespace mla
