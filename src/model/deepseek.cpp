// Weight names and layout: transformers' modeling_deepseek_v2.py and modeling_deepseek_v3.py, and the
// published checkpoints (https://huggingface.co/deepseek-ai).
#include "model/deepseek.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <memory>
#include <utility>

#include "model/config_reading.h"
#include "model/deepseek_config.h"
#include "model/weights.h"
#include "nn/mla_attention.h"
#include "nn/mla_head.h"
#include "nn/moe.h"

namespace mla {
namespace {

// The norms of the compressed queries and of the latent have this epsilon, whatever rms_norm_eps is.
constexpr float kLatentNormEpsilon = 1e-6F;

class Builder {
 public:
  Builder(const DeepseekConfig& config, const Checkpoint& checkpoint)
      : config_(config), weights_(checkpoint, config.fp8) {}

  Decoder build() {
    Decoder decoder;
    decoder.embed_tokens =
        weights_.matrix("model.embed_tokens.weight", Shape{config_.vocab_size, config_.hidden_size});
    if (config_.scale_embedding) decoder.embedding_scale = std::sqrt(static_cast<float>(config_.hidden_size));
    decoder.encoding = encoding_settings();
    for (std::size_t layer = 0; layer < config_.num_hidden_layers; ++layer)
      decoder.layers.push_back(build_layer(layer));
    decoder.norm = norm("model.norm.weight", config_.hidden_size, config_.rms_norm_eps);
    // With tied embeddings a stored lm_head still counts, as in the reference.
    decoder.lm_head = config_.tie_word_embeddings && !weights_.has("lm_head.weight")
                          ? Linear(decoder.embed_tokens)
                          : weights_.linear("lm_head", config_.vocab_size, config_.hidden_size);
    return decoder;
  }

  WeightLoader& weights() { return weights_; }

 private:
  EncodingSettings encoding_settings() {
    EncodingSettings settings{.source = {},
                              .hidden_size = config_.hidden_size,
                              .num_heads = config_.attention.num_heads,
                              .rotary_dim = config_.attention.rotary_dim(),
                              .decoupled = config_.attention.decoupled(),
                              .rope = config_.rope,
                              .pairing = config_.rope_pairing,
                              .table = std::nullopt};
    if (config_.position_encoding == "learned") {
      const Shape shape{config_.max_position_embeddings, config_.hidden_size};
      settings.table =
          PositionTable{weights_.floats("model.embed_positions.weight", shape), config_.hidden_size};
    }
    return settings;
  }

  Norm norm(const std::string& name, std::size_t size, float epsilon) {
    return Norm(weights_.vector(name, size), epsilon);
  }

  DecoderLayer build_layer(std::size_t index) {
    const std::string prefix = "model.layers." + std::to_string(index) + ".";
    DecoderLayer layer;
    layer.input_layernorm =
        norm(prefix + "input_layernorm.weight", config_.hidden_size, config_.rms_norm_eps);
    layer.attention = build_attention(prefix + "self_attn.");
    layer.post_attention_layernorm =
        norm(prefix + "post_attention_layernorm.weight", config_.hidden_size, config_.rms_norm_eps);
    if (config_.has_experts(index))
      layer.feed_forward = build_moe(prefix + "mlp.");
    else
      layer.feed_forward =
          std::make_unique<Mlp>(build_swiglu(prefix + "mlp.", config_.intermediate_size, config_.mlp_bias));
    return layer;
  }

  std::unique_ptr<Attention> build_attention(const std::string& prefix) {
    const MlaShape& shape = config_.attention;
    const std::size_t q_out = shape.num_heads * shape.qk_head_dim();
    const bool bias = config_.attention_bias;
    MlaWeights parts;
    if (config_.q_lora_rank) {
      const std::size_t rank = *config_.q_lora_rank;
      parts.compression =
          QueryCompression{weights_.linear(prefix + "q_a_proj", rank, config_.hidden_size, bias),
                           norm(prefix + "q_a_layernorm.weight", rank, kLatentNormEpsilon)};
      parts.q_proj = weights_.linear(prefix + "q_b_proj", q_out, rank);
    } else {
      parts.q_proj = weights_.linear(prefix + "q_proj", q_out, config_.hidden_size);
    }
    parts.kv_a_proj_with_mqa =
        weights_.linear(prefix + "kv_a_proj_with_mqa", shape.kv_lora_rank + shape.qk_rope_head_dim,
                        config_.hidden_size, bias);
    parts.kv_a_layernorm = norm(prefix + "kv_a_layernorm.weight", shape.kv_lora_rank, kLatentNormEpsilon);
    parts.kv_b_proj =
        weights_.linear(prefix + "kv_b_proj", shape.num_heads * (shape.qk_nope_head_dim + shape.v_head_dim),
                        shape.kv_lora_rank);
    parts.o_proj =
        weights_.linear(prefix + "o_proj", config_.hidden_size, shape.num_heads * shape.v_head_dim, bias);
    return std::make_unique<MlaAttention>(shape, std::move(parts));
  }

