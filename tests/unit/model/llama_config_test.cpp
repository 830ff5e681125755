// config.json of the Llama family and of GPT-2, and what is said of the models.
#include <catch2/catch.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "mla/error.h"
#include "mla/model.h"
#include "model/gpt2.h"
#include "model/llama_family.h"

using mla::Json;

namespace {

constexpr const char* kCheckpoints = MLA_TEST_DATA_DIR "/golden/checkpoints/";
using Changes = std::vector<std::pair<std::string, Json>>;

Json golden(const std::string& name) {
  return mla::read_json_file(std::string(kCheckpoints) + name + "/config.json");
}

mla::LlamaConfig read(const Json& json) {
  const mla::JsonField config(json, "config.json");
  const std::string type = json["model_type"];
  if (type == "mistral") return mla::read_mistral_config(config);
  if (type == "qwen2") return mla::read_qwen2_config(config);
  if (type == "qwen3") return mla::read_qwen3_config(config);
  return mla::read_llama_config(config);
}

/// The field at which the config is refused.
std::string refused_at(const Json& json) {
  try {
    if (json["model_type"] == "gpt2")
      mla::read_gpt2_config(mla::JsonField(json, "config.json"));
    else
      read(json);
  } catch (const mla::Error& error) {
    CHECK(error.file() == "config.json");
    return error.field();
  }
  return "";
}

void check_refused(const std::string& name, const Changes& wrong) {
  CHECK(refused_at(golden(name)).empty());
  for (const auto& [key, value] : wrong) {
    Json json = golden(name);
    json[key] = value;
    CAPTURE(name, key, value);
    CHECK(refused_at(json) == key);
  }
}

void check_needed(const std::string& name, const std::vector<std::string>& keys) {
  for (const std::string& key : keys) {
    Json json = golden(name);
    json.erase(key);
    CAPTURE(name, key);
    CHECK(refused_at(json) == key);
  }
}

const std::vector<std::string> kSizes = {"vocab_size",        "hidden_size",
                                         "num_hidden_layers", "max_position_embeddings",
                                         "intermediate_size", "num_attention_heads"};

std::vector<std::optional<std::size_t>> windows_of(const Json& json) {
  const mla::LlamaConfig config = read(json);
  std::vector<std::optional<std::size_t>> windows;
  for (std::size_t layer = 0; layer < config.num_hidden_layers; ++layer)
    windows.push_back(config.window(layer));
  return windows;
}

}  // namespace

TEST_CASE("llama: sizes have no defaults", "[config]") {
  for (const char* name : {"llama_gqa", "mistral_window", "qwen2_plain", "qwen3_plain"})
    check_needed(name, kSizes);
  check_needed("mistral_window", {"num_key_value_heads", "sliding_window"});
  check_needed("qwen2_plain", {"num_key_value_heads"});
  check_needed("qwen2_window", {"sliding_window", "max_window_layers"});
  check_needed("qwen3_plain", {"num_key_value_heads", "head_dim"});
  check_needed("gpt2_plain", {"vocab_size", "n_embd", "n_layer", "n_head", "n_positions"});
}

TEST_CASE("llama: impossible values are refused at their field", "[config]") {
  check_refused("llama_gqa", {{"vocab_size", 0},
                              {"hidden_size", "36"},
                              {"num_hidden_layers", -1},
                              {"num_attention_heads", 2147483648},
                              {"num_key_value_heads", 0},
                              {"num_key_value_heads", 4},
                              {"num_key_value_heads", 12},
                              {"head_dim", 0},
                              {"head_dim", 7},
                              {"hidden_size", 37},
                              {"hidden_size", 30},
                              {"intermediate_size", 1.5},
                              {"rms_norm_eps", -1},
                              {"rms_norm_eps", "1e-6"},
                              {"hidden_act", "gelu"},
                              {"attention_bias", 1},
                              {"mlp_bias", "no"},
                              {"tie_word_embeddings", 0},
                              {"rope_interleave", 1},
                              {"rope_theta", 0},
                              {"rope_scaling", "linear"},
                              {"torch_dtype", "int4"},
                              {"position_encoding", "relative"}});
  check_refused("mistral_window", {{"sliding_window", 0}, {"sliding_window", -4}, {"sliding_window", "19"}});
  check_refused("qwen2_window", {{"sliding_window", 0},
                                 {"use_sliding_window", "yes"},
                                 {"max_window_layers", -1},
                                 {"layer_types", Json::array({"full_attention"})},
                                 {"layer_types", "full_attention"}});
  check_refused("qwen3_plain", {{"head_dim", nullptr}, {"head_dim", 0}, {"num_key_value_heads", 5}});
  check_refused("gpt2_plain", {{"n_embd", 31},
                               {"n_head", 0},
                               {"n_inner", 0},
                               {"n_positions", 0},
                               {"activation_function", "gelu_fast"},
                               {"activation_function", 3},
                               {"layer_norm_epsilon", 2},
                               {"scale_attn_weights", 1},
                               {"scale_attn_by_inverse_layer_idx", "no"},
                               {"conv1d_layout", 0},
                               {"tie_word_embeddings", "yes"},
                               {"add_cross_attention", true},
                               {"dtype", "int8"},
                               {"position_encoding", "wpe"}});
}

