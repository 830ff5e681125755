// GGUF files for tests, built from metadata and tensors; and malformed ones, since nothing is checked.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "formats/gguf.h"

namespace gguf_files {

/// A number as it lies in the file.
template <typename T>
std::string raw(T value) {
  std::string bytes(sizeof value, '\0');
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

/// A length and the bytes.
inline std::string text(std::string_view content) {
  return raw(std::uint64_t{content.size()}).append(content);
}

/// A file in the making: `GgufBuilder().string("general.architecture", "llama").tensor(...).bytes()`.
class GgufBuilder {
 public:
  GgufBuilder& version(std::uint32_t number) {
    version_ = number;
    return *this;
  }
  /// A metadata entry of that type whose value lies in the file as `bytes`.
  GgufBuilder& entry(std::string_view key, mla::GgufType type, std::string_view bytes) {
    metadata_.append(text(key)).append(raw(static_cast<std::uint32_t>(type))).append(bytes);
    ++entries_;
    return *this;
  }
  GgufBuilder& string(std::string_view key, std::string_view value) {
    return entry(key, mla::GgufType::string, text(value));
  }
  GgufBuilder& uint32(std::string_view key, std::uint32_t value) {
    return entry(key, mla::GgufType::uint32, raw(value));
  }
  GgufBuilder& float32(std::string_view key, float value) {
    return entry(key, mla::GgufType::float32, raw(value));
  }
  GgufBuilder& boolean(std::string_view key, bool value) {
    return entry(key, mla::GgufType::boolean, raw(std::uint8_t{value}));
  }
  /// `count` elements that lie in the file as `bytes`.
  GgufBuilder& array(std::string_view key, mla::GgufType type, std::uint64_t count, std::string_view bytes) {
    return entry(key, mla::GgufType::array,
                 raw(static_cast<std::uint32_t>(type)).append(raw(count)).append(bytes));
  }
  GgufBuilder& strings(std::string_view key, const std::vector<std::string>& values) {
    std::string bytes;
    for (const std::string& value : values) bytes.append(text(value));
    return array(key, mla::GgufType::string, values.size(), bytes);
  }
  GgufBuilder& int32s(std::string_view key, const std::vector<std::int32_t>& values) {
    std::string bytes;
    for (const std::int32_t value : values) bytes.append(raw(value));
    return array(key, mla::GgufType::int32, values.size(), bytes);
  }
  GgufBuilder& float32s(std::string_view key, const std::vector<float>& values) {
    std::string bytes;
    for (const float value : values) bytes.append(raw(value));
    return array(key, mla::GgufType::float32, values.size(), bytes);
  }
  /// Alignment of the data; writes `general.alignment`.
  GgufBuilder& alignment(std::uint32_t bytes) {
    alignment_ = bytes;
    return uint32("general.alignment", bytes);
  }

  /// A tensor behind those before it. `dims` as in the file, innermost first; `type` is ggml's number.
  GgufBuilder& tensor(std::string_view name, const std::vector<std::uint64_t>& dims, std::uint32_t type,
                      std::string_view content) {
    pad(data_);
    tensor_at(name, dims, type, data_.size());
    data_.append(content);
    return *this;
  }
  GgufBuilder& f32_tensor(std::string_view name, const std::vector<std::uint64_t>& dims,
                          const std::vector<float>& values) {
    std::string bytes;
    for (const float value : values) bytes.append(raw(value));
    return tensor(name, dims, 0, bytes);
  }
  /// A tensor info alone.
  GgufBuilder& tensor_at(std::string_view name, const std::vector<std::uint64_t>& dims, std::uint32_t type,
                         std::uint64_t offset) {
    infos_.append(text(name)).append(raw(static_cast<std::uint32_t>(dims.size())));
    for (const std::uint64_t dim : dims) infos_.append(raw(dim));
    infos_.append(raw(type)).append(raw(offset));
    ++tensors_;
    return *this;
  }

  std::string bytes() const {
    std::string file = std::string("GGUF").append(raw(version_)).append(raw(tensors_)).append(raw(entries_));
    file.append(metadata_).append(infos_);
    if (tensors_ > 0) pad(file);
    return file.append(data_);
  }

 private:
  void pad(std::string& bytes) const {
    bytes.resize((bytes.size() + alignment_ - 1) / alignment_ * alignment_, '\0');
  }

  std::uint32_t version_ = 3;
  std::size_t alignment_ = 32;
  std::uint64_t entries_ = 0;
  std::uint64_t tensors_ = 0;
  std::string metadata_;
  std::string infos_;
  std::string data_;
};

}  // namespace gguf_files
