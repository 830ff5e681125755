#include "base/utf8.h"

#include <cstdint>
#include <cstring>

namespace mla {
namespace {

/// The well-formed second bytes depend on the first one (overlong forms, surrogates, the end of Unicode).
struct Lead {
  std::size_t length;  ///< 0: no character begins so.
  unsigned char second_least;
  unsigned char second_greatest;
};

Lead lead(unsigned char first) {
  if (first < 0x80) return {1, 0, 0};
  if (first < 0xC2) return {0, 0, 0};
  if (first < 0xE0) return {2, 0x80, 0xBF};
  if (first == 0xE0) return {3, 0xA0, 0xBF};
  if (first == 0xED) return {3, 0x80, 0x9F};
  if (first < 0xF0) return {3, 0x80, 0xBF};
  if (first == 0xF0) return {4, 0x90, 0xBF};
  if (first < 0xF4) return {4, 0x80, 0xBF};
  if (first == 0xF4) return {4, 0x80, 0x8F};
  return {0, 0, 0};
}

}  // namespace

Utf8Unit utf8_unit(std::string_view text, std::size_t at) {
  const Lead expected = lead(static_cast<unsigned char>(text[at]));
  if (expected.length <= 1) return {1, expected.length == 1, false};
  std::size_t length = 1;
  for (; length < expected.length; ++length) {
    if (at + length == text.size()) return {length, false, true};
    const auto byte = static_cast<unsigned char>(text[at + length]);
    const bool fits = length == 1 ? byte >= expected.second_least && byte <= expected.second_greatest
                                  : byte >= 0x80 && byte <= 0xBF;
    if (!fits) return {length, false, false};
  }
  return {length, true, false};
}

std::size_t skip_ascii(std::string_view text, std::size_t at) {
  std::uint64_t word = 0;  // Eight bytes at a time.
  while (at + sizeof word <= text.size()) {
    std::memcpy(&word, text.data() + at, sizeof word);
    if (word & 0x8080808080808080u) break;
    at += sizeof word;
  }
  while (at < text.size() && static_cast<unsigned char>(text[at]) < 0x80) ++at;
  return at;
}

bool is_ascii(std::string_view text) {
  return skip_ascii(text, 0) == text.size();
}

bool is_valid_utf8(std::string_view text) {
  for (std::size_t at = skip_ascii(text, 0); at < text.size(); at = skip_ascii(text, at)) {
    const Utf8Unit unit = utf8_unit(text, at);
    if (!unit.whole) return false;
    at += unit.length;
  }
  return true;
}

}  // namespace mla
