// Llama 2, 3, 3.1, 3.2, and what shares their architecture (SmolLM2): transformers' configuration_llama.py.
#include "model/config_reading.h"
#include "model/llama_family.h"

namespace mla {

LlamaConfig read_llama_config(const JsonField& config) {
  LlamaConfig result =
      read_llama_keys(config, {.key_value_heads_may_be_absent = true, .own = {"attention_bias", "mlp_bias"}});
  result.qkv_bias = result.o_bias = read_bool_or(config, "attention_bias", false);
  result.mlp_bias = read_bool_or(config, "mlp_bias", false);
  return result;
}

}  // namespace mla
