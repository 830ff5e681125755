// llama (Llama, Mistral and what shares their form), qwen2, qwen3.
#include <string>

#include "model/gguf_config.h"

namespace mla {
namespace {

void read_heads(GgufKeys& keys, Json& config) {
  const auto blocks = config["num_hidden_layers"].get<std::size_t>();
  const auto heads = config["num_attention_heads"].get<std::size_t>();
  const auto hidden = config["hidden_size"].get<std::size_t>();
  config["num_key_value_heads"] =
      keys.has("attention.head_count_kv") ? keys.size_of_layers("attention.head_count_kv", blocks) : heads;
  const std::optional<std::size_t> key_length = keys.find_size("attention.key_length");
  if (!key_length && hidden % heads != 0) {
    keys.fail("attention.head_count",
              "found " + std::to_string(heads) +
                  ", expected a divisor of embedding_length where key_length is absent");
  }
  const std::size_t head_dim = key_length.value_or(hidden / heads);
  config["head_dim"] = head_dim;
  const std::size_t value_length = keys.find_size("attention.value_length").value_or(head_dim);
  if (value_length != head_dim) {
    keys.unsupported(
        "attention.value_length",
        "found " + std::to_string(value_length) + ", expected key_length (" + std::to_string(head_dim) + ")");
  }
  const std::size_t rotary_dim = keys.find_size("rope.dimension_count").value_or(head_dim);
  if (rotary_dim != head_dim)
    keys.unsupported("rope.dimension_count", "found " + std::to_string(rotary_dim) +
                                                 ", expected key_length (" + std::to_string(head_dim) + ")");
  add_gguf_rope(keys, rotary_dim, config);
}

/// Which of the class's biases a file has is told by its tensors.
bool has_bias(const GgufKeys& keys, const char* stem) {
  return keys.has_tensor(std::string("blk.0.").append(stem).append(".bias"));
}

void read_llama(GgufKeys& keys, Json& config) {
  config["model_type"] = "llama";
  config["rope_interleave"] = true;  // The converter puts each pair of values side by side.
  config["attention_bias"] = has_bias(keys, "attn_q");
  config["mlp_bias"] = has_bias(keys, "ffn_gate");
  const std::optional<std::size_t> window = keys.find_size("attention.sliding_window", 0);
  if (!window || *window == 0) return;
  if (has_bias(keys, "attn_q") || has_bias(keys, "ffn_gate"))
    keys.unsupported("attention.sliding_window",
                     "found a window in a model with biases, expected one of them");
  config["model_type"] = "mistral";
  config["sliding_window"] = *window;
  config.erase("attention_bias");
  config.erase("mlp_bias");
}

}  // namespace

Json gguf_llama_config(GgufKeys& keys) {
  if (const std::size_t experts = keys.find_size("expert_count", 0).value_or(0); experts > 0) {
    keys.unsupported("expert_count",
                     "found " + std::to_string(experts) +
                         ", expected 0: mixtures of experts (Mixtral) are known in deepseek2 only");
  }
  keys.expect_size("expert_used_count", 0);
  Json config = gguf_common_config(keys);
  if (!config.contains("intermediate_size")) keys.fail("feed_forward_length", "missing");
  if (keys.architecture() == "llama") {
    read_llama(keys, config);
  } else {
    config["model_type"] = keys.architecture();
    keys.expect_size("attention.sliding_window", 0);  // Which of its layers have one, the file does not say.
    if (keys.architecture() == "qwen3") config["attention_bias"] = has_bias(keys, "attn_q");
  }
  read_heads(keys, config);
  return config;
}

}  // namespace mla