TEST_CASE("llama: an odd number of values to rotate is refused only for rope", "[config]") {
  Json json = golden("llama_gqa");
  json["head_dim"] = 7;
  CHECK(refused_at(json) == "head_dim");
  json["position_encoding"] = "alibi";
  CHECK(refused_at(json).empty());
}

TEST_CASE("llama: defaults of config keys", "[config]") {
  const mla::LlamaConfig config = read(golden("llama_mha"));
  CHECK(config.attention.num_key_value_heads == config.attention.num_heads);
  CHECK(config.attention.head_dim == 6);
  CHECK(config.rms_norm_eps == 1e-6F);
  CHECK(config.rope.theta == 10000.0);
  CHECK(config.rope_pairing == mla::RopePairing::halves);
  CHECK(config.position_encoding == "rope");
  CHECK_FALSE(config.tie_word_embeddings);
  CHECK_FALSE(config.qkv_bias);
  CHECK_FALSE(config.o_bias);
  CHECK_FALSE(config.mlp_bias);
  CHECK_FALSE(config.qk_norm);
  CHECK_FALSE(config.window(0));
  Json json = golden("mistral_window");
  json["num_key_value_heads"] = nullptr;
  CHECK(read(json).attention.num_key_value_heads == 5);
  json["head_dim"] = nullptr;
  json["hidden_size"] = 40;
  CHECK(read(json).attention.head_dim == 8);
}

TEST_CASE("llama: what a family does not know changes nothing and is listed", "[config]") {
  Json json = golden("mistral_window");
  json["attention_bias"] = true;
  json["mlp_bias"] = true;
  json["use_sliding_window"] = false;
  const mla::LlamaConfig config = read(json);
  CHECK_FALSE(config.qkv_bias);
  CHECK_FALSE(config.mlp_bias);
  CHECK(config.window(1) == 19U);
  for (const char* key : {"attention_bias", "mlp_bias", "use_sliding_window", "initializer_range"})
    CHECK(std::count(config.ignored_keys.begin(), config.ignored_keys.end(), key) == 1);
  for (const char* key : {"sliding_window", "head_dim", "torch_dtype", "rope_theta"})
    CHECK(std::count(config.ignored_keys.begin(), config.ignored_keys.end(), key) == 0);
}

TEST_CASE("llama: which layers have a window", "[config]") {
  using Windows = std::vector<std::optional<std::size_t>>;
  Json json = golden("qwen2_window");
  CHECK(windows_of(json) == Windows{std::nullopt, 23, 23});
  json["max_window_layers"] = 3;
  CHECK(windows_of(json) == Windows(3));
  json["layer_types"] = {"sliding_attention", "full_attention", "sliding_attention"};
  CHECK(windows_of(json) == Windows{23, std::nullopt, 23});
  json["layer_types"][1] = "chunked_attention";
  CHECK(refused_at(json) == "layer_types[1]");
  json["layer_types"][1] = "sliding_attention";
  json["use_sliding_window"] = false;
  CHECK(refused_at(json) == "layer_types[0]");
  json.erase("layer_types");
  CHECK(windows_of(json) == Windows(3));
  json["use_sliding_window"] = true;
  json["sliding_window"] = nullptr;
  CHECK(windows_of(json) == Windows(3));
  CHECK(windows_of(golden("mistral_full")) == Windows(2));
  CHECK(windows_of(golden("mistral_narrow")) == Windows{2, 2});
  json = golden("mistral_layer_types");
  CHECK(windows_of(json) == Windows{19, std::nullopt, 19});
  json["layer_types"] = nullptr;
  CHECK(windows_of(json) == Windows{19, 19, 19});
  json["layer_types"] = {"full_attention", "full_attention"};
  CHECK(refused_at(json) == "layer_types");
  json["layer_types"].push_back("full_attention");
  json["sliding_window"] = nullptr;
  CHECK(windows_of(json) == Windows(3));
}

TEST_CASE("llama: partial_rotary_factor counts only where the frequencies are scaled", "[config]") {
  Json json = golden("llama_partial");
  const std::vector<std::string> ignored = read(json).ignored_keys;
  CHECK(std::count(ignored.begin(), ignored.end(), "partial_rotary_factor") == 1);
  json["rope_scaling"] = {{"rope_type", "linear"}, {"factor", 2.0}};
  CHECK(refused_at(json) == "partial_rotary_factor");
  json["rope_scaling"]["partial_rotary_factor"] = 1.0;  // It wins over the one beside.
  CHECK(read(json).rope.factor == 2.0);
  json["rope_scaling"]["partial_rotary_factor"] = 0.5;
  json["partial_rotary_factor"] = 1.0;
  CHECK(refused_at(json) == "rope_scaling.partial_rotary_factor");
  json["rope_scaling"] = {{"rope_type", "default"}, {"partial_rotary_factor", 0.5}};
  CHECK(read(json).attention.head_dim == 14);
}

