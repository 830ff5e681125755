#include "model/deepseek_config.h"

#include <cmath>

#include "model/config_reading.h"

namespace mla {
namespace {

RouterDefaults read_router_kind(const JsonField& config, bool v3) {
  if (v3) {
    expect_text(config, "scoring_func", "sigmoid");
    expect_text(config, "topk_method", "noaux_tc");
    return {.kind = RouterKind::sigmoid_noaux_tc, .norm_topk_prob = true, .routed_scaling_factor = 2.5};
  }
  expect_text(config, "scoring_func", "softmax");
  // The class of deepseek_v2 never normalizes the weights, whatever norm_topk_prob says; norm_topk_weights is mla's own
  // key, for files that mean it.
  RouterDefaults result{.kind = RouterKind::softmax_greedy,
                        .norm_topk_prob = read_bool_or(config, "norm_topk_weights", false),
                        .routed_scaling_factor = 1.0};
  const auto method = config.find("topk_method");
  if (!method || method->as_string() == "greedy") return result;
  if (method->as_string() != "group_limited_greedy")
    method->unsupported("found \"" + method->as_string() + "\", expected greedy or group_limited_greedy");
  result.kind = RouterKind::softmax_group_limited;
  return result;
}

void read_feed_forward(const JsonField& config, bool v3, MlaConfig& result) {
  result.mlp_bias = !v3 && read_bool_or(config, "mlp_bias", false);
  const std::size_t first = read_size_or(config, "first_k_dense_replace", v3 ? 3 : 0, 0);
  if (first < result.num_hidden_layers && !config.get("n_routed_experts").json().is_null()) {
    if (read_size_or(config, "moe_layer_freq", 1) != 1)
      config.get("moe_layer_freq")
          .unsupported("found " + config.get("moe_layer_freq").json().dump() + ", expected 1");
    result.expert_layers = {first, result.num_hidden_layers};
    read_experts(config, read_router_kind(config, v3), result);
    if (result.mlp_bias && result.n_shared_experts == 0)
      config.get("mlp_bias")
          .unsupported("found true with n_shared_experts 0, expected shared experts for the bias");
  }
  if (!result.has_experts(0)) result.intermediate_size = read_size(config, "intermediate_size");
}

}  // namespace

MlaConfig read_deepseek_config(const JsonField& config) {
  const bool v3 = config.get("model_type").as_string() != "deepseek_v2";
  MlaConfig result = read_mla_config(config, {});
  result.num_hidden_layers = read_size(config, "num_hidden_layers");
  if (v3) result.rope_pairing = read_rope_interleave(config);
  // mla's own key.
  if (read_bool_or(config, "scale_embedding", false))
    result.embedding_scale = std::sqrt(static_cast<float>(result.hidden_size));
  read_feed_forward(config, v3, result);
  std::vector<std::string_view> read = {
      "num_hidden_layers",     "intermediate_size",     "rope_interleave",  "scale_embedding",
      "scoring_func",          "topk_method",           "n_group",          "topk_group",
      "first_k_dense_replace", "n_routed_experts",      "moe_layer_freq",   "num_experts_per_tok",
      "routed_scaling_factor", "moe_intermediate_size", "n_shared_experts", "num_nextn_predict_layers"};
  read.push_back(v3 ? "norm_topk_prob" : "norm_topk_weights");
  result.ignored_keys = keys_not_read(config, read);
  return result;
}

}  // namespace mla
