#include <catch2/catch.hpp>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "mla/error.h"
#include "mla/model.h"
#include "model/deepseek_config.h"
#include "model/generation_config.h"
#include "model/rope_config.h"
#include "unit/base/thrown.h"

using mla::Json;

namespace {

constexpr const char* kCheckpoints = MLA_TEST_DATA_DIR "/golden/checkpoints/";

Json golden(const std::string& name) {
  return mla::read_json_file(std::string(kCheckpoints) + name + "/config.json");
}

mla::MlaConfig read(const Json& json) {
  return mla::read_deepseek_config(mla::JsonField(json, "config.json"));
}

mla::RopeScaling rope(const Json& json) {
  return mla::read_rope_scaling(mla::JsonField(json, "config.json"), 8, 1024);
}

/// The field at which the config is refused.
std::string refused_at(const Json& json) {
  try {
    read(json);
  } catch (const mla::Error& error) {
    CHECK(error.file() == "config.json");
    return error.field();
  }
  return "";
}

}  // namespace

TEST_CASE("both styles of rope keys mean the same", "[config]") {
  const Json yarn = {{"type", "yarn"}, {"factor", 40}, {"original_max_position_embeddings", 32}};
  Json inner = yarn;
  inner["rope_theta"] = 500;
  const mla::RopeScaling before = rope({{"rope_theta", 500}, {"rope_scaling", yarn}});
  const mla::RopeScaling after = rope({{"rope_parameters", inner}});
  CHECK(before.type == mla::RopeType::yarn);
  CHECK(before.type == after.type);
  CHECK(before.theta == 500.0);
  CHECK(after.theta == 500.0);
  CHECK(before.factor == after.factor);
  CHECK(before.original_max_position_embeddings == 32);
  CHECK(after.original_max_position_embeddings == 32);
}

TEST_CASE("which rope key wins", "[config]") {
  const Json linear = {{"rope_type", "linear"}, {"factor", 2}};
  const Json other = {{"rope_type", "linear"}, {"factor", 3}, {"rope_theta", 7}};
  CHECK(rope(Json::object()).theta == 10000.0);
  CHECK(rope(Json::object()).type == mla::RopeType::standard);
  CHECK(rope({{"rope_scaling", linear}, {"rope_parameters", other}}).factor == 2.0);
  CHECK(rope({{"rope_scaling", Json::object()}, {"rope_parameters", other}}).factor == 3.0);
  CHECK(rope({{"rope_scaling", nullptr}, {"rope_parameters", other}}).factor == 3.0);
  CHECK(rope({{"rope_theta", 5}, {"rope_parameters", other}}).theta == 7.0);
  CHECK(rope({{"rope_theta", 5}, {"rope_scaling", linear}}).theta == 5.0);
  CHECK(rope({{"rope_scaling", {{"type", "yarn"}, {"rope_type", "linear"}, {"factor", 2}}}}).type ==
        mla::RopeType::linear);
  const Json yarn = {{"type", "yarn"}, {"factor", 4}, {"original_max_position_embeddings", 32}};
  CHECK(rope({{"original_max_position_embeddings", 64}, {"rope_scaling", yarn}})
            .original_max_position_embeddings == 64);
  CHECK(rope({{"rope_scaling", {{"type", "yarn"}, {"factor", 4}}}}).original_max_position_embeddings == 1024);
}

