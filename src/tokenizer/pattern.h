// {"String": ..} and {"Regex": ..}, as Split and Replace have them.
#pragma once

#include "base/json.h"
#include "tokenizer/regex.h"

namespace mla {

Regex read_pattern(const JsonField& field);

}  // namespace mla
