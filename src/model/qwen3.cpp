// Qwen3's dense models: Qwen2 with a norm over each head of queries and keys instead of biases.
// transformers' configuration_qwen3.py, modeling_qwen3.py.
#include "model/config_reading.h"
#include "model/llama_family.h"

namespace mla {

LlamaConfig read_qwen3_config(const JsonField& config) {
  // Without head_dim the reference would assume 128.
  LlamaConfig result =
      read_llama_keys(config, {.head_dim_may_be_absent = false,
                               .own = {"attention_bias", "use_sliding_window", "sliding_window",
                                       "max_window_layers", "layer_types"}});
  result.qk_norm = true;
  result.qkv_bias = result.o_bias = read_bool_or(config, "attention_bias", false);
  read_qwen_windows(config, result);
  return result;
}

}  // namespace mla
