#include "model/deepseek_config.h"

#include <cmath>
#include <set>
#include <string_view>

#include "model/config_reading.h"
#include "model/rope_config.h"

namespace mla {
namespace {

/// The published configs know decoupled RoPE only; `position_encoding` names another one.
void read_encoding(const JsonField& config, DeepseekConfig& result) {
  constexpr std::string_view kDefault = "rope-decoupled";
  result.position_encoding = read_position_encoding(config, kDefault);
  const MlaShape& shape = result.attention;
  if (result.position_encoding == kDefault && !shape.decoupled())
    config.get("qk_rope_head_dim").fail("found 0, expected an even number of at least 2 for rope-decoupled");
  if (result.position_encoding == "rope" && shape.rotary_dim() % 2 != 0)
    config.get("qk_nope_head_dim")
        .fail("found " + std::to_string(shape.qk_nope_head_dim) + ", expected an even number for rope");
}

void read_attention(const JsonField& config, DeepseekConfig& result) {
  MlaShape& shape = result.attention;
  shape.num_heads = read_size(config, "num_attention_heads");
  shape.kv_lora_rank = read_size(config, "kv_lora_rank");
  shape.qk_nope_head_dim = read_size(config, "qk_nope_head_dim");
  shape.qk_rope_head_dim = read_size(config, "qk_rope_head_dim", 0);
  shape.v_head_dim = read_size(config, "v_head_dim");
  if (shape.qk_rope_head_dim % 2 != 0)
    config.get("qk_rope_head_dim")
        .fail("found " + std::to_string(shape.qk_rope_head_dim) + ", expected an even number");
  // The key must be there, as null or as a number: without it the reference would assume 1536.
  if (!config.get("q_lora_rank").json().is_null()) result.q_lora_rank = read_size(config, "q_lora_rank");
  result.attention_bias = read_bool_or(config, "attention_bias", false);

  read_encoding(config, result);
  result.rope = read_rope_scaling(config, shape.rotary_dim(), result.max_position_embeddings);
  if (result.v3 && !read_bool_or(config, "rope_interleave", true)) result.rope_pairing = RopePairing::halves;
  shape.softmax_scale = static_cast<float>(rope_softmax_factor(result.rope) /
                                           std::sqrt(static_cast<double>(shape.qk_head_dim())));
}

RouterKind read_router_kind(const JsonField& config, bool v3) {
  if (v3) {
    expect_text(config, "scoring_func", "sigmoid");
    expect_text(config, "topk_method", "noaux_tc");
    return RouterKind::sigmoid_noaux_tc;
  }
  expect_text(config, "scoring_func", "softmax");
  const auto method = config.find("topk_method");
  if (!method || method->as_string() == "greedy") return RouterKind::softmax_greedy;
  if (method->as_string() == "group_limited_greedy") return RouterKind::softmax_group_limited;
  method->unsupported("found \"" + method->as_string() + "\", expected greedy or group_limited_greedy");
}

void read_groups(const JsonField& config, RouterShape& router) {
  router.n_group = read_size(config, "n_group");
  router.topk_group = read_size(config, "topk_group");
  if (router.n_routed_experts % router.n_group != 0)
    config.get("n_group").fail("found " + std::to_string(router.n_group) +
                               ", expected a divisor of n_routed_experts (" +
                               std::to_string(router.n_routed_experts) + ")");
  if (router.topk_group > router.n_group)
    config.get("topk_group")
        .fail("found " + std::to_string(router.topk_group) + ", expected at most n_group (" +
              std::to_string(router.n_group) + ")");
  const std::size_t group_size = router.n_routed_experts / router.n_group;
  if (router.kind == RouterKind::sigmoid_noaux_tc && group_size < 2)
    config.get("n_group").fail("found " + std::to_string(router.n_group) +
                               ", expected groups of at least 2 experts");
  if (router.top_k > router.topk_group * group_size)
    config.get("num_experts_per_tok")
        .fail("found " + std::to_string(router.top_k) + ", expected at most the " +
              std::to_string(router.topk_group * group_size) + " experts of topk_group groups");
}

void read_experts(const JsonField& config, DeepseekConfig& result) {
  result.first_k_dense_replace = read_size_or(config, "first_k_dense_replace", result.v3 ? 3 : 0, 0);
  if (result.first_k_dense_replace >= result.num_hidden_layers ||
      config.get("n_routed_experts").json().is_null())
    return;
  if (read_size_or(config, "moe_layer_freq", 1) != 1)
    config.get("moe_layer_freq")
        .unsupported("found " + config.get("moe_layer_freq").json().dump() + ", expected 1");

  RouterShape router;
  router.kind = read_router_kind(config, result.v3);
  router.n_routed_experts = read_size(config, "n_routed_experts");
  router.top_k = read_size(config, "num_experts_per_tok");
  if (router.top_k > router.n_routed_experts)
    config.get("num_experts_per_tok")
        .fail("found " + std::to_string(router.top_k) + ", expected at most n_routed_experts (" +
              std::to_string(router.n_routed_experts) + ")");
  if (router.kind != RouterKind::softmax_greedy) read_groups(config, router);
  router.norm_topk_prob = read_bool_or(config, "norm_topk_prob", result.v3);
  const auto scale = config.find("routed_scaling_factor");
  router.routed_scaling_factor = static_cast<float>(scale       ? scale->as_number(-1e6, 1e6)
                                                    : result.v3 ? 2.5
                                                                : 1.0);
  result.router = router;
  result.moe_intermediate_size = read_size(config, "moe_intermediate_size");
  result.n_shared_experts = read_size_or(config, "n_shared_experts", 0, 0);
  if (result.mlp_bias && result.n_shared_experts == 0)
    config.get("mlp_bias")
        .unsupported("found true with n_shared_experts 0, expected shared experts for the bias");
}

std::vector<std::string> ignored_keys(const JsonField& config, bool v3) {
  std::set<std::string_view> read = {"hidden_size",
                                     "num_hidden_layers",
                                     "max_position_embeddings",
                                     "intermediate_size",
                                     "rms_norm_eps",
                                     "num_attention_heads",
                                     "kv_lora_rank",
                                     "qk_nope_head_dim",
                                     "qk_rope_head_dim",
                                     "v_head_dim",
                                     "q_lora_rank",
                                     "attention_bias",
                                     "rope_interleave",
                                     "scale_embedding",
                                     "rope_theta",
                                     "rope_scaling",
                                     "rope_parameters",
                                     "original_max_position_embeddings",
                                     "scoring_func",
                                     "topk_method",
                                     "n_group",
                                     "topk_group",
                                     "first_k_dense_replace",
                                     "n_routed_experts",
                                     "moe_layer_freq",
                                     "num_experts_per_tok",
                                     "routed_scaling_factor",
                                     "moe_intermediate_size",
                                     "n_shared_experts",
                                     "hidden_act",
                                     "num_nextn_predict_layers"};
  if (v3) read.insert("norm_topk_prob");
  return unread_keys(config, read);
}

}  // namespace

DeepseekConfig read_deepseek_config(const JsonField& config) {
  DeepseekConfig result;
  result.v3 = config.get("model_type").as_string() != "deepseek_v2";
  result.vocab_size = read_size(config, "vocab_size");
  result.hidden_size = read_size(config, "hidden_size");
  result.num_hidden_layers = read_size(config, "num_hidden_layers");
  result.max_position_embeddings = read_size(config, "max_position_embeddings");
  result.rms_norm_eps = read_epsilon_or(config, "rms_norm_eps", result.rms_norm_eps);
  result.tie_word_embeddings = read_bool_or(config, "tie_word_embeddings", false);
  result.scale_embedding = read_bool_or(config, "scale_embedding", false);
  expect_text(config, "hidden_act", "silu");
  result.mlp_bias = !result.v3 && read_bool_or(config, "mlp_bias", false);
  check_dtype(config);
  read_attention(config, result);
  read_experts(config, result);
  result.fp8 = read_quantization(config);
  if (!result.has_experts(0)) result.intermediate_size = read_size(config, "intermediate_size");
  result.ignored_keys = ignored_keys(config, result.v3);
  return result;
}

}  // namespace mla
