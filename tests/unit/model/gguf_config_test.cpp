// What config a GGUF's metadata amount to.
#include "model/gguf_config.h"

#include <catch2/catch.hpp>

#include <functional>
#include <string>
#include <vector>

#include "unit/base/scratch_folder.h"
#include "unit/base/thrown.h"
#include "unit/formats/gguf_files.h"

using gguf_files::GgufBuilder;
using mla::ErrorCode;
using mla::Json;

namespace {

using Change = std::function<void(GgufBuilder&)>;

/// The keys of all architectures but gpt2, as far as `without` leaves them.
GgufBuilder common(const std::string& architecture, const std::string& without = "") {
  GgufBuilder builder;
  builder.string("general.architecture", architecture);
  const auto number = [&](const std::string& key, std::uint32_t value) {
    if (key != without) builder.uint32(architecture + "." + key, value);
  };
  number("vocab_size", 100);
  number("block_count", 2);
  number("context_length", 256);
  number("embedding_length", 48);
  number("feed_forward_length", 80);
  number("attention.head_count", 4);
  if (without != "attention.layer_norm_rms_epsilon")
    builder.float32(architecture + ".attention.layer_norm_rms_epsilon", 1e-5F);
  return builder;
}

GgufBuilder deepseek() {
  GgufBuilder builder = common("deepseek2");
  builder.uint32("deepseek2.attention.kv_lora_rank", 16)
      .uint32("deepseek2.attention.q_lora_rank", 20)
      .uint32("deepseek2.rope.dimension_count", 8);
  return builder;
}

/// deepseek() with heads in the joined form and eight experts.
GgufBuilder experts() {
  GgufBuilder builder = deepseek();
  builder.uint32("deepseek2.attention.key_length", 20)
      .uint32("deepseek2.attention.value_length", 14)
      .uint32("deepseek2.leading_dense_block_count", 1)
      .uint32("deepseek2.expert_count", 8)
      .uint32("deepseek2.expert_used_count", 3)
      .uint32("deepseek2.expert_feed_forward_length", 24);
  return builder;
}

struct Read {
  Json config;
  std::vector<std::string> unread;
};

Read read(const GgufBuilder& builder) {
  const ScratchFolder folder;
  const mla::GgufParts parts(folder.write("m.gguf", builder.bytes()));
  mla::GgufKeys keys(parts);
  Json config = mla::gguf_config(keys);
  return {std::move(config), keys.unread()};
}

Json config_of(const GgufBuilder& builder) {
  return read(builder).config;
}

void check_refused(GgufBuilder builder, ErrorCode code, const std::string& key, const std::string& part) {
  const mla::Error error = thrown_by([&] { config_of(builder); });
  CAPTURE(error.what());
  CHECK(error.code() == code);
  CHECK(error.field() == key);
  CHECK(error.file().ends_with("m.gguf"));
  CHECK(std::string(error.what()).find(part) != std::string::npos);
}

}  // namespace

TEST_CASE("gguf config: llama", "[gguf]") {
  GgufBuilder builder = common("llama");
  builder.uint32("llama.attention.head_count_kv", 2)
      .uint32("llama.attention.key_length", 10)
      .uint32("llama.rope.dimension_count", 10)
      .float32("llama.rope.freq_base", 500000.0F)
      .string("general.name", "small")
      .string("tokenizer.ggml.model", "gpt2")
      .f32_tensor("output.weight", {1}, {0})
      .f32_tensor("blk.0.attn_q.bias", {1}, {0});
  const auto [config, unread] = read(builder);
  CHECK(config == Json{{"model_type", "llama"},
                       {"vocab_size", 100},
                       {"num_hidden_layers", 2},
                       {"max_position_embeddings", 256},
                       {"hidden_size", 48},
                       {"intermediate_size", 80},
                       {"num_attention_heads", 4},
                       {"num_key_value_heads", 2},
                       {"head_dim", 10},
                       {"rms_norm_eps", static_cast<double>(1e-5F)},
                       {"rope_theta", 500000.0},
                       {"rope_interleave", true},
                       {"attention_bias", true},
                       {"mlp_bias", false},
                       {"tie_word_embeddings", false}});
  CHECK(unread == std::vector<std::string>{"general.name"});
}

