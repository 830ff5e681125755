// DeepSeek-V3 with a kind of feed-forward block for each layer: transformers' configuration_glm4_moe_lite.py and
// modeling_glm4_moe_lite.py. Its differences to DeepSeek-V3:
//   mlp_layer_types         "dense" or "sparse" for each layer; absent: all but the first have experts
//   first_k_dense_replace   is not read: the class knows mlp_layer_types only
// Weight names are DeepSeek-V3's, prediction layers included.
#include "model/glm4_moe_lite.h"

#include "model/config_reading.h"
#include "model/mla_parts.h"

namespace mla {
namespace {

MlaConfig read_config(const JsonField& config) {
  MlaConfig result = read_mla_config(config, {.rms_norm_eps = 1e-5F, .default_type_is_partial = true});
  result.num_hidden_layers = read_size(config, "num_hidden_layers");
  result.rope_pairing = read_rope_interleave(config);
  result.expert_layers = config.has("mlp_layer_types")
                             ? read_mlp_layer_types(config, 1, result.num_hidden_layers)
                             : ExpertLayers(1, result.num_hidden_layers);
  if (result.expert_layers.count() > 0) {
    expect_text(config, "scoring_func", "sigmoid");
    expect_text(config, "topk_method", "noaux_tc");
    read_experts(config,
                 {.kind = RouterKind::sigmoid_noaux_tc, .norm_topk_prob = true, .routed_scaling_factor = 1.8},
                 result);
  }
  if (result.expert_layers.count() < result.num_hidden_layers)
    result.intermediate_size = read_size(config, "intermediate_size");
  result.ignored_keys = keys_not_read(
      config, {"num_hidden_layers", "intermediate_size", "rope_interleave", "mlp_layer_types", "scoring_func",
               "topk_method", "n_group", "topk_group", "n_routed_experts", "num_experts_per_tok",
               "norm_topk_prob", "routed_scaling_factor", "partial_rotary_factor", "moe_intermediate_size",
               "n_shared_experts", "num_nextn_predict_layers"});
  return result;
}

}  // namespace

Decoder build_glm4_moe_lite(const JsonField& config, const Checkpoint& checkpoint, ModelInfo& info) {
  return build_mla(read_config(config), checkpoint, info);
}

}  // namespace mla
