// Decoders that look beyond one token: byte fallback, stripping, Metaspace; whole and streamed.
#include <catch2/catch.hpp>

#include <random>
#include <string>
#include <vector>

#include "base/json.h"
#include "mla/error.h"
#include "mla/tokenizer.h"
#include "tokenizer/utf8.h"
#include "unit/base/scratch_folder.h"

using mla::ErrorCode;
using mla::Json;
using mla::TokenId;

namespace {

using Pointer = std::shared_ptr<const mla::Tokenizer>;

Pointer load(const Json& decoder, const Json& pre_tokenizer = nullptr) {
  const Json vocabulary = {{"a", 0},      {"b", 1},      {"_", 2},      {"_a", 3},     {"<0xE4>", 4},
                           {"<0xB8>", 5}, {"<0xAD>", 6}, {"<0xFF>", 7}, {"<0x+F>", 8}, {"<0xe4>", 9}};
  const Json file = {{"added_tokens", {{{"id", 10}, {"content", "<s>"}, {"special", true}}}},
                     {"pre_tokenizer", pre_tokenizer},
                     {"decoder", decoder},
                     {"model", {{"type", "BPE"}, {"vocab", vocabulary}, {"merges", Json::array()}}}};
  return mla::Tokenizer::load(ScratchFolder().write("tokenizer.json", file.dump()));
}

Json sequence(const std::vector<Json>& members) {
  return {{"type", "Sequence"}, {"decoders", members}};
}

Json strip(const char* content, int start, int stop) {
  return {{"type", "Strip"}, {"content", content}, {"start", start}, {"stop", stop}};
}

Json metaspace(const char* scheme) {
  return {{"type", "Metaspace"}, {"replacement", "_"}, {"prepend_scheme", scheme}};
}

const Json kFallback = {{"type", "ByteFallback"}};
const Json kFuse = {{"type", "Fuse"}};
const Json kReplace = {{"type", "Replace"}, {"pattern", {{"String", "_"}}}, {"content", " "}};

std::string decode(const Pointer& tokenizer, const std::vector<TokenId>& ids, bool skip = true) {
  const std::string text = tokenizer->decode(ids, skip);
  mla::StreamDecoder stream(tokenizer, skip);
  std::string streamed;
  for (int round = 0; round < 2; ++round) {  // After finish() a new text begins.
    streamed.clear();
    for (const TokenId id : ids) {
      const std::string piece = stream.push(id);
      CHECK(mla::is_valid_utf8(piece));
      streamed += piece;
    }
    streamed += stream.finish();
    CHECK(streamed == text);
  }
  return text;
}

void check_refused(const Json& decoder, ErrorCode code, const std::string& field) {
  CAPTURE(decoder.dump(), field);
  try {
    load(decoder);
    FAIL_CHECK("no error");
  } catch (const mla::Error& error) {
    CHECK(error.code() == code);
    CHECK(error.field() == field);
  }
}

}  // namespace

TEST_CASE("tokenizer: a run of byte tokens is UTF-8 as a whole or not at all", "[tokenizer]") {
  const std::string r = "\xEF\xBF\xBD";
  const Pointer tokenizer = load(sequence({kReplace, kFallback, kFuse}));
  CHECK(decode(tokenizer, {4, 5, 6}) == "\xE4\xB8\xAD");
  CHECK(decode(tokenizer, {4, 5, 6, 7}) == r + r + r + r);
  CHECK(decode(tokenizer, {4, 5, 3, 6}) == r + r + " a" + r);
  CHECK(decode(tokenizer, {4, 5, 10, 6}) == "\xE4\xB8\xAD");
  CHECK(decode(tokenizer, {4, 5, 10, 6}, false) == r + r + "<s>" + r);
  CHECK(decode(tokenizer, {4, 5, 999, 6}) == "\xE4\xB8\xAD");
  CHECK(decode(tokenizer, {9, 5, 6, 8}) == "\xE4\xB8\xAD\x0F");
  CHECK(tokenizer->token_bytes(5) == "\xB8");
}

TEST_CASE("tokenizer: a stream gives text as soon as it is certain", "[tokenizer]") {
  const Pointer tokenizer = load(sequence({kReplace, kFallback, kFuse, strip(" ", 1, 1)}));
  mla::StreamDecoder stream(tokenizer);
  CHECK(stream.push(3) == "a");
  CHECK(stream.push(0) == "a");
  CHECK(stream.push(2).empty());
  CHECK(stream.push(2) == " ");
  CHECK(stream.push(4).empty());
  CHECK(stream.push(5).empty());
  CHECK(stream.push(6).empty());
  CHECK(stream.push(1) ==
        " \xE4\xB8\xAD"
        "b");
  CHECK(stream.push(2).empty());
  CHECK(stream.finish().empty());
}