TEST_CASE("gguf config: what old and sparing llama files leave out", "[gguf]") {
  GgufBuilder builder = common("llama", "vocab_size");
  builder.strings("tokenizer.ggml.tokens", {"a", "b", "c"});
  Json config = config_of(builder);
  CHECK(config["vocab_size"] == 3);
  CHECK(config["num_key_value_heads"] == 4);
  CHECK(config["head_dim"] == 12);
  CHECK(config["rope_theta"] == 10000.0);
  CHECK(config["tie_word_embeddings"] == true);
  CHECK_FALSE(config.contains("rope_scaling"));

  GgufBuilder by_rows = common("llama", "vocab_size");
  by_rows.f32_tensor("token_embd.weight", {2, 5}, std::vector<float>(10));
  CHECK(config_of(by_rows)["vocab_size"] == 5);
}

TEST_CASE("gguf config: numbers for each layer count if they are equal", "[gguf]") {
  GgufBuilder equal = common("qwen2");
  equal.int32s("qwen2.attention.head_count_kv", {2, 2});
  CHECK(config_of(equal)["num_key_value_heads"] == 2);
  GgufBuilder unequal = common("llama");
  check_refused(unequal.int32s("llama.attention.head_count_kv", {2, 4}), ErrorCode::unsupported,
                "llama.attention.head_count_kv", "found values from 2 to 4");
  GgufBuilder few = common("llama");
  check_refused(few.int32s("llama.attention.head_count_kv", {2}), ErrorCode::format,
                "llama.attention.head_count_kv", "one for each of 2 layers");
  GgufBuilder zero = common("llama");
  check_refused(zero.int32s("llama.attention.head_count_kv", {0, 0}), ErrorCode::format,
                "llama.attention.head_count_kv", "found 0");
}

TEST_CASE("gguf config: a llama with a window is a mistral, and has no biases", "[gguf]") {
  GgufBuilder builder = common("llama");
  builder.uint32("llama.attention.sliding_window", 64);
  const Json config = config_of(builder);
  CHECK(config["model_type"] == "mistral");
  CHECK(config["sliding_window"] == 64);
  CHECK_FALSE(config.contains("attention_bias"));
  check_refused(builder.f32_tensor("blk.0.attn_q.bias", {1}, {0}), ErrorCode::unsupported,
                "llama.attention.sliding_window", "biases");
}

TEST_CASE("gguf config: heads that do not divide the width need a length of their own", "[gguf]") {
  GgufBuilder builder = common("llama", "attention.head_count");
  check_refused(builder.uint32("llama.attention.head_count", 5), ErrorCode::format,
                "llama.attention.head_count", "found 5, expected a divisor");
}

TEST_CASE("gguf config: missing and impossible values name their key", "[gguf]") {
  for (const char* key : {"block_count", "context_length", "embedding_length", "feed_forward_length",
                          "attention.head_count", "attention.layer_norm_rms_epsilon", "vocab_size"})
    check_refused(common("llama", key), ErrorCode::format, std::string("llama.") + key, "missing");
  check_refused(GgufBuilder(), ErrorCode::format, "general.architecture", "expected one of llama, qwen2");
  check_refused(GgufBuilder().string("general.architecture", "mamba"), ErrorCode::unsupported,
                "general.architecture",
                "found \"mamba\", expected one of llama, qwen2, qwen3, gpt2, deepseek2, minicpm3");
}

TEST_CASE("gguf config: what would be another model is refused", "[gguf]") {
  struct Refusal {
    const char* architecture;
    Change change;
    const char* key;
    const char* part;
  };
  const std::vector<Refusal> refusals = {
      {"llama", [](auto& b) { b.uint32("llama.expert_count", 8); }, "llama.expert_count",
       "found 8, expected 0"},
      {"llama",
       [](auto& b) { b.uint32("llama.attention.key_length", 16).uint32("llama.attention.value_length", 8); },
       "llama.attention.value_length", "expected key_length (16)"},
      {"llama", [](auto& b) { b.uint32("llama.rope.dimension_count", 6); }, "llama.rope.dimension_count",
       "found 6"},
      {"llama", [](auto& b) { b.float32("llama.attention.clamp_kqv", 8.0F); }, "llama.attention.clamp_kqv",
       "found 8"},
      {"llama", [](auto& b) { b.float32("llama.logit_scale", 0.5F); }, "llama.logit_scale", "found 0.5"},
      {"llama", [](auto& b) { b.boolean("llama.attention.causal", false); }, "llama.attention.causal",
       "found false"},
      {"llama", [](auto& b) { b.string("llama.rope.scaling.type", "su"); }, "llama.rope.scaling.type",
       "expected none, linear, yarn or longrope"},
      {"qwen2", [](auto& b) { b.uint32("qwen2.attention.sliding_window", 64); },
       "qwen2.attention.sliding_window", "found 64"},
      {"deepseek2", [](auto& b) { b.float32("deepseek2.attention.temperature_scale", 0.1F); },
       "deepseek2.attention.temperature_scale", "found 0.1"},
  };
  for (const Refusal& refusal : refusals) {
    GgufBuilder builder = common(refusal.architecture);
    refusal.change(builder);
    check_refused(builder, ErrorCode::unsupported, refusal.key, refusal.part);
  }
}

