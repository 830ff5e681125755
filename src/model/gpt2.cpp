// Weight names: transformers' modeling_gpt2.py and the published checkpoint, whose names lack "transformer.".
#include "model/gpt2.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "mla/error.h"
#include "model/config_reading.h"
#include "model/gqa_description.h"
#include "model/weights.h"
#include "nn/gqa_attention.h"

namespace mla {
namespace {

GqaShape attention_shape(const Gpt2Config& config, std::size_t layer) {
  return {.num_heads = config.n_head,
          .num_key_value_heads = config.n_head,
          .head_dim = config.n_embd / config.n_head,
          .softmax_scale = config.softmax_scale(layer),
          .window = std::nullopt};
}

class Builder {
 public:
  Builder(const Gpt2Config& config, const Checkpoint& checkpoint)
      : config_(config), checkpoint_(checkpoint), weights_(checkpoint, {}) {
    if (weights_.has("transformer.wte.weight")) prefix_ = "transformer.";
  }

  Decoder build() {
    Decoder decoder;
    decoder.embed_tokens = weights_.matrix(prefix_ + "wte.weight", Shape{config_.vocab_size, config_.n_embd});
    decoder.encoding = encoding_settings();
    for (std::size_t layer = 0; layer < config_.n_layer; ++layer)
      decoder.layers.push_back(build_layer(layer));
    decoder.norm = norm(prefix_ + "ln_f");
    decoder.lm_head = weights_.output_head(decoder.embed_tokens, config_.tie_word_embeddings);
    return decoder;
  }

  const WeightLoader& weights() const { return weights_; }

 private:
  EncodingSettings encoding_settings() {
    EncodingSettings settings{.source = {},
                              .hidden_size = config_.n_embd,
                              .num_heads = config_.n_head,
                              .rotary_dim = config_.n_embd / config_.n_head,
                              .decoupled = false,
                              .rope = {},
                              .pairing = RopePairing::halves,
                              .table = std::nullopt};
    settings.rope.max_position_embeddings = config_.n_positions;
    const std::string name = prefix_ + "wpe.weight";
    if (config_.position_encoding == "learned" || weights_.has(name))
      settings.table =
          PositionTable{weights_.floats(name, Shape{config_.n_positions, config_.n_embd}), config_.n_embd};
    return settings;
  }

  Norm norm(const std::string& prefix) {
    return Norm::layer(weights_.vector(prefix + ".weight", config_.n_embd),
                       weights_.vector(prefix + ".bias", config_.n_embd), config_.layer_norm_epsilon);
  }

  DecoderLayer build_layer(std::size_t index) {
    const std::string prefix = prefix_ + "h." + std::to_string(index) + ".";
    const std::size_t width = config_.n_embd;
    DecoderLayer layer;
    layer.input_layernorm = norm(prefix + "ln_1");
    std::vector<Linear> qkv = linears(prefix + "attn.c_attn", width, width, 3);
    layer.attention = std::make_unique<GqaAttention>(
        attention_shape(config_, index),
        GqaWeights{.q_proj = std::move(qkv[0]),
                   .k_proj = std::move(qkv[1]),
                   .v_proj = std::move(qkv[2]),
                   .o_proj = linears(prefix + "attn.c_proj", width, width, 1).front(),
                   .q_norm = {},
                   .k_norm = {}});
    layer.post_attention_layernorm = norm(prefix + "ln_2");
    layer.feed_forward = std::make_unique<GeluMlp>(
        linears(prefix + "mlp.c_fc", width, config_.n_inner, 1).front(), config_.activation,
        linears(prefix + "mlp.c_proj", config_.n_inner, width, 1).front());
    return layer;
  }

  /// `parts` products of `out` features each that lie side by side in one matrix.
  std::vector<Linear> linears(const std::string& prefix, std::size_t in, std::size_t out, std::size_t parts) {
    const std::string name = prefix + ".weight";
    const WeightView weight =
        weights_.matrix(name, config_.conv1d_layout ? Shape{in, parts * out} : Shape{parts * out, in});
    const DTypeTraits& traits = dtype_traits(weight.data.dtype);
    if (config_.conv1d_layout && (weight.scale || traits.block_elements != 1)) {
      throw Error(
          ErrorCode::unsupported, checkpoint_.file_of(name), name,
          "found dtype " + std::string(traits.name) + " for a matrix [in, out], expected F32, F16 or BF16");
    }
    const std::vector<float> bias = weights_.vector(prefix + ".bias", parts * out);
    std::vector<Linear> result;
    for (std::size_t part = 0; part < parts; ++part) {
      const auto first = bias.begin() + static_cast<std::ptrdiff_t>(part * out);
      std::vector<float> own(first, first + static_cast<std::ptrdiff_t>(out));
      if (config_.conv1d_layout)
        result.push_back(Linear::input_major(weight, part * out, out, std::move(own)));
      else
        result.emplace_back(weight.slice_rows(part * out, out), std::move(own));
    }
    return result;
  }

