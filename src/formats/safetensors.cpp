#include "formats/safetensors.h"

#include <algorithm>
#include <cstdint>

#include "base/lfs_pointer.h"
#include "mla/error.h"
#include "tensor/scalar.h"

namespace mla {
namespace {

constexpr std::size_t kLengthBytes = 8;
constexpr std::size_t kMaxHeaderBytes = 100'000'000;  // As in the reference.

/// The JSON header of the file.
std::string_view header_json(std::span<const std::byte> bytes, const std::string& file) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  refuse_lfs_pointer(text, file);
  if (bytes.size() < kLengthBytes)
    throw Error(ErrorCode::format, file, "header length",
                "found a file of " + std::to_string(bytes.size()) + " bytes, expected at least 8");
  const auto length = load_unaligned<std::uint64_t>(bytes.data());
  if (length > kMaxHeaderBytes) {
    throw Error(ErrorCode::format, file, "header length",
                "found " + std::to_string(length) + ", expected at most " + std::to_string(kMaxHeaderBytes) +
                    " (is this a safetensors file?)");
  }
  if (length > bytes.size() - kLengthBytes) {
    throw Error(ErrorCode::format, file, "header length",
                "found " + std::to_string(length) + ", expected at most the " +
                    std::to_string(bytes.size() - kLengthBytes) +
                    " bytes that follow (is the file truncated?)");
  }
  return text.substr(kLengthBytes, length);
}

}  // namespace

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path) : file_(path), name_(path.string()) {
  const std::string_view json = header_json(file_.bytes(), name_);
  data_ = file_.bytes().subspan(kLengthBytes + json.size());
  header_ = parse_safetensors_header(json, data_.size(), name_);
}

const SafetensorsEntry* SafetensorsFile::find(std::string_view name) const {
  const auto at =
      std::lower_bound(header_.entries.begin(), header_.entries.end(), name,
                       [](const SafetensorsEntry& entry, std::string_view key) { return entry.name < key; });
  return at != header_.entries.end() && at->name == name ? &*at : nullptr;
}

}  // namespace mla
