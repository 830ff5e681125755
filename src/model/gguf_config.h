// From a GGUF's metadata to what a config.json would say, so that the families' builders need to know one form only.
//
// Facts: src/llama-model.cpp and src/models of https://github.com/ggml-org/llama.cpp for what the keys mean there, its
// convert_hf_to_gguf.py for what they are made of.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/json.h"
#include "model/gguf_metadata_keys.h"

namespace mla {

/// The config of the model. Throws Error(format) for a missing or impossible value, Error(unsupported) for what mla
/// does not compute; both name the file and its key.
Json gguf_config(GgufKeys& keys);

/// For errors in that config: under which keys the metadata have what its places say, where that is one key.
FieldNames gguf_config_names(std::string_view architecture);

/// Tensors that say what a config.json would: they belong to no builder.
bool is_config_tensor(std::string_view gguf_name);

// The parts of the above, one for each family of architectures.

Json gguf_llama_config(GgufKeys& keys);     ///< llama, qwen2, qwen3
Json gguf_gpt2_config(GgufKeys& keys);      ///< gpt2
Json gguf_deepseek_config(GgufKeys& keys);  ///< deepseek2
Json gguf_minicpm_config(GgufKeys& keys);   ///< minicpm3

/// vocab_size: the key, else the number of tokens, else the rows of the embedding.
std::size_t gguf_vocab_size(GgufKeys& keys);

/// Whether the output head is the embedding: the file has none of its own.
bool gguf_ties_embeddings(const GgufKeys& keys);

/// What all but gpt2 share: vocab_size, hidden_size, num_hidden_layers, max_position_embeddings,
/// num_attention_heads, intermediate_size (if any), rms_norm_eps, tie_word_embeddings.
Json gguf_common_config(GgufKeys& keys);

/// Adds rope_theta and rope_scaling for `rotary_dim` values to be rotated: the keys `rope.*`, and the tensors with
/// factors (rope_freqs; rope_factors_long and rope_factors_short). `yarn_log_multiplier` counts for deepseek2 only, as
/// in llama.cpp.
void add_gguf_rope(GgufKeys& keys, std::size_t rotary_dim, Json& config);

}  // namespace mla