TEST_CASE("gguf config: rope scalings", "[gguf]") {
  const auto scaling = [](const Change& change) {
    GgufBuilder builder = common("llama");
    change(builder);
    return config_of(builder).value("rope_scaling", Json());
  };
  const auto factor = [](GgufBuilder& b, const char* type) {
    b.string("llama.rope.scaling.type", type).float32("llama.rope.scaling.factor", 4.0F);
  };
  CHECK(scaling([&](auto& b) { factor(b, "none"); }).is_null());
  CHECK(scaling([](auto& b) { b.float32("llama.rope.scaling.factor", 0.0F); }).is_null());
  CHECK(scaling([](auto& b) { b.string("llama.rope.scaling.type", "linear"); }).is_null());
  const Json linear{{"rope_type", "linear"}, {"factor", 4.0}};
  CHECK(scaling([&](auto& b) { factor(b, "linear"); }) == linear);
  CHECK(scaling([](auto& b) { b.float32("llama.rope.scaling.factor", 4.0F); }) == linear);
  CHECK(scaling([](auto& b) { b.float32("llama.rope.scale_linear", 4.0F); }) == linear);
  CHECK(scaling([&](auto& b) { factor(b, "yarn"); }) ==
        Json{{"rope_type", "yarn"}, {"factor", 4.0}, {"original_max_position_embeddings", 256}});
  CHECK(scaling([&](auto& b) {
          factor(b, "yarn");
          b.uint32("llama.rope.scaling.original_context_length", 64)
              .float32("llama.rope.scaling.yarn_beta_fast", 24.0F)
              .float32("llama.rope.scaling.yarn_beta_slow", 2.0F)
              .float32("llama.rope.scaling.yarn_attn_factor", 1.5F)
              .float32("llama.rope.scaling.yarn_log_multiplier", 0.1F);
        }) == Json{{"rope_type", "yarn"},
                   {"factor", 4.0},
                   {"original_max_position_embeddings", 64},
                   {"beta_fast", 24.0},
                   {"beta_slow", 2.0},
                   {"attention_factor", 1.5}});
  CHECK(scaling([](auto& b) {
          b.f32_tensor("rope_freqs.weight", {6}, {1, 1, 2, 3, 8, 8});
        }) == Json{{"rope_type", "factors"}, {"factors", {1.0, 1.0, 2.0, 3.0, 8.0, 8.0}}});
  CHECK(scaling([](auto& b) {
          b.string("llama.rope.scaling.type", "longrope")
              .uint32("llama.rope.scaling.original_context_length", 64)
              .float32("llama.rope.scaling.attn_factor", 1.25F)
              .f32_tensor("rope_factors_long.weight", {6}, {2, 3, 4, 5, 6, 7})
              .f32_tensor("rope_factors_short.weight", {6}, {1, 1, 1, 1, 1, 2});
        }) == Json{{"rope_type", "longrope"},
                   {"long_factor", {2.0, 3.0, 4.0, 5.0, 6.0, 7.0}},
                   {"short_factor", {1.0, 1.0, 1.0, 1.0, 1.0, 2.0}},
                   {"original_max_position_embeddings", 64},
                   {"attention_factor", 1.25}});
}

