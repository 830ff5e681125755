#include "tokenizer/byte_level.h"

#include <array>

#include "tokenizer/utf8.h"

namespace mla {
namespace {

/// Bytes that are printable in Latin-1 stand for themselves; the others take the characters from U+0100 on,
/// in order.
struct Alphabet {
  static constexpr char32_t kEnd = 0x100 + 68;

  std::array<char32_t, 256> character{};
  std::array<std::int16_t, kEnd> byte{};

  constexpr Alphabet() {
    for (std::int16_t& entry : byte) entry = -1;
    char32_t next = 0x100;
    for (char32_t value = 0; value < 256; ++value) {
      const bool printable =
          (value >= 0x21 && value <= 0x7E) || (value >= 0xA1 && value <= 0xAC) || value >= 0xAE;
      character[value] = printable ? value : next++;
      byte[character[value]] = static_cast<std::int16_t>(value);
    }
  }
};

constexpr Alphabet kAlphabet;

}  // namespace

std::string bytes_to_visible(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const char byte : bytes) append_utf8(text, kAlphabet.character[static_cast<unsigned char>(byte)]);
  return text;
}

std::optional<std::string> visible_to_bytes(std::string_view text) {
  std::string bytes;
  bytes.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint point = code_point_at(text, at);
    if (point.value >= Alphabet::kEnd || kAlphabet.byte[point.value] < 0) return std::nullopt;
    bytes.push_back(static_cast<char>(static_cast<unsigned char>(kAlphabet.byte[point.value])));
    at += point.length;
  }
  return bytes;
}

}  // namespace mla
