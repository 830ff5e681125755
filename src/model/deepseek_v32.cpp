// Weight names and layout: transformers' modeling_deepseek_v32.py and the published checkpoints
// (https://huggingface.co/deepseek-ai/DeepSeek-V3.2-Exp).
#include "model/deepseek_v32.h"

#include <algorithm>
#include <cmath>

#include "model/config_reading.h"
#include "model/mla_parts.h"

namespace mla {
namespace {

IndexerShape read_indexer(const JsonField& config, const MlaConfig& result) {
  const IndexerShape shape{.num_heads = read_size(config, "index_n_heads"),
                           .head_dim = read_size(config, "index_head_dim"),
                           .rotary_dim = result.attention.qk_rope_head_dim,
                           .top_k = read_size(config, "index_topk")};
  if (shape.head_dim < shape.rotary_dim) {
    config.get("index_head_dim")
        .fail("found " + std::to_string(shape.head_dim) + ", expected at least qk_rope_head_dim (" +
              std::to_string(shape.rotary_dim) + ")");
  }
  if (!result.q_lora_rank)
    config.get("q_lora_rank")
        .unsupported("found null, expected a number: the indexer works on compressed queries");
  return shape;
}

/// `layer_types` says how each layer attends, where it is given: there is one way.
void check_layer_types(const JsonField& config, std::size_t layers) {
  const auto types = config.find("layer_types");
  if (!types) return;
  if (types->array_size() != layers)
    types->fail("found " + std::to_string(types->array_size()) + " values, expected num_hidden_layers (" +
                std::to_string(layers) + ")");
  for (std::size_t layer = 0; layer < layers; ++layer)
    if (const JsonField type = types->element(layer); type.as_string() != "indexed_attention")
      type.unsupported("found \"" + type.as_string() + "\", expected \"indexed_attention\"");
}

void read_feed_forward(const JsonField& config, MlaConfig& result) {
  const ExpertLayers experts = read_mlp_layer_types(config, 3, result.num_hidden_layers);
  if (experts.count() > 0) {
    expect_text(config, "scoring_func", "sigmoid");
    expect_text(config, "topk_method", "noaux_tc");
    if (read_size_or(config, "moe_layer_freq", 1) != 1)
      config.get("moe_layer_freq")
          .unsupported("found " + config.get("moe_layer_freq").json().dump() + ", expected 1");
    read_experts(config,
                 {.kind = RouterKind::sigmoid_noaux_tc, .norm_topk_prob = true, .routed_scaling_factor = 2.5},
                 result);
    result.n_shared_experts = read_size_or(config, "n_shared_experts", 1, 0);
    result.expert_layers = experts;
  }
  if (experts.count() < result.num_hidden_layers)
    result.intermediate_size = read_size(config, "intermediate_size");
}

}  // namespace

MlaConfig read_deepseek_v32_config(const JsonField& config) {
  MlaConfig result = read_mla_config(config, {});
  result.num_hidden_layers = read_size(config, "num_hidden_layers");
  result.indexer = read_indexer(config, result);
  check_layer_types(config, result.num_hidden_layers);
  // mla's own key.
  if (read_bool_or(config, "scale_embedding", false))
    result.embedding_scale = std::sqrt(static_cast<float>(result.hidden_size));
  read_feed_forward(config, result);
  result.ignored_keys = keys_not_read(config, {"num_hidden_layers",
                                               "index_n_heads",
                                               "index_head_dim",
                                               "index_topk",
                                               "layer_types",
                                               "scale_embedding",
                                               "mlp_layer_types",
                                               "first_k_dense_replace",
                                               "intermediate_size",
                                               "scoring_func",
                                               "topk_method",
                                               "n_group",
                                               "topk_group",
                                               "n_routed_experts",
                                               "moe_layer_freq",
                                               "num_experts_per_tok",
                                               "norm_topk_prob",
                                               "routed_scaling_factor",
                                               "moe_intermediate_size",
                                               "n_shared_experts",
                                               "num_nextn_predict_layers"});
  return result;
}

Decoder build_deepseek_v32(const JsonField& config, const Checkpoint& checkpoint, ModelInfo& info) {
  return build_mla(read_deepseek_v32_config(config), checkpoint, info);
}

}  // namespace mla
