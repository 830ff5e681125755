// Shortcut-connected experts (Meituan 2025, LongCat-Flash technical report, section 2; transformers'
// configuration_longcat_flash.py and modeling_longcat_flash.py). Each of num_layers layers has two attention blocks,
// each with an MLP, and one block of experts, which sees what the first MLP sees and adds its result behind the
// second:
//   model.layers.<i>.{input_layernorm,self_attn,post_attention_layernorm,mlps}.<0 or 1>
//   model.layers.<i>.mlp.router.{classifier.weight,e_score_correction_bias}, model.layers.<i>.mlp.experts.<j>
// Other differences to DeepSeek-V3:
//   ffn_hidden_size, expert_ffn_hidden_size, moe_topk   other names of sizes
//   mla_scale_q_lora, mla_scale_kv_lora   the compressed queries and the latent are multiplied by
//                                         sqrt(hidden_size / their rank); only known as true
//   zero_expert_num, zero_expert_type     so many experts behind n_routed_experts only pass on what they see
//   the router is a softmax without groups, see RouterKind::softmax_corrected
//   router_bias                           has a tensor, which the reference does not add
#include "model/longcat_flash.h"

#include <charconv>
#include <cmath>

#include "model/config_reading.h"
#include "model/mla_description.h"
#include "model/mla_parts.h"

namespace mla {
namespace {

void expect_true(const JsonField& config, const char* key) {
  const auto field = config.find(key);
  if (field && !field->as_bool()) field->unsupported("found false, expected true");
}

void read_router(const JsonField& config, MlaConfig& result) {
  expect_text(config, "attention_method", "MLA");
  expect_text(config, "zero_expert_type", "identity");
  RouterShape router;
  router.kind = RouterKind::softmax_corrected;
  result.zero_experts = read_size_or(config, "zero_expert_num", 256, 0);
  router.n_routed_experts = read_size(config, "n_routed_experts") + result.zero_experts;
  router.top_k = read_size(config, "moe_topk");
  if (router.top_k > router.n_routed_experts) {
    config.get("moe_topk")
        .fail("found " + std::to_string(router.top_k) + ", expected at most the " +
              std::to_string(router.n_routed_experts) + " experts, zero experts included");
  }
  const auto scale = config.find("routed_scaling_factor");
  router.routed_scaling_factor = static_cast<float>(scale ? scale->as_number(-1e6, 1e6) : 6.0);
  result.router = router;
  result.moe_intermediate_size = read_size(config, "expert_ffn_hidden_size");
  // The class takes DeepSeek's names for the same sizes, too.
  expect_size(config, "num_experts_per_tok", router.top_k);
  expect_size(config, "moe_intermediate_size", result.moe_intermediate_size);
  expect_size(config, "intermediate_size", result.intermediate_size);
}

MlaConfig read_config(const JsonField& config) {
  MlaConfig result = read_mla_config(config, {.rms_norm_eps = 1e-5F, .rope_theta = 1e7});
  if (!result.q_lora_rank) config.get("q_lora_rank").fail("found null, expected a number");
  expect_size(config, "head_dim", result.attention.qk_rope_head_dim);
  expect_size(config, "qk_head_dim", result.attention.qk_head_dim());
  result.num_hidden_layers = 2 * read_size(config, "num_layers");
  result.intermediate_size = read_size(config, "ffn_hidden_size");
  for (const char* key : {"mla_scale_q_lora", "mla_scale_kv_lora"}) expect_true(config, key);
  const double hidden = static_cast<double>(result.hidden_size);
  result.query_latent_scale =
      static_cast<float>(std::sqrt(hidden / static_cast<double>(*result.q_lora_rank)));
  result.latent_scale =
      static_cast<float>(std::sqrt(hidden / static_cast<double>(result.attention.kv_lora_rank)));
  result.expert_layers = {0, result.num_hidden_layers, 2};
  read_router(config, result);
  result.ignored_keys = keys_not_read(
      config, {"num_layers", "attention_method", "ffn_hidden_size", "head_dim", "qk_head_dim",
               "num_experts_per_tok", "moe_intermediate_size", "intermediate_size", "mla_scale_q_lora",
               "mla_scale_kv_lora", "zero_expert_num", "zero_expert_type", "n_routed_experts", "moe_topk",
               "routed_scaling_factor", "expert_ffn_hidden_size"});
  return result;
}

DecoderLayer build_half(const MlaConfig& config, MlaParts& parts, std::size_t index) {
  const std::string prefix = "model.layers." + std::to_string(index / 2) + ".";
  const std::string half = std::to_string(index % 2);
  DecoderLayer layer;
  layer.input_layernorm = parts.norm(prefix + "input_layernorm." + half + ".weight");
  layer.attention = parts.attention(prefix + "self_attn." + half + ".");
  layer.post_attention_layernorm = parts.norm(prefix + "post_attention_layernorm." + half + ".weight");
  layer.feed_forward =
      std::make_unique<Mlp>(parts.swiglu(prefix + "mlps." + half + ".", config.intermediate_size, false));
  if (config.has_experts(index))
    layer.shortcut = parts.moe(prefix + "mlp.", "router.classifier", "router.e_score_correction_bias");
  return layer;
}

/// Prediction modules, the router's bias, and the weights that transformers writes for zero experts.
bool is_unused(std::string_view name, const MlaConfig& config) {
  constexpr std::string_view kExperts = ".mlp.experts.";
  if (name.starts_with("model.mtp.") || name.ends_with(".mlp.router.classifier.bias")) return true;
  const std::size_t found = name.find(kExperts);
  if (found == std::string_view::npos) return false;
  name.remove_prefix(found + kExperts.size());
  std::size_t expert = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), expert);
  const std::size_t all = config.router->n_routed_experts;
  return error == std::errc() && expert >= all - config.zero_experts && expert < all;
}

}  // namespace

Decoder build_longcat_flash(const JsonField& config_json, const Checkpoint& checkpoint, ModelInfo& info) {
  const MlaConfig config = read_config(config_json);
  MlaParts parts(config, checkpoint);
  Decoder decoder = parts.frame();
  for (std::size_t index = 0; index < config.num_hidden_layers; ++index)
    decoder.layers.push_back(build_half(config, parts, index));
  info.ignored_tensors = parts.weights().leftovers([&](std::string_view name) {
    return is_unused(name, config) || may_be_left(name, config.num_hidden_layers, checkpoint);
  });
  describe_mla(config, decoder, parts.parameters(), info);
  return decoder;
}

}  // namespace mla
