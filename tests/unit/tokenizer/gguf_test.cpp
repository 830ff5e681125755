// Vocabularies of GGUF files. Whole files with reference ids are among those of golden_test.cpp.
#include <catch2/catch.hpp>

#include <cstdio>
#include <limits>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "mla/error.h"
#include "mla/tokenizer.h"
#include "unit/base/scratch_folder.h"
#include "unit/formats/gguf_files.h"

using gguf_files::GgufBuilder;
using mla::ErrorCode;
using mla::Json;
using mla::TokenId;

namespace {

using Pointer = std::shared_ptr<const mla::Tokenizer>;

Pointer load(const GgufBuilder& file) {
  const ScratchFolder folder;
  return mla::Tokenizer::load(folder.write("vocabulary", file.bytes()));  // No name tells what it is.
}

void check_error(const GgufBuilder& file, ErrorCode code, const std::string& field,
                 const std::string& message) {
  CAPTURE(field);
  try {
    load(file);
    FAIL_CHECK("no error");
  } catch (const mla::Error& error) {
    CHECK(error.code() == code);
    CHECK(error.field() == field);
    CHECK_THAT(error.what(), Catch::Contains(message));
    CHECK(!error.file().empty());
  }
}

const std::string kKey = "tokenizer.ggml.";

/// What a small byte-level file says; each part may be changed.
struct ByteLevel {
  std::string model = "gpt2";
  std::string pre = "gpt-2";
  std::vector<std::string> tokens = {"a", "b", "ab", "<s>", "[PAD4]", "<m>"};
  std::vector<std::int32_t> types = {1, 1, 1, 3, 5, 4};
  std::vector<std::string> merges = {"a b"};

  GgufBuilder build() const {
    return GgufBuilder()
        .string(kKey + "model", model)
        .string(kKey + "pre", pre)
        .strings(kKey + "tokens", tokens)
        .int32s(kKey + "token_type", types)
        .strings(kKey + "merges", merges);
  }
};

/// The bytes, then the tokens given with their scores.
GgufBuilder scored(const std::vector<std::pair<std::string, float>>& pieces, std::size_t bytes = 256) {
  std::vector<std::string> tokens = {"<unk>", "<s>", "</s>"};
  std::vector<float> scores = {0, 0, 0};
  std::vector<std::int32_t> types = {2, 3, 3};
  for (std::size_t byte = 0; byte < bytes; ++byte) {
    char name[8];
    std::snprintf(name, sizeof name, "<0x%02X>", static_cast<unsigned>(byte));
    tokens.push_back(name);
    scores.push_back(0);
    types.push_back(6);
  }
  for (const auto& [token, score] : pieces) {
    tokens.push_back(token);
    scores.push_back(score);
    types.push_back(1);
  }
  return GgufBuilder()
      .string(kKey + "model", "llama")
      .strings(kKey + "tokens", tokens)
      .float32s(kKey + "scores", scores)
      .int32s(kKey + "token_type", types);
}

constexpr TokenId kPieces = 3 + 256;

}  // namespace

TEST_CASE("tokenizer: each pre-tokenizer of GGUF files splits as the model's own does", "[tokenizer][gguf]") {
  const Json base = mla::read_json_file(MLA_TEST_DATA_DIR "/golden/tokenizer/gpt2.json");
  std::vector<std::string> tokens(base["model"]["vocab"].size());
  for (const auto& [token, id] : base["model"]["vocab"].items()) tokens.at(id.get<std::size_t>()) = token;
  std::vector<std::string> merges;
  for (const Json& merge : base["model"]["merges"])
    merges.push_back(merge[0].get<std::string>() + " " + merge[1].get<std::string>());
  std::ifstream rows(MLA_TEST_DATA_DIR "/golden/tokenizer/gguf/pre_tokenizers.jsonl");
  std::set<std::string> seen;
  std::string name;
  Pointer tokenizer;
  for (std::string line; std::getline(rows, line);) {
    const Json row = Json::parse(line);
    if (row["pre"] != name) {
      name = row["pre"].get<std::string>();
      tokenizer = load(GgufBuilder()
                           .string(kKey + "model", "gpt2")
                           .string(kKey + "pre", name)
                           .strings(kKey + "tokens", tokens)
                           .strings(kKey + "merges", merges)
                           .uint32(kKey + "bos_token_id", 0));
      seen.insert(name);
    }
    CAPTURE(name, row["text"].dump(-1, ' ', true));
    CHECK(tokenizer->encode(row["text"].get<std::string>(), false) == row["ids"].get<std::vector<TokenId>>());
    const bool bos = name.starts_with("llama") || name == "tekken";
    CHECK(tokenizer->encode("", true).size() == (bos ? 1 : 0));
  }
  CHECK(seen.size() == 17);
}

