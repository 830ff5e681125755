// Text from files as a person may see it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace mla {

/// Appends `text` in one line: control characters, those that change the direction of writing and bytes that are no UTF-8
/// become \xNN. Behind some `longest` bytes it ends in "...".
void append_escaped(std::string& out, std::string_view text, std::size_t longest);

}  // namespace mla
