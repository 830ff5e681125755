// A dense DeepSeek-V3: transformers' configuration_youtu.py and modeling_youtu.py. Weight names are the same.
#include "model/youtu.h"

#include "model/config_reading.h"
#include "model/mla_parts.h"

namespace mla {

Decoder build_youtu(const JsonField& config, const Checkpoint& checkpoint, ModelInfo& info) {
  MlaConfig result = read_mla_config(config, {.tie_word_embeddings = true});
  result.num_hidden_layers = read_size(config, "num_hidden_layers");
  result.intermediate_size = read_size(config, "intermediate_size");
  result.rope_pairing = read_rope_interleave(config);
  result.ignored_keys = keys_not_read(config, {"num_hidden_layers", "intermediate_size", "rope_interleave"});
  return build_mla(result, checkpoint, info);
}

}  // namespace mla
