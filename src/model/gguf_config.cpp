#include "model/gguf_config.h"

#include <array>
#include <cmath>

namespace mla {
namespace {

constexpr std::string_view kEmbedding = "token_embd.weight";

/// Keys with which the model would be another one, unless they have the value with which they do nothing.
void refuse_what_changes_the_model(GgufKeys& keys) {
  for (const char* key : {"attention.clamp_kqv", "attention.max_alibi_bias", "attention.temperature_scale",
                          "attn_logit_softcapping", "final_logit_softcapping", "attention.scale"})
    keys.expect_number(key, 0.0);
  for (const char* key : {"logit_scale", "embedding_scale", "residual_scale"}) keys.expect_number(key, 1.0);
  keys.expect_size("pooling_type", 0);
  if (!keys.find_flag("attention.causal").value_or(true))
    keys.unsupported("attention.causal", "found false, expected true");
  if (keys.find_flag("use_parallel_residual").value_or(false))
    keys.unsupported("use_parallel_residual", "found true, expected false");
}

}  // namespace

Json gguf_config(GgufKeys& keys) {
  refuse_what_changes_the_model(keys);
  if (keys.architecture() == "gpt2") return gguf_gpt2_config(keys);
  if (keys.architecture() == "deepseek2") return gguf_deepseek_config(keys);
  if (keys.architecture() == "minicpm3") return gguf_minicpm_config(keys);
  return gguf_llama_config(keys);
}

FieldNames gguf_config_names(std::string_view architecture) {
  static constexpr std::array<std::array<std::string_view, 2>, 32> kNames = {
      {{"vocab_size", "vocab_size"},
       {"hidden_size", "embedding_length"},
       {"n_embd", "embedding_length"},
       {"num_hidden_layers", "block_count"},
       {"n_layer", "block_count"},
       {"max_position_embeddings", "context_length"},
       {"n_positions", "context_length"},
       {"intermediate_size", "feed_forward_length"},
       {"n_inner", "feed_forward_length"},
       {"rms_norm_eps", "attention.layer_norm_rms_epsilon"},
       {"layer_norm_epsilon", "attention.layer_norm_epsilon"},
       {"num_attention_heads", "attention.head_count"},
       {"n_head", "attention.head_count"},
       {"num_key_value_heads", "attention.head_count_kv"},
       {"head_dim", "attention.key_length"},
       {"sliding_window", "attention.sliding_window"},
       {"kv_lora_rank", "attention.kv_lora_rank"},
       {"q_lora_rank", "attention.q_lora_rank"},
       {"qk_rope_head_dim", "rope.dimension_count"},
       {"rope_theta", "rope.freq_base"},
       {"rope_scaling.factor", "rope.scaling.factor"},
       {"rope_scaling.original_max_position_embeddings", "rope.scaling.original_context_length"},
       {"rope_scaling.beta_fast", "rope.scaling.yarn_beta_fast"},
       {"rope_scaling.beta_slow", "rope.scaling.yarn_beta_slow"},
       {"rope_scaling.mscale_all_dim", "rope.scaling.yarn_log_multiplier"},
       {"first_k_dense_replace", "leading_dense_block_count"},
       {"n_routed_experts", "expert_count"},
       {"num_experts_per_tok", "expert_used_count"},
       {"moe_intermediate_size", "expert_feed_forward_length"},
       {"routed_scaling_factor", "expert_weights_scale"},
       {"n_group", "expert_group_count"},
       {"topk_group", "expert_group_used_count"}}};
  FieldNames names;
  for (const auto& [place, key] : kNames)
    names.emplace(place, std::string(architecture).append(".").append(key));
  return names;
}

bool is_config_tensor(std::string_view gguf_name) {
  return gguf_name == "rope_freqs.weight" || gguf_name == "rope_factors_long.weight" ||
         gguf_name == "rope_factors_short.weight";
}

std::size_t gguf_vocab_size(GgufKeys& keys) {
  if (const auto size = keys.find_size("vocab_size")) return *size;
  if (const auto* const tokens = keys.file().strings("tokenizer.ggml.tokens")) return tokens->size();
  const GgufParts::Found embedding = keys.parts().find_tensor(kEmbedding);
  if (embedding.tensor == nullptr || embedding.tensor->shape.size() != 2)
    keys.fail("vocab_size",
              std::string("missing, and there is no ").append(kEmbedding).append(" [vocab_size, width]"));
  return embedding.tensor->shape[0];
}

bool gguf_ties_embeddings(const GgufKeys& keys) {
  return !keys.has_tensor("output.weight");
}

Json gguf_common_config(GgufKeys& keys) {
  const std::size_t blocks = keys.size("block_count");
  // Blocks that predict more than the next token stand behind the others and are counted among them.
  const std::size_t predicting = keys.find_size("nextn_predict_layers", 0).value_or(0);
  if (predicting >= blocks) {
    keys.fail("nextn_predict_layers", "found " + std::to_string(predicting) +
                                          ", expected less than block_count (" + std::to_string(blocks) +
                                          ")");
  }
  Json config = Json::object();  // Not null: where memory runs out a null would become half an object.
  config["vocab_size"] = gguf_vocab_size(keys);
  config["hidden_size"] = keys.size("embedding_length");
  config["num_hidden_layers"] = blocks - predicting;
  config["max_position_embeddings"] = keys.size("context_length");
  config["num_attention_heads"] = keys.size_of_layers("attention.head_count", blocks);
  if (keys.has("feed_forward_length"))
    config["intermediate_size"] = keys.size_of_layers("feed_forward_length", blocks);
  config["rms_norm_eps"] = keys.number("attention.layer_norm_rms_epsilon");
  config["tie_word_embeddings"] = gguf_ties_embeddings(keys);
  return config;
}

Json gguf_gpt2_config(GgufKeys& keys) {
  const std::size_t blocks = keys.size("block_count");
  Json config = Json::object();  // Not null: where memory runs out a null would become half an object.
  config["model_type"] = "gpt2";
  config["vocab_size"] = gguf_vocab_size(keys);
  config["n_embd"] = keys.size("embedding_length");
  config["n_layer"] = blocks;
  config["n_positions"] = keys.size("context_length");
  config["n_head"] = keys.size_of_layers("attention.head_count", blocks);
  config["n_inner"] = keys.size_of_layers("feed_forward_length", blocks);
  config["layer_norm_epsilon"] = keys.number("attention.layer_norm_epsilon");
  config["tie_word_embeddings"] = gguf_ties_embeddings(keys);
  config["conv1d_layout"] = false;  // The converter turns Conv1D's matrices into those of a Linear.
  if (keys.has("attention.head_count_kv")) {
    const std::size_t heads = keys.size_of_layers("attention.head_count_kv", blocks);
    if (heads != config["n_head"].get<std::size_t>())
      keys.unsupported("attention.head_count_kv",
                       "found " + std::to_string(heads) + ", expected as many as head_count");
  }
  return config;
}

}  // namespace mla