TEST_CASE("rope parameters that do not go together are refused at their field", "[config]") {
  const auto field_of = [](const Json& parameters) {
    return thrown_by([&] { rope({{"rope_scaling", parameters}}); }).field();
  };
  CHECK(field_of({{"type", "spiral"}}) == "rope_scaling.type");
  CHECK(field_of({{"type", "linear"}, {"factor", 2}, {"partial_rotary_factor", 0.5}}) ==
        "rope_scaling.partial_rotary_factor");
  CHECK(field_of({{"type", "yarn"}, {"factor", 2}, {"rope_theta", 1}}) == "rope_scaling");
  Json llama3 = {{"type", "llama3"}, {"factor", 8}, {"low_freq_factor", 1}, {"high_freq_factor", 4}};
  CHECK(rope({{"rope_scaling", llama3}}).high_freq_factor == 4.0);
  llama3["high_freq_factor"] = 1;
  CHECK(field_of(llama3) == "rope_scaling.high_freq_factor");
  const Json ones(4, 1.0);
  Json longrope = {{"type", "longrope"}, {"short_factor", ones}, {"long_factor", ones}};
  longrope["original_max_position_embeddings"] = 256;
  CHECK(rope({{"rope_scaling", longrope}}).factor == 4.0);
  longrope["long_factor"] = Json(3, 1.0);
  CHECK(field_of(longrope) == "rope_scaling.long_factor");
  const Json dynamic = {{"rope_scaling", {{"type", "dynamic"}, {"factor", 2}}}};
  CHECK(rope(dynamic).type == mla::RopeType::dynamic);
  CHECK_THROWS_AS(mla::read_rope_scaling(mla::JsonField(dynamic, "config.json"), 2, 1024), mla::Error);
}

TEST_CASE("how deepseek_v2 chooses its experts", "[config]") {
  Json json = golden("v2_defaults");
  json["topk_method"] = "greedy";
  REQUIRE(read(json).router);
  CHECK(read(json).router->kind == mla::RouterKind::softmax_greedy);
  json["topk_method"] = "noaux_tc";
  CHECK(refused_at(json) == "topk_method");
  json["topk_method"] = "greedy";
  json["moe_layer_freq"] = 2;
  CHECK(refused_at(json) == "moe_layer_freq");
}

TEST_CASE("defaults of config keys", "[config]") {
  Json json = golden("v3_groups");
  for (const char* key : {"rms_norm_eps", "norm_topk_prob", "routed_scaling_factor", "rope_theta",
                          "rope_interleave", "tie_word_embeddings", "attention_bias", "n_shared_experts"})
    json.erase(key);
  const mla::MlaConfig config = read(json);
  CHECK(config.rms_norm_eps == 1e-6F);
  REQUIRE(config.router);
  CHECK(config.router->norm_topk_prob);
  CHECK(config.router->routed_scaling_factor == 2.5F);
  CHECK(config.n_shared_experts == 0);
  CHECK_FALSE(config.tie_word_embeddings);
  CHECK_FALSE(config.attention_bias);
  CHECK(config.rope_pairing == mla::RopePairing::interleaved);
  json["first_k_dense_replace"] = 2;
  CHECK_FALSE(read(json).router);
}

TEST_CASE("deepseek_v2 never normalizes, whatever its config says, and says that it did not listen",
          "[config]") {
  Json json = golden("v2_defaults");
  json["norm_topk_prob"] = true;
  const mla::MlaConfig config = read(json);
  REQUIRE(config.router);
  CHECK_FALSE(config.router->norm_topk_prob);
  CHECK(std::count(config.ignored_keys.begin(), config.ignored_keys.end(), "norm_topk_prob") == 1);
}

