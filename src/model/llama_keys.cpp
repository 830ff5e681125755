#include <cmath>

#include "model/config_reading.h"
#include "model/llama_family.h"
#include "model/rope_config.h"

namespace mla {
namespace {

void read_head_shape(const JsonField& config, const LlamaKeys& keys, LlamaConfig& result) {
  GqaShape& shape = result.attention;
  shape.num_heads = read_size(config, "num_attention_heads");
  // Only Llama's default is a number of the same config; the others have one of their own, which is no size to guess.
  const bool absent = keys.key_value_heads_may_be_absent && !config.has("num_key_value_heads");
  shape.num_key_value_heads = absent || config.get("num_key_value_heads").json().is_null()
                                  ? shape.num_heads
                                  : read_size(config, "num_key_value_heads");
  if (shape.num_heads % shape.num_key_value_heads != 0) {
    config.get("num_key_value_heads")
        .fail("found " + std::to_string(shape.num_key_value_heads) +
              ", expected a divisor of num_attention_heads (" + std::to_string(shape.num_heads) + ")");
  }
  if (config.find("head_dim") || !keys.head_dim_may_be_absent) {
    shape.head_dim = read_size(config, "head_dim");
  } else {
    if (result.hidden_size % shape.num_heads != 0) {
      config.get("hidden_size")
          .fail("found " + std::to_string(result.hidden_size) +
                ", expected a multiple of num_attention_heads (" + std::to_string(shape.num_heads) +
                ") where head_dim is absent");
    }
    shape.head_dim = result.hidden_size / shape.num_heads;
  }
  shape.softmax_scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(shape.head_dim)));
}

void read_rotation(const JsonField& config, LlamaConfig& result) {
  const GqaShape& shape = result.attention;
  result.position_encoding = read_position_encoding(config, "rope");
  if (result.position_encoding == "rope" && shape.head_dim % 2 != 0) {
    config.get(config.find("head_dim") ? "head_dim" : "hidden_size")
        .fail("found heads of " + std::to_string(shape.head_dim) +
              " values, expected an even number for rope");
  }
  result.rope = read_rope_scaling(config, shape.head_dim, result.max_position_embeddings);
  // mla's own key: files that were converted for other programs have their heads' rows in this order.
  if (read_bool_or(config, "rope_interleave", false)) result.rope_pairing = RopePairing::interleaved;
}

std::vector<std::string> ignored_keys(const JsonField& config, std::set<std::string_view> own) {
  own.insert({"hidden_size", "num_hidden_layers", "max_position_embeddings", "intermediate_size",
              "rms_norm_eps", "num_attention_heads", "num_key_value_heads", "head_dim", "hidden_act",
              "scale_embedding", "rope_interleave", "rope_theta", "rope_scaling", "rope_parameters",
              "original_max_position_embeddings"});
  return unread_keys(config, own);
}

}  // namespace

std::optional<std::size_t> LlamaConfig::window(std::size_t layer) const {
  const bool has_it = layer_types.empty() ? layer >= first_window_layer : layer_types[layer];
  return has_it ? attention.window : std::nullopt;
}

LlamaConfig read_llama_keys(const JsonField& config, const LlamaKeys& keys) {
  LlamaConfig result;
  result.vocab_size = read_size(config, "vocab_size");
  result.hidden_size = read_size(config, "hidden_size");
  result.num_hidden_layers = read_size(config, "num_hidden_layers");
  result.max_position_embeddings = read_size(config, "max_position_embeddings");
  result.intermediate_size = read_size(config, "intermediate_size");
  result.rms_norm_eps = read_epsilon_or(config, "rms_norm_eps", result.rms_norm_eps);
  result.tie_word_embeddings = read_bool_or(config, "tie_word_embeddings", false);
  result.scale_embedding = read_bool_or(config, "scale_embedding", false);
  expect_text(config, "hidden_act", "silu");
  check_causal(config);
  check_dtype(config);
  read_head_shape(config, keys, result);
  read_rotation(config, result);
  result.fp8 = read_quantization(config);
  result.ignored_keys = ignored_keys(config, keys.own);
  return result;
}

bool read_layer_types(const JsonField& config, LlamaConfig& result) {
  const auto types = config.find("layer_types");
  if (!types) return false;
  if (types->array_size() != result.num_hidden_layers)
    types->fail("found " + std::to_string(types->array_size()) +
                " layers, expected num_hidden_layers = " + std::to_string(result.num_hidden_layers));
  for (std::size_t layer = 0; layer < result.num_hidden_layers; ++layer) {
    const JsonField type = types->element(layer);
    result.layer_types.push_back(type.as_string() == "sliding_attention");
    if (type.as_string() == "full_attention") continue;
    if (type.as_string() != "sliding_attention")
      type.unsupported("found \"" + type.as_string() + "\", expected full_attention or sliding_attention");
    if (!result.attention.window)
      type.fail("found sliding_attention without a sliding_window in use, expected full_attention");
  }
  return true;
}

void read_qwen_windows(const JsonField& config, LlamaConfig& result) {
  std::optional<std::size_t>& window = result.attention.window;
  if (read_bool_or(config, "use_sliding_window", false) && !config.get("sliding_window").json().is_null())
    window = read_size(config, "sliding_window");
  if (!read_layer_types(config, result) && window)
    result.first_window_layer = read_size(config, "max_window_layers", 0);
}

}  // namespace mla
