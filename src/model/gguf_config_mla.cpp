// deepseek2 (DeepSeek-V2 and V3 and what shares their form), minicpm3.
#include <string>

#include "model/gguf_config.h"

namespace mla {
namespace {

/// ggml's numbers for the router's function.
enum class Gating { softmax = 1, sigmoid = 2 };

/// One in the absorbed form, else as many as heads.
void check_key_value_heads(GgufKeys& keys, const Json& config) {
  constexpr const char* kKey = "attention.head_count_kv";
  if (!keys.has(kKey)) return;
  const std::size_t found = keys.size_of_layers(kKey, keys.size("block_count"));
  const auto heads = config["num_attention_heads"].get<std::size_t>();
  if (found != 1 && found != heads)
    keys.fail(kKey, "found " + std::to_string(found) + ", expected 1 or head_count (" +
                        std::to_string(heads) + ")");
}

/// kv_lora_rank, q_lora_rank and the heads' sizes. Files with the joined attn_kv_b have a head's own sizes in
/// key_length and value_length; those with attn_k_b and attn_v_b have there what the absorbed form works on (the latent
/// with the rotary part), and the head's own under names with _mla.
void read_attention(GgufKeys& keys, Json& config) {
  check_key_value_heads(keys, config);
  config["kv_lora_rank"] = keys.size("attention.kv_lora_rank");
  const std::optional<std::size_t> q_rank = keys.find_size("attention.q_lora_rank", 0);
  if (keys.has_tensor("blk.0.attn_q.weight"))  // The lite models.
    config["q_lora_rank"] = nullptr;
  else if (q_rank && *q_rank > 0)
    config["q_lora_rank"] = *q_rank;
  else
    keys.fail("attention.q_lora_rank", "missing, expected it where there is no blk.0.attn_q.weight");

  const std::size_t rotary = keys.size("rope.dimension_count");
  const char* const key_name =
      keys.has("attention.key_length_mla") ? "attention.key_length_mla" : "attention.key_length";
  const char* const value_name =
      keys.has("attention.value_length_mla") ? "attention.value_length_mla" : "attention.value_length";
  keys.skip("attention.key_length");
  keys.skip("attention.value_length");
  const std::size_t key = keys.size(key_name);
  if (key <= rotary)
    keys.fail(key_name, "found " + std::to_string(key) + ", expected more than rope.dimension_count (" +
                            std::to_string(rotary) + ")");
  config["qk_nope_head_dim"] = key - rotary;
  config["qk_rope_head_dim"] = rotary;
  // llama.cpp's default, which MiniCPM3's files count on.
  const std::size_t hidden = config["hidden_size"].get<std::size_t>();
  config["v_head_dim"] = keys.has(value_name) ? keys.size(value_name)
                                              : hidden / config["num_attention_heads"].get<std::size_t>();
  add_gguf_rope(keys, rotary, config);
}

/// Old files do not say it: all of them are softmax's (V2), unless a layer has a correction bias, which came with the
/// sigmoid.
Gating read_gating(GgufKeys& keys, std::size_t first_expert_layer) {
  const std::size_t number = keys.find_size("expert_gating_func", 0).value_or(0);
  const std::string name =
      std::string("blk.").append(std::to_string(first_expert_layer)).append(".exp_probs_b");
  const bool corrected = keys.has_tensor(name) || keys.has_tensor(name + ".bias");
  if (number == 0) return corrected ? Gating::sigmoid : Gating::softmax;
  if (number > 2)
    keys.unsupported("expert_gating_func",
                     "found " + std::to_string(number) + ", expected 1 (softmax) or 2 (sigmoid)");
  if (number == 1 && corrected)
    keys.unsupported("expert_gating_func",
                     "found 1 (softmax) with a correction bias, expected it with 2 (sigmoid) only");
  return static_cast<Gating>(number);
}

void read_experts(GgufKeys& keys, Json& config) {
  config["model_type"] = "deepseek_v3";
  config["n_routed_experts"] = nullptr;
  const std::size_t experts = keys.find_size("expert_count", 0).value_or(0);
  const auto layers = config["num_hidden_layers"].get<std::size_t>();
  const std::size_t dense = keys.find_size("leading_dense_block_count", 0).value_or(0);
  for (const char* key :
       {"expert_used_count", "expert_shared_count", "expert_feed_forward_length", "expert_weights_scale",
        "expert_weights_norm", "expert_gating_func", "expert_group_count", "expert_group_used_count"})
    keys.skip(key);
  if (experts == 0 || dense >= layers) return;

  config["first_k_dense_replace"] = dense;
  config["n_routed_experts"] = experts;
  config["num_experts_per_tok"] = keys.size("expert_used_count");
  config["n_shared_experts"] = keys.find_size("expert_shared_count", 0).value_or(0);
  config["moe_intermediate_size"] = keys.size("expert_feed_forward_length");
  const double scale = keys.find_number("expert_weights_scale").value_or(0.0);
  config["routed_scaling_factor"] = scale == 0.0 ? 1.0 : scale;  // 0 is "none" in llama.cpp.
  const bool normalized = keys.find_flag("expert_weights_norm").value_or(false);
  const std::size_t groups = std::max<std::size_t>(keys.find_size("expert_group_count", 0).value_or(0), 1);
  const std::size_t used = std::max<std::size_t>(keys.find_size("expert_group_used_count", 0).value_or(0), 1);
  const bool sigmoid = read_gating(keys, dense) == Gating::sigmoid;
  config[sigmoid ? "norm_topk_prob" : "norm_topk_weights"] = normalized;
  if (!sigmoid) {
    config["model_type"] = "deepseek_v2";
    config["topk_method"] = groups > 1 ? "group_limited_greedy" : "greedy";
  }
  if (sigmoid || groups > 1) {
    config["n_group"] = groups;
    config["topk_group"] = used;
  }
}

}  // namespace

Json gguf_deepseek_config(GgufKeys& keys) {
  Json config = gguf_common_config(keys);
  read_attention(keys, config);
  read_experts(keys, config);
  return config;
}

Json gguf_minicpm_config(GgufKeys& keys) {
  Json config = gguf_common_config(keys);
  config["model_type"] = "minicpm3";
  read_attention(keys, config);
  // The metadata do not have these three; llama.cpp (models/minicpm3.cpp) and the published config agree on them.
  config["scale_emb"] = 12;
  config["scale_depth"] = 1.4;
  config["dim_model_base"] = 256;
  return config;
}

}  // namespace mla