  SwiGlu build_swiglu(const std::string& prefix, std::size_t width, bool bias) {
    return {weights_.linear(prefix + "gate_proj", width, config_.hidden_size, bias),
            weights_.linear(prefix + "up_proj", width, config_.hidden_size, bias),
            weights_.linear(prefix + "down_proj", config_.hidden_size, width, bias)};
  }

  std::unique_ptr<FeedForward> build_moe(const std::string& prefix) {
    const RouterShape& shape = *config_.router;
    Linear gate = weights_.linear(prefix + "gate", shape.n_routed_experts, config_.hidden_size);
    std::vector<float> bias;
    if (shape.kind == RouterKind::sigmoid_noaux_tc)
      bias = weights_.vector(prefix + "gate.e_score_correction_bias", shape.n_routed_experts);
    std::vector<SwiGlu> experts = build_experts(prefix + "experts.", shape.n_routed_experts);
    std::optional<SwiGlu> shared;
    if (config_.n_shared_experts > 0)
      shared = build_swiglu(prefix + "shared_experts.",
                            config_.n_shared_experts * config_.moe_intermediate_size, config_.mlp_bias);
    return std::make_unique<Moe>(std::move(gate), Router(shape, std::move(bias)), std::move(experts),
                                 std::move(shared));
  }

  /// One tensor for each expert, as published, or all experts in one as transformers holds them in memory:
  /// gate_up_proj [experts, gate | up, hidden] and down_proj [experts, hidden, intermediate].
  std::vector<SwiGlu> build_experts(const std::string& prefix, std::size_t count) {
    const std::size_t width = config_.moe_intermediate_size;
    const std::size_t hidden = config_.hidden_size;
    std::vector<SwiGlu> experts;
    if (!weights_.has(prefix + "gate_up_proj")) {
      for (std::size_t expert = 0; expert < count; ++expert)
        experts.push_back(build_swiglu(prefix + std::to_string(expert) + ".", width, false));
      return experts;
    }
    const WeightView gate_up = weights_.matrix(prefix + "gate_up_proj", Shape{count, 2 * width, hidden});
    const WeightView down = weights_.matrix(prefix + "down_proj", Shape{count, hidden, width});
    for (std::size_t expert = 0; expert < count; ++expert)
      experts.push_back({Linear(gate_up.slice_rows(2 * expert * width, width)),
                         Linear(gate_up.slice_rows((2 * expert + 1) * width, width)),
                         Linear(down.slice_rows(expert * hidden, hidden))});
    return experts;
  }

  const DeepseekConfig& config_;
  WeightLoader weights_;
};

/// Multi-token-prediction modules are stored as layers behind the last one, told from ordinary layers by the
/// tensors that only they have; old files hold rotary tables.
bool may_be_left(std::string_view name, std::size_t num_hidden_layers, const Checkpoint& checkpoint) {
  constexpr std::string_view kLayers = "model.layers.";
  if (name.ends_with(".rotary_emb.inv_freq")) return true;
  if (!name.starts_with(kLayers)) return false;
  name.remove_prefix(kLayers.size());
  std::size_t layer = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), layer);
  if (error != std::errc() || end == name.data() + name.size() || *end != '.') return false;
  if (layer < num_hidden_layers) return false;
  const std::string prefix = std::string(kLayers) + std::to_string(layer);
  for (const char* own : {".eh_proj.weight", ".enorm.weight", ".hnorm.weight", ".shared_head.norm.weight"})
    if (checkpoint.find(prefix + own) != nullptr) return true;
  return false;
}

std::string describe_router(const RouterShape& router) {
  std::string text = router.kind == RouterKind::softmax_greedy          ? "softmax, greedy"
                     : router.kind == RouterKind::softmax_group_limited ? "softmax, group-limited greedy"
                                                                        : "sigmoid, noaux_tc";
  if (router.norm_topk_prob && router.kind == RouterKind::sigmoid_noaux_tc) text += ", normalized";
  return text;
}

