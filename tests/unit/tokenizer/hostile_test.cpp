// Files that are wrong, each in one way: an Error that names the place.
#include <catch2/catch.hpp>

#include <filesystem>
#include <string>

#include "base/json.h"
#include "mla/error.h"
#include "mla/tokenizer.h"
#include "unit/base/scratch_folder.h"
#include "unit/base/thrown.h"

using mla::ErrorCode;
using mla::Json;

namespace {

Json small_file() {
  return Json::parse(R"({
    "added_tokens": [{"id": 4, "content": "<s>", "special": true}],
    "normalizer": null,
    "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "use_regex": true},
    "post_processor": null,
    "decoder": {"type": "ByteLevel"},
    "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "c": 2, "ab": 3}, "merges": ["a b"]}})");
}

std::shared_ptr<const mla::Tokenizer> load(const std::string& content) {
  return mla::Tokenizer::load(ScratchFolder().write("tokenizer.json", content));
}

void check_error(const std::string& content, ErrorCode code, const std::string& field) {
  CAPTURE(content.substr(0, 200), field);
  const mla::Error error = thrown_by([&] { load(content); });
  CHECK(error.code() == code);
  CHECK(error.field() == field);
  CHECK(!error.file().empty());
}

void check_patch(const std::string& pointer, const Json& value, ErrorCode code, const std::string& field) {
  Json file = small_file();
  file[Json::json_pointer(pointer)] = value;
  check_error(file.dump(), code, field);
}

Json split(const std::string& regex) {
  return {{"type", "Split"}, {"pattern", {{"Regex", regex}}}, {"behavior", "Isolated"}, {"invert", false}};
}

}  // namespace

TEST_CASE("tokenizer: the small file is right", "[tokenizer]") {
  const auto tokenizer = load(small_file().dump());
  CHECK(tokenizer->encode("abc<s>x", false) == std::vector<mla::TokenId>{3, 2, 4});
  CHECK(tokenizer->vocab_size() == 5);
  CHECK(tokenizer->id_of("<s>") == 4);
  CHECK(tokenizer->id_of("zz") == std::nullopt);
  CHECK(tokenizer->is_special(4));
  CHECK_FALSE(tokenizer->is_special(3));
  CHECK_FALSE(tokenizer->is_special(-1));
  CHECK(tokenizer->describe().find("5 tokens") != std::string::npos);
}

TEST_CASE("tokenizer: unknown ids decode to nothing", "[tokenizer]") {
  const auto tokenizer = load(small_file().dump());
  for (const mla::TokenId id : {-1, 5, 1 << 30}) {
    CHECK(tokenizer->decode(std::vector<mla::TokenId>{id}).empty());
    CHECK(tokenizer->token_bytes(id).empty());
  }
}

TEST_CASE("tokenizer: wrong vocabularies and merges", "[tokenizer]") {
  check_patch("/model/vocab/a", -1, ErrorCode::format, "model.vocab.a");
  check_patch("/model/vocab/a", 1.5, ErrorCode::format, "model.vocab.a");
  check_patch("/model/vocab/a", "x", ErrorCode::format, "model.vocab.a");
  check_patch("/model/vocab/a", Json::array(), ErrorCode::format, "model.vocab.a");
  check_patch("/model/vocab/a", Json::object(), ErrorCode::format, "model.vocab.a");
  check_patch("/model/vocab/a", 1 << 24, ErrorCode::format, "model.vocab.a");
  check_patch("/model/vocab/a", 18446744073709551615u, ErrorCode::format, "model.vocab.a");
  check_patch("/model/vocab/b", 0, ErrorCode::format, "model.vocab.b");
  check_patch("/model/vocab", 3, ErrorCode::format, "model.vocab");
  check_patch("/model/merges", "a b", ErrorCode::format, "model.merges");
  check_patch("/model/merges/0", "a x", ErrorCode::format, "model.merges[0]");
  check_patch("/model/merges/0", "a c", ErrorCode::format, "model.merges[0]");
  check_patch("/model/merges/0", "ab", ErrorCode::format, "model.merges[0]");
  check_patch("/model/merges/0", "a b c", ErrorCode::format, "model.merges[0]");
  check_patch("/model/merges/1", 5, ErrorCode::format, "model.merges[1]");
  check_patch("/model/merges/1", Json::array({"a"}), ErrorCode::format, "model.merges[1]");
  check_patch("/model/merges/1", Json::array({"a", "b", "c"}), ErrorCode::format, "model.merges[1]");
  check_patch("/model/merges/1", Json::array({"a", Json::array()}), ErrorCode::format, "model.merges[1]");
  check_patch("/model/merges/1", Json::object(), ErrorCode::format, "model.merges[1]");
  check_patch("/model/type", "Unigram", ErrorCode::unsupported, "model.type");
  check_patch("/model/dropout", 0.1, ErrorCode::unsupported, "model.dropout");
  check_patch("/model/fuse_unk", 1, ErrorCode::format, "model.fuse_unk");
}

