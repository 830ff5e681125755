// Qwen2 and Qwen2.5: Llama with biases on queries, keys and values, and a sliding window in some layers.
// transformers' configuration_qwen2.py, modeling_qwen2.py.
#include "model/llama_family.h"

namespace mla {

LlamaConfig read_qwen2_config(const JsonField& config) {
  LlamaConfig result = read_llama_keys(
      config, {.own = {"use_sliding_window", "sliding_window", "max_window_layers", "layer_types"}});
  result.qkv_bias = true;
  read_qwen_windows(config, result);
  return result;
}

}  // namespace mla