TEST_CASE("gguf config: broken rope factors", "[gguf]") {
  const auto refused = [](const Change& change, ErrorCode code, const char* key, const char* part) {
    GgufBuilder builder = common("llama");
    change(builder);
    check_refused(builder, code, key, part);
  };
  refused(
      [](auto& b) {
        b.f32_tensor("rope_freqs.weight", {5}, {1, 1, 1, 1, 1});
      },
      ErrorCode::format, "rope_freqs.weight", "found shape [5]");
  refused(
      [](auto& b) {
        b.f32_tensor("rope_freqs.weight", {6}, {1, 1, 0, 1, 1, 1});
      },
      ErrorCode::format, "rope_freqs.weight", "greater than 0");
  refused([](auto& b) { b.tensor("rope_freqs.weight", {6}, 1, std::string(12, '\x3c')); },
          ErrorCode::unsupported, "rope_freqs.weight", "found dtype F16");
  refused(
      [](auto& b) {
        b.f32_tensor("rope_factors_long.weight", {6}, {1, 1, 1, 1, 1, 1});
      },
      ErrorCode::format, "rope_factors_short.weight", "both kinds");
  refused([](auto& b) { b.string("llama.rope.scaling.type", "longrope"); }, ErrorCode::format,
          "llama.rope.scaling.type", "rope_factors_long.weight");
  refused(
      [](auto& b) {
        b.float32("llama.rope.scaling.factor", 2.0F).f32_tensor("rope_freqs.weight", {6}, {1, 1, 1, 1, 1, 1});
      },
      ErrorCode::unsupported, "llama.rope.scaling.type", "together with a tensor of factors");
  refused([](auto& b) { b.float32("llama.rope.scaling.factor", -2.0F); }, ErrorCode::format,
          "llama.rope.scaling.factor", "found -2");
}

TEST_CASE("gguf config: deepseek2's heads, joined and split", "[gguf]") {
  GgufBuilder joined = deepseek();
  joined.uint32("deepseek2.attention.key_length", 20).uint32("deepseek2.attention.value_length", 14);
  GgufBuilder split = deepseek();
  split.uint32("deepseek2.attention.head_count_kv", 1)
      .uint32("deepseek2.attention.key_length", 24)
      .uint32("deepseek2.attention.value_length", 16)
      .uint32("deepseek2.attention.key_length_mla", 20)
      .uint32("deepseek2.attention.value_length_mla", 14);
  for (const GgufBuilder& builder : {joined, split}) {
    const auto [config, unread] = read(builder);
    CHECK(config["model_type"] == "deepseek_v3");
    CHECK(config["qk_nope_head_dim"] == 12);
    CHECK(config["qk_rope_head_dim"] == 8);
    CHECK(config["v_head_dim"] == 14);
    CHECK(config["kv_lora_rank"] == 16);
    CHECK(config["q_lora_rank"] == 20);
    CHECK(config["n_routed_experts"].is_null());
    CHECK(unread.empty());
  }
  joined.f32_tensor("blk.0.attn_q.weight", {1}, {0});
  CHECK(config_of(joined)["q_lora_rank"].is_null());
  GgufBuilder narrow = deepseek();
  check_refused(narrow.uint32("deepseek2.attention.key_length", 8), ErrorCode::format,
                "deepseek2.attention.key_length", "expected more than rope.dimension_count (8)");
}

TEST_CASE("gguf config: deepseek2's yarn has one multiplier for both of transformers' scales", "[gguf]") {
  for (const double all_dim : {1.0, 0.707}) {
    GgufBuilder builder = experts();
    builder.string("deepseek2.rope.scaling.type", "yarn")
        .float32("deepseek2.rope.scaling.factor", 40.0F)
        .uint32("deepseek2.rope.scaling.original_context_length", 64)
        .float32("deepseek2.rope.scaling.yarn_log_multiplier", static_cast<float>(0.1 * all_dim));
    const Json scaling = config_of(builder)["rope_scaling"];
    CHECK(scaling["mscale"].get<double>() == Approx(all_dim).epsilon(1e-7));
    CHECK(scaling["mscale"] == scaling["mscale_all_dim"]);
  }
  GgufBuilder without = experts();
  without.string("deepseek2.rope.scaling.type", "yarn").float32("deepseek2.rope.scaling.factor", 40.0F);
  CHECK_FALSE(config_of(without)["rope_scaling"].contains("mscale_all_dim"));
}

