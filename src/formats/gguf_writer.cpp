#include "formats/gguf_writer.h"

#include <cassert>
#include <cstring>
#include <optional>
#include <type_traits>
#include <utility>

#include "formats/gguf_tensors.h"
#include "mla/error.h"

namespace mla {
namespace {

constexpr std::size_t kMostKeyBytes = 65535;
constexpr std::size_t kMostNameBytes = 63;  // ggml keeps 64 with the zero at the end.
constexpr std::size_t kMostDimensions = 4;

template <typename T>
void append(std::string& bytes, T value) {
  static_assert(std::is_trivially_copyable_v<T>);
  char raw[sizeof value];
  std::memcpy(raw, &value, sizeof value);
  bytes.append(raw, sizeof value);
}

void append_text(std::string& bytes, std::string_view text) {
  append(bytes, std::uint64_t{text.size()});
  bytes.append(text);
}

void append_integer(std::string& bytes, GgufType type, std::int64_t value) {
  switch (type) {
    case GgufType::uint8:
    case GgufType::int8:
      return append(bytes, static_cast<std::uint8_t>(value));
    case GgufType::uint16:
    case GgufType::int16:
      return append(bytes, static_cast<std::uint16_t>(value));
    case GgufType::uint32:
    case GgufType::int32:
      return append(bytes, static_cast<std::uint32_t>(value));
    default:
      return append(bytes, value);
  }
}

void append_number(std::string& bytes, GgufType type, double value) {
  if (type == GgufType::float32) return append(bytes, static_cast<float>(value));
  append(bytes, value);
}

/// Appends a scalar or the elements of an array.
struct ValueAppender {
  std::string& bytes;
  GgufType type;

