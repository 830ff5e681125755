#include "model/generation_config.h"

#include <catch2/catch.hpp>

#include <string>
#include <utility>
#include <vector>

#include "mla/error.h"
#include "unit/formats/format_files.h"

using format_files::contains;
using format_files::Folder;
using mla::GenerationConfig;
using mla::Json;

namespace {

using Ids = std::vector<mla::TokenId>;

GenerationConfig read(const Json& config) {
  return mla::read_generation_config("/nowhere", mla::JsonField(config, "config.json"));
}

GenerationConfig read(const Json& config, const Json& generation) {
  const Folder folder;
  folder.write("generation_config.json", generation.dump());
  return mla::read_generation_config(folder.path(), mla::JsonField(config, "config.json"));
}

const Json kConfig = {{"bos_token_id", 1}, {"eos_token_id", 2}};

}  // namespace

TEST_CASE("generation config: alone, config.json tells of bos and eos only") {
  CHECK(read(kConfig).bos_token_id == 1);
  CHECK(read(kConfig).eos_token_ids == Ids{2});
  CHECK(read({{"eos_token_id", {5, 3}}}).eos_token_ids == Ids{5, 3});
  const GenerationConfig nothing = read(Json::object());
  CHECK_FALSE(nothing.bos_token_id);
  CHECK(nothing.eos_token_ids.empty());
  const GenerationConfig sampling = read({{"temperature", 0.5}, {"top_k", 4}, {"do_sample", true}});
  CHECK_FALSE(sampling.temperature);
  CHECK_FALSE(sampling.top_k);
  CHECK_FALSE(sampling.do_sample);
}

TEST_CASE("generation config: generation_config.json wins key by key") {
  const GenerationConfig both = read(kConfig, {{"bos_token_id", 11}, {"eos_token_id", {12, 13}}});
  CHECK(both.bos_token_id == 11);
  CHECK(both.eos_token_ids == Ids{12, 13});
  const GenerationConfig bos = read(kConfig, {{"bos_token_id", 11}});
  CHECK(bos.bos_token_id == 11);
  CHECK(bos.eos_token_ids == Ids{2});
  const GenerationConfig eos =
      read({{"bos_token_id", 1}, {"eos_token_id", {2, 3, 4}}}, {{"eos_token_id", 12}});
  CHECK(eos.bos_token_id == 1);
  CHECK(eos.eos_token_ids == Ids{12});
  const GenerationConfig null = read(kConfig, {{"bos_token_id", nullptr}, {"eos_token_id", nullptr}});
  CHECK(null.bos_token_id == 1);
  CHECK(null.eos_token_ids == Ids{2});
  CHECK(read(kConfig, {{"eos_token_id", Json::array()}}).eos_token_ids.empty());
}

TEST_CASE("generation config: sampling defaults, each in its own field") {
  const GenerationConfig all = read(kConfig, {{"do_sample", true},
                                              {"temperature", 0.25},
                                              {"top_k", 7},
                                              {"top_p", 0.5},
                                              {"min_p", 0.125},
                                              {"typical_p", 0.75},
                                              {"repetition_penalty", 1.5},
                                              {"unknown", "anything"}});
  CHECK(all.do_sample == true);
  CHECK(all.temperature == 0.25);
  CHECK(all.top_k == 7);
  CHECK(all.top_p == 0.5);
  CHECK(all.min_p == 0.125);
  CHECK(all.typical_p == 0.75);
  CHECK(all.repetition_penalty == 1.5);
  const GenerationConfig none = read(kConfig, {{"temperature", nullptr}, {"top_k", nullptr}});
  CHECK_FALSE(none.temperature);
  CHECK_FALSE(none.top_k);
  CHECK_FALSE(none.repetition_penalty);
}

TEST_CASE("generation config: values of a wrong type or range are refused by file and field") {
  const std::vector<std::pair<std::string, Json>> wrong = {{"bos_token_id", -1},
                                                           {"bos_token_id", "1"},
                                                           {"bos_token_id", {1}},
                                                           {"eos_token_id", 1.5},
                                                           {"eos_token_id", 2147483648},
                                                           {"eos_token_id", {1, -1}},
                                                           {"eos_token_id", {1, "2"}},
                                                           {"eos_token_id", {{"id", 1}}},
                                                           {"do_sample", 1},
                                                           {"temperature", -0.5},
                                                           {"temperature", "hot"},
                                                           {"top_k", -1},
                                                           {"top_k", 1.5},
                                                           {"top_p", 1.5},
                                                           {"min_p", -0.1},
                                                           {"typical_p", 2},
                                                           {"repetition_penalty", 0}};
  for (const auto& [key, value] : wrong) {
    CAPTURE(key, value.dump());
    const mla::Error error = thrown_by([&, &name = key, &json = value] {
      Json generation = Json::object();
      generation[name] = json;
      read(kConfig, generation);
    });
    CHECK(error.code() == mla::ErrorCode::format);
    CHECK(contains(error.file(), "generation_config.json"));
    CHECK(contains(error.field(), key));
  }
  const mla::Error config = thrown_by([] { read({{"eos_token_id", true}}); });
  CHECK(config.file() == "config.json");
  CHECK(config.field() == "eos_token_id");
  CHECK(thrown_by([] { read(kConfig, Json::array()); }).code() == mla::ErrorCode::format);
}

TEST_CASE("generation config: ids are within the vocabulary") {
  Json config = kConfig;
  config["vocab_size"] = 10;
  CHECK(read(config, {{"eos_token_id", {8, 9}}}).eos_token_ids == Ids{8, 9});
  CHECK_THROWS_AS(read(config, {{"eos_token_id", {8, 10}}}), mla::Error);
  CHECK_THROWS_AS(read(config, {{"bos_token_id", 10}}), mla::Error);
  config["eos_token_id"] = 10;
  CHECK_THROWS_AS(read(config), mla::Error);
}