TEST_CASE("tokenizer: an unknown token that is missing is told when it is needed", "[tokenizer]") {
  Json file = small_file();
  file["model"]["unk_token"] = "[UNK]";
  const auto tokenizer = load(file.dump());
  CHECK(tokenizer->encode("ab", false) == std::vector<mla::TokenId>{3});
  CHECK_THROWS_AS(tokenizer->encode("x", false), mla::Error);
}

TEST_CASE("tokenizer: wrong added tokens", "[tokenizer]") {
  const Json again = {{"id", 4}, {"content", "<t>"}};
  check_patch("/added_tokens/1", again, ErrorCode::format, "added_tokens[1].id");
  const Json same = {{"id", 5}, {"content", "<s>"}};
  check_patch("/added_tokens/1", same, ErrorCode::format, "added_tokens[1].content");
  check_patch("/added_tokens/0/id", -4, ErrorCode::format, "added_tokens[0].id");
  check_patch("/added_tokens/0/id", 1, ErrorCode::format, "added_tokens[0].id");
  check_patch("/added_tokens/0/content", "ab", ErrorCode::format, "added_tokens[0].id");
  check_patch("/added_tokens/0/lstrip", "yes", ErrorCode::format, "added_tokens[0].lstrip");
  check_patch("/added_tokens", 1, ErrorCode::format, "added_tokens");
}

TEST_CASE("tokenizer: unknown components are named", "[tokenizer]") {
  check_patch("/pre_tokenizer/type", "Whitespace", ErrorCode::unsupported, "pre_tokenizer.type");
  check_patch("/normalizer", {{"type", "Nmt"}}, ErrorCode::unsupported, "normalizer.type");
  check_patch("/decoder/type", "WordPiece", ErrorCode::unsupported, "decoder.type");
  check_patch("/post_processor", {{"type", "BertProcessing"}}, ErrorCode::unsupported, "post_processor.type");
  check_patch("/pre_tokenizer/type", 7, ErrorCode::format, "pre_tokenizer.type");
  check_patch("/pre_tokenizer", Json::array(), ErrorCode::format, "pre_tokenizer");
  Json file = small_file();
  file["pre_tokenizer"] = {{"type", "Sequence"}, {"pretokenizers", {split("a"), split("b")}}};
  file["pre_tokenizer"]["pretokenizers"][1]["behavior"] = "Sideways";
  check_error(file.dump(), ErrorCode::unsupported, "pre_tokenizer.pretokenizers[1].behavior");
}

TEST_CASE("tokenizer: regexes that are none or mean something else here", "[tokenizer]") {
  const std::string place = "pre_tokenizer.pattern.Regex";
  for (const char* regex : {"(", "[a", "a{2,1}", "\\p{Nonsense}", "*a", "\\", "\\p{L", "(?<n", "\\u12"})
    check_patch("/pre_tokenizer", split(regex), ErrorCode::format, place);
  for (const char* regex : {"[a[bc]]", "[a-z&&b]", "[[:alpha:]]", "(?x) a", "\\Ka", "[]a]", "\\pL"})
    check_patch("/pre_tokenizer", split(regex), ErrorCode::unsupported, place);
  check_patch("/pre_tokenizer", split(std::string(100000, 'a')), ErrorCode::format, place);
  check_patch("/pre_tokenizer", split(std::string(20000, '(')), ErrorCode::format, place);
}

TEST_CASE("tokenizer: what a comment of a regex hides is none of the regex", "[tokenizer]") {
  const std::string place = "pre_tokenizer.pattern.Regex";
  check_patch("/pre_tokenizer", split("(?#[)\\Ka"), ErrorCode::unsupported, place);
  check_patch("/pre_tokenizer", split("(?#["), ErrorCode::format, place);
  check_patch("/pre_tokenizer", split("(*NO_JIT)a"), ErrorCode::unsupported, place);
  Json file = small_file();
  file["pre_tokenizer"] = split("b(?#[)|c");
  CHECK(load(file.dump())->encode("abc", false) == std::vector<mla::TokenId>{0, 1, 2});
}

TEST_CASE("tokenizer: a regex that would take forever is stopped", "[tokenizer]") {
  Json file = small_file();
  file["pre_tokenizer"] = split("(a+)+$x|(?:a|b|ab)*c$");
  const auto tokenizer = load(file.dump());
  const mla::Error error = thrown_by([&] { tokenizer->encode(std::string(60, 'a') + "!", false); });
  CHECK(error.code() == ErrorCode::limit);
  CHECK(error.field() == "pre_tokenizer.pattern.Regex");
}