  void operator()(std::int64_t value) const { append_integer(bytes, type, value); }
  void operator()(double value) const { append_number(bytes, type, value); }
  void operator()(bool value) const { append(bytes, static_cast<std::uint8_t>(value ? 1 : 0)); }
  void operator()(std::string_view value) const { append_text(bytes, value); }
  template <typename T>
  void operator()(const std::vector<T>& values) const {
    for (const auto& value : values) (*this)(static_cast<T>(value));
  }
};

std::size_t array_size(const GgufValue& value) {
  return std::visit(
      [](const auto& held) -> std::size_t {
        if constexpr (requires { held.capacity(); })
          return held.size();
        else
          return 0;
      },
      value.value);
}

std::string tensor_info(const GgufTensorInfo& tensor, std::size_t offset) {
  std::string bytes;
  append_text(bytes, tensor.name);
  append(bytes, static_cast<std::uint32_t>(tensor.shape.size()));
  for (auto dimension = tensor.shape.rbegin(); dimension != tensor.shape.rend(); ++dimension)
    append(bytes, std::uint64_t{*dimension});
  append(bytes, *gguf_type_number(tensor.dtype));
  append(bytes, std::uint64_t{offset});
  return bytes;
}

void check(const GgufTensorInfo& tensor, const std::string& file) {
  const auto unsupported = [&](const std::string& message) {
    throw Error(ErrorCode::unsupported, file, tensor.name, message);
  };
  if (tensor.name.empty() || tensor.name.size() > kMostNameBytes)
    unsupported("found a name of " + std::to_string(tensor.name.size()) + " bytes, GGUF has 1 to " +
                std::to_string(kMostNameBytes));
  if (tensor.shape.size() > kMostDimensions)
    unsupported("found " + std::to_string(tensor.shape.size()) + " dimensions, GGUF has at most " +
                std::to_string(kMostDimensions));
  if (!gguf_type_number(tensor.dtype))
    unsupported("found dtype " + std::string(dtype_name(tensor.dtype)) + ", which GGUF does not have");
  if (!byte_size(tensor.dtype, tensor.shape))
    throw Error(ErrorCode::format, file, tensor.name,
                "the rows are not whole blocks of " + std::string(dtype_name(tensor.dtype)));
}

std::size_t padded(std::size_t bytes, std::size_t alignment) {
  return (bytes + alignment - 1) / alignment * alignment;
}

}  // namespace

void GgufMetadata::begin(std::string_view key, GgufType type) {
  if (key.empty() || key.size() > kMostKeyBytes)
    throw Error(ErrorCode::argument, "", key.substr(0, kMostNameBytes),
                "found a key of " + std::to_string(key.size()) + " bytes, GGUF has 1 to 65535");
  if (!keys_.emplace(key).second) throw Error(ErrorCode::argument, "", key, "the key stands twice");
  append_text(bytes_, key);
  append(bytes_, static_cast<std::uint32_t>(type));
}

void GgufMetadata::begin_array(std::string_view key, GgufType element, std::size_t count) {
  begin(key, GgufType::array);
  append(bytes_, static_cast<std::uint32_t>(element));
  append(bytes_, std::uint64_t{count});
}

void GgufMetadata::add_string(std::string_view key, std::string_view value) {
  begin(key, GgufType::string);
  append_text(bytes_, value);
}

void GgufMetadata::add_uint32(std::string_view key, std::uint32_t value) {
  begin(key, GgufType::uint32);
  append(bytes_, value);
}

void GgufMetadata::add_float32(std::string_view key, float value) {
  begin(key, GgufType::float32);
  append(bytes_, value);
}

void GgufMetadata::add_bool(std::string_view key, bool value) {
  begin(key, GgufType::boolean);
  append(bytes_, static_cast<std::uint8_t>(value ? 1 : 0));
}

void GgufMetadata::add_strings(std::string_view key, std::span<const std::string> values) {
  begin_array(key, GgufType::string, values.size());
  for (const std::string& value : values) append_text(bytes_, value);
}

void GgufMetadata::add_int32s(std::string_view key, std::span<const std::int32_t> values) {
  begin_array(key, GgufType::int32, values.size());
  for (const std::int32_t value : values) append(bytes_, value);
}

void GgufMetadata::add_float32s(std::string_view key, std::span<const float> values) {
  begin_array(key, GgufType::float32, values.size());
  for (const float value : values) append(bytes_, value);
}

void GgufMetadata::add(std::string_view key, const GgufValue& value) {
  const bool is_array = value.type == GgufType::array;
  if (is_array)
    begin_array(key, value.element_type, array_size(value));
  else
    begin(key, value.type);
  std::visit(ValueAppender{bytes_, is_array ? value.element_type : value.type}, value.value);
}

void GgufMetadata::add_all(const GgufMetadata& other) {
  for (const std::string& key : other.keys_)
    if (!keys_.insert(key).second) throw Error(ErrorCode::argument, "", key, "the key stands twice");
  bytes_ += other.bytes_;
}

GgufWriter::GgufWriter(const std::filesystem::path& path, const GgufMetadata& metadata,
                       const std::vector<GgufTensorInfo>& tensors, std::size_t alignment)
    : file_(path), alignment_(alignment) {
  assert(alignment > 0);
  std::string head = "GGUF";
  append(head, std::uint32_t{3});
  append(head, std::uint64_t{tensors.size()});
  append(head, std::uint64_t{metadata.size()});
  head += metadata.bytes();
  std::set<std::string_view> names;
  std::size_t offset = 0;
  for (const GgufTensorInfo& tensor : tensors) {
    check(tensor, path.string());
    if (!names.insert(tensor.name).second)
      throw Error(ErrorCode::format, path.string(), tensor.name, "two tensors have this name");
    head += tensor_info(tensor, offset);
    sizes_.push_back(*byte_size(tensor.dtype, tensor.shape));
    offset += padded(sizes_.back(), alignment_);
  }
  head.resize(padded(head.size(), alignment_), '\0');
  total_bytes_ = head.size() + offset;
  file_.write(std::as_bytes(std::span(head)));
  while (tensor_ < sizes_.size() && sizes_[tensor_] == 0) ++tensor_;
}

void GgufWriter::write(std::span<const std::byte> data) {
  if (data.empty()) return;
  assert(tensor_ < sizes_.size() && data.size() <= sizes_[tensor_] - written_);
  file_.write(data);
  written_ += data.size();
  if (written_ < sizes_[tensor_]) return;
  pad();
  written_ = 0;
  do ++tensor_;
  while (tensor_ < sizes_.size() && sizes_[tensor_] == 0);
}

void GgufWriter::pad() {
  const std::vector<std::byte> zeros(padded(written_, alignment_) - written_);
  file_.write(zeros);
}

void GgufWriter::commit() {
  assert(tensor_ == sizes_.size());
  file_.commit();
}

}  // namespace mla
