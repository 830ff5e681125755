// General categories of characters, as of the Unicode version that Hugging Face's tokenizers has (16.0).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace mla {

/// A set of general categories, one bit each.
using CategoryMask = std::uint32_t;

/// The categories that a name such as "L" or "Lu" covers; nothing for any other name.
std::optional<CategoryMask> category_mask(std::string_view name);

/// The category of `value` as a mask of one bit.
CategoryMask category_of(char32_t value);

struct CodePointRange {
  char32_t first;
  char32_t last;
};

/// The characters in `mask` that PCRE2's tables may not have yet (they came after Unicode 14).
std::vector<CodePointRange> newer_code_points(CategoryMask mask);

/// Whether today's tables (utf8proc's) would decompose or reorder `value`, but those of the reference would
/// not.
bool is_opaque_to_normalization(char32_t value);

/// The lowercase of `value`, for all characters whose lowercase is one character.
char32_t lowercase(char32_t value);

bool is_white_space(char32_t value);  ///< The property White_Space.
bool is_word_character(
    char32_t value);              ///< \w of Unicode's UTS 18: what Rust's regex takes for part of a word.
bool is_numeric(char32_t value);  ///< Any of Nd, Nl, No.

}  // namespace mla
