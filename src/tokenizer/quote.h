// Text in quotes, cut to a sensible length, for messages.
#pragma once

#include <string>
#include <string_view>

namespace mla {

inline std::string quote(std::string_view text) {
  std::size_t length = text.size();
  if (length > 60)
    for (length = 60; length > 0 && (static_cast<unsigned char>(text[length]) & 0xC0) == 0x80;) --length;
  std::string quoted(1, '"');
  quoted.append(text.substr(0, length));
  if (length < text.size()) quoted.append("...");
  return quoted.append(1, '"');
}

}  // namespace mla