TEST_CASE("tokenizer: files that are no tokenizer.json", "[tokenizer]") {
  check_error("", ErrorCode::format, "");
  check_error("{", ErrorCode::format, "");
  check_error("[1]", ErrorCode::format, "");
  check_error("{} {}", ErrorCode::format, "");
  check_error("{\"model\": {\"vocab\": {\"\xff\": 1}}}", ErrorCode::format, "");
  check_error("{}", ErrorCode::format, "model");
  check_error("{\"model\": 1}", ErrorCode::format, "model");
  check_error("{\"model\": {}}", ErrorCode::format, "model.vocab");
  check_error("{\"model\": {\"vocab\": {\"a\": 0}}}", ErrorCode::format, "model.merges");
  check_error("{\"model\": {\"vocab\": {}, \"vocab\": {}, \"merges\": []}}", ErrorCode::format,
              "model.vocab");
  check_error("{\"model\": {\"vocab\": {\"a\": 0, \"a\": 1}, \"merges\": []}}", ErrorCode::format,
              "model.vocab.a");
  check_error("{\"a\": 1, \"a\": 2}", ErrorCode::format, "a");
  check_error(std::string(100000, '['), ErrorCode::format, "");
  CHECK_THROWS_AS(mla::Tokenizer::load("/nonexistent/tokenizer.json"), mla::Error);
  CHECK_THROWS_AS(mla::Tokenizer::load(std::filesystem::temp_directory_path() / "mla_no_such_folder"),
                  mla::Error);
}

TEST_CASE("tokenizer: what the JSON parser would pass over", "[tokenizer]") {
  const std::string file = small_file().dump();
  check_error(file + std::string(1, '\0') + "x", ErrorCode::format, "");
  check_error("\xEF\xBB\xBF" + file, ErrorCode::format, "");
  check_error("{\"model\": {\"vocab\": {}, \"merges\": [], \"vocab\": 1}}", ErrorCode::format, "model.vocab");
  check_error("{\"model\": {\"vocab\": {}, \"merges\": [], \"merges\": []}}", ErrorCode::format,
              "model.merges");
}

TEST_CASE("tokenizer: ids far beyond what a file of that size can hold", "[tokenizer]") {
  check_patch("/model/vocab/a", 1 << 20, ErrorCode::format, "model.vocab.a");
  check_patch("/added_tokens/0/id", 1 << 20, ErrorCode::format, "added_tokens[0].id");
  Json file = small_file();
  file["added_tokens"][0]["id"] = 1 << 16;
  CHECK(load(file.dump())->vocab_size() == (1 << 16) + 1);
}

TEST_CASE("tokenizer: components that make a text grow without end", "[tokenizer]") {
  const auto replace = [](const std::string& content) {
    return Json{{"type", "Replace"}, {"pattern", {{"String", "a"}}}, {"content", content}};
  };
  Json file = small_file();
  file["normalizer"] = {{"type", "Sequence"}, {"normalizers", std::vector<Json>(20, replace("aa"))}};
  CHECK_THROWS_AS(load(file.dump())->encode("abc", false), mla::Error);
  file["normalizer"] = replace(std::string(5000, 'a'));
  CHECK_THROWS_AS(load(file.dump())->encode(std::string(100, 'a'), false), mla::Error);
  check_patch("/decoder", {{"type", "Sequence"}, {"decoders", std::vector<Json>(20, replace("aa"))}},
              ErrorCode::format, "decoder");
  const Json bytes = {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}};
  check_patch("/pre_tokenizer", {{"type", "Sequence"}, {"pretokenizers", std::vector<Json>(40, bytes)}},
              ErrorCode::unsupported, "pre_tokenizer.pretokenizers[5].type");
}

TEST_CASE("tokenizer: more components than any text needs", "[tokenizer]") {
  const Json digits = {{"type", "Digits"}};
  check_patch("/pre_tokenizer", {{"type", "Sequence"}, {"pretokenizers", std::vector<Json>(40, digits)}},
              ErrorCode::unsupported, "pre_tokenizer.pretokenizers[33]");
  const Json strip = {{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 1}};
  check_patch("/decoder", {{"type", "Sequence"}, {"decoders", std::vector<Json>(40, strip)}},
              ErrorCode::unsupported, "decoder.decoders[32]");
  check_patch("/normalizer",
              {{"type", "Sequence"}, {"normalizers", std::vector<Json>(40, Json{{"type", "NFC"}})}},
              ErrorCode::unsupported, "normalizer.normalizers");
}