  const Gpt2Config& config_;
  const Checkpoint& checkpoint_;
  WeightLoader weights_;
  std::string prefix_;
};

void describe(const Gpt2Config& config, const Decoder& decoder, std::size_t parameters, ModelInfo& info) {
  const auto add = [&](const char* name, std::size_t value) {
    info.dimensions.emplace_back(name, static_cast<std::int64_t>(value));
  };
  add("vocab_size", config.vocab_size);
  add("n_embd", config.n_embd);
  add("n_layer", config.n_layer);
  add("n_head", config.n_head);
  add("n_inner", config.n_inner);
  add("n_positions", config.n_positions);
  const GqaShape shape = attention_shape(config, 0);
  const std::vector<std::optional<std::size_t>> windows(config.n_layer);
  info.features.emplace_back("attention", describe_gqa(shape, windows));
  info.trained_position_encoding = config.position_encoding;
  info.vocab_size = config.vocab_size;
  info.max_context = config.n_positions;
  info.parameters = parameters;
  info.active_parameters = parameters - decoder.resting_embeddings();
  // The residual stream with its companions, and queries and heads' results or the feed-forward block.
  info.activation_bytes_per_token =
      (4 * config.n_embd + std::max(2 * config.n_embd, config.n_inner)) * sizeof(float);
  describe_gqa_memory(shape, windows, info);
  info.ignored_config = config.ignored_keys;
}

Activation read_activation(const JsonField& config) {
  const auto field = config.find("activation_function");
  if (!field) return Activation::gelu_tanh;
  const auto activation = activation_named(field->as_string());
  if (!activation)
    field->unsupported("found \"" + field->as_string() +
                       "\", expected gelu, gelu_new, gelu_pytorch_tanh or relu");
  return *activation;
}

}  // namespace

float Gpt2Config::softmax_scale(std::size_t layer) const {
  const std::size_t head = n_embd / n_head;
  double scale = 1.0;
  if (scale_attn_weights) scale /= std::sqrt(static_cast<double>(head));
  if (scale_attn_by_inverse_layer_idx) scale /= static_cast<double>(layer + 1);
  return static_cast<float>(scale);
}

Gpt2Config read_gpt2_config(const JsonField& config) {
  Gpt2Config result;
  result.vocab_size = read_size(config, "vocab_size");
  result.n_embd = read_size(config, "n_embd");
  result.n_layer = read_size(config, "n_layer");
  result.n_head = read_size(config, "n_head");
  result.n_positions = read_size(config, "n_positions");
  result.n_inner = read_size_or(config, "n_inner", 4 * result.n_embd);
  if (result.n_embd % result.n_head != 0)
    config.get("n_embd").fail("found " + std::to_string(result.n_embd) + ", expected a multiple of n_head (" +
                              std::to_string(result.n_head) + ")");
  result.activation = read_activation(config);
  result.layer_norm_epsilon = read_epsilon_or(config, "layer_norm_epsilon", result.layer_norm_epsilon);
  result.scale_attn_weights = read_bool_or(config, "scale_attn_weights", true);
  result.scale_attn_by_inverse_layer_idx = read_bool_or(config, "scale_attn_by_inverse_layer_idx", false);
  result.tie_word_embeddings = read_bool_or(config, "tie_word_embeddings", true);
  result.conv1d_layout = read_bool_or(config, "conv1d_layout", true);
  if (read_bool_or(config, "add_cross_attention", false))
    config.get("add_cross_attention").unsupported("found true, expected false");
  result.position_encoding = read_position_encoding(config, "learned");
  check_causal(config);
  check_dtype(config);
  result.ignored_keys =
      unread_keys(config, {"n_embd", "n_layer", "n_head", "n_positions", "n_inner", "activation_function",
                           "layer_norm_epsilon", "scale_attn_weights", "scale_attn_by_inverse_layer_idx",
                           "conv1d_layout", "add_cross_attention"});
  return result;
}

Decoder build_gpt2(const JsonField& config_json, const Checkpoint& checkpoint, ModelInfo& info) {
  const Gpt2Config config = read_gpt2_config(config_json);
  Builder builder(config, checkpoint);
  Decoder decoder = builder.build();
  info.ignored_tensors =
      builder.weights().leftovers([](std::string_view name) {  // Old files hold their masks.
        return name.ends_with(".attn.bias") || name.ends_with(".attn.masked_bias");
      });
  describe(config, decoder, builder.weights().parameters(), info);
  return decoder;
}

}  // namespace mla
