#include "lab/words.h"

#include <algorithm>
#include <array>
#include <map>
#include <tuple>
#include <utility>

#include "mla/error.h"
#include "tokenizer/unicode.h"
#include "tokenizer/utf8.h"

namespace mla::lab {
namespace {

struct Word {
  std::string lowered;
  std::size_t end;  ///< Byte behind it.
};

/// The character at `at`; U+FFFD for bytes that are none.
CodePoint character_at(std::string_view text, std::size_t at) {
  const Utf8Unit unit = utf8_unit(text, at);
  return {unit.whole ? code_point_at(text, at).value : U'\uFFFD', unit.length};
}

bool is_apostrophe(char32_t value) {
  return value == U'\'' || value == U'\u2019';
}

std::vector<Word> words_of(std::string_view text) {
  std::vector<Word> words;
  std::string current;
  std::size_t at = 0;
  const auto finish = [&] {
    if (!current.empty()) words.push_back({std::exchange(current, {}), at});
  };
  while (at < text.size()) {
    const CodePoint character = character_at(text, at);
    const std::size_t next = at + character.length;
    const bool joins = is_apostrophe(character.value) && !current.empty() && next < text.size() &&
                       is_word_character(character_at(text, next).value);
    if (joins || is_word_character(character.value))
      append_utf8(current, lowercase(character.value));
    else
      finish();
    at = next;
  }
  finish();
  return words;
}

std::string lowered(std::string_view word) {
  std::string result;
  for (const Word& part : words_of(word)) result += part.lowered;
  return result;
}

bool is_article(std::string_view word) {
  constexpr std::array<std::string_view, 3> kArticles = {"the", "a", "an"};
  return std::find(kArticles.begin(), kArticles.end(), word) != kArticles.end();
}

bool same_tokens(const TokenizedText& text, const RepeatedWord& word) {
  return text.ids[word.tokens[0]] == text.ids[word.tokens[1]];
}

std::string listed(const std::vector<RepeatedWord>& words) {
  std::string list;
  for (const RepeatedWord& word : words) list += (list.empty() ? "" : ", ") + word.word;
  return list;
}

}  // namespace

TokenizedText tokenize(const Tokenizer& tokenizer, const std::string& text) {
  TokenizedText result{.text = text, .ids = tokenizer.encode(text), .pieces = {}};
  for (const TokenId id : result.ids) result.pieces.push_back(tokenizer.token_bytes(id, false));
  return result;
}

TokenizedText tokenize_by_word(const std::string& text) {
  TokenizedText result{.text = text, .ids = {}, .pieces = {}};
  std::map<std::string, TokenId> known;
  for (const Word& word : words_of(text)) {
    const auto [place, fresh] = known.emplace(word.lowered, static_cast<TokenId>(known.size()));
    result.ids.push_back(place->second);
    result.pieces.push_back(" " + word.lowered);
  }
  return result;
}

std::vector<RepeatedWord> repeated_words(const TokenizedText& text) {
  std::string joined;
  std::vector<std::size_t> ends;
  for (const std::string& piece : text.pieces) {
    joined += piece;
    ends.push_back(joined.size());
  }
  std::vector<RepeatedWord> all;
  for (const Word& word : words_of(joined)) {
    const std::size_t token =
        static_cast<std::size_t>(std::lower_bound(ends.begin(), ends.end(), word.end) - ends.begin());
    const auto known = std::find_if(all.begin(), all.end(),
                                    [&](const RepeatedWord& entry) { return entry.word == word.lowered; });
    if (known == all.end())
      all.push_back({word.lowered, {token}});
    else
      known->tokens.push_back(token);
  }
  std::erase_if(all, [](const RepeatedWord& entry) { return entry.tokens.size() < 2; });
  return all;
}

RepeatedWord choose_word(const TokenizedText& text, std::string_view wanted) {
  const std::vector<RepeatedWord> words = repeated_words(text);
  if (words.empty())
    throw Error(ErrorCode::argument, "", "text",
                "found no word (letters and digits) that stands twice in it, expected one");
  if (wanted.empty()) {
    const auto rank = [&](const RepeatedWord& word) {
      return std::tuple(same_tokens(text, word), !is_article(word.word), word.word.size());
    };
    return *std::max_element(words.begin(), words.end(),
                             [&](const RepeatedWord& a, const RepeatedWord& b) { return rank(a) < rank(b); });
  }
  const std::string name = lowered(wanted);
  for (const RepeatedWord& word : words)
    if (word.word == name) return word;
  throw Error(ErrorCode::argument, "", "word",
              "found \"" + std::string(wanted) +
                  "\", which does not stand twice in the text, expected one of " + listed(words));
}

}  // namespace mla::lab
