// GPT-2 and what shares its architecture: LayerNorm, multi-head attention with biases, GELU, learned positions.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "model/architecture.h"
#include "nn/gelu_mlp.h"

namespace mla {

/// Names and defaults are those of transformers' configuration_gpt2.py. The sizes have no defaults here.
struct Gpt2Config {
  std::size_t vocab_size = 0;
  std::size_t n_embd = 0;
  std::size_t n_layer = 0;
  std::size_t n_head = 0;  ///< Divides n_embd.
  std::size_t n_positions = 0;
  std::size_t n_inner = 0;  ///< 4 n_embd where it is null or absent.
  Activation activation = Activation::gelu_tanh;
  float layer_norm_epsilon = 1e-5F;
  bool scale_attn_weights = true;
  bool scale_attn_by_inverse_layer_idx = false;
  bool tie_word_embeddings = true;
  /// `conv1d_layout`, mla's own key: weights are [in, out] as in the published files, not [out, in].
  bool conv1d_layout = true;
  std::string position_encoding;          ///< `position_encoding`, mla's own key; learned where it is absent.
  std::vector<std::string> ignored_keys;  ///< Keys that were not read.

  /// 1 / sqrt(head size) and 1 / (layer + 1), as far as they are switched on.
  float softmax_scale(std::size_t layer) const;
};

/// Throws Error(format) for a missing or impossible value, Error(unsupported) for one mla does not know.
Gpt2Config read_gpt2_config(const JsonField& config);

Decoder build_gpt2(const JsonField& config, const Checkpoint& checkpoint, ModelInfo& info);

}  // namespace mla
