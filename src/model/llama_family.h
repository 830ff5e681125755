// What Llama and its relatives share: RMSNorm, grouped-query attention, SwiGLU, and the names of their weights. A family
// is a reader that turns its config.json into a LlamaConfig, in a file of its own.
#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "model/architecture.h"
#include "model/weights.h"
#include "nn/gqa_attention.h"
#include "positional/rope.h"

namespace mla {

/// Names and defaults are those of transformers' configuration_llama.py and its relatives. The sizes have no defaults
/// here: a config without them is an error.
struct LlamaConfig {
  std::size_t vocab_size = 0;
  std::size_t hidden_size = 0;
  std::size_t num_hidden_layers = 0;
  std::size_t max_position_embeddings = 0;
  std::size_t intermediate_size = 0;
  float rms_norm_eps = 1e-6F;
  bool tie_word_embeddings = false;

  GqaShape attention;  ///< softmax_scale included; the window is that of the layers which have one.
  std::size_t first_window_layer = 0;  ///< Layers from this one on have it, unless layer_types says which.
  std::vector<bool> layer_types;       ///< For each layer whether it has the window, or empty.
  bool qkv_bias = false;
  bool o_bias = false;
  bool mlp_bias = false;
  bool qk_norm = false;  ///< RMSNorm over each head of queries and keys.

  RopeScaling rope;
  RopePairing rope_pairing = RopePairing::halves;
  std::string position_encoding;  ///< `position_encoding`, mla's own key; rope where it is absent.
  bool scale_embedding = false;   ///< Embeddings are multiplied by sqrt(hidden_size).

  Fp8Blocks fp8;
  std::vector<std::string> ignored_keys;  ///< Keys that were not read.

  std::optional<std::size_t> window(std::size_t layer) const;
};

/// How a family writes what all of them have.
struct LlamaKeys {
  bool key_value_heads_may_be_absent =
      false;                           ///< As many as num_attention_heads then. (null is that in any family.)
  bool head_dim_may_be_absent = true;  ///< hidden_size / num_attention_heads then, as with null.
  std::set<std::string_view> own = {};  ///< Keys that the family reads besides.
};

/// Reads the keys that all families have. Throws Error(format) for a missing or impossible value, Error(unsupported)
/// for one mla does not know.
LlamaConfig read_llama_keys(const JsonField& config, const LlamaKeys& keys);

/// `layer_types`, a list of "full_attention" and "sliding_attention", if it is there; `attention.window` must have been
/// read. Whether it is there.
bool read_layer_types(const JsonField& config, LlamaConfig& result);

/// Qwen's keys: `use_sliding_window` (off by default) with `sliding_window`, in the layers from `max_window_layers` on
/// or in those that `layer_types` names.
void read_qwen_windows(const JsonField& config, LlamaConfig& result);

LlamaConfig read_llama_config(const JsonField& config);
LlamaConfig read_mistral_config(const JsonField& config);
LlamaConfig read_qwen2_config(const JsonField& config);
LlamaConfig read_qwen3_config(const JsonField& config);

Decoder build_llama_family(const LlamaConfig& config, const Checkpoint& checkpoint, ModelInfo& info);

/// The build function of the family that `read` reads.
template <LlamaConfig (*read)(const JsonField&)>
Decoder build_llama_like(const JsonField& config, const Checkpoint& checkpoint, ModelInfo& info) {
  return build_llama_family(read(config), checkpoint, info);
}

}  // namespace mla
