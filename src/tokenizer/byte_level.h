// GPT-2's way of writing any byte as a visible character, in which byte-level vocabularies are spelled.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace mla {

/// Every byte of `bytes` as its character.
std::string bytes_to_visible(std::string_view bytes);

/// The bytes that `text` (valid UTF-8) spells; nothing if it has a character that stands for no byte.
std::optional<std::string> visible_to_bytes(std::string_view text);

}  // namespace mla
