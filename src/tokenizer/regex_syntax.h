// From the regular expressions of tokenizer.json (Oniguruma, Ruby syntax) to PCRE2's.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"

namespace mla {

/// The same pattern for PCRE2 with UTF, UCP, MULTILINE and newlines LF. Where both read a piece differently
/// it is rewritten (classes get the characters Oniguruma knows and PCRE2 does not yet) or, if that cannot be
/// done, refused with Error(unsupported) at `place`.
std::string to_pcre2_syntax(std::string_view pattern, const JsonField& place);

}  // namespace mla