TEST_CASE("tokenizer: a small byte-level GGUF file", "[tokenizer][gguf]") {
  const Pointer tokenizer = load(ByteLevel().build());
  CHECK(tokenizer->encode("ab<s>b<m>a", true) == std::vector<TokenId>{2, 3, 1, 5, 0});
  CHECK(tokenizer->vocab_size() == 6);
  CHECK(tokenizer->is_special(3));
  CHECK_FALSE(tokenizer->is_special(5));
  CHECK(tokenizer->id_of("[PAD4]") == std::nullopt);
  const std::vector<TokenId> ids = {2, 3, 4, 5};
  CHECK(tokenizer->decode(ids) == "ab<m>");
  CHECK(tokenizer->decode(ids, false) == "ab<s><m>");
  CHECK(tokenizer->describe() == "BPE, 5 tokens (2 added), 1 merges, pre-tokenizer gpt-2");
}

TEST_CASE("tokenizer: a GGUF file says what encoding begins and ends with", "[tokenizer][gguf]") {
  const auto with = [](const GgufBuilder& file) { return load(file)->encode("a", true); };
  GgufBuilder file = ByteLevel().build();
  file.uint32(kKey + "bos_token_id", 3).uint32(kKey + "eos_token_id", 5);
  CHECK(with(file) == std::vector<TokenId>{0});
  CHECK(with(GgufBuilder(file).boolean(kKey + "add_bos_token", true)) == std::vector<TokenId>{3, 0});
  CHECK(with(GgufBuilder(file).boolean(kKey + "add_eos_token", true)) == std::vector<TokenId>{0, 5});
  ByteLevel llama;
  llama.pre = "llama-bpe";
  GgufBuilder third = llama.build();
  third.uint32(kKey + "bos_token_id", 3);
  CHECK(with(third) == std::vector<TokenId>{3, 0});
  CHECK(with(GgufBuilder(third).boolean(kKey + "add_bos_token", false)) == std::vector<TokenId>{0});
  check_error(llama.build(), ErrorCode::format, kKey + "bos_token_id", "begins with it");
  check_error(ByteLevel().build().boolean(kKey + "add_eos_token", true), ErrorCode::format,
              kKey + "eos_token_id", "asks for it");
  check_error(ByteLevel().build().uint32(kKey + "bos_token_id", 6), ErrorCode::format, kKey + "bos_token_id",
              "6");
  const GgufBuilder none = ByteLevel().build().uint32(kKey + "eos_token_id", 4294967295);
  CHECK(with(none) == std::vector<TokenId>{0});
  check_error(GgufBuilder(none).boolean(kKey + "add_eos_token", true), ErrorCode::format,
              kKey + "eos_token_id", "asks for it");
}

