#include <catch2/catch.hpp>

#include <filesystem>
#include <string>

#include "base/json.h"
#include "mla/error.h"
#include "model/known_keys.h"

using mla::Json;

namespace {

constexpr const char* kCheckpoints = MLA_TEST_DATA_DIR "/golden/checkpoints/";

/// The field at which the config is refused.
std::string refused_at(const Json& json) {
  try {
    mla::check_known_keys(mla::JsonField(json, "config.json"));
  } catch (const mla::Error& error) {
    CHECK(error.code() == mla::ErrorCode::format);
    CHECK(error.file() == "config.json");
    return error.field();
  }
  return "";
}

}  // namespace

TEST_CASE("keys that nobody reads have values of their kind", "[config]") {
  for (const char* key : {"num_key_value_heads", "n_group", "num_nextn_predict_layers", "pretraining_tp"}) {
    INFO(key);
    for (const Json& value : {Json(-1), Json("4"), Json(1.5), Json(1LL << 31), Json(true), Json::array({1})})
      CHECK(refused_at({{key, value}}) == key);
    for (const Json& value : {Json(0), Json(4), Json(nullptr)}) CHECK(refused_at({{key, value}}).empty());
  }
  for (const char* key : {"attention_dropout", "routed_scaling_factor"}) {
    INFO(key);
    for (const Json& value : {Json("0"), Json(false), Json::object()})
      CHECK(refused_at({{key, value}}) == key);
    for (const Json& value : {Json(0.5), Json(-1), Json(nullptr)}) CHECK(refused_at({{key, value}}).empty());
  }
  for (const char* key : {"use_cache", "norm_topk_prob"}) {
    INFO(key);
    for (const Json& value : {Json("true"), Json(1)}) CHECK(refused_at({{key, value}}) == key);
    for (const Json& value : {Json(true), Json(nullptr)}) CHECK(refused_at({{key, value}}).empty());
  }
  CHECK(refused_at({{"scoring_func", 1}}) == "scoring_func");
  CHECK(refused_at({{"of_another_program", -1}}).empty());
}

TEST_CASE("published configs have such values", "[config]") {
  int seen = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kCheckpoints)) {
    INFO(entry.path());
    CHECK(refused_at(mla::read_json_file(entry.path() / "config.json")).empty());
    ++seen;
  }
  CHECK(seen > 100);
}