TEST_CASE("tokenizer: stripping the text, at both ends", "[tokenizer]") {
  const Pointer tokenizer = load(sequence({kFuse, strip("a", 2, 1)}));
  CHECK(decode(tokenizer, {0, 0, 0, 1, 0, 0}) == "aba");
  CHECK(decode(tokenizer, {0, 0, 0, 1}) == "ab");
  CHECK(decode(tokenizer, {0, 1, 0}) == "b");
  CHECK(decode(tokenizer, {0, 0}).empty());
  CHECK(decode(tokenizer, {0, 0, 0}).empty());
  CHECK(decode(tokenizer, {0, 0, 0, 0}) == "a");
  CHECK(decode(tokenizer, {}).empty());
  CHECK(decode(tokenizer, {3, 0, 0}) == "_aa");
  const Pointer twice = load(sequence({kFuse, strip("_", 1, 0), strip("a", 1, 1)}));
  CHECK(decode(twice, {3, 0, 1, 0}) == "ab");
  CHECK(decode(load(strip("_", 1, 0)), {3, 2, 3}) == "aa");
}

TEST_CASE("tokenizer: Metaspace takes the mark from the first token only", "[tokenizer]") {
  for (const char* scheme : {"always", "first"}) {
    const Pointer tokenizer = load(metaspace(scheme));
    CHECK(decode(tokenizer, {3, 3}) == "a a");
    CHECK(decode(tokenizer, {2, 3}) == " a");
    CHECK(decode(tokenizer, {10, 3}) == "a");
    CHECK(decode(tokenizer, {10, 3}, false) == "<s> a");
    CHECK(tokenizer->token_bytes(3) == " a");
  }
  CHECK(decode(load(metaspace("never")), {3, 3}) == " a a");
}

TEST_CASE("tokenizer: Metaspace of old files", "[tokenizer]") {
  Json old = {{"type", "Metaspace"}, {"replacement", "_"}, {"add_prefix_space", true}, {"str_rep", "_"}};
  CHECK(load(old, old)->encode("a a<s>b", false) == std::vector<TokenId>{2, 0, 2, 0, 10, 2, 1});
  old["add_prefix_space"] = false;
  CHECK(load(old, old)->encode("a a<s>b", false) == std::vector<TokenId>{0, 2, 0, 10, 1});
  CHECK(decode(load(old, old), {3}) == " a");
  const Json first = metaspace("first");
  CHECK(load(first, first)->encode("a a<s>b", false) == std::vector<TokenId>{2, 0, 2, 0, 10, 1});
}

TEST_CASE("tokenizer: decoders in an order that means something else are refused", "[tokenizer]") {
  check_refused(sequence({kFallback, kReplace}), ErrorCode::unsupported, "decoder.decoders[1].type");
  check_refused(sequence({kFallback, strip(" ", 1, 0)}), ErrorCode::unsupported, "decoder.decoders[1].type");
  check_refused(sequence({kFallback, kFallback}), ErrorCode::unsupported, "decoder.decoders[1].type");
  check_refused(sequence({kFuse, kFallback}), ErrorCode::unsupported, "decoder.decoders[1].type");
  check_refused(sequence({kFuse, metaspace("never")}), ErrorCode::unsupported, "decoder.decoders[1].type");
  check_refused({{"type", "CTC"}}, ErrorCode::unsupported, "decoder.type");
  check_refused(strip("ab", 1, 0), ErrorCode::format, "decoder.content");
  check_refused(strip("", 1, 0), ErrorCode::format, "decoder.content");
  check_refused(strip("a", -1, 0), ErrorCode::format, "decoder.start");
  check_refused({{"type", "Strip"}, {"content", "a"}, {"start", 1}}, ErrorCode::format, "decoder.stop");
  check_refused({{"type", "Metaspace"}}, ErrorCode::format, "decoder.replacement");
  check_refused(metaspace("First"), ErrorCode::unsupported, "decoder.prepend_scheme");
  Json both = metaspace("always");
  both["add_prefix_space"] = false;
  check_refused(both, ErrorCode::format, "decoder.add_prefix_space");
}

TEST_CASE("tokenizer: Metaspace first stands first", "[tokenizer]") {
  const Json digits = {{"type", "Digits"}, {"individual_digits", true}};
  const Json steps = {{"type", "Sequence"}, {"pretokenizers", {digits, metaspace("first")}}};
  CHECK_THROWS_AS(load(nullptr, steps), mla::Error);
}

TEST_CASE("tokenizer: streams of any ids equal decoding, whatever the decoder", "[tokenizer]") {
  std::mt19937 random(1);
  for (const Json& decoder :
       {sequence({kReplace, kFallback, kFuse, strip(" ", 1, 0)}),
        sequence({kFallback, kFuse, strip("a", 2, 3)}), sequence({strip("_", 1, 1), kFallback}),
        metaspace("first"), sequence({metaspace("always"), kFallback}), Json()}) {
    const Pointer tokenizer = load(decoder);
    for (int i = 0; i < 1000; ++i) {
      std::vector<TokenId> ids(random() % 10);
      for (TokenId& id : ids) id = static_cast<TokenId>(random() % 12);
      decode(tokenizer, ids, random() % 2 == 0);
    }
  }
}
