#include "tokenizer/utf8.h"

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

/// The length of the ASCII run at `at`, eight bytes at a time.
std::size_t skip_ascii(std::string_view text, std::size_t at) {
  std::uint64_t word = 0;
  while (at + sizeof word <= text.size()) {
    std::memcpy(&word, text.data() + at, sizeof word);
    if (word & 0x8080808080808080u) break;
    at += sizeof word;
  }
  while (at < text.size() && static_cast<unsigned char>(text[at]) < 0x80) ++at;
  return at;
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

void append_utf8(std::string& text, char32_t value) {
  const auto put = [&](char32_t byte) {
    text.push_back(static_cast<char>(static_cast<unsigned char>(byte)));
  };
  if (value < 0x80) return put(value);
  if (value < 0x800) {
    put(0xC0 | value >> 6);
  } else {
    if (value < 0x10000) {
      put(0xE0 | value >> 12);
    } else {
      put(0xF0 | value >> 18);
      put(0x80 | (value >> 12 & 0x3F));
    }
    put(0x80 | (value >> 6 & 0x3F));
  }
  put(0x80 | (value & 0x3F));
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

std::string repair_utf8(std::string_view text) {
  std::string repaired;
  repaired.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t ascii = skip_ascii(text, at);
    repaired.append(text, at, ascii - at);
    at = ascii;
    if (at == text.size()) break;
    const Utf8Unit unit = utf8_unit(text, at);
    if (unit.whole)
      repaired.append(text, at, unit.length);
    else
      repaired.append("\xEF\xBF\xBD");
    at += unit.length;
  }
  return repaired;
}

std::size_t unfinished_utf8(std::string_view text) {
  for (std::size_t back = 1; back <= 3 && back <= text.size(); ++back) {
    const std::size_t at = text.size() - back;
    if ((static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) continue;
    return utf8_unit(text, at).unfinished ? back : 0;
  }
  return 0;
}

}  // namespace mla
