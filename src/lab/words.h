// The words of a text and the tokens they are made of.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mla/tokenizer.h"

namespace mla::lab {

/// A text as a model sees it.
struct TokenizedText {
  std::string text;
  std::vector<TokenId> ids;
  std::vector<std::string> pieces;  ///< What each token stands for; a special token by its name.
};

/// A word that stands more than once in a text, and the last token of each of its places.
struct RepeatedWord {
  std::string word;  ///< In lower case.
  std::vector<std::size_t> tokens;
};

TokenizedText tokenize(const Tokenizer& tokenizer, const std::string& text);

/// For models without a tokenizer: every word is a token, numbered in the order of their first appearance.
TokenizedText tokenize_by_word(const std::string& text);

/// Words are runs of letters, digits and marks, and of apostrophes between them ("don't"), compared in lower case; in the order of their first place.
std::vector<RepeatedWord> repeated_words(const TokenizedText& text);

/// The repeated word called `wanted`, or if that is empty the most telling one: rather one whose places are
/// the same token than one with two spellings ("It", "it"), rather no article, rather a long one. Throws
/// Error(argument) if there is none.
RepeatedWord choose_word(const TokenizedText& text, std::string_view wanted);

}  // namespace mla::lab
