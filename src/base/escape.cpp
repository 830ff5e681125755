#include "base/escape.h"

#include <cstdio>

#include "base/utf8.h"

namespace mla {
namespace {

/// Not a control character (a terminal obeys those behind ASCII, too) and none that changes the direction of what follows.
bool is_harmless(std::string_view character) {
  const auto first = static_cast<unsigned char>(character.front());
  if (character.size() == 1) return first >= 0x20 && first != 0x7F;
  const auto second = static_cast<unsigned char>(character[1]);
  if (character.size() == 2) return first != 0xC2 || second >= 0xA0;
  const auto third = static_cast<unsigned char>(character[2]);
  const bool general_punctuation = first == 0xE2 && second == 0x80;  // U+2000 to U+203F
  if (general_punctuation) return third != 0x8E && third != 0x8F && (third < 0xA8 || third > 0xAE);
  return !(first == 0xE2 && second == 0x81 && third >= 0xA6 && third <= 0xA9);
}

}  // namespace

void append_escaped(std::string& out, std::string_view text, std::size_t longest) {
  std::size_t at = 0;
  while (at < text.size() && at < longest) {
    const Utf8Unit unit = utf8_unit(text, at);
    const std::string_view character = text.substr(at, unit.length);
    at += unit.length;
    if (unit.whole && is_harmless(character)) {
      out += character;
      continue;
    }
    for (const char byte : character) {
      char buffer[5];
      std::snprintf(buffer, sizeof buffer, "\\x%02x",
                    static_cast<unsigned>(static_cast<unsigned char>(byte)));
      out += buffer;
    }
  }
  if (at < text.size()) out += "...";
}

}  // namespace mla