TEST_CASE("gguf config: deepseek2's experts are V2's or V3's", "[gguf]") {
  Json config = config_of(experts());
  CHECK(config["model_type"] == "deepseek_v2");
  CHECK(config["topk_method"] == "greedy");
  CHECK(config["norm_topk_weights"] == false);
  CHECK(config["routed_scaling_factor"] == 1.0);
  CHECK(config["n_shared_experts"] == 0);
  CHECK(config["first_k_dense_replace"] == 1);

  GgufBuilder v2 = experts();
  v2.uint32("deepseek2.expert_gating_func", 1)
      .uint32("deepseek2.expert_group_count", 4)
      .uint32("deepseek2.expert_group_used_count", 2)
      .boolean("deepseek2.expert_weights_norm", true)
      .float32("deepseek2.expert_weights_scale", 16.0F)
      .uint32("deepseek2.expert_shared_count", 2);
  config = config_of(v2);
  CHECK(config["model_type"] == "deepseek_v2");
  CHECK(config["topk_method"] == "group_limited_greedy");
  CHECK(config["n_group"] == 4);
  CHECK(config["topk_group"] == 2);
  CHECK(config["norm_topk_weights"] == true);
  CHECK(config["routed_scaling_factor"] == 16.0);
  CHECK(config["n_shared_experts"] == 2);

  GgufBuilder v3 = experts();
  v3.uint32("deepseek2.expert_gating_func", 2).boolean("deepseek2.expert_weights_norm", true);
  config = config_of(v3);
  CHECK(config["model_type"] == "deepseek_v3");
  CHECK(config["n_group"] == 1);
  CHECK(config["topk_group"] == 1);
  CHECK(config["norm_topk_prob"] == true);

  for (const char* name : {"blk.1.exp_probs_b", "blk.1.exp_probs_b.bias"}) {
    GgufBuilder unsaid = experts();
    CHECK(config_of(unsaid.f32_tensor(name, {1}, {0}))["model_type"] == "deepseek_v3");
    GgufBuilder contradicting = experts();
    check_refused(contradicting.f32_tensor(name, {1}, {0}).uint32("deepseek2.expert_gating_func", 1),
                  ErrorCode::unsupported, "deepseek2.expert_gating_func", "with a correction bias");
  }
  GgufBuilder unknown = experts();
  check_refused(unknown.uint32("deepseek2.expert_gating_func", 4), ErrorCode::unsupported,
                "deepseek2.expert_gating_func", "expected 1 (softmax) or 2 (sigmoid)");
}

TEST_CASE("gguf config: blocks that predict further tokens are no layers", "[gguf]") {
  GgufBuilder builder = experts();
  CHECK(config_of(builder.uint32("deepseek2.nextn_predict_layers", 1))["num_hidden_layers"] == 1);
  GgufBuilder all = experts();
  check_refused(all.uint32("deepseek2.nextn_predict_layers", 2), ErrorCode::format,
                "deepseek2.nextn_predict_layers", "expected less than block_count (2)");
}

TEST_CASE("gguf config: gpt2 and minicpm3", "[gguf]") {
  GgufBuilder gpt2;
  gpt2.string("general.architecture", "gpt2")
      .uint32("gpt2.vocab_size", 100)
      .uint32("gpt2.block_count", 2)
      .uint32("gpt2.context_length", 64)
      .uint32("gpt2.embedding_length", 48)
      .uint32("gpt2.feed_forward_length", 80)
      .uint32("gpt2.attention.head_count", 4)
      .float32("gpt2.attention.layer_norm_epsilon", 0.5F);
  CHECK(config_of(gpt2) == Json{{"model_type", "gpt2"},
                                {"vocab_size", 100},
                                {"n_layer", 2},
                                {"n_positions", 64},
                                {"n_embd", 48},
                                {"n_inner", 80},
                                {"n_head", 4},
                                {"layer_norm_epsilon", 0.5},
                                {"tie_word_embeddings", true},
                                {"conv1d_layout", false}});
  check_refused(gpt2.uint32("gpt2.attention.head_count_kv", 2), ErrorCode::unsupported,
                "gpt2.attention.head_count_kv", "as many as head_count");

  GgufBuilder minicpm = common("minicpm3");
  minicpm.uint32("minicpm3.attention.kv_lora_rank", 16)
      .uint32("minicpm3.attention.q_lora_rank", 20)
      .uint32("minicpm3.rope.dimension_count", 8)
      .uint32("minicpm3.attention.key_length", 20);
  const Json config = config_of(minicpm);
  CHECK(config["model_type"] == "minicpm3");
  CHECK(config["v_head_dim"] == 12);  // embedding_length / head_count
  CHECK(config["scale_emb"] == 12);
  CHECK(config["scale_depth"] == 1.4);
  CHECK(config["dim_model_base"] == 256);
}
