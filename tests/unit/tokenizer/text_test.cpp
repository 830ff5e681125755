// Texts that are out of the ordinary: malformed, cut in the middle of characters, very long; and many
// threads.
#include <catch2/catch.hpp>

#include <algorithm>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "mla/tokenizer.h"
#include "tokenizer/bpe.h"
#include "tokenizer/utf8.h"

using mla::TokenId;

namespace {

std::shared_ptr<const mla::Tokenizer> golden(const std::string& name) {
  return mla::Tokenizer::load(MLA_TEST_DATA_DIR "/golden/tokenizer/" + name + ".json");
}

std::string random_bytes(std::mt19937& random, std::size_t length) {
  // Bytes of which UTF-8 is often made, so that whole, cut and impossible characters all come up.
  static const unsigned char kBytes[] = {'a',  ' ',  '1',  0x80, 0xBF, 0xA0, 0x9F, 0x90,
                                         0x8F, 0xC2, 0xC0, 0xE0, 0xED, 0xEF, 0xF0, 0xF4,
                                         0xF5, 0xFF, '<',  '\n', 0xE4, 0xB8, 0xCC, 0x81};
  std::string bytes;
  for (std::size_t i = 0; i < length; ++i) bytes += static_cast<char>(kBytes[random() % sizeof kBytes]);
  return bytes;
}

}  // namespace

TEST_CASE("tokenizer: malformed UTF-8 becomes U+FFFD, one a maximal piece", "[tokenizer]") {
  const std::string r = "\xEF\xBF\xBD";
  CHECK(mla::repair_utf8("a\xFFz") == "a" + r + "z");
  CHECK(mla::repair_utf8("\xC0\x80") == r + r);
  CHECK(mla::repair_utf8("\xE4\xB8") == r);
  CHECK(mla::repair_utf8("\xE4\xB8z") == r + "z");
  CHECK(mla::repair_utf8("\xF0\x9F\x98") == r);
  CHECK(mla::repair_utf8("\xF0\x9F\xE4\xB8\xAD") == r + "\xE4\xB8\xAD");
  CHECK(mla::repair_utf8("\xED\xA0\x80") == r + r + r);
  CHECK(mla::repair_utf8("\xF4\x90\x80\x80") == r + r + r + r);
  CHECK(mla::repair_utf8("\xE0\x80\x80") == r + r + r);
  CHECK(mla::repair_utf8("\xF8\x88\x80\x80\x80") == r + r + r + r + r);
  CHECK(mla::repair_utf8("\x80") == r);
  const auto tokenizer = golden("llama3");
  CHECK(tokenizer->decode(tokenizer->encode("a\xFF\xE4\xB8 b", false)) == "a" + r + r + " b");
}

TEST_CASE("tokenizer: repaired text is valid and repairing keeps valid text", "[tokenizer]") {
  std::mt19937 random(1);
  for (int i = 0; i < 3000; ++i) {
    const std::string bytes = random_bytes(random, random() % 24);
    const std::string repaired = mla::repair_utf8(bytes);
    CHECK(mla::is_valid_utf8(repaired));
    CHECK(mla::is_valid_utf8(bytes) == (repaired == bytes));
    CHECK(mla::repair_utf8(repaired) == repaired);
  }
}

TEST_CASE("tokenizer: streaming any ids gives the text of all of them, in whole characters", "[tokenizer]") {
  const auto tokenizer = golden("gpt2");
  std::mt19937 random(2);
  for (int i = 0; i < 1000; ++i) {
    std::vector<TokenId> ids;
    // Mostly single bytes: the first 256 tokens.
    for (std::size_t n = random() % 20; n > 0; --n) ids.push_back(static_cast<TokenId>(random() % 300));
    mla::StreamDecoder stream(tokenizer);
    std::string text;
    for (const TokenId id : ids) {
      const std::string piece = stream.push(id);
      CHECK(mla::is_valid_utf8(piece));
      text += piece;
    }
    CHECK(text + stream.finish() == tokenizer->decode(ids));
  }
}

