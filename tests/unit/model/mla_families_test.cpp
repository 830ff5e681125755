// The families around DeepSeek: what of their configs counts, what is refused, and what is said of them.
#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "mla/error.h"
#include "mla/model.h"
#include "model/mla_config.h"
#include "model/model_parts.h"
#include "unit/base/thrown.h"
#include "unit/formats/format_files.h"
#include "unit/model/checkpoint_copy.h"

using checkpoint_copy::Copy;
using format_files::Folder;
using mla::ErrorCode;
using mla::Json;
using mla::Model;
using mla::ModelInfo;

namespace {

ModelInfo info_of(const Copy& copy) {
  const Folder folder;
  copy.write(folder);
  return Model::load(folder.path(), {.precision = mla::Precision::f32})->info();
}

ModelInfo info_of(const std::string& golden) {
  return Model::load(std::string(MLA_TEST_DATA_DIR "/golden/checkpoints/") + golden,
                     {.precision = mla::Precision::f32})
      ->info();
}

bool ignores(const ModelInfo& info, const std::string& key) {
  return std::count(info.ignored_config.begin(), info.ignored_config.end(), key) == 1;
}

std::int64_t dimension(const ModelInfo& info, const std::string& name) {
  for (const auto& [known, value] : info.dimensions)
    if (known == name) return value;
  return -1;
}

std::string feature(const ModelInfo& info, const std::string& name) {
  for (const auto& [known, text] : info.features)
    if (known == name) return text;
  return "";
}

}  // namespace

TEST_CASE("values a family cannot have are refused at their field", "[config]") {
  struct Wrong {
    std::string golden;
    std::string field;
    Json value;
    ErrorCode code = ErrorCode::format;
  };
  const std::vector<Wrong> all = {
      {"minicpm3_published", "scale_emb", "12"},
      {"minicpm3_published", "scale_depth", 1e9},
      {"minicpm3_published", "dim_model_base", 0},
      {"minicpm3_published", "v_head_dim", 0},
      {"minicpm3_published", "num_attention_heads", 46},
      {"minicpm3_published", "intermediate_size", nullptr},
      {"minicpm3_published", "hidden_act", "gelu", ErrorCode::unsupported},
      {"minicpm3_published", "partial_rotary_factor", 0.5, ErrorCode::unsupported},
      {"youtu_published", "num_hidden_layers", 0},
      {"youtu_published", "rope_interleave", 1},
      {"youtu_published", "is_causal", false, ErrorCode::unsupported},
      {"v3_linear", "is_causal", nullptr, ErrorCode::unsupported},
      {"mistral4_published", "head_dim", 6, ErrorCode::unsupported},
      {"v3_linear", "partial_rotary_factor", 0.5, ErrorCode::unsupported},
      {"youtu_published", "v_head_dim", nullptr},
      {"glm4_published", "scoring_func", "softmax", ErrorCode::unsupported},
      {"glm4_published", "topk_method", "greedy", ErrorCode::unsupported},
      {"glm4_published", "n_group", 3},
      {"glm4_published", "partial_rotary_factor", 0.5, ErrorCode::unsupported},
      {"glm4_layer_types", "mlp_layer_types", Json::array({"dense"})},
      {"glm4_layer_types", "mlp_layer_types", "dense"},
      {"mistral4_groups", "n_group", 12},
      {"mistral4_groups", "num_experts_per_tok", 7},
      {"mistral4_groups", "intermediate_size", nullptr},
      {"mistral4_groups", "rope_parameters", nullptr},
      {"longcat_published", "num_layers", nullptr},
      {"longcat_published", "num_layers", 0},
      {"longcat_published", "q_lora_rank", nullptr},
      {"longcat_published", "moe_topk", 12},
      {"longcat_published", "zero_expert_num", -1},
      {"longcat_published", "zero_expert_type", "copy", ErrorCode::unsupported},
      {"longcat_published", "attention_method", "GQA", ErrorCode::unsupported},
      {"longcat_published", "mla_scale_q_lora", false, ErrorCode::unsupported},
      {"longcat_published", "mla_scale_kv_lora", false, ErrorCode::unsupported},
      {"longcat_published", "head_dim", 16, ErrorCode::unsupported},
      {"longcat_published", "num_experts_per_tok", 1, ErrorCode::unsupported},
      {"longcat_published", "moe_intermediate_size", 1, ErrorCode::unsupported},
      {"longcat_published", "intermediate_size", 1, ErrorCode::unsupported},
      {"longcat_published", "qk_head_dim", 16, ErrorCode::unsupported},
      {"longcat_published", "routed_scaling_factor", "6"},
      {"longcat_published", "expert_ffn_hidden_size", nullptr}};
  for (const Wrong& wrong : all) {
    CAPTURE(wrong.golden, wrong.field, wrong.value.dump());
    Copy copy(wrong.golden);
    copy.config[wrong.field] = wrong.value;
    const mla::Error error = thrown_by([&] { info_of(copy); });
    CHECK(error.field() == wrong.field);
    CHECK(error.code() == wrong.code);
  }
}

