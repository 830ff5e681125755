#include "tokenizer/utf8.h"

namespace mla {

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
