// Words, the tokens they are made of, and which of the repeated ones is looked at.
#include "lab/words.h"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

#include "mla/error.h"

using namespace mla;
using namespace mla::lab;

namespace {

/// Ids only tell tokens apart.
TokenizedText text_of(const std::vector<std::pair<std::string, TokenId>>& tokens) {
  TokenizedText text;
  for (const auto& [piece, id] : tokens) {
    text.pieces.push_back(piece);
    text.ids.push_back(id);
    text.text += piece;
  }
  return text;
}

std::vector<std::string> names(const std::vector<RepeatedWord>& words) {
  std::vector<std::string> result;
  for (const RepeatedWord& word : words) result.push_back(word.word);
  return result;
}

}  // namespace

TEST_CASE("words: a word is its last token") {
  const TokenizedText text = text_of({{"<s>", 0},
                                      {"The", 1},
                                      {" do", 2},
                                      {"g", 3},
                                      {" saw", 4},
                                      {" a", 5},
                                      {" do", 2},
                                      {"g.", 6},
                                      {" Do", 7},
                                      {"g!", 8}});
  const std::vector<RepeatedWord> words = repeated_words(text);
  REQUIRE(words.size() == 1);
  CHECK(words[0].word == "dog");
  CHECK(words[0].tokens == std::vector<std::size_t>{3, 7, 9});
}

TEST_CASE("words: a token may hold several words or half a character") {
  const TokenizedText text = text_of({{"a cat, a", 1}, {" caf\xC3", 2}, {"\xA9 und Caf\xC3\x89", 3}});
  CHECK(names(repeated_words(text)) == std::vector<std::string>{"a", "caf\xC3\xA9"});
  CHECK(repeated_words(text)[0].tokens == std::vector<std::size_t>{0, 0});
  CHECK(repeated_words(text)[1].tokens == std::vector<std::size_t>{2, 2});
}

TEST_CASE("words: bytes that are no character part words") {
  CHECK(names(repeated_words(text_of({{"ab\xFF", 1}, {"ab", 2}}))) == std::vector<std::string>{"ab"});
  CHECK(repeated_words(text_of({{"", 1}, {"", 2}})).empty());
}

TEST_CASE("words: an apostrophe belongs to a word only within it") {
  const TokenizedText text = tokenize_by_word("Don't say 'don\xE2\x80\x99t' to don't, say 'yes'");
  CHECK(text.pieces ==
        std::vector<std::string>{" don't", " say", " don\xE2\x80\x99t", " to", " don't", " say", " yes"});
  CHECK(names(repeated_words(text)) == std::vector<std::string>{"don't", "say"});
}

TEST_CASE("words: the classic sentences choose dog and it") {
  CHECK(choose_word(tokenize_by_word("The dog chased another dog"), "").word == "dog");
  const RepeatedWord it =
      choose_word(tokenize_by_word("The dog chased the ball. It could not catch it."), "");
  CHECK(it.word == "it");
  CHECK(it.tokens == std::vector<std::size_t>{5, 9});
}

TEST_CASE("words: rather one token than two spellings") {
  const TokenizedText text =
      text_of({{"The", 1}, {" cat", 2}, {" Wonder", 3}, {" cat", 2}, {" wonder", 4}, {" the", 5}});
  CHECK(names(repeated_words(text)) == std::vector<std::string>{"the", "cat", "wonder"});
  CHECK(choose_word(text, "").word == "cat");
  CHECK(choose_word(text, "WONDER").tokens == std::vector<std::size_t>{2, 4});
}

TEST_CASE("words: what does not stand twice is refused by name") {
  const TokenizedText text = tokenize_by_word("The dog chased another dog");
  CHECK_THROWS_WITH(choose_word(text, "cat"), Catch::Contains("\"cat\"") && Catch::Contains("dog"));
  CHECK_THROWS_WITH(choose_word(text, "chased"), Catch::Contains("does not stand twice"));
  CHECK_THROWS_AS(choose_word(tokenize_by_word("one two three"), ""), Error);
  CHECK_THROWS_AS(choose_word(tokenize_by_word(""), ""), Error);
}

TEST_CASE("words: without a tokenizer every word is a token") {
  const TokenizedText text = tokenize_by_word("A dog, a DOG; and a cat's tail");
  CHECK(text.ids == std::vector<TokenId>{0, 1, 0, 1, 2, 0, 3, 4});
  CHECK(text.pieces[3] == " dog");
}
