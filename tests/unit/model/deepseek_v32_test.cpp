// DeepSeek-V3.2: its config, its tensors, and what is said of it.
#include "model/deepseek_v32.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "mla/error.h"
#include "mla/model.h"
#include "unit/base/thrown.h"
#include "unit/formats/format_files.h"
#include "unit/model/checkpoint_copy.h"

using checkpoint_copy::Copy;
using format_files::Folder;
using mla::Json;

namespace {

constexpr const char* kCheckpoints = MLA_TEST_DATA_DIR "/golden/checkpoints/";

Json golden(const std::string& name) {
  return mla::read_json_file(std::string(kCheckpoints) + name + "/config.json");
}

mla::MlaConfig read(const Json& json) {
  return mla::read_deepseek_v32_config(mla::JsonField(json, "config.json"));
}

bool ignores(const mla::MlaConfig& config, const char* key) {
  return std::count(config.ignored_keys.begin(), config.ignored_keys.end(), key) == 1;
}

std::vector<bool> with_experts(const mla::MlaConfig& config) {
  std::vector<bool> layers;
  for (std::size_t layer = 0; layer < config.num_hidden_layers; ++layer)
    layers.push_back(config.has_experts(layer));
  return layers;
}

}  // namespace

TEST_CASE("deepseek_v32: the indexer's keys, and defaults where keys are absent", "[config]") {
  Json json = golden("v32_sparse");
  for (const char* key :
       {"norm_topk_prob", "routed_scaling_factor", "n_shared_experts", "first_k_dense_replace"})
    json.erase(key);
  json["num_hidden_layers"] = 5;
  const mla::MlaConfig config = read(json);
  REQUIRE(config.indexer);
  CHECK(config.indexer->num_heads == 7);
  CHECK(config.indexer->head_dim == 10);
  CHECK(config.indexer->rotary_dim == 8);
  CHECK(config.indexer->top_k == 19);
  CHECK(with_experts(config) == std::vector<bool>{false, false, false, true, true});
  REQUIRE(config.router);
  CHECK(config.router->norm_topk_prob);
  CHECK(config.router->routed_scaling_factor == 2.5F);
  CHECK(config.n_shared_experts == 1);
  // The class in transformers has no rope_interleave: neighbouring pairs are turned, and the key says so in vain.
  CHECK(config.rope_pairing == mla::RopePairing::interleaved);
  CHECK(ignores(config, "rope_interleave"));
  CHECK_FALSE(ignores(config, "index_topk"));
}

TEST_CASE("deepseek_v32: mlp_layer_types says which layers have experts", "[config]") {
  const Json json = golden("v32_layer_types");
  CHECK(with_experts(read(json)) == std::vector<bool>{true, false, true});
  Json dense = json;
  dense["mlp_layer_types"] = {"dense", "dense", "dense"};
  CHECK_FALSE(read(dense).router);
  CHECK(read(dense).expert_layers.count() == 0);
  Json sparse = json;
  sparse["mlp_layer_types"] = {"sparse", "sparse", "sparse"};
  sparse.erase("intermediate_size");
  CHECK(read(sparse).expert_layers.count() == 3);
}

TEST_CASE("deepseek_v32: impossible values are refused at their field", "[config]") {
  const std::vector<std::pair<std::string, Json>> wrong = {
      {"index_topk", 0},
      {"index_topk", nullptr},
      {"index_n_heads", 0},
      {"index_head_dim", 7},
      {"q_lora_rank", nullptr},
      {"scoring_func", "softmax"},
      {"topk_method", "greedy"},
      {"moe_layer_freq", 2},
      {"layer_types", Json::array({"indexed_attention"})},
      {"mlp_layer_types", Json::array({"dense"})},
      {"mlp_layer_types", "sparse"},
      {"intermediate_size", 0}};
  for (const auto& [key, value] : wrong) {
    Json json = golden("v32_sparse");
    json[key] = value;
    CAPTURE(key, value.dump());
    const mla::Error error = thrown_by([&] { read(json); });
    CHECK(error.field() == key);
    CHECK(error.file() == "config.json");
  }
  Json json = golden("v32_sparse");
  json["layer_types"] = {"indexed_attention", "full_attention"};
  CHECK(thrown_by([&] { read(json); }).code() == mla::ErrorCode::unsupported);
  CHECK(thrown_by([&] { read(json); }).field() == "layer_types[1]");
  json = golden("v32_sparse");
  json["mlp_layer_types"] = {"dense", "moe"};
  CHECK(thrown_by([&] { read(json); }).code() == mla::ErrorCode::unsupported);
  CHECK(thrown_by([&] { read(json); }).field() == "mlp_layer_types[1]");
}

TEST_CASE("deepseek_v32: the indexer's tensors must be there, in their shapes") {
  const std::string prefix = "model.layers.1.self_attn.indexer.";
  for (const char* name :
       {"wq_b.weight", "wk.weight", "k_norm.weight", "k_norm.bias", "weights_proj.weight"}) {
    CAPTURE(name);
    Copy copy("v32_sparse");
    copy.at(prefix + name).name = prefix + "other";
    const Folder folder;
    copy.write(folder);
    const mla::Error error = thrown_by([&] { mla::Model::load(folder.path()); });
    CHECK(error.code() == mla::ErrorCode::mismatch);
    CHECK(error.field() == prefix + name);
  }
  Copy copy("v32_sparse");
  copy.config["index_n_heads"] = 6;
  const Folder folder;
  copy.write(folder);
  CHECK(thrown_by([&] { mla::Model::load(folder.path()); }).field() ==
        "model.layers.0.self_attn.indexer.wq_b.weight");
}

TEST_CASE("deepseek_v32: what inspect says of it") {
  const auto model = mla::Model::load(std::string(kCheckpoints) + "v32_sparse");
  const mla::ModelInfo& info = model->info();
  CHECK(info.architecture == "deepseek_v32");
  // bf16 by multiples of 32, but for the indexer's keys.
  CHECK(info.cache_bytes_per_token == 2 * (2 * (32 + 32) + 4 * 10));
  const auto exact =
      mla::Model::load(std::string(kCheckpoints) + "v32_sparse", {.precision = mla::Precision::f32});
  CHECK(exact->info().cache_bytes_per_token == 2 * 4 * (17 + 8 + 10));
  const std::pair<std::string, std::string> sparse = {"sparse attention", "top 19 by indexer, 7 heads of 10"};
  CHECK(std::count(info.features.begin(), info.features.end(), sparse) == 1);
  const std::pair<std::string, std::int64_t> top = {"index_topk", 19};
  CHECK(std::count(info.dimensions.begin(), info.dimensions.end(), top) == 1);
  const auto fp8 = mla::Model::load(std::string(kCheckpoints) + "v32_fp8");
  CHECK(fp8->info().dtypes.at("F8_E4M3").tensors ==
        10);  // Five of the attention, two of the indexer, three of the MLP.
  const auto prediction = mla::Model::load(std::string(kCheckpoints) + "v32_mtp");
  CHECK_FALSE(prediction->info().ignored_tensors.empty());
  CHECK_FALSE(model->info().ignored_tensors.size() > 0);
}