/// What a forward pass takes from the arena for each row: the residual stream with its two companions,
/// queries, latents and heads' results of one layer, and the widest feed-forward block.
std::size_t activation_floats(const DeepseekConfig& config) {
  const MlaShape& shape = config.attention;
  const std::size_t attention = config.q_lora_rank.value_or(0) +
                                shape.num_heads * (shape.qk_head_dim() + shape.v_head_dim) +
                                shape.kv_lora_rank + shape.qk_rope_head_dim;
  std::size_t feed_forward = 2 * config.intermediate_size;
  if (config.router) {
    const std::size_t width = config.moe_intermediate_size;
    feed_forward =
        std::max(feed_forward, config.router->top_k * 2 * (config.hidden_size + width) +
                                   2 * config.n_shared_experts * width + config.router->n_routed_experts);
  }
  return 3 * config.hidden_size + std::max(attention, feed_forward);
}

void describe(const DeepseekConfig& config, const Decoder& decoder, std::size_t parameters, ModelInfo& info) {
  const MlaShape& shape = config.attention;
  const auto add = [&](const char* name, std::size_t value) {
    info.dimensions.emplace_back(name, static_cast<std::int64_t>(value));
  };
  add("vocab_size", config.vocab_size);
  add("hidden_size", config.hidden_size);
  add("num_hidden_layers", config.num_hidden_layers);
  add("num_attention_heads", shape.num_heads);
  if (config.q_lora_rank) add("q_lora_rank", *config.q_lora_rank);
  add("kv_lora_rank", shape.kv_lora_rank);
  add("qk_nope_head_dim", shape.qk_nope_head_dim);
  add("qk_rope_head_dim", shape.qk_rope_head_dim);
  add("v_head_dim", shape.v_head_dim);
  if (config.intermediate_size > 0) add("intermediate_size", config.intermediate_size);
  info.features.emplace_back("attention", "MLA, latent cache");
  info.trained_position_encoding = config.position_encoding;
  // A token looks up one row of the embedding; tied embeddings are multiplied by as a whole, as the output head.
  const bool tied = decoder.lm_head.weight().data.data == decoder.embed_tokens.data.data;
  info.active_parameters = tied ? parameters : parameters - (config.vocab_size - 1) * config.hidden_size;
  if (config.router) {
    add("first_k_dense_replace", config.first_k_dense_replace);
    add("n_routed_experts", config.router->n_routed_experts);
    add("num_experts_per_tok", config.router->top_k);
    add("n_shared_experts", config.n_shared_experts);
    add("moe_intermediate_size", config.moe_intermediate_size);
    add("n_group", config.router->n_group);
    add("topk_group", config.router->topk_group);
    info.features.emplace_back("router", describe_router(*config.router));
    const std::size_t unused_experts = config.router->n_routed_experts - config.router->top_k;
    const std::size_t moe_layers = config.num_hidden_layers - config.first_k_dense_replace;
    info.active_parameters -=
        moe_layers * unused_experts * 3 * config.hidden_size * config.moe_intermediate_size;
  }
  add("max_position_embeddings", config.max_position_embeddings);
  info.vocab_size = config.vocab_size;
  info.max_context = max_context(config.rope, config.max_position_embeddings);
  info.parameters = parameters;
  info.full_cache_bytes_per_token =
      config.num_hidden_layers * shape.num_heads * (shape.qk_head_dim() + shape.v_head_dim) * sizeof(float);
  info.activation_bytes_per_token = activation_floats(config) * sizeof(float);
  info.scratch_bytes_per_token =
      (mla_head_scratch(shape, info.max_context, 2) - mla_head_scratch(shape, info.max_context, 1)) *
      sizeof(float);
  info.ignored_config = config.ignored_keys;
}

}  // namespace

Decoder build_deepseek(const JsonField& config_json, const Checkpoint& checkpoint, ModelInfo& info) {
  const DeepseekConfig config = read_deepseek_config(config_json);
  Builder builder(config, checkpoint);
  Decoder decoder = builder.build();
  info.ignored_tensors = builder.weights().leftovers(
      [&](std::string_view name) { return may_be_left(name, config.num_hidden_layers, checkpoint); });
  describe(config, decoder, builder.weights().parameters(), info);
  return decoder;
}

}  // namespace mla
