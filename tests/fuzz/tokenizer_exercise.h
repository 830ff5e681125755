// What a tokenizer that came out of an input is put through.
#pragma once

#include <string_view>

#include "mla/tokenizer.h"

namespace mla::fuzz {

/// Encodes the text, decodes its ids at once and one by one. Throws Error, and std::logic_error if these differ.
void exercise(const Tokenizer& tokenizer, std::string_view text);

}  // namespace mla::fuzz
