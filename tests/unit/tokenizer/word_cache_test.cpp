#include "tokenizer/word_cache.h"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

using mla::TokenId;
using mla::WordCache;

TEST_CASE("word cache: what it holds is right before and after it has grown", "[tokenizer]") {
  WordCache cache;
  const auto check = [&](TokenId number) {
    const std::string word = "word" + std::to_string(number);
    WordCache::Entry& entry = cache.place(word);
    if (!WordCache::holds(entry, word)) {
      WordCache::store(entry, word, std::vector<TokenId>{number, -number});
      return false;
    }
    REQUIRE(entry.count == 2);
    REQUIRE(entry.ids[0] == number);
    REQUIRE(entry.ids[1] == -number);
    return true;
  };
  CHECK_FALSE(check(1));
  CHECK(check(1));
  for (int round = 0; round < 2; ++round)
    for (TokenId number = 1; number <= 1000; ++number) check(number);
  int held = 0;
  for (TokenId number = 1; number <= 1000; ++number) held += check(number) ? 1 : 0;
  CHECK(held > 900);  // Of 1000 words in the small table most would have displaced each other.
}
