// Tokenizers that went through a GGUF file's metadata find the ids that Hugging Face's tokenizers found.
#include <catch2/catch.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/json.h"
#include "convert/folder.h"
#include "formats/gguf_writer.h"
#include "mla/error.h"
#include "mla/tokenizer.h"
#include "unit/base/scratch_folder.h"
#include "unit/base/thrown.h"

using namespace mla;

namespace {

constexpr std::size_t kRows = 4096;  // More than any of the vocabularies has.

std::filesystem::path golden(const std::string& file) {
  return std::filesystem::path(MLA_TEST_DATA_DIR "/golden/tokenizer") / file;
}

std::vector<Json> rows_of(const std::string& name) {
  std::vector<Json> rows;
  std::ifstream lines(golden(name + ".jsonl"));
  for (std::string line; std::getline(lines, line);) rows.push_back(Json::parse(line));
  REQUIRE(rows.size() > 3);
  return rows;
}

/// The folder's tokenizer, written to a GGUF file and read again. A BOS is what the file puts before texts.
std::shared_ptr<const Tokenizer> through_gguf(const ScratchFolder& scratch) {
  ModelSource source{.path = scratch.path().string(),
                     .format = {},
                     .file_type = {},
                     .config = {},
                     .config_file = {},
                     .config_names = {},
                     .checkpoint = Checkpoint("", nullptr, {}),
                     .generation = {},
                     .unread_metadata = {}};
  const std::vector<TokenId> before = Tokenizer::load(scratch.path())->encode("");
  if (!before.empty()) source.generation.bos_token_id = before.front();
  GgufMetadata metadata;
  metadata.add_string("general.architecture", "llama");
  describe_tokenizer(source, kRows, metadata);
  const std::filesystem::path file = scratch.path() / "m.gguf";
  GgufWriter(file, metadata, {}).commit();
  return Tokenizer::load(file);
}

std::shared_ptr<const Tokenizer> through_gguf(const std::string& name, const ScratchFolder& scratch) {
  std::filesystem::copy_file(golden(name + ".json"), scratch.path() / "tokenizer.json");
  return through_gguf(scratch);
}

/// A tokenizer.json as converters make it of SentencePiece's vocabularies: every pair of tokens that is a token merges,
/// the merges of a token stand together.
Json with_all_pairs(Json document) {
  Json& model = document["model"];
  Json merges = Json::array();
  std::vector<std::string> made;
  for (const Json& merge : model["merges"]) {
    const std::string token = merge.is_string() ? std::string(merge).erase(std::string(merge).find(' '), 1)
                                                : merge[0].get<std::string>() + merge[1].get<std::string>();
    if (std::find(made.begin(), made.end(), token) == made.end()) made.push_back(token);
  }
  for (const std::string& token : made)
    for (std::size_t at = 1; at < token.size(); ++at)
      if (model["vocab"].contains(token.substr(0, at)) && model["vocab"].contains(token.substr(at)))
        merges.push_back({token.substr(0, at), token.substr(at)});
  model["merges"] = merges;
  return document;
}

}  // namespace

TEST_CASE("a SentencePiece vocabulary becomes scores that merge alike", "[convert][tokenizer]") {
  for (const std::string name : {"llama2", "mistral", "minicpm"}) {
    const ScratchFolder scratch;
    scratch.write("tokenizer.json", with_all_pairs(read_json_file(golden(name + ".json"))).dump());
    const auto expected = Tokenizer::load(scratch.path());
    const auto tokenizer = through_gguf(scratch);
    for (const Json& row : rows_of(name)) {
      if (row.contains("decode")) continue;
      const auto text = row.at("text").get<std::string>();
      // GGUF has one treatment of what follows a special token, and of a text that begins with a space: SentencePiece's
      // own. Metaspace has others.
      const bool begins_with_space = text.starts_with(" ") || text.starts_with("\xE2\x96\x81");
      if (text.find('<') != std::string::npos || (name == "mistral" && begins_with_space)) continue;
      CAPTURE(name, row.at("text").dump(-1, ' ', true));
      CHECK(tokenizer->encode(text) == expected->encode(text));
    }
  }
}

TEST_CASE("a tokenizer made into GGUF metadata finds the same ids", "[convert][tokenizer]") {
  for (const std::string name :
       {"gpt2", "llama3", "deepseek", "digits_individual", "no_decoder", "template_sequence"}) {
    const ScratchFolder scratch;
    const auto tokenizer = through_gguf(name, scratch);
    for (const Json& row : rows_of(name)) {
      if (row.contains("decode")) continue;
      const auto text = row.at("text").get<std::string>();
      const auto ids = row.at("ids").get<std::vector<TokenId>>();
      CAPTURE(name, row.at("text").dump(-1, ' ', true));
      CHECK(tokenizer->encode(text, false) == ids);
      CHECK(tokenizer->encode(text, true) == row.value("special_ids", ids));
    }
  }
}

TEST_CASE("a tokenizer that GGUF has no form for is refused by the field", "[convert][tokenizer]") {
  const std::pair<const char*, const char*> cases[] = {{"added", "added_tokens[3]"},
                                                       {"nfd", "normalizer"},
                                                       {"no_pre_tokenizer", "pre_tokenizer"},
                                                       {"byte_fallback", "pre_tokenizer"},
                                                       {"prefix", "model.continuing_subword_prefix"},
                                                       {"suffix", "model.end_of_word_suffix"},
                                                       {"template", "post_processor"},
                                                       {"llama2", "model.merges"}};
  for (const auto& [name, field] : cases) {
    INFO(name);
    const ScratchFolder scratch;
    const Error error = thrown_by([&, folder = name] { through_gguf(folder, scratch); });
    CHECK(error.code() == ErrorCode::unsupported);
    CHECK(error.field() == field);
  }
}

TEST_CASE("a SentencePiece vocabulary with tokens that its reader refuses is not written",
          "[convert][tokenizer]") {
  // Cutting one of a megabyte at every place would take minutes, too.
  for (const std::size_t size : {std::size_t{1025}, std::size_t{1} << 20}) {
    const ScratchFolder scratch;
    Json tokenizer = with_all_pairs(read_json_file(golden("llama2.json")));
    const auto id = static_cast<TokenId>(kRows - 1);
    tokenizer["model"]["vocab"][std::string(size, 'x')] = id;
    scratch.write("tokenizer.json", tokenizer.dump());
    const Error error = thrown_by([&] { through_gguf(scratch); });
    CHECK(error.code() == ErrorCode::unsupported);
    CHECK(error.field() == "the token of id " + std::to_string(id));
  }
}
