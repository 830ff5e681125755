// Weight names: transformers' modeling_llama.py, modeling_mistral.py, modeling_qwen2.py and modeling_qwen3.py, and the
// published checkpoints.
#include "model/llama_family.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "model/config_reading.h"
#include "model/gqa_description.h"

namespace mla {
namespace {

class Builder {
 public:
  Builder(const LlamaConfig& config, const Checkpoint& checkpoint)
      : config_(config), weights_(checkpoint, config.fp8) {}

  Decoder build() {
    Decoder decoder;
    decoder.embed_tokens =
        weights_.matrix("model.embed_tokens.weight", Shape{config_.vocab_size, config_.hidden_size});
    if (config_.scale_embedding) decoder.embedding_scale = std::sqrt(static_cast<float>(config_.hidden_size));
    decoder.encoding = encoding_settings();
    for (std::size_t layer = 0; layer < config_.num_hidden_layers; ++layer)
      decoder.layers.push_back(build_layer(layer));
    decoder.norm = norm("model.norm.weight", config_.hidden_size);
    decoder.lm_head = weights_.output_head(decoder.embed_tokens, config_.tie_word_embeddings);
    return decoder;
  }

  const WeightLoader& weights() const { return weights_; }

 private:
  EncodingSettings encoding_settings() {
    EncodingSettings settings{.source = {},
                              .hidden_size = config_.hidden_size,
                              .num_heads = config_.attention.num_heads,
                              .rotary_dim = config_.attention.head_dim,
                              .decoupled = false,
                              .rope = config_.rope,
                              .pairing = config_.rope_pairing,
                              .table = std::nullopt};
    if (config_.position_encoding == "learned")
      settings.table = weights_.position_table(config_.max_position_embeddings, config_.hidden_size);
    return settings;
  }

  Norm norm(const std::string& name, std::size_t size) {
    return Norm(weights_.vector(name, size), config_.rms_norm_eps);
  }

  DecoderLayer build_layer(std::size_t index) {
    const std::string prefix = "model.layers." + std::to_string(index) + ".";
    DecoderLayer layer;
    layer.input_layernorm = norm(prefix + "input_layernorm.weight", config_.hidden_size);
    layer.attention = build_attention(prefix + "self_attn.", config_.window(index));
    layer.post_attention_layernorm = norm(prefix + "post_attention_layernorm.weight", config_.hidden_size);
    layer.feed_forward = std::make_unique<Mlp>(build_swiglu(prefix + "mlp."));
    return layer;
  }

  std::unique_ptr<Attention> build_attention(const std::string& prefix, std::optional<std::size_t> window) {
    GqaShape shape = config_.attention;
    shape.window = window;
    const std::size_t hidden = config_.hidden_size;
    GqaWeights parts;
    parts.q_proj = weights_.linear(prefix + "q_proj", shape.query_width(), hidden, config_.qkv_bias);
    parts.k_proj = weights_.linear(prefix + "k_proj", shape.key_value_width(), hidden, config_.qkv_bias);
    parts.v_proj = weights_.linear(prefix + "v_proj", shape.key_value_width(), hidden, config_.qkv_bias);
    parts.o_proj = weights_.linear(prefix + "o_proj", hidden, shape.query_width(), config_.o_bias);
    if (config_.qk_norm) {
      parts.q_norm = norm(prefix + "q_norm.weight", shape.head_dim);
      parts.k_norm = norm(prefix + "k_norm.weight", shape.head_dim);
    }
    return std::make_unique<GqaAttention>(shape, std::move(parts));
  }

  SwiGlu build_swiglu(const std::string& prefix) {
    const std::size_t width = config_.intermediate_size;
    return {weights_.linear(prefix + "gate_proj", width, config_.hidden_size, config_.mlp_bias),
            weights_.linear(prefix + "up_proj", width, config_.hidden_size, config_.mlp_bias),
            weights_.linear(prefix + "down_proj", config_.hidden_size, width, config_.mlp_bias)};
  }

  const LlamaConfig& config_;
  WeightLoader weights_;
};

/// What a forward pass takes from the arena for each row: the residual stream with its companions, and queries and
/// heads' results or the feed-forward block of one layer.
std::size_t activation_floats(const LlamaConfig& config) {
  return 4 * config.hidden_size + 2 * std::max(config.attention.query_width(), config.intermediate_size);
}

void describe(const LlamaConfig& config, const Decoder& decoder, std::size_t parameters, ModelInfo& info) {
  const GqaShape& shape = config.attention;
  const auto add = [&](const char* name, std::size_t value) {
    info.dimensions.emplace_back(name, static_cast<std::int64_t>(value));
  };
  add("vocab_size", config.vocab_size);
  add("hidden_size", config.hidden_size);
  add("num_hidden_layers", config.num_hidden_layers);
  add("num_attention_heads", shape.num_heads);
  add("num_key_value_heads", shape.num_key_value_heads);
  add("head_dim", shape.head_dim);
  add("intermediate_size", config.intermediate_size);
  add("max_position_embeddings", config.max_position_embeddings);
  std::vector<std::optional<std::size_t>> windows;
  for (std::size_t layer = 0; layer < config.num_hidden_layers; ++layer)
    windows.push_back(config.window(layer));
  std::string attention = describe_gqa(shape, windows);
  if (config.qk_norm) attention += ", queries and keys normalized";
  info.features.emplace_back("attention", attention);
  info.trained_position_encoding = config.position_encoding;
  info.vocab_size = config.vocab_size;
  info.max_context = max_context(config.rope, config.max_position_embeddings);
  info.parameters = parameters;
  info.active_parameters = parameters - decoder.resting_embeddings();
  info.activation_bytes_per_token = activation_floats(config) * sizeof(float);
  describe_gqa_memory(shape, windows, info);
  info.ignored_config = config.ignored_keys;
}

}  // namespace

Decoder build_llama_family(const LlamaConfig& config, const Checkpoint& checkpoint, ModelInfo& info) {
  Builder builder(config, checkpoint);
  Decoder decoder = builder.build();
  info.ignored_tensors = builder.weights().leftovers(  // Old files hold rotary tables.
      [](std::string_view name) { return name.ends_with(".rotary_emb.inv_freq"); });
  describe(config, decoder, builder.weights().parameters(), info);
  return decoder;
}

}  // namespace mla
