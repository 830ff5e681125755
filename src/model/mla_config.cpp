#include "model/mla_config.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "model/config_reading.h"
#include "model/rope_config.h"

namespace mla {
namespace {

/// The published configs know decoupled RoPE only; `position_encoding` names another one.
void read_encoding(const JsonField& config, MlaConfig& result) {
  constexpr std::string_view kDefault = "rope-decoupled";
  result.position_encoding = read_position_encoding(config, kDefault);
  const MlaShape& shape = result.attention;
  if (result.position_encoding == kDefault && !shape.decoupled())
    config.get("qk_rope_head_dim").fail("found 0, expected an even number of at least 2 for rope-decoupled");
  if (result.position_encoding == "rope" && shape.rotary_dim() % 2 != 0)
    config.get("qk_nope_head_dim")
        .fail("found " + std::to_string(shape.qk_nope_head_dim) + ", expected an even number for rope");
}

void read_attention(const JsonField& config, const MlaDefaults& defaults, MlaConfig& result) {
  MlaShape& shape = result.attention;
  shape.num_heads = read_size(config, "num_attention_heads");
  shape.kv_lora_rank = read_size(config, "kv_lora_rank");
  shape.qk_nope_head_dim = read_size(config, "qk_nope_head_dim");
  shape.qk_rope_head_dim = read_size(config, "qk_rope_head_dim", 0);
  shape.v_head_dim = defaults.v_head_dim_of_hidden && !config.has("v_head_dim")
                         ? result.hidden_size / shape.num_heads
                         : read_size(config, "v_head_dim");
  if (shape.v_head_dim == 0)
    config.get("num_attention_heads").fail("expected at most hidden_size where v_head_dim is not given");
  if (shape.qk_rope_head_dim % 2 != 0)
    config.get("qk_rope_head_dim")
        .fail("found " + std::to_string(shape.qk_rope_head_dim) + ", expected an even number");
  // The key must be there, as null or as a number: without it the reference would assume a number.
  if (!config.get("q_lora_rank").json().is_null()) result.q_lora_rank = read_size(config, "q_lora_rank");
  result.attention_bias = read_bool_or(config, "attention_bias", false);

  read_encoding(config, result);
  RopeDefaults rope{.theta = defaults.rope_theta,
                    .default_type_is_partial = defaults.default_type_is_partial,
                    .query_scaling = defaults.query_scaling};
  if (defaults.partial_rotary_factor)
    rope.partial_rotary_factor =
        static_cast<double>(shape.rotary_dim()) / static_cast<double>(shape.qk_head_dim());
  result.rope = read_rope_scaling(config, shape.rotary_dim(), result.max_position_embeddings, rope);
  shape.softmax_scale = static_cast<float>(rope_softmax_factor(result.rope) /
                                           std::sqrt(static_cast<double>(shape.qk_head_dim())));
}

void read_groups(const JsonField& config, RouterShape& router) {
  router.n_group = read_size(config, "n_group");
  router.topk_group = read_size(config, "topk_group");
  if (router.n_routed_experts % router.n_group != 0) {
    config.get("n_group").fail("found " + std::to_string(router.n_group) +
                               ", expected a divisor of n_routed_experts (" +
                               std::to_string(router.n_routed_experts) + ")");
  }
  if (router.topk_group > router.n_group) {
    config.get("topk_group")
        .fail("found " + std::to_string(router.topk_group) + ", expected at most n_group (" +
              std::to_string(router.n_group) + ")");
  }
  const std::size_t group_size = router.n_routed_experts / router.n_group;
  if (router.kind != RouterKind::softmax_group_limited && group_size < 2)
    config.get("n_group").fail("found " + std::to_string(router.n_group) +
                               ", expected groups of at least 2 experts");
  if (router.top_k > router.topk_group * group_size) {
    config.get("num_experts_per_tok")
        .fail("found " + std::to_string(router.top_k) + ", expected at most the " +
              std::to_string(router.topk_group * group_size) + " experts of topk_group groups");
  }
}

}  // namespace

bool ExpertLayers::has(std::size_t layer) const {
  if (!listed_.empty()) return listed_[layer];
  return layer >= first_ && layer < layers_ && (layer - first_) % step_ == 0;
}

std::size_t ExpertLayers::count() const {
  if (!listed_.empty()) return static_cast<std::size_t>(std::count(listed_.begin(), listed_.end(), true));
  return first_ < layers_ ? (layers_ - first_ + step_ - 1) / step_ : 0;
}

std::optional<std::size_t> ExpertLayers::dense_before() const {
  if (listed_.empty()) return step_ == 1 ? std::optional(first_) : std::nullopt;
  const auto first = std::find(listed_.begin(), listed_.end(), true);
  if (std::find(first, listed_.end(), false) != listed_.end()) return std::nullopt;
  return static_cast<std::size_t>(first - listed_.begin());
}

MlaConfig read_mla_config(const JsonField& config, const MlaDefaults& defaults) {
  MlaConfig result;
  result.vocab_size = read_size(config, "vocab_size");
  result.hidden_size = read_size(config, "hidden_size");
  result.max_position_embeddings = read_size(config, "max_position_embeddings");
  result.rms_norm_eps = read_epsilon_or(config, "rms_norm_eps", defaults.rms_norm_eps);
  result.tie_word_embeddings = read_bool_or(config, "tie_word_embeddings", defaults.tie_word_embeddings);
  expect_text(config, "hidden_act", "silu");
  check_causal(config);
  check_dtype(config);
  read_attention(config, defaults, result);
  result.fp8 = read_quantization(config);
  return result;
}

RopePairing read_rope_interleave(const JsonField& config) {
  return read_nullable_bool_or(config, "rope_interleave", true) ? RopePairing::interleaved
                                                                : RopePairing::halves;
}

void read_experts(const JsonField& config, const RouterDefaults& defaults, MlaConfig& result) {
  RouterShape router;
  router.kind = defaults.kind;
  router.n_routed_experts = read_size(config, "n_routed_experts");
  router.top_k = read_size(config, "num_experts_per_tok");
  if (router.top_k > router.n_routed_experts) {
    config.get("num_experts_per_tok")
        .fail("found " + std::to_string(router.top_k) + ", expected at most n_routed_experts (" +
              std::to_string(router.n_routed_experts) + ")");
  }
  if (has_groups(router.kind)) read_groups(config, router);
  router.norm_topk_prob = defaults.norm_topk_prob && read_nullable_bool_or(config, "norm_topk_prob", true);
  const auto scale = config.find("routed_scaling_factor");
  router.routed_scaling_factor =
      static_cast<float>(scale ? scale->as_number(-1e6, 1e6) : defaults.routed_scaling_factor);
  result.router = router;
  result.moe_intermediate_size = read_size(config, "moe_intermediate_size");
  result.n_shared_experts = read_size_or(config, "n_shared_experts", 0, 0);
}

ExpertLayers read_mlp_layer_types(const JsonField& config, std::size_t first, std::size_t layers) {
  const auto types = config.find("mlp_layer_types");
  if (!types) return {read_size_or(config, "first_k_dense_replace", first, 0), layers};
  if (types->array_size() != layers)
    types->fail("found " + std::to_string(types->array_size()) + " values, expected num_hidden_layers (" +
                std::to_string(layers) + ")");
  std::vector<bool> result;
  for (std::size_t layer = 0; layer < layers; ++layer) {
    const JsonField type = types->element(layer);
    if (type.as_string() != "dense" && type.as_string() != "sparse")
      type.unsupported("found \"" + type.as_string() + "\", expected \"dense\" or \"sparse\"");
    result.push_back(type.as_string() == "sparse");
  }
  return ExpertLayers(std::move(result));
}

std::vector<std::string> keys_not_read(const JsonField& config, const std::vector<std::string_view>& own) {
  std::set<std::string_view> read = {
      "hidden_size",      "max_position_embeddings", "rms_norm_eps",
      "hidden_act",       "num_attention_heads",     "kv_lora_rank",
      "qk_nope_head_dim", "qk_rope_head_dim",        "v_head_dim",
      "q_lora_rank",      "attention_bias",          "rope_theta",
      "rope_scaling",     "rope_parameters",         "original_max_position_embeddings"};
  read.insert(own.begin(), own.end());
  return unread_keys(config, read);
}

}  // namespace mla