TEST_CASE("tokenizer: merges by scores", "[tokenizer][gguf]") {
  // "_" stands for U+2581 in the comments. The best score merges first; of equal ones the leftmost.
  const std::string mark = "\xE2\x96\x81";
  const Pointer tokenizer = load(scored({{mark, -9},
                                         {"a", -9},
                                         {"b", -9},
                                         {"ab", -2},
                                         {"ba", -2},
                                         {"aba", -5},
                                         {"bb", -1},
                                         {"n\xC3\xA9", -3},
                                         {"n", -9},
                                         {mark + "a", -4}}));
  const auto encode = [&](const char* text) { return tokenizer->encode(text, false); };
  constexpr TokenId kMark = kPieces, kA = kPieces + 1, kB = kPieces + 2, kAb = kPieces + 3,
                    kAba = kPieces + 5, kBb = kPieces + 6, kNe = kPieces + 7, kMarkA = kPieces + 9;
  CHECK(encode("aba") == std::vector<TokenId>{kMark, kAba});
  CHECK(encode("abba") == std::vector<TokenId>{kMarkA, kBb, kA});
  CHECK(encode("abab") == std::vector<TokenId>{kMark, kAb, kAb});
  CHECK(encode("b") == std::vector<TokenId>{kMark, kB});
  CHECK(encode("").empty());
  // The character is no token, but part of one.
  CHECK(encode("n\xC3\xA9\xC3\xA9") == std::vector<TokenId>{kMark, kNe, 3 + 0xC3, 3 + 0xA9});
  CHECK(encode("b</s>b <s>") == std::vector<TokenId>{kMark, kB, 2, kMark, kB, kMark, 1});
  CHECK(tokenizer->encode("b", true) == std::vector<TokenId>{1, kMark, kB});
  CHECK(tokenizer->decode(tokenizer->encode("b ab\xC3\xA9")) == "b ab\xC3\xA9");
  CHECK(tokenizer->decode(tokenizer->encode("b"), false) == "<s> b");
  CHECK(tokenizer->describe().find("merged by scores, pre-tokenizer none") != std::string::npos);
}

TEST_CASE("tokenizer: long and short texts are merged alike by scores", "[tokenizer][gguf]") {
  const Pointer tokenizer =
      load(scored({{"a", -9}, {"b", -9}, {"ab", -2}, {"ba", -2}, {"aa", -2}, {"abab", -1}, {"\n", -9}})
               .boolean(kKey + "add_space_prefix", false));
  const std::string words[] = {"abbaab", "aaaaab", "babab", "ababa"};
  std::string text;
  std::vector<TokenId> expected;
  for (int i = 0; i < 40; ++i) {  // "\n" merges with nothing.
    const std::string& word = words[i % 4];
    text += word + "\n";
    for (const TokenId id : tokenizer->encode(word + "\n", false)) expected.push_back(id);
  }
  CHECK(tokenizer->encode(text, false) == expected);
  CHECK(tokenizer->decode(expected) == text);
}

TEST_CASE("tokenizer: GGUF vocabularies that are wrong", "[tokenizer][gguf]") {
  const auto broken = [](auto change) {
    ByteLevel file;
    change(file);
    return file.build();
  };
  check_error(GgufBuilder().string("a", "b"), ErrorCode::format, kKey + "model", "missing");
  for (const char* model : {"bert", "t5", "rwkv", "plamo2", "none", "no_vocab"})
    check_error(broken([&](ByteLevel& f) { f.model = model; }), ErrorCode::unsupported, kKey + "model",
                model);
  check_error(broken([](ByteLevel& f) { f.pre = "made-up"; }), ErrorCode::unsupported, kKey + "pre",
              "kimi-k2");
  check_error(broken([](ByteLevel& f) { f.tokens.pop_back(); }), ErrorCode::format, kKey + "token_type",
              "6 types for 5");
  check_error(broken([](ByteLevel& f) { f.types[1] = 7; }), ErrorCode::format, kKey + "token_type[1]", "7");
  check_error(broken([](ByteLevel& f) { f.types[1] = 0; }), ErrorCode::format, kKey + "token_type[1]", "0");
  check_error(broken([](ByteLevel& f) { f.tokens[1] = "a"; }), ErrorCode::format, kKey + "tokens[1]",
              "twice");
  check_error(broken([](ByteLevel& f) { f.tokens[1] = "\xFF"; }), ErrorCode::format, kKey + "tokens[1]",
              "UTF-8");
  for (const char* merge : {"a c", "c a", "b a", "ab", "a b ", " ", "a [PAD4]"})
    check_error(broken([&](ByteLevel& f) {
                  f.merges = {"a b", merge};
                }),
                ErrorCode::format, kKey + "merges[1]", "");
  const std::string model = kKey + "model";
  check_error(GgufBuilder().string(model, "gpt2"), ErrorCode::format, kKey + "tokens", "missing");
  check_error(GgufBuilder().string(model, "gpt2").strings(kKey + "tokens", {"a"}), ErrorCode::format,
              kKey + "merges", "missing");
  check_error(GgufBuilder().string(model, "gpt2").string(kKey + "tokens", "a"), ErrorCode::format,
              kKey + "tokens", "");
  check_error(GgufBuilder().string(model, "llama").strings(kKey + "tokens", {"a"}), ErrorCode::unsupported,
              kKey + "tokens", "<0x00>");
  check_error(scored({}, 255), ErrorCode::unsupported, kKey + "tokens", "<0xFF>");
  check_error(scored({{std::string(1025, 'x'), 0}}), ErrorCode::unsupported, kKey + "tokens[259]", "1025");
  check_error(scored({{"x", std::numeric_limits<float>::quiet_NaN()}}), ErrorCode::format,
              kKey + "scores[259]", "finite");
  const std::vector<std::string> many((std::size_t{1} << 21) + 1, "x");
  check_error(GgufBuilder().string(model, "gpt2").strings(kKey + "tokens", many), ErrorCode::format,
              kKey + "tokens", "at most");
}

