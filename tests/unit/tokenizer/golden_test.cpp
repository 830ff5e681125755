// What Hugging Face's tokenizers made of texts; see tools/golden/tokenizer/make_tokenizer_goldens.py.
#include <catch2/catch.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/json.h"
#include "mla/tokenizer.h"

using mla::Json;
using mla::TokenId;

namespace {

std::string streamed(const std::shared_ptr<const mla::Tokenizer>& tokenizer, const std::vector<TokenId>& ids,
                     bool skip_special_tokens) {
  mla::StreamDecoder decoder(tokenizer, skip_special_tokens);
  std::string text;
  for (const TokenId id : ids) text += decoder.push(id);
  return text + decoder.finish();
}

void check_decoding(const std::shared_ptr<const mla::Tokenizer>& tokenizer, const Json& row) {
  const auto ids = row.at("decode").get<std::vector<TokenId>>();
  CAPTURE(ids);
  for (const bool skip : {true, false}) {
    const auto text = row.at(skip ? "decoded" : "decoded_all").get<std::string>();
    CHECK(tokenizer->decode(ids, skip) == text);
    CHECK(streamed(tokenizer, ids, skip) == text);
  }
}

void check_line(const std::shared_ptr<const mla::Tokenizer>& tokenizer, const std::string& line) {
  const Json row = Json::parse(line);
  if (row.contains("decode")) return check_decoding(tokenizer, row);
  const auto text = row.at("text").get<std::string>();
  const auto ids = row.at("ids").get<std::vector<TokenId>>();
  const auto special_ids = row.value("special_ids", ids);
  CAPTURE(row.at("text").dump(-1, ' ', true));
  CHECK(tokenizer->encode(text, false) == ids);
  CHECK(tokenizer->encode(text, true) == special_ids);
  CHECK(tokenizer->decode(special_ids, true) == row.value("decoded", text));
  CHECK(tokenizer->decode(special_ids, false) == row.value("decoded_all", text));
  CHECK(streamed(tokenizer, special_ids, true) == row.value("decoded", text));
  CHECK(streamed(tokenizer, special_ids, false) == row.value("decoded_all", text));
}

}  // namespace

TEST_CASE("tokenizer: ids and texts are those of Hugging Face", "[tokenizer]") {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(MLA_TEST_DATA_DIR "/golden/tokenizer"))
    if (entry.path().extension() == ".jsonl") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  REQUIRE(files.size() > 30);
  for (std::filesystem::path file : files) {
    CAPTURE(file);
    std::ifstream rows(file);
    file.replace_extension(".json");
    if (!exists(file)) file.replace_extension(".gguf");
    const auto tokenizer = mla::Tokenizer::load(file);
    for (std::string line; std::getline(rows, line);) check_line(tokenizer, line);
  }
}
