#include "model/mla_parts.h"

#include <charconv>
#include <optional>
#include <utility>

#include "model/mla_description.h"
#include "nn/moe.h"

namespace mla {
namespace {

// The norms of the compressed queries and of the latent have this epsilon, whatever rms_norm_eps is.
constexpr float kLatentNormEpsilon = 1e-6F;
// The same of an indexer's norm of keys.
constexpr float kIndexerNormEpsilon = 1e-6F;

}  // namespace

Decoder MlaParts::frame() {
  Decoder decoder;
  decoder.embed_tokens =
      weights_.matrix("model.embed_tokens.weight", Shape{config_.vocab_size, config_.hidden_size});
  decoder.embedding_scale = config_.embedding_scale;
  decoder.residual_scale = config_.residual_scale;
  decoder.logit_scale = config_.logit_scale;
  decoder.encoding = encoding_settings();
  decoder.norm = norm("model.norm.weight");
  decoder.lm_head = weights_.output_head(decoder.embed_tokens, config_.tie_word_embeddings);
  return decoder;
}

EncodingSettings MlaParts::encoding_settings() {
  EncodingSettings settings{.source = {},
                            .hidden_size = config_.hidden_size,
                            .num_heads = config_.attention.num_heads,
                            .rotary_dim = config_.attention.rotary_dim(),
                            .decoupled = config_.attention.decoupled(),
                            .rope = config_.rope,
                            .pairing = config_.rope_pairing,
                            .table = std::nullopt};
  if (config_.position_encoding == "learned")
    settings.table = weights_.position_table(config_.max_position_embeddings, config_.hidden_size);
  return settings;
}

DecoderLayer MlaParts::layer(std::size_t index) {
  const std::string prefix = "model.layers." + std::to_string(index) + ".";
  DecoderLayer layer;
  layer.input_layernorm = norm(prefix + "input_layernorm.weight");
  layer.attention = attention(prefix + "self_attn.");
  layer.post_attention_layernorm = norm(prefix + "post_attention_layernorm.weight");
  if (config_.has_experts(index))
    layer.feed_forward = moe(prefix + "mlp.");
  else
    layer.feed_forward =
        std::make_unique<Mlp>(swiglu(prefix + "mlp.", config_.intermediate_size, config_.mlp_bias));
  return layer;
}

Norm MlaParts::norm(const std::string& name) {
  return Norm(weights_.vector(name, config_.hidden_size), config_.rms_norm_eps);
}

Norm MlaParts::latent_norm(const std::string& name, std::size_t size, float scale) {
  std::vector<float> weight = weights_.vector(name, size);
  for (float& value : weight) value *= scale;
  return Norm(std::move(weight), kLatentNormEpsilon);
}

MlaWeights MlaParts::attention_weights(const std::string& prefix) {
  const MlaShape& shape = config_.attention;
  const std::size_t q_out = shape.num_heads * shape.qk_head_dim();
  const bool bias = config_.attention_bias;
  MlaWeights parts;
  if (config_.q_lora_rank) {
    const std::size_t rank = *config_.q_lora_rank;
    parts.compression =
        QueryCompression{weights_.linear(prefix + "q_a_proj", rank, config_.hidden_size, bias),
                         latent_norm(prefix + "q_a_layernorm.weight", rank, config_.query_latent_scale)};
    parts.q_proj = weights_.linear(prefix + "q_b_proj", q_out, rank);
  } else {
    parts.q_proj = weights_.linear(prefix + "q_proj", q_out, config_.hidden_size);
  }
  parts.kv_a_proj_with_mqa = weights_.linear(
      prefix + "kv_a_proj_with_mqa", shape.kv_lora_rank + shape.qk_rope_head_dim, config_.hidden_size, bias);
  parts.kv_a_layernorm =
      latent_norm(prefix + "kv_a_layernorm.weight", shape.kv_lora_rank, config_.latent_scale);
  take_kv_b(prefix, parts);
  parts.o_proj =
      weights_.linear(prefix + "o_proj", config_.hidden_size, shape.num_heads * shape.v_head_dim, bias);
  if (config_.indexer) parts.indexer = indexer(prefix + "indexer.");
  return parts;
}

/// kv_b_proj, or what a GGUF file has in its place.
void MlaParts::take_kv_b(const std::string& prefix, MlaWeights& parts) {
  const MlaShape& shape = config_.attention;
  if (!weights_.has(prefix + "k_b_proj.weight")) {
    const std::size_t up = shape.num_heads * (shape.qk_nope_head_dim + shape.v_head_dim);
    parts.kv_b_proj = weights_.linear(prefix + "kv_b_proj", up, shape.kv_lora_rank);
    return;
  }
  parts.split_kv_b =
      SplitKvUp{weights_.matrix(prefix + "k_b_proj.weight",
                                Shape{shape.num_heads, shape.kv_lora_rank, shape.qk_nope_head_dim}),
                weights_.matrix(prefix + "v_b_proj.weight",
                                Shape{shape.num_heads, shape.v_head_dim, shape.kv_lora_rank})};
}

Indexer MlaParts::indexer(const std::string& prefix) {
  const IndexerShape& shape = *config_.indexer;
  return Indexer(
      shape,
      {.wq_b = weights_.linear(prefix + "wq_b", shape.num_heads * shape.head_dim, *config_.q_lora_rank),
       .wk = weights_.linear(prefix + "wk", shape.head_dim, config_.hidden_size),
       .k_norm = Norm::layer(weights_.vector(prefix + "k_norm.weight", shape.head_dim),
                             weights_.vector(prefix + "k_norm.bias", shape.head_dim), kIndexerNormEpsilon),
       .weights_proj = weights_.linear(prefix + "weights_proj", shape.num_heads, config_.hidden_size)});
}

std::unique_ptr<Attention> MlaParts::attention(const std::string& prefix) {
  return std::make_unique<MlaAttention>(config_.attention, attention_weights(prefix));
}

SwiGlu MlaParts::swiglu(const std::string& prefix, std::size_t width, bool bias) {
  return {weights_.linear(prefix + "gate_proj", width, config_.hidden_size, bias),
          weights_.linear(prefix + "up_proj", width, config_.hidden_size, bias),
          weights_.linear(prefix + "down_proj", config_.hidden_size, width, bias)};
}

std::unique_ptr<FeedForward> MlaParts::moe(const std::string& prefix, const std::string& router,
                                           const std::string& correction_bias) {
  const RouterShape& shape = *config_.router;
  Linear gate = weights_.linear(prefix + router, shape.n_routed_experts, config_.hidden_size);
  std::vector<float> bias;
  if (has_correction_bias(shape.kind))
    bias = weights_.vector(prefix + correction_bias, shape.n_routed_experts);
  std::vector<SwiGlu> routed = experts(prefix + "experts.", shape.n_routed_experts - config_.zero_experts);
  std::optional<SwiGlu> shared;
  if (config_.n_shared_experts > 0)
    shared = swiglu(prefix + "shared_experts.", config_.n_shared_experts * config_.moe_intermediate_size,
                    config_.mlp_bias);
  return std::make_unique<Moe>(std::move(gate), Router(shape, std::move(bias)), std::move(routed),
                               std::move(shared));
}

/// One tensor for each expert, as published, or all experts in one: as transformers holds them in memory,
/// gate_up_proj [experts, gate | up, hidden], with a place for zero experts too, and down_proj [experts, hidden,
/// intermediate], or as GGUF files do, with gate_proj and up_proj [experts, intermediate, hidden] instead of the first.
std::vector<SwiGlu> MlaParts::experts(const std::string& prefix, std::size_t count) {
  const std::size_t width = config_.moe_intermediate_size;
  const std::size_t hidden = config_.hidden_size;
  std::vector<SwiGlu> result;
  const bool apart = weights_.has(prefix + "gate_proj");
  if (!apart && !weights_.has(prefix + "gate_up_proj")) {
    for (std::size_t expert = 0; expert < count; ++expert)
      result.push_back(swiglu(prefix + std::to_string(expert) + ".", width, false));
    return result;
  }
  const WeightView down = weights_.matrix(prefix + "down_proj", Shape{count, hidden, width});
  if (apart) {
    const WeightView gate = weights_.matrix(prefix + "gate_proj", Shape{count, width, hidden});
    const WeightView up = weights_.matrix(prefix + "up_proj", Shape{count, width, hidden});
    for (std::size_t expert = 0; expert < count; ++expert) {
      result.push_back({Linear(gate.slice_rows(expert * width, width)),
                        Linear(up.slice_rows(expert * width, width)),
                        Linear(down.slice_rows(expert * hidden, hidden))});
    }
    return result;
  }
  const WeightView gate_up =
      weights_.matrix(prefix + "gate_up_proj", Shape{count + config_.zero_experts, 2 * width, hidden});
  unused_parameters_ += config_.zero_experts * 2 * width * hidden;
  for (std::size_t expert = 0; expert < count; ++expert) {
    result.push_back({Linear(gate_up.slice_rows(2 * expert * width, width)),
                      Linear(gate_up.slice_rows((2 * expert + 1) * width, width)),
                      Linear(down.slice_rows(expert * hidden, hidden))});
  }
  return result;
}

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

Decoder build_mla(const MlaConfig& config, const Checkpoint& checkpoint, ModelInfo& info) {
  MlaParts parts(config, checkpoint);
  Decoder decoder = parts.frame();
  for (std::size_t layer = 0; layer < config.num_hidden_layers; ++layer)
    decoder.layers.push_back(parts.layer(layer));
  info.ignored_tensors = parts.weights().leftovers(
      [&](std::string_view name) { return may_be_left(name, config.num_hidden_layers, checkpoint); });
  describe_mla(config, decoder, parts.parameters(), info);
  return decoder;
}

}  // namespace mla
