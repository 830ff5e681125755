// What is no JSON although nlohmann's parser lets it pass.
#pragma once

#include <string>
#include <string_view>

namespace mla {

/// A NUL byte, which the parser takes for the end of the text, and a byte order mark. Throws Error(format); `source` is the
/// file's name.
void check_json_text(std::string_view text, const std::string& source);

}  // namespace mla
