// config.json of the DeepSeek family, read strictly.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "model/weights.h"
#include "nn/mla_attention.h"
#include "nn/router.h"
#include "positional/rope.h"

namespace mla {

/// Names and defaults are those of transformers' configuration_deepseek_v2.py and
/// configuration_deepseek_v3.py. The sizes have no defaults here: a config without them is an error.
struct DeepseekConfig {
  bool v3 = false;  ///< deepseek_v3 and kimi_k2; else deepseek_v2.
  std::size_t vocab_size = 0;
  std::size_t hidden_size = 0;
  std::size_t num_hidden_layers = 0;
  std::size_t max_position_embeddings = 0;
  std::size_t intermediate_size = 0;  ///< 0 if no layer is dense.
  float rms_norm_eps = 1e-6F;
  bool tie_word_embeddings = false;

  MlaShape attention;  ///< softmax_scale included.
  std::optional<std::size_t> q_lora_rank;
  bool attention_bias = false;  ///< On q_a_proj, kv_a_proj_with_mqa and o_proj only.
  RopeScaling rope;
  RopePairing rope_pairing = RopePairing::interleaved;
  std::string position_encoding;  ///< `position_encoding`, mla's own key; rope-decoupled where it is absent.
  bool scale_embedding = false;   ///< Embeddings are multiplied by sqrt(hidden_size).

  bool mlp_bias = false;  ///< V2: on the dense and the shared MLPs, not on the routed experts.
  std::size_t first_k_dense_replace = 0;  ///< Layers from this one on have experts.
  std::size_t moe_intermediate_size = 0;
  std::size_t n_shared_experts = 0;
  std::optional<RouterShape> router;  ///< Nothing if every layer is dense.

  Fp8Blocks fp8;
  std::vector<std::string> ignored_keys;  ///< Keys that were not read.

  bool has_experts(std::size_t layer) const { return router.has_value() && layer >= first_k_dense_replace; }
};

/// Throws Error(format) for a missing or impossible value, Error(unsupported) for one mla does not know.
DeepseekConfig read_deepseek_config(const JsonField& config);

}  // namespace mla