TEST_CASE("tokenizer: malformed text goes through every kind of file", "[tokenizer]") {
  std::mt19937 random(3);
  for (const char* name : {"deepseek", "llama3", "nfc", "nfkd", "lowercase", "replace", "added_mixed",
                           "byte_fallback", "split_empty_matches", "bytes_then_split", "suffix"}) {
    const auto tokenizer = golden(name);
    for (int i = 0; i < 300; ++i) {
      const std::string bytes = random_bytes(random, random() % 60);
      CHECK(tokenizer->encode(bytes, true) == tokenizer->encode(mla::repair_utf8(bytes), true));
    }
  }
}

TEST_CASE("tokenizer: byte-level text comes back whole", "[tokenizer]") {
  const auto tokenizer = golden("deepseek");
  std::mt19937 random(4);
  for (int i = 0; i < 1000; ++i) {
    const std::string text = mla::repair_utf8(random_bytes(random, random() % 60));
    CHECK(tokenizer->decode(tokenizer->encode(text, false)) == text);
  }
}

TEST_CASE("tokenizer: one word of a megabyte takes no longer than many words", "[tokenizer]") {
  for (const char* name : {"deepseek", "llama3", "gpt2", "bytes_only"}) {
    const auto tokenizer = golden(name);
    for (const char* unit : {"a", " ", "1", "\n", "\xE4\xB8\xAD", "the ", "\xCC\x81", "! ", "'s"}) {
      std::string text;
      while (text.size() < (std::size_t{1} << 20)) text += unit;
      CAPTURE(name, unit);
      const bool same = tokenizer->decode(tokenizer->encode(text, false)) == text;  // Not to be printed.
      CHECK(same);
    }
  }
}

TEST_CASE("tokenizer: long and short words are merged alike", "[tokenizer]") {
  // The way a word is merged depends on its length; a word and the word within a longer one must agree.
  // Merges of three letters, made so that order matters.
  mla::MergeTable merges;
  merges.reserve(64);
  std::mt19937 random(5);
  std::vector<std::pair<TokenId, TokenId>> pairs;
  for (TokenId next = 3; next < 40; ++next) {
    const auto left = static_cast<TokenId>(random() % static_cast<unsigned>(next));
    const auto right = static_cast<TokenId>(random() % static_cast<unsigned>(next));
    if (merges.find(left, right) != mla::kNoMerge) continue;
    merges.add(left, right, static_cast<std::uint32_t>(next), next);
  }
  for (int i = 0; i < 500; ++i) {
    std::vector<TokenId> word(41 + random() % 60);
    for (TokenId& symbol : word) symbol = static_cast<TokenId>(random() % 3);
    std::vector<TokenId> naive = word;
    for (;;) {
      std::size_t best = 0;
      mla::Merge merge = mla::kNoMerge;
      for (std::size_t at = 0; at + 1 < naive.size(); ++at)
        if (const mla::Merge here = merges.find(naive[at], naive[at + 1]); here < merge)
          merge = here, best = at;
      if (merge == mla::kNoMerge) break;
      naive[best] = mla::merged_token(merge);
      naive.erase(naive.begin() + static_cast<std::ptrdiff_t>(best) + 1);
    }
    mla::BpeScratch scratch;
    scratch.symbols = word;
    std::vector<TokenId> ids;
    mla::merge_symbols(merges, scratch, ids);
    CHECK(ids == naive);
  }
}

TEST_CASE("tokenizer: many threads use one tokenizer", "[tokenizer]") {
  const auto tokenizer = golden("deepseek");
  std::vector<std::string> texts;
  std::mt19937 random(6);
  for (int i = 0; i < 200; ++i)
    texts.push_back(mla::repair_utf8(random_bytes(random, 200)) + "the earth " + std::to_string(i));
  std::vector<std::vector<TokenId>> expected;
  for (const std::string& text : texts) expected.push_back(tokenizer->encode(text));
  std::vector<int> wrong(8);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < wrong.size(); ++t)
    threads.emplace_back([&, t] {
      for (std::size_t i = 0; i < 5 * texts.size(); ++i) {
        const std::size_t at = (i * 7 + t) % texts.size();
        wrong[t] += tokenizer->encode(texts[at]) != expected[at];
      }
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(std::all_of(wrong.begin(), wrong.end(), [](int count) { return count == 0; }));
}
