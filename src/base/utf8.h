// UTF-8: checking it.
#pragma once

#include <cstddef>
#include <string_view>

namespace mla {

/// What stands at `text[at]`: the longest start of a character there, and whether it is a whole one.
struct Utf8Unit {
  std::size_t length;  ///< At least 1.
  bool whole;
  bool unfinished;  ///< The text ends within the character, and what is there could begin one.
};
Utf8Unit utf8_unit(std::string_view text, std::size_t at);

bool is_ascii(std::string_view text);
bool is_valid_utf8(std::string_view text);

/// Where the run of ASCII that begins at `at` ends.
std::size_t skip_ascii(std::string_view text, std::size_t at);

}  // namespace mla
