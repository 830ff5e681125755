// Mistral 7B and its like: Llama with a sliding window in every layer, or (since v0.2, with null) in none; or in the
// layers that layer_types names (Ministral 8B). transformers' configuration_mistral.py, and configuration_ministral.py for
// files with layer_types: configuration_auto.py takes that class for them, whichever of the two model_type says.
#include "model/config_reading.h"
#include "model/llama_family.h"

namespace mla {

LlamaConfig read_mistral_config(const JsonField& config) {
  LlamaConfig result = read_llama_keys(config, {.own = {"sliding_window", "layer_types"}});
  // The key must be there, as null or as a number: without it the reference would assume 4096.
  if (!config.get("sliding_window").json().is_null())
    result.attention.window = read_size(config, "sliding_window");
  read_layer_types(config, result);
  return result;
}

}  // namespace mla
