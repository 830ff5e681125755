#include "formats/gguf.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/lfs_pointer.h"
#include "formats/gguf_metadata.h"
#include "formats/gguf_reader.h"
#include "formats/gguf_tensors.h"
#include "mla/error.h"

namespace mla {
namespace {

constexpr std::string_view kMagic = "GGUF";
constexpr std::uint32_t kOldestVersion = 2;
constexpr std::uint32_t kNewestVersion = 3;
constexpr std::string_view kAlignmentKey = "general.alignment";
constexpr std::int64_t kMaxAlignment = std::int64_t{1} << 31;
constexpr std::size_t kMaxKey = 65535;           // As the format's description has it.
constexpr std::size_t kLeastBytesOfValue = 14;   // A key of one byte, a type and an int8.
constexpr std::size_t kLeastBytesOfTensor = 25;  // A name of one byte, no dimensions, type and offset.

// Hundreds of keys and some thousands of tensors (at most 50,000 where each expert is one) are what models have. Each
// takes many times its bytes in memory.
constexpr std::size_t kMaxKeys = 100'000;
constexpr std::size_t kMaxTensors = 500'000;

std::uint32_t take_version(GgufReader& in) {
  const auto version = in.take<std::uint32_t>("version");
  if (version != 0 && (version & 0xffffU) == 0)
    in.unsupported("version", "found a big-endian file, expected a little-endian one");
  if (version < kOldestVersion || version > kNewestVersion)
    in.unsupported("version", "found " + std::to_string(version) + ", expected " +
                                  std::to_string(kOldestVersion) + " or " + std::to_string(kNewestVersion));
  return version;
}

}  // namespace

GgufFile::GgufFile(const std::filesystem::path& path) : file_(path), name_(path.string()) {
  const std::span<const std::byte> bytes = file_.bytes();
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  refuse_lfs_pointer(text, name_);
  if (text.substr(0, kMagic.size()) != kMagic)
    throw Error(ErrorCode::format, name_, "",
                "found a file that does not begin with \"GGUF\" (is this a GGUF file?)");
  GgufReader in(bytes, name_);
  in.take<std::uint32_t>("magic");
  version_ = take_version(in);
  const std::size_t tensors = in.take_count("tensor count", kLeastBytesOfTensor, kMaxTensors);
  read_metadata(in, in.take_count("metadata count", kLeastBytesOfValue, kMaxKeys));
  tensors_ = read_gguf_tensors(in, tensors, alignment_, bytes);
  index_tensors();
}

void GgufFile::read_metadata(GgufReader& in, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    const std::string_view key = in.take_name("metadata key " + std::to_string(i), kMaxKey);
    GgufValue value = read_gguf_value(in, key);
    if (!metadata_.emplace(key, std::move(value)).second) fail(key, "found the key a second time");
  }
  const std::optional<std::int64_t> alignment = integer(kAlignmentKey, 1, kMaxAlignment);
  if (!alignment) return;
  alignment_ = static_cast<std::size_t>(*alignment);
  if (!std::has_single_bit(alignment_))
    fail(kAlignmentKey, "found " + std::to_string(alignment_) + ", expected a power of two");
}

void GgufFile::index_tensors() {
  by_name_.resize(tensors_.size());
  std::iota(by_name_.begin(), by_name_.end(), std::size_t{0});
  std::sort(by_name_.begin(), by_name_.end(),
            [&](std::size_t a, std::size_t b) { return tensors_[a].name < tensors_[b].name; });
  const auto twice = std::adjacent_find(by_name_.begin(), by_name_.end(), [&](std::size_t a, std::size_t b) {
    return tensors_[a].name == tensors_[b].name;
  });
  if (twice != by_name_.end()) fail(tensors_[*twice].name, "found a tensor of that name a second time");
}

const GgufTensor* GgufFile::find_tensor(std::string_view name) const {
  const auto at =
      std::lower_bound(by_name_.begin(), by_name_.end(), name,
                       [&](std::size_t index, std::string_view key) { return tensors_[index].name < key; });
  return at != by_name_.end() && tensors_[*at].name == name ? &tensors_[*at] : nullptr;
}

const GgufValue* GgufFile::find(std::string_view key) const {
  const auto at = metadata_.find(key);
  return at == metadata_.end() ? nullptr : &at->second;
}

template <typename T>
const T* GgufFile::find_as(std::string_view key, std::string_view expected) const {
  const GgufValue* const found = find(key);
  if (found == nullptr) return nullptr;
  const T* const value = std::get_if<T>(&found->value);
  if (value == nullptr)
    fail(key, std::string("found ").append(gguf_type_name(*found)).append(", expected ").append(expected));
  return value;
}

std::optional<std::string_view> GgufFile::string(std::string_view key) const {
  const auto* const value = find_as<std::string_view>(key, "a string");
  return value == nullptr ? std::nullopt : std::optional(*value);
}

std::optional<std::int64_t> GgufFile::integer(std::string_view key, std::int64_t least,
                                              std::int64_t greatest) const {
  const auto* const value = find_as<std::int64_t>(key, "an integer");
  if (value == nullptr) return std::nullopt;
  if (*value < least || *value > greatest)
    fail(key, "found " + std::to_string(*value) + ", expected " + std::to_string(least) + " to " +
                  std::to_string(greatest));
  return *value;
}

std::optional<std::int32_t> GgufFile::token(std::string_view key, std::int64_t vocabulary) const {
  const auto* const id = find_as<std::int64_t>(key, "an integer");
  if (id == nullptr || *id == std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
  return static_cast<std::int32_t>(*integer(key, 0, vocabulary - 1));
}

std::optional<double> GgufFile::number(std::string_view key) const {
  const auto* const value = find_as<double>(key, "a floating-point number");
  if (value == nullptr) return std::nullopt;
  if (!std::isfinite(*value)) fail(key, "found " + std::to_string(*value) + ", expected a finite number");
  return *value;
}

std::optional<bool> GgufFile::boolean(std::string_view key) const {
  const auto* const value = find_as<bool>(key, "a bool");
  return value == nullptr ? std::nullopt : std::optional(*value);
}

const GgufValue::Strings* GgufFile::strings(std::string_view key) const {
  return find_as<GgufValue::Strings>(key, "an array of strings");
}

const GgufValue::Integers* GgufFile::integers(std::string_view key) const {
  return find_as<GgufValue::Integers>(key, "an array of integers");
}

const GgufValue::Numbers* GgufFile::numbers(std::string_view key) const {
  return find_as<GgufValue::Numbers>(key, "an array of floating-point numbers");
}

const GgufValue::Booleans* GgufFile::booleans(std::string_view key) const {
  return find_as<GgufValue::Booleans>(key, "an array of bools");
}

void GgufFile::fail(std::string_view key, const std::string& message) const {
  throw Error(ErrorCode::format, name_, key, message);
}

void GgufFile::unsupported(std::string_view key, const std::string& message) const {
  throw Error(ErrorCode::unsupported, name_, key, message);
}

}  // namespace mla
