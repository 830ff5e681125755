#include "mla/error.h"

#include <cstdio>

namespace mla {
namespace {

void append_escaped(std::string& out, std::string_view text) {
  constexpr std::size_t kLongest = 600;  // File content ends up here: keep one line readable.
  for (std::size_t i = 0; i < text.size() && i < kLongest; ++i) {
    const unsigned char c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != 0x7f) {
      out += text[i];
      continue;
    }
    char buffer[5];
    std::snprintf(buffer, sizeof buffer, "\\x%02x", c);
    out += buffer;
  }
  if (text.size() > kLongest) out += "...";
}

std::string compose(std::string_view file, std::string_view field, std::string_view message) {
  std::string line;
  for (const std::string_view part : {file, field}) {
    if (part.empty()) continue;
    append_escaped(line, part);
    line += ": ";
  }
  append_escaped(line, message);
  return line;
}

}  // namespace

Error::Error(ErrorCode code, std::string_view file, std::string_view field, std::string_view message)
    : std::runtime_error(compose(file, field, message)), code_(code), file_(file), field_(field) {}

Error::Error(ErrorCode code, std::string_view message) : Error(code, {}, {}, message) {}

}  // namespace mla
