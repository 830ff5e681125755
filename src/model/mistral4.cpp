// DeepSeek-V3's layers with another router and queries that grow with their position: transformers'
// configuration_mistral4.py and modeling_mistral4.py. Its differences to DeepSeek-V3:
//   the router is a softmax without correction bias, see RouterKind::softmax_group_pairs
//   rope_parameters.llama_4_scaling_beta    see rope_query_scale
//   rope_parameters.partial_rotary_factor   qk_rope_head_dim / (qk_nope_head_dim + qk_rope_head_dim)
// Weight names are DeepSeek-V3's; the experts are mostly stored in one tensor.
#include "model/mistral4.h"

#include "model/config_reading.h"
#include "model/mla_parts.h"

namespace mla {
namespace {

MlaConfig read_config(const JsonField& config) {
  MlaConfig result = read_mla_config(
      config, {.partial_rotary_factor = true, .default_type_is_partial = true, .query_scaling = true});
  result.num_hidden_layers = read_size(config, "num_hidden_layers");
  expect_size(config, "head_dim", result.attention.qk_head_dim());  // partial_rotary_factor is a share of it.
  result.rope_pairing = read_rope_interleave(config);
  const std::size_t first = read_size_or(config, "first_k_dense_replace", 0, 0);
  if (first < result.num_hidden_layers) {
    result.expert_layers = {first, result.num_hidden_layers};
    read_experts(
        config,
        {.kind = RouterKind::softmax_group_pairs, .norm_topk_prob = true, .routed_scaling_factor = 1.0},
        result);
  }
  if (first > 0) result.intermediate_size = read_size(config, "intermediate_size");
  result.ignored_keys = keys_not_read(
      config,
      {"num_hidden_layers", "intermediate_size", "rope_interleave", "first_k_dense_replace", "n_group",
       "topk_group", "n_routed_experts", "num_experts_per_tok", "norm_topk_prob", "routed_scaling_factor",
       "partial_rotary_factor", "head_dim", "moe_intermediate_size", "n_shared_experts"});
  return result;
}

}  // namespace

Decoder build_mistral4(const JsonField& config, const Checkpoint& checkpoint, ModelInfo& info) {
  return build_mla(read_config(config), checkpoint, info);
}

}  // namespace mla