TEST_CASE("mistral4 needs the scaling of its queries and the share of a head that it rotates", "[config]") {
  Copy copy("mistral4_published");
  copy.config["rope_parameters"].erase("llama_4_scaling_beta");
  CHECK(thrown_by([&] { info_of(copy); }).field() == "rope_parameters.llama_4_scaling_beta");
  copy.config["rope_parameters"]["llama_4_scaling_beta"] = -1;
  CHECK(thrown_by([&] { info_of(copy); }).field() == "rope_parameters.llama_4_scaling_beta");
  copy = Copy("mistral4_published");
  copy.config["rope_parameters"]["partial_rotary_factor"] = 1.0;
  CHECK(thrown_by([&] { info_of(copy); }).code() == ErrorCode::unsupported);
  copy.config["rope_parameters"].erase("partial_rotary_factor");
  CHECK(feature(info_of(copy), "position").ends_with("queries scaled by position"));
}

TEST_CASE("null means no where transformers' class allows it", "[config]") {
  for (const char* name : {"youtu_published", "v3_linear", "mistral4_published"}) {
    CAPTURE(name);
    Copy copy(name);
    copy.config["rope_interleave"] = nullptr;
    CHECK(feature(info_of(copy), "position").find("pairs (i, i+d/2)") != std::string::npos);
    copy.config.erase("rope_interleave");
    CHECK(feature(info_of(copy), "position").find("pairs (2i, 2i+1)") != std::string::npos);
  }
  for (const char* name : {"v3_linear", "mistral4_published"}) {
    CAPTURE(name);
    Copy copy(name);
    copy.config["norm_topk_prob"] = nullptr;
    CHECK(feature(info_of(copy), "router").find("normalized") == std::string::npos);
    copy.config.erase("norm_topk_prob");
    CHECK(feature(info_of(copy), "router").find("normalized") != std::string::npos);
  }
}

TEST_CASE("the default type's frequencies have no partial_rotary_factor", "[config]") {
  Copy copy("v3_float32");
  copy.config["partial_rotary_factor"] = 0.5;
  CHECK(info_of(copy).vocab_size > 0);
  copy = Copy("glm4_layer_types");
  copy.config["partial_rotary_factor"] = 0.5;  // This class looks at it always.
  CHECK(thrown_by([&] { info_of(copy); }).code() == ErrorCode::unsupported);
}

TEST_CASE("unknown layer types are refused at their place", "[config]") {
  Copy copy("glm4_layer_types");
  copy.config["mlp_layer_types"][2] = "moe";
  CHECK(thrown_by([&] { info_of(copy); }).field() == "mlp_layer_types[2]");
}

TEST_CASE("kimi_k2 is deepseek_v3 by another name", "[config]") {
  Copy copy("v3_kimi_k2");
  const ModelInfo as_v3 = info_of(copy);
  copy.config["model_type"] = "kimi_k2";
  copy.config["architectures"] = {"DeepseekV3ForCausalLM"};
  copy.config["auto_map"] = {{"AutoConfig", "configuration_deepseek.DeepseekV3Config"}};
  const ModelInfo info = info_of(copy);
  CHECK(info.architecture == "kimi_k2");
  CHECK(info.dimensions == as_v3.dimensions);
  CHECK(info.features == as_v3.features);
  CHECK(info.parameters == as_v3.parameters);
  CHECK(ignores(info, "auto_map"));
}

TEST_CASE("what a family leaves to its class", "[config]") {
  const auto decoder_of = [](const Copy& copy, auto look) {
    const Folder folder;
    copy.write(folder);
    look(Model::load(folder.path(), {.precision = mla::Precision::f32})->parts().decoder);
  };
  Copy minicpm3("minicpm3_defaults");
  decoder_of(minicpm3, [](const mla::Decoder& decoder) {
    CHECK(decoder.embedding_scale == 12.0F);
    CHECK(decoder.residual_scale == Approx(1.4 / std::sqrt(2.0)));
    CHECK(decoder.logit_scale == Approx(256.0 / 45.0));
    CHECK(decoder.encoding.pairing == mla::RopePairing::halves);
  });
  minicpm3.config["scale_depth"] = nullptr;
  minicpm3.config["dim_model_base"] = nullptr;
  decoder_of(minicpm3, [](const mla::Decoder& decoder) {
    CHECK(decoder.residual_scale == 1.0F);
    CHECK(decoder.logit_scale == 1.0F);
  });
  for (const char* tied : {"minicpm3_published", "youtu_published"})
    decoder_of(Copy(tied), [](const mla::Decoder& decoder) {
      CHECK(decoder.lm_head.weight().data.data == decoder.embed_tokens.data.data);
    });
  Copy longcat("longcat_published");
  longcat.config.erase("rope_theta");
  decoder_of(longcat, [](const mla::Decoder& decoder) { CHECK(decoder.encoding.rope.theta == 1e7); });
  CHECK(ignores(info_of("glm4_not_read"), "first_k_dense_replace"));
  CHECK(dimension(info_of("glm4_not_read"), "first_k_dense_replace") == 1);
  CHECK(dimension(info_of("glm4_layer_types"), "moe_layers") == 2);
}