TEST_CASE("tokenizer: a template that names a list of tokens again and again", "[tokenizer]") {
  const Json special = {{"SpecialToken", {{"id", "<s>"}}}};
  std::vector<Json> single(600, special);
  single.push_back({{"Sequence", {{"id", "A"}}}});
  const Json processor = {
      {"type", "TemplateProcessing"}, {"single", single}, {"special_tokens", {{"<s>", {{"ids", {4, 4}}}}}}};
  check_patch("/post_processor", processor, ErrorCode::format, "post_processor.special_tokens.<s>.ids");
  single.resize(300, special);
  single.push_back({{"Sequence", {{"id", "A"}}}});
  Json few = processor;
  few["single"] = single;
  check_patch("/post_processor", {{"type", "Sequence"}, {"processors", std::vector<Json>(2, few)}},
              ErrorCode::format, "post_processor.processors");
}

TEST_CASE("tokenizer: a file with nothing but a token in it works", "[tokenizer]") {
  const auto tokenizer = load("{\"model\": {\"vocab\": {\"z\": 0}, \"merges\": []}}");
  CHECK(tokenizer->encode("anything at all", true).empty());
  CHECK(tokenizer->vocab_size() == 1);
  CHECK(tokenizer->decode({}).empty());
}

TEST_CASE("tokenizer: templates that are wrong", "[tokenizer]") {
  Json special = {{"SpecialToken", {{"id", "<s>"}, {"type_id", 0}}}};
  Json text = {{"Sequence", {{"id", "A"}, {"type_id", 0}}}};
  Json processor = {
      {"type", "TemplateProcessing"}, {"single", {special, text}}, {"special_tokens", Json::object()}};
  check_patch("/post_processor", processor, ErrorCode::format, "post_processor.single[0].SpecialToken.id");
  processor["special_tokens"] = {{"<s>", {{"id", "<s>"}, {"ids", {-1}}}}};
  check_patch("/post_processor", processor, ErrorCode::format, "post_processor.special_tokens.<s>.ids[0]");
  processor["single"] = Json::array({text, text});
  check_patch("/post_processor", processor, ErrorCode::unsupported, "post_processor.single[1].Sequence.id");
  processor["single"] = Json::array({special});
  processor["special_tokens"]["<s>"]["ids"] = {4};
  check_patch("/post_processor", processor, ErrorCode::unsupported, "post_processor.single");
}

TEST_CASE("tokenizer: no tokens, and a template of ids that no token has") {
  check_patch("/model", {{"type", "BPE"}, {"vocab", Json::object()}, {"merges", Json::array()}},
              ErrorCode::format, "model.vocab");
  const Json pattern = {{"type", "TemplateProcessing"},
                        {"single", {{{"SpecialToken", {{"id", "<s>"}}}}, {{"Sequence", {{"id", "A"}}}}}},
                        {"special_tokens", {{"<s>", {{"ids", {5}}}}}}};
  check_patch("/post_processor", pattern, ErrorCode::format, "post_processor");
}

TEST_CASE("tokenizer: a normalizer that makes a text much longer is stopped") {
  Json file = small_file();
  const Json replace = {
      {"type", "Replace"}, {"pattern", {{"String", "a"}}}, {"content", std::string(100, 'a')}};
  file["normalizer"] = {{"type", "Sequence"}, {"normalizers", {replace, replace, replace, replace, replace}}};
  const auto tokenizer = load(file.dump());
  const mla::Error error = thrown_by([&] { tokenizer->encode("aa", false); });
  CHECK(error.code() == ErrorCode::limit);
  CHECK(error.field().starts_with("normalizer.normalizers"));
}

TEST_CASE("tokenizer: a normalizer is stopped for all pieces of a text together", "[tokenizer]") {
  Json file = small_file();
  file["normalizer"] = {
      {"type", "Replace"}, {"pattern", {{"String", "a"}}}, {"content", std::string(3'000, 'a')}};
  const auto tokenizer = load(file.dump());
  CHECK(tokenizer->encode("a", false).size() == 3'000);
  const mla::Error error = thrown_by([&] { tokenizer->encode("a<s>a<s>a", false); });
  CHECK(error.code() == ErrorCode::limit);
  CHECK(error.field() == "normalizer");
  file["added_tokens"].push_back({{"id", 10}, {"content", "aa"}, {"normalized", true}});
  check_error(file.dump(), ErrorCode::limit, "normalizer");
}

TEST_CASE("tokenizer: what is not kept as tables is bounded") {
  Json file = small_file();
  for (int i = 0; i < 20'000; ++i) file["decoder"]["more"].push_back(i);
  check_error(file.dump(), ErrorCode::format, "decoder");
  file = small_file();
  file["surprise"] = Json::array();
  for (int i = 0; i < 600'000; ++i) file["surprise"].push_back(i);
  check_error(file.dump(), ErrorCode::limit, "");
}

TEST_CASE("tokenizer: a named file that is neither JSON nor GGUF") {
  check_error("GGML", ErrorCode::format, "");
  check_error("", ErrorCode::format, "");
}