TEST_CASE("impossible values are refused at their field", "[config]") {
  CHECK(refused_at(golden("v3_groups")).empty());
  const std::vector<std::pair<std::string, Json>> wrong = {{"vocab_size", 0},
                                                           {"hidden_size", -1},
                                                           {"num_hidden_layers", "2"},
                                                           {"v_head_dim", nullptr},
                                                           {"kv_lora_rank", 1.5},
                                                           {"num_attention_heads", 2147483648},
                                                           {"qk_rope_head_dim", 7},
                                                           {"n_group", 3},
                                                           {"topk_group", 6},
                                                           {"hidden_act", "gelu"},
                                                           {"scoring_func", "softmax"},
                                                           {"topk_method", "greedy"},
                                                           {"torch_dtype", "int4"},
                                                           {"dtype", "int4"},
                                                           {"num_experts_per_tok", 11},
                                                           {"attention_bias", 1},
                                                           {"rms_norm_eps", -1},
                                                           {"moe_layer_freq", 2},
                                                           {"intermediate_size", 0},
                                                           {"q_lora_rank", 0},
                                                           {"moe_intermediate_size", 0},
                                                           {"n_shared_experts", -1},
                                                           {"n_routed_experts", 0},
                                                           {"first_k_dense_replace", -1},
                                                           {"rope_scaling", "yarn"}};
  for (const auto& [key, value] : wrong) {
    Json json = golden("v3_groups");
    json[key] = value;
    CAPTURE(key);
    CHECK(refused_at(json) == key);
  }
}

TEST_CASE("the precisions have names, and a model says for which it was loaded", "[model]") {
  for (const mla::Precision precision : {mla::Precision::f32, mla::Precision::fast}) {
    CHECK(mla::precision_named(mla::to_string(precision)) == precision);
    const auto model = mla::Model::load(std::string(kCheckpoints) + "v2_defaults", {.precision = precision});
    CHECK(model->info().precision == precision);
  }
  const mla::Error error = thrown_by([] { mla::precision_named("half"); });
  CHECK(error.code() == mla::ErrorCode::argument);
  CHECK_THAT(error.what(), Catch::Contains("\"half\", expected f32 or fast"));
}

TEST_CASE("parameters and cache of a golden, by hand", "[model]") {
  // vocab 97, hidden 51, 2 layers, 3 heads, ranks 18 and 14, nope 10, rope 6, v 9, dense 38, experts 6 of 14.
  const auto model =
      mla::Model::load(std::string(kCheckpoints) + "v2_defaults", {.precision = mla::Precision::f32});
  const std::size_t attention =
      18 * 51 + 18 + 3 * 16 * 18 + (14 + 6) * 51 + 14 + 3 * (10 + 9) * 14 + 51 * 3 * 9;
  const std::size_t expert = 3 * 51 * 14;
  const std::size_t total = 2 * 97 * 51 + 51 + 2 * (attention + 2 * 51) + 3 * 51 * 38 + 6 * 51 + 7 * expert;
  CHECK(model->info().parameters == total);
  CHECK(model->info().active_parameters == total - 4 * expert - 96 * 51);  // 2 of 6 experts, 1 of 97 rows.
  CHECK(model->info().weight_bytes == 2 * total);
  CHECK(model->info().cache_bytes_per_token == 2 * (14 + 6) * 4);
  CHECK(model->info().full_cache_bytes_per_token == 2 * 3 * (16 + 9) * 4);
  CHECK(model->info().max_context == 1024);
}

TEST_CASE("layers behind the last one are ignored", "[model]") {
  const auto model =
      mla::Model::load(std::string(kCheckpoints) + "v3_mtp", {.precision = mla::Precision::f32});
  CHECK_FALSE(model->info().ignored_tensors.empty());
  for (const std::string& name : model->info().ignored_tensors) CHECK(name.starts_with("model.layers.3."));
}

TEST_CASE("generation_config.json goes over config.json", "[model]") {
  const auto model =
      mla::Model::load(std::string(kCheckpoints) + "v2_save_pretrained", {.precision = mla::Precision::f32});
  CHECK(model->generation_config().bos_token_id == 95);
  CHECK(model->generation_config().eos_token_ids == std::vector<mla::TokenId>{96});
  CHECK_FALSE(model->generation_config().temperature);
  const Json json = {{"bos_token_id", 1}, {"eos_token_id", {2, 3}}};
  const auto none = mla::read_generation_config("/nowhere", mla::JsonField(json, "config.json"));
  CHECK(none.bos_token_id == 1);
  CHECK(none.eos_token_ids == std::vector<mla::TokenId>{2, 3});
}
