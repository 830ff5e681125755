// What a config.json says of a model with latent attention, and the reading that its families share.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "model/weights.h"
#include "nn/indexer.h"
#include "nn/mla_attention.h"
#include "nn/router.h"
#include "positional/rope.h"

namespace mla {

/// Which layers have experts. Says it in little memory, however many layers a config claims.
class ExpertLayers {
 public:
  ExpertLayers() = default;  ///< None.
  /// Of `layers` the layers first, first + step, ...
  ExpertLayers(std::size_t first, std::size_t layers, std::size_t step = 1)
      : first_(first), layers_(layers), step_(step) {}
  explicit ExpertLayers(std::vector<bool> listed) : layers_(listed.size()), listed_(std::move(listed)) {}

  bool has(std::size_t layer) const;
  std::size_t count() const;

  /// How many dense layers stand before the others if all of these have experts, else nothing.
  std::optional<std::size_t> dense_before() const;

 private:
  std::size_t first_ = 0;
  std::size_t layers_ = 0;
  std::size_t step_ = 1;
  std::vector<bool> listed_;
};

/// Names are those of transformers' configuration_deepseek_v3.py. Families with other keys fill in the same
/// fields.
struct MlaConfig {
  std::size_t vocab_size = 0;
  std::size_t hidden_size = 0;
  std::size_t num_hidden_layers = 0;  ///< Attention blocks.
  std::size_t max_position_embeddings = 0;
  float rms_norm_eps = 0.0F;
  bool tie_word_embeddings = false;
  float embedding_scale = 1.0F;  ///< As in Decoder, like the next two.
  float residual_scale = 1.0F;
  float logit_scale = 1.0F;

  MlaShape attention;  ///< softmax_scale included.
  std::optional<std::size_t> q_lora_rank;
  bool attention_bias = false;          ///< On q_a_proj, kv_a_proj_with_mqa and o_proj only.
  float query_latent_scale = 1.0F;      ///< What the normalized compressed queries are multiplied by.
  float latent_scale = 1.0F;            ///< What the normalized latent is multiplied by.
  std::optional<IndexerShape> indexer;  ///< Of sparse attention.
  RopeScaling rope;
  RopePairing rope_pairing = RopePairing::interleaved;
  std::string position_encoding;  ///< `position_encoding`, mla's own key; rope-decoupled where it is absent.

  std::size_t intermediate_size = 0;  ///< 0 if no layer is dense.
  bool mlp_bias = false;              ///< On the dense and the shared MLPs, not on the routed experts.
  ExpertLayers expert_layers;
  std::size_t moe_intermediate_size = 0;
  std::size_t n_shared_experts = 0;
  std::size_t zero_experts = 0;  ///< Of router->n_routed_experts, the last so many pass on what they see.
  std::optional<RouterShape> router;  ///< Nothing if every layer is dense.

  Fp8Blocks fp8;
  std::vector<std::string> ignored_keys;  ///< Keys that were not read.

  bool has_experts(std::size_t layer) const { return expert_layers.has(layer); }
};

/// What a family's class in transformers assumes where the config is silent.
struct MlaDefaults {
  float rms_norm_eps = 1e-6F;
  bool tie_word_embeddings = false;
  double rope_theta = 10000.0;
  bool v_head_dim_of_hidden = false;   ///< v_head_dim may be absent: hidden_size / num_attention_heads then.
  bool partial_rotary_factor = false;  ///< That key says which share of a head is rotated.
  bool default_type_is_partial = false;  ///< As in RopeDefaults.
  bool query_scaling = false;            ///< As in RopeDefaults.
};

/// Everything but the layers' number and their feed-forward blocks. The sizes have no defaults: a config without
/// them is an error. Throws Error(format) for a missing or impossible value, Error(unsupported) for one mla does
/// not know; so do the others.
MlaConfig read_mla_config(const JsonField& config, const MlaDefaults& defaults);

/// `rope_interleave`, true where it is absent, false where it is null.
RopePairing read_rope_interleave(const JsonField& config);

struct RouterDefaults {
  RouterKind kind;
  bool norm_topk_prob;
  double routed_scaling_factor;
};

/// n_routed_experts, num_experts_per_tok, the groups, the weights' treatment, moe_intermediate_size and
/// n_shared_experts.
void read_experts(const JsonField& config, const RouterDefaults& defaults, MlaConfig& result);

/// `mlp_layer_types`, a list of "dense" and "sparse" (with experts); where it is absent first_k_dense_replace, or
/// `first` where that is, too.
ExpertLayers read_mlp_layer_types(const JsonField& config, std::size_t first, std::size_t layers);

/// The keys that neither the functions above nor the family itself (`own`) read.
std::vector<std::string> keys_not_read(const JsonField& config, const std::vector<std::string_view>& own);

}  // namespace mla