TEST_CASE("llama, gpt2: only causal models", "[config]") {
  for (const char* name : {"llama_gqa", "mistral_window", "qwen2_plain", "qwen3_plain", "gpt2_plain"}) {
    CAPTURE(name);
    check_refused(name, {{"is_causal", false}, {"is_causal", nullptr}, {"is_causal", 1}});
  }
}

TEST_CASE("llama: many layers in the config cost nothing before the weights are looked for", "[config]") {
  Json json = golden("mistral_window");
  json["num_hidden_layers"] = 2147483647;
  CHECK(read(json).num_hidden_layers == 2147483647);
}

TEST_CASE("gpt2: defaults and softmax scales", "[config]") {
  const Json json = golden("gpt2_published");
  const mla::Gpt2Config config = mla::read_gpt2_config(mla::JsonField(json, "config.json"));
  CHECK(config.n_inner == 120);
  CHECK(config.activation == mla::Activation::gelu_tanh);
  CHECK(config.layer_norm_epsilon == 1e-5F);
  CHECK(config.tie_word_embeddings);
  CHECK(config.conv1d_layout);
  CHECK(config.position_encoding == "learned");
  CHECK(std::count(config.ignored_keys.begin(), config.ignored_keys.end(), "n_ctx") == 1);
  mla::Gpt2Config scales;
  scales.n_embd = 32;
  scales.n_head = 2;
  CHECK(scales.softmax_scale(3) == 0.25F);
  scales.scale_attn_by_inverse_layer_idx = true;
  CHECK(scales.softmax_scale(1) == 0.125F);
  scales.scale_attn_weights = false;
  CHECK(scales.softmax_scale(3) == 0.25F);
}

namespace {

std::string attention_of(const mla::ModelInfo& info) {
  for (const auto& [name, value] : info.features)
    if (name == "attention") return value;
  return "";
}

mla::ModelInfo info_of(const std::string& name) {
  return mla::Model::load(kCheckpoints + name, {.precision = mla::Precision::f32})->info();
}

}  // namespace

TEST_CASE("llama: parameters, cache and features of goldens, by hand", "[model]") {
  // vocab 67, hidden 36, 2 layers, 6 heads over 2 of 6 values, intermediate 46.
  const mla::ModelInfo llama = info_of("llama_gqa");
  const std::size_t layer = 2 * 36 * 36 + 2 * 36 * 12 + 3 * 36 * 46 + 2 * 36;
  const std::size_t total = 2 * 67 * 36 + 36 + 2 * layer;
  CHECK(llama.parameters == total);
  CHECK(llama.active_parameters == total - 66 * 36);
  CHECK(llama.weight_bytes == 4 * total);
  CHECK(llama.cache_kind == "grouped");
  CHECK(llama.cache_bytes_per_token == 2 * 2 * 12 * 4);
  CHECK(llama.full_cache_bytes_per_token == 2 * 2 * 36 * 4);
  CHECK(llama.activation_bytes_per_token == (4 * 36 + 2 * 46) * 4);
  CHECK(llama.scratch_bytes_per_token == 64 * 4);
  CHECK(llama.max_context == 1024);
  CHECK_FALSE(llama.encoding_positions);
  CHECK(attention_of(llama) == "GQA, 6 query heads over 2 key-value heads");

  CHECK(attention_of(info_of("llama_mha")) == "MHA, 6 heads");
  CHECK(info_of("llama_mha").cache_kind == "full");
  CHECK(attention_of(info_of("mistral_window")) ==
        "MQA, 5 query heads over 1 key-value head, sliding window of 19 in 2 of 2 layers");
  CHECK(info_of("mistral_window").scratch_bytes_per_token < 64 * 4);
  CHECK(attention_of(info_of("qwen3_layer_types")) ==
        "MQA, 6 query heads over 1 key-value head, sliding window of 11 in 2 of 3 layers, queries and keys "
        "normalized");
  const mla::ModelInfo tied = info_of("llama_tied");
  CHECK(tied.active_parameters == tied.parameters);
  CHECK(info_of("llama_dynamic").max_context == 128);

  // vocab 61, 30 values, 2 layers, 136 positions.
  const mla::ModelInfo gpt2 = info_of("gpt2_plain");
  const std::size_t block = 4 * 30 + 30 * 90 + 90 + 30 * 30 + 30 + 30 * 120 + 120 + 120 * 30 + 30;
  CHECK(gpt2.parameters == 61 * 30 + 136 * 30 + 2 * 30 + 2 * block);
  CHECK(gpt2.active_parameters == gpt2.parameters - 135 * 30);
  CHECK(gpt2.cache_bytes_per_token == 2 * 2 * 30 * 4);
  CHECK(gpt2.encoding_positions == 136U);
  CHECK(gpt2.trained_position_encoding == "learned");
  const mla::ModelInfo untied = info_of("gpt2_untied");
  CHECK(untied.active_parameters == untied.parameters - 135 * 30 - 60 * 30);
  CHECK(info_of("gpt2_published").ignored_tensors.size() == 6);
}
