#include "model/mla_description.h"

#include <algorithm>
#include <string>

#include "model/config_reading.h"
#include "nn/mla_head.h"

namespace mla {
namespace {

std::string describe_router(const RouterShape& router) {
  std::string text;
  switch (router.kind) {
    case RouterKind::softmax_greedy:
      text = "softmax, greedy";
      break;
    case RouterKind::softmax_group_limited:
      text = "softmax, group-limited greedy";
      break;
    case RouterKind::softmax_group_pairs:
      text = "softmax, groups by their two best";
      break;
    case RouterKind::softmax_corrected:
      text = "softmax, chosen with a correction bias";
      break;
    case RouterKind::sigmoid_noaux_tc:
      text = "sigmoid, noaux_tc";
      break;
  }
  if (router.norm_topk_prob) text += ", normalized";
  return text;
}

/// What a forward pass takes from the arena for each row: the residual stream with its three companions,
/// queries, latents and heads' results of one layer, and the widest feed-forward block.
std::size_t activation_floats(const MlaConfig& config) {
  const MlaShape& shape = config.attention;
  std::size_t attention = config.q_lora_rank.value_or(0) +
                          shape.num_heads * (shape.qk_head_dim() + shape.v_head_dim) + shape.kv_lora_rank +
                          shape.qk_rope_head_dim;
  if (config.indexer)
    attention += config.indexer->num_heads * (config.indexer->head_dim + 1) + config.indexer->top_k;
  std::size_t feed_forward = 2 * config.intermediate_size;
  if (config.router) {
    const std::size_t width = config.moe_intermediate_size;
    feed_forward =
        std::max(feed_forward, config.router->top_k * 2 * (config.hidden_size + width) +
                                   2 * config.n_shared_experts * width + config.router->n_routed_experts);
  }
  return 4 * config.hidden_size + std::max(attention, feed_forward);
}

class Description {
 public:
  Description(const MlaConfig& config, ModelInfo& info) : config_(config), info_(info) {}

  void attention() {
    const MlaShape& shape = config_.attention;
    add("vocab_size", config_.vocab_size);
    add("hidden_size", config_.hidden_size);
    add("num_hidden_layers", config_.num_hidden_layers);
    add("num_attention_heads", shape.num_heads);
    if (config_.q_lora_rank) add("q_lora_rank", *config_.q_lora_rank);
    add("kv_lora_rank", shape.kv_lora_rank);
    add("qk_nope_head_dim", shape.qk_nope_head_dim);
    add("qk_rope_head_dim", shape.qk_rope_head_dim);
    add("v_head_dim", shape.v_head_dim);
    info_.features.emplace_back("attention", "MLA, latent cache");
    if (config_.indexer) sparse_attention(*config_.indexer);
  }

  void feed_forward() {
    if (config_.intermediate_size > 0) add("intermediate_size", config_.intermediate_size);
    if (!config_.router) return;
    add_moe_layers();
    add("n_routed_experts", config_.router->n_routed_experts - config_.zero_experts);
    if (config_.zero_experts > 0) add("zero_experts", config_.zero_experts);
    add("num_experts_per_tok", config_.router->top_k);
    add("n_shared_experts", config_.n_shared_experts);
    add("moe_intermediate_size", config_.moe_intermediate_size);
    if (has_groups(config_.router->kind) || config_.router->kind == RouterKind::softmax_greedy) {
      add("n_group", config_.router->n_group);
      add("topk_group", config_.router->topk_group);
    }
    info_.features.emplace_back("router", describe_router(*config_.router));
  }

  void add(const char* name, std::size_t value) {
    info_.dimensions.emplace_back(name, static_cast<std::int64_t>(value));
  }

 private:
  void sparse_attention(const IndexerShape& indexer) {
    add("index_topk", indexer.top_k);
    add("index_n_heads", indexer.num_heads);
    add("index_head_dim", indexer.head_dim);
    info_.features.emplace_back("sparse attention", "top " + std::to_string(indexer.top_k) + " by indexer, " +
                                                        std::to_string(indexer.num_heads) + " heads of " +
                                                        std::to_string(indexer.head_dim));
  }

  /// Mostly the first layers are dense and all others have experts; if not, how many have.
  void add_moe_layers() {
    if (const auto dense = config_.expert_layers.dense_before())
      add("first_k_dense_replace", *dense);
    else
      add("moe_layers", config_.expert_layers.count());
  }

  const MlaConfig& config_;
  ModelInfo& info_;
};

/// Those of the experts not chosen.
std::size_t resting_parameters(const MlaConfig& config, const ModelInfo& info) {
  const std::size_t resting = info.experts - info.active_experts;
  return config.expert_layers.count() * resting * 3 * config.hidden_size * config.moe_intermediate_size;
}

}  // namespace

void describe_mla(const MlaConfig& config, const Decoder& decoder, std::size_t parameters, ModelInfo& info) {
  const MlaShape& shape = config.attention;
  Description description(config, info);
  description.attention();
  description.feed_forward();
  description.add("max_position_embeddings", config.max_position_embeddings);
  info.trained_position_encoding = config.position_encoding;
  info.vocab_size = config.vocab_size;
  info.max_context = max_context(config.rope, config.max_position_embeddings);
  info.parameters = parameters;
  if (config.router) {
    // At most so many of the chosen ones are no zero experts.
    info.experts = config.router->n_routed_experts - config.zero_experts;
    info.active_experts = std::min(info.experts, config.router->top_k);
  }
  info.active_parameters = parameters - resting_parameters(config, info) - decoder.resting_embeddings();
  info.full_cache_bytes_per_token =
      config.num_hidden_layers * shape.num_heads * (shape.qk_head_dim() + shape.v_head_dim) * sizeof(float);
  info.activation_bytes_per_token = activation_floats(config) * sizeof(float);
  info.scratch_bytes_per_token =
      (mla_head_scratch(shape, info.max_context, 2) - mla_head_scratch(shape, info.max_context, 1)) *
      sizeof(float);
  if (config.indexer) info.scratch_bytes_per_token += indexer_context_bytes();
  info.ignored_config = config.ignored_keys;
}

}  // namespace mla
