// What tokenizer_config.json beside a tokenizer.json says of the beginning of a text.
#include <catch2/catch.hpp>

#include <memory>
#include <string>
#include <vector>

#include "mla/error.h"
#include "mla/tokenizer.h"
#include "unit/base/scratch_folder.h"
#include "unit/base/thrown.h"

using mla::ErrorCode;
using Ids = std::vector<mla::TokenId>;

namespace {

std::shared_ptr<const mla::Tokenizer> load(const std::string& settings,
                                           const std::string& processor = "null") {
  const ScratchFolder folder;
  folder.write("tokenizer.json",
               R"({"added_tokens": [{"id": 3, "content": "<s>", "special": true}],
      "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "use_regex": false},
      "post_processor": )" +
                   processor +
                   R"(, "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "c": 2}, "merges": []}})");
  folder.write("tokenizer_config.json", settings);
  return mla::Tokenizer::load(folder.path());
}

Ids encoded(const std::string& settings, const std::string& processor = "null") {
  return load(settings, processor)->encode("ab", true);
}

}  // namespace

TEST_CASE("tokenizer config: a text begins with bos_token where add_bos_token is true", "[tokenizer]") {
  CHECK(encoded(R"({"add_bos_token": true, "bos_token": "<s>"})") == Ids{3, 0, 1});
  CHECK(encoded(R"({"add_bos_token": true, "bos_token": {"content": "<s>", "lstrip": false}})") ==
        Ids{3, 0, 1});
  CHECK(encoded(R"({"add_bos_token": true, "bos_token": "c"})") == Ids{2, 0, 1});
  CHECK(encoded(R"({"add_bos_token": false, "bos_token": "<s>"})") == Ids{0, 1});
  CHECK(encoded(R"({"bos_token": "<s>"})") == Ids{0, 1});
  CHECK(encoded(R"({"add_bos_token": true})") == Ids{0, 1});
  CHECK(load(R"({"add_bos_token": true, "bos_token": "<s>"})")->encode("ab", false) == Ids{0, 1});
}

TEST_CASE("tokenizer config: bos_token comes once, whoever asks for it", "[tokenizer]") {
  const std::string processor = R"({"type": "TemplateProcessing",
      "single": [{"SpecialToken": {"id": "<s>"}}, {"Sequence": {"id": "A"}}],
      "special_tokens": {"<s>": {"ids": [3]}}})";
  CHECK(encoded(R"({"add_bos_token": true, "bos_token": "<s>"})", processor) == Ids{3, 0, 1});
  CHECK(encoded(R"({"add_bos_token": true, "bos_token": "c"})", processor) == Ids{2, 3, 0, 1});
}

TEST_CASE("tokenizer config: what is wrong names its field", "[tokenizer]") {
  const auto field_of = [](const std::string& settings) {
    return thrown_by([&] { load(settings); }).field();
  };
  CHECK(field_of(R"({"add_bos_token": 1, "bos_token": "<s>"})") == "add_bos_token");
  CHECK(field_of(R"({"add_bos_token": true, "bos_token": 7})") == "bos_token");
  CHECK(field_of(R"({"add_bos_token": true, "bos_token": {}})") == "bos_token.content");
  const mla::Error unknown = thrown_by([] { load(R"({"add_bos_token": true, "bos_token": "<x>"})"); });
  CHECK(unknown.code() == ErrorCode::format);
  CHECK(unknown.field() == "added_tokens");
  CHECK(std::string(unknown.what()).find("<x>") != std::string::npos);
}
