#include "formats/gguf_reader.h"

#include <algorithm>

#include "base/utf8.h"
#include "mla/error.h"

namespace mla {

std::string_view GgufReader::take_string(std::string_view field) {
  const auto length = take<std::uint64_t>(field);
  if (length > left()) fail_short(field, length);
  const std::size_t at = position_;
  skip(length, field);
  return {reinterpret_cast<const char*>(bytes_.data()) + at, length};
}

std::string_view GgufReader::take_name(std::string_view field, std::size_t most) {
  const std::string_view name = take_string(field);
  if (name.empty() || name.size() > most)
    fail(field, "found " + std::to_string(name.size()) + " bytes, expected 1 to " + std::to_string(most));
  if (!is_valid_utf8(name)) fail(field, "found bytes that are not UTF-8");
  return name;
}

std::size_t GgufReader::take_count(std::string_view field, std::size_t least_bytes, std::size_t most) {
  const auto count = take<std::uint64_t>(field);
  if (count > left() / least_bytes) {
    fail(field, "found a count of " + std::to_string(count) + ", expected at most " +
                    std::to_string(left() / least_bytes) + " in the " + std::to_string(left()) +
                    " bytes that may follow (is the file truncated?)");
  }
  if (count > most)
    fail(field, "found a count of " + std::to_string(count) + ", expected at most " + std::to_string(most));
  return count;
}

std::size_t GgufReader::take_element_count(std::string_view field, std::size_t least_bytes,
                                           std::size_t memory_bytes) {
  const std::size_t count =
      take_count(field, least_bytes, (kMaxElementBytes - element_bytes_) / memory_bytes);
  element_bytes_ += count * memory_bytes;
  return count;
}

void GgufReader::fail(std::string_view field, const std::string& message) const {
  throw Error(ErrorCode::format, file_, field, message);
}

void GgufReader::unsupported(std::string_view field, const std::string& message) const {
  throw Error(ErrorCode::unsupported, file_, field, message);
}

std::size_t GgufReader::left() const {
  return std::min(bytes_.size(), kMaxHeadBytes) - position_;
}

void GgufReader::skip(std::size_t count, std::string_view field) {
  if (count > left()) fail_short(field, count);
  position_ += count;
}

void GgufReader::fail_short(std::string_view field, std::uint64_t wanted) const {
  if (bytes_.size() > kMaxHeadBytes)
    fail(field, "found a value that ends beyond the first " + std::to_string(kMaxHeadBytes) +
                    " bytes of the file, expected metadata and tensor infos within them");
  fail(field, "found " + std::to_string(left()) + " bytes up to the end of the file, expected at least " +
                  std::to_string(wanted) + " (is the file truncated?)");
}

}  // namespace mla
