// UTF-8: reading, writing and repairing it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/utf8.h"

namespace mla {

struct CodePoint {
  char32_t value;
  std::size_t length;  ///< In bytes.
};

/// The character at `at` of valid UTF-8.
inline CodePoint code_point_at(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) {
    return static_cast<char32_t>(static_cast<unsigned char>(text[at + i]));
  };
  const char32_t first = byte(0);
  if (first < 0x80) return {first, 1};
  if (first < 0xE0) return {(first & 0x1F) << 6 | (byte(1) & 0x3F), 2};
  if (first < 0xF0) return {(first & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F), 3};
  return {(first & 0x07) << 18 | (byte(1) & 0x3F) << 12 | (byte(2) & 0x3F) << 6 | (byte(3) & 0x3F), 4};
}

/// Where the character before `end` begins, in valid UTF-8; `end` > 0.
inline std::size_t previous_code_point(std::string_view text, std::size_t end) {
  do --end;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80);
  return end;
}

void append_utf8(std::string& text, char32_t value);

/// `text` with every maximal piece that cannot be part of a character replaced by one U+FFFD (Unicode,
/// section 3.9: substitution of maximal subparts; what Python's errors="replace" and Rust's from_utf8_lossy
/// do).
std::string repair_utf8(std::string_view text);

/// How many bytes at the end of `text` begin a character that is not whole yet.
std::size_t unfinished_utf8(std::string_view text);

}  // namespace mla