TEST_CASE("tokenizer: scored vocabularies that would take long or much memory", "[tokenizer][gguf]") {
  std::vector<std::pair<std::string, float>> pieces;
  for (int i = 0; i < 2000; ++i)
    pieces.emplace_back(std::to_string(10'000 + i) + std::string(1019, 'x'), 0.0F);
  check_error(scored(pieces), ErrorCode::unsupported, kKey + "tokens", "too many long tokens");
  // All words of two letters: each may be cut everywhere.
  pieces.clear();
  for (std::size_t length = 1; length <= 18; ++length)
    for (std::uint32_t word = 0; word < std::uint32_t{1} << length; ++word) {
      std::string letters(length, 'a');
      for (std::size_t i = 0; i < length; ++i)
        if (word >> i & 1U) letters[i] = 'b';
      pieces.emplace_back(std::move(letters), 0.0F);
    }
  check_error(scored(pieces), ErrorCode::unsupported, kKey + "tokens", "more than 4000000 pairs");
}

TEST_CASE("tokenizer: fillers and empty tokens of GGUF files are no tokens", "[tokenizer][gguf]") {
  ByteLevel file;
  file.tokens = {"a", "", "", "[PAD3]", "[PAD3]"};
  file.types = {1, 1, 3, 5, 5};
  file.merges = {};
  const Pointer tokenizer = load(file.build());
  CHECK(tokenizer->encode("a[PAD3]a", false) == std::vector<TokenId>{0, 0});
  const std::vector<TokenId> ids = {0, 1, 2, 3, 4};
  CHECK(tokenizer->decode(ids, false) == "a");
}

TEST_CASE("tokenizer: a folder's GGUF file", "[tokenizer][gguf]") {
  const ScratchFolder folder;
  const std::string bytes = ByteLevel().build().bytes();
  CHECK_THROWS_AS(mla::Tokenizer::load(folder.path()), mla::Error);
  folder.write("model.gguf", bytes);
  CHECK(mla::Tokenizer::load(folder.path())->vocab_size() == 6);
  folder.write("other.gguf", bytes);
  try {
    mla::Tokenizer::load(folder.path());
    FAIL_CHECK("no error");
  } catch (const mla::Error& error) {
    CHECK(error.code() == ErrorCode::io);
    CHECK_THAT(error.what(),
               Catch::Contains("no tokenizer.json but several models (model.gguf, other.gguf)"));
  }
  folder.write("tokenizer.json", R"({"model": {"vocab": {"x": 0}, "merges": []}})");
  CHECK(mla::Tokenizer::load(folder.path())->vocab_size() == 1);
}
