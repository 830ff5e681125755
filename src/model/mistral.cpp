// Mistral 7B and its like: Llama with a sliding window in every layer, or (since v0.2, with null) in none.
// transformers' configuration_mistral.py.
#include "model/config_reading.h"
#include "model/llama_family.h"

namespace mla {

LlamaConfig read_mistral_config(const JsonField& config) {
  LlamaConfig result = read_llama_keys(config, {.own = {"sliding_window"}});
  // The key must be there, as null or as a number: without it the reference would assume 4096.
  if (!config.get("sliding_window").json().is_null())
    result.attention.window = read_size(config, "sliding_window");
  return result;
}

}  // namespace mla