TEST_CASE("parameters and cache of two attention blocks a layer and zero experts, by hand", "[model]") {
  // vocab 53, hidden 37, 1 layer, 3 heads, ranks 26 and 19, nope 7, rope 8, v 11, dense 31, experts 11 of 6 + 5.
  const ModelInfo info = info_of("longcat_published");
  const std::size_t attention =
      26 * 37 + 26 + 3 * 15 * 26 + (19 + 8) * 37 + 19 + 3 * (7 + 11) * 19 + 37 * 3 * 11;
  const std::size_t expert = 3 * 37 * 11;
  const std::size_t total =
      2 * 53 * 37 + 37 + 2 * (attention + 2 * 37 + 3 * 37 * 31) + 11 * 37 + 11 + 6 * expert;
  CHECK(info.parameters == total);
  CHECK(info.active_parameters == total - 2 * expert - 52 * 37);  // At most 4 of 6 experts, 1 of 53 rows.
  CHECK(info.cache_bytes_per_token == 2 * (19 + 8) * 4);
  CHECK(info.full_cache_bytes_per_token == 2 * 3 * (15 + 11) * 4);
  CHECK(dimension(info, "num_hidden_layers") == 2);
  CHECK(dimension(info, "n_routed_experts") == 6);
  CHECK(dimension(info, "zero_experts") == 5);
  CHECK(feature(info, "router") == "softmax, chosen with a correction bias");

  // Of the same shape, with weights for zero experts that nobody looks at.
  for (const char* other : {"longcat_save_pretrained", "longcat_fused"}) {
    CHECK(info_of(other).parameters == info.parameters);
    CHECK(info_of(other).active_parameters == info.active_parameters);
  }
  // More may be chosen than there are: then all of them are active.
  Copy copy("longcat_published");
  copy.config["moe_topk"] = 9;
  CHECK(info_of(copy).active_parameters == total - 52 * 37);
}

TEST_CASE("layers with experts, counted and listed", "[config]") {
  using mla::ExpertLayers;
  CHECK(ExpertLayers().count() == 0);
  CHECK_FALSE(ExpertLayers().has(0));
  const ExpertLayers from(2, 5);
  CHECK(from.count() == 3);
  CHECK_FALSE(from.has(1));
  CHECK(from.has(2));
  CHECK(from.has(4));
  CHECK(from.dense_before() == 2U);
  CHECK(ExpertLayers(7, 5).count() == 0);
  const ExpertLayers every_second(0, 5, 2);
  CHECK(every_second.count() == 3);
  CHECK(every_second.has(4));
  CHECK_FALSE(every_second.has(3));
  CHECK_FALSE(every_second.dense_before());
  CHECK(ExpertLayers(std::vector<bool>{false, true, true}).dense_before() == 1U);
  CHECK_FALSE(ExpertLayers(std::vector<bool>{true, false, true}).dense_before());
  CHECK(ExpertLayers(std::vector<bool>{true, false, true}).count() == 2);
}

TEST_CASE("a config that claims very many layers costs a message and no memory", "[config]") {
  for (const auto& [golden, key] :
       {std::pair("longcat_published", "num_layers"), std::pair("mistral4_published", "num_hidden_layers"),
        std::pair("glm4_published", "num_hidden_layers")}) {
    Copy copy(golden);
    copy.config[key] = 2147483647;
    CAPTURE(golden);
    CHECK(thrown_by([&] { info_of(copy); }).code() == ErrorCode::mismatch);
  }
}

TEST_CASE("what of a LongCat-Flash checkpoint is not needed", "[model]") {
  const ModelInfo published = info_of("longcat_published");
  REQUIRE(published.ignored_tensors.size() == 2);
  for (const std::string& name : published.ignored_tensors) CHECK(name.starts_with("model.mtp."));
  const ModelInfo biased = info_of("longcat_two_layers");
  CHECK(biased.ignored_tensors == std::vector<std::string>{"model.layers.0.mlp.router.classifier.bias",
                                                           "model.layers.1.mlp.router.classifier.bias"});
  CHECK(info_of("longcat_save_pretrained").ignored_tensors.size() == 10);  // gate_proj and up_proj of 5.

  Copy copy("longcat_published");
  copy.tensors.push_back({"model.layers.0.mlp.experts.11.gate_proj.weight", "F32", "[1]", std::string(4, 0)});
  CHECK(thrown_by([&] { info_of(copy); }).code() == ErrorCode::mismatch);
}
