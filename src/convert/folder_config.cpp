// config.json to metadata. The keys, and which of them an architecture needs, are those of convert_hf_to_gguf.py and of
// the loaders in src/models/ of https://github.com/ggml-org/llama.cpp.
#include <algorithm>
#include <array>
#include <cmath>

#include "convert/folder.h"
#include "mla/error.h"
#include "model/deepseek_config.h"
#include "model/gpt2.h"
#include "model/llama_family.h"
#include "model/minicpm3.h"

namespace mla {
namespace {

/// "GGUF's llama has no form for ..."
std::string no_form(const ArchitectureKeys& keys, const std::string& what) {
  return "found " + what + ", for which GGUF's " + keys.architecture() + " has no form";
}

[[noreturn]] void refuse(const JsonField& config, const ArchitectureKeys& keys, const std::string& key,
                         const std::string& what) {
  throw Error(ErrorCode::unsupported, config.file(), key, no_form(keys, what));
}

void check_encoding(const JsonField& config, const ArchitectureKeys& keys, const std::string& encoding,
                    std::string_view expected, bool scales_embedding) {
  if (encoding != expected) refuse(config, keys, "position_encoding", "\"" + encoding + "\"");
  if (scales_embedding) refuse(config, keys, "scale_embedding", "true");
}

/// Where the config has its rotary parameters, for errors.
std::string rope_place(const JsonField& config) {
  return config.has("rope_scaling") ? "rope_scaling" : "rope_parameters";
}

void describe_yarn(const JsonField& config, const RopeScaling& rope, ArchitectureKeys& keys) {
  if (!rope.truncate) refuse(config, keys, rope_place(config) + ".truncate", "false");
  keys.add_text("rope.scaling.type", "yarn");
  keys.add_number("rope.scaling.factor", rope.factor);
  keys.add_size("rope.scaling.original_context_length", rope.original_max_position_embeddings);
  if (rope.attention_factor) keys.add_number("rope.scaling.yarn_attn_factor", *rope.attention_factor);
  keys.add_number("rope.scaling.yarn_beta_fast", rope.beta_fast);
  keys.add_number("rope.scaling.yarn_beta_slow", rope.beta_slow);
}

/// What Llama 3.1 divides the frequencies by, as a tensor.
std::vector<float> llama3_factors(const RopeScaling& rope, std::size_t dim) {
  RopeScaling plain = rope;
  plain.type = RopeType::standard;
  const std::vector<float> from = rope_inverse_frequencies(plain, dim, 1);
  const std::vector<float> to = rope_inverse_frequencies(rope, dim, 1);
  std::vector<float> factors(from.size());
  for (std::size_t i = 0; i < from.size(); ++i) factors[i] = from[i] / to[i];
  return factors;
}

/// Rotary scaling of Llama and its relatives.
void describe_rope(const JsonField& config, const RopeScaling& rope, std::size_t dim, ArchitectureKeys& keys,
                   FolderModel& model) {
  keys.add_size("rope.dimension_count", dim);
  keys.add_number("rope.freq_base", rope.theta);
  switch (rope.type) {
    case RopeType::standard:
      return;
    case RopeType::linear:
      keys.add_text("rope.scaling.type", "linear");
      keys.add_number("rope.scaling.factor", rope.factor);
      return;
    case RopeType::yarn:
      if (rope.mscale != 0.0 || rope.mscale_all_dim != 0.0)
        refuse(config, keys, rope_place(config) + ".mscale", "it");
      return describe_yarn(config, rope, keys);
    case RopeType::llama3:
      if (keys.architecture() != "llama") break;
      model.rope_factors.emplace_back("rope_freqs.weight", llama3_factors(rope, dim));
      return;
    default:
      break;
  }
  refuse(config, keys, rope_place(config) + ".rope_type",
         std::string("\"").append(name_of(rope.type)).append("\""));
}

/// Mistral has one window in all layers, which mla reads again; llama.cpp looks at everything.
void describe_window(const JsonField& config, const LlamaConfig& read, ArchitectureKeys& keys) {
  std::size_t with_window = 0;
  for (std::size_t layer = 0; layer < read.num_hidden_layers; ++layer)
    if (read.window(layer)) ++with_window;
  if (with_window == 0) return;
  const std::size_t window = *read.attention.window;
  if (window >= read.max_position_embeddings) return;  // It never hides anything.
  if (keys.architecture() != "llama" || with_window != read.num_hidden_layers)
    refuse(config, keys, "sliding_window", std::to_string(window));
  keys.add_size("attention.sliding_window", window);
}

FolderModel describe_llama(const JsonField& config, const LlamaConfig& read, ArchitectureKeys& keys) {
  check_encoding(config, keys, read.position_encoding, "rope", read.scale_embedding);
  const GqaShape& shape = read.attention;
  const bool is_llama = keys.architecture() == "llama";
  if (!is_llama && read.rope_pairing != RopePairing::halves) refuse(config, keys, "rope_interleave", "true");
  if (keys.architecture() == "qwen2" && shape.query_width() != read.hidden_size)
    refuse(config, keys, "head_dim", std::to_string(shape.head_dim));
  if (!is_llama && read.o_bias) refuse(config, keys, "attention_bias", "true");
  if (!is_llama && read.mlp_bias) refuse(config, keys, "mlp_bias", "true");
  FolderModel model{.architecture = keys.architecture(),
                    .layers = read.num_hidden_layers,
                    .vocab_size = read.vocab_size,
                    .tied = read.tie_word_embeddings,
                    .fp8 = read.fp8,
                    .heads = shape.num_heads,
                    .key_value_heads = shape.num_key_value_heads,
                    .head_dim = shape.head_dim,
                    .latent = {},
                    .pairing = is_llama ? read.rope_pairing : RopePairing::interleaved,
                    .rope_factors = {}};
  keys.add_size("block_count", read.num_hidden_layers);
  keys.add_size("context_length", read.max_position_embeddings);
  keys.add_size("embedding_length", read.hidden_size);
  keys.add_size("feed_forward_length", read.intermediate_size);
  keys.add_size("attention.head_count", shape.num_heads);
  keys.add_size("attention.head_count_kv", shape.num_key_value_heads);
  keys.add_size("attention.key_length", shape.head_dim);
  keys.add_size("attention.value_length", shape.head_dim);
  keys.add_number("attention.layer_norm_rms_epsilon", double{read.rms_norm_eps});
  keys.add_size("vocab_size", read.vocab_size);
  describe_window(config, read, keys);
  describe_rope(config, read.rope, shape.head_dim, keys, model);
  return model;
}

FolderModel describe_gpt2(const JsonField& config, ArchitectureKeys& keys) {
  const Gpt2Config read = read_gpt2_config(config);
  check_encoding(config, keys, read.position_encoding, "learned", false);
  if (read.activation != Activation::gelu_tanh)
    refuse(config, keys, "activation_function", "another than gelu_new");
  if (!read.scale_attn_weights) refuse(config, keys, "scale_attn_weights", "false");
  if (read.scale_attn_by_inverse_layer_idx) refuse(config, keys, "scale_attn_by_inverse_layer_idx", "true");
  keys.add_size("block_count", read.n_layer);
  keys.add_size("context_length", read.n_positions);
  keys.add_size("embedding_length", read.n_embd);
  keys.add_size("feed_forward_length", read.n_inner);
  keys.add_size("attention.head_count", read.n_head);
  keys.add_number("attention.layer_norm_epsilon", double{read.layer_norm_epsilon});
  keys.add_size("vocab_size", read.vocab_size);
  return {.architecture = keys.architecture(),
          .layers = read.n_layer,
          .vocab_size = read.vocab_size,
          .tied = read.tie_word_embeddings,
          .fp8 = {},
          .heads = read.n_head,
          .key_value_heads = read.n_head,
          .latent = {},
          .input_major = read.conv1d_layout,
          .rope_factors = {}};
}

/// What deepseek2 and minicpm3 have in common.
FolderModel describe_latent(const JsonField& config, const MlaConfig& read, ArchitectureKeys& keys) {
  check_encoding(config, keys, read.position_encoding, "rope-decoupled", false);
  if (read.attention_bias) refuse(config, keys, "attention_bias", "true");
  if (read.mlp_bias) refuse(config, keys, "mlp_bias", "true");
  if (!read.attention.decoupled()) refuse(config, keys, "qk_rope_head_dim", "0");
  if (read.query_latent_scale != 1.0F || read.latent_scale != 1.0F)
    refuse(config, keys, "mla_scale_q_lora", "scales of the latents");
  if (read.rope.query_scaling_beta != 0.0)
    refuse(config, keys, rope_place(config) + ".llama_4_scaling_beta", "it");
  keys.add_size("block_count", read.num_hidden_layers);
  keys.add_size("context_length", read.max_position_embeddings);
  keys.add_size("embedding_length", read.hidden_size);
  keys.add_size("attention.head_count", read.attention.num_heads);
  keys.add_number("attention.layer_norm_rms_epsilon", double{read.rms_norm_eps});
  keys.add_size("attention.kv_lora_rank", read.attention.kv_lora_rank);
  keys.add_size("vocab_size", read.vocab_size);
  keys.add_size("rope.dimension_count", read.attention.qk_rope_head_dim);
  keys.add_number("rope.freq_base", read.rope.theta);
  return {.architecture = keys.architecture(),
          .layers = read.num_hidden_layers,
          .vocab_size = read.vocab_size,
          .experts = read.router ? read.router->n_routed_experts : 0,
          .tied = read.tie_word_embeddings,
          .fp8 = read.fp8,
          .heads = read.attention.num_heads,
          .key_value_heads = read.attention.num_heads,
          .latent = read.attention,
          .rope_factors = {}};
}

void describe_deepseek_rope(const JsonField& config, const RopeScaling& rope, ArchitectureKeys& keys) {
  if (rope.type == RopeType::standard) return;
  const std::string place = rope_place(config);
  if (rope.type != RopeType::yarn)
    refuse(config, keys, place + ".rope_type", std::string("\"").append(name_of(rope.type)).append("\""));
  // llama.cpp's deepseek2 knows one number: cosine and sine by 1, the softmax scale by m(mscale_all_dim)^2.
  if (rope.mscale_all_dim == 0.0 || rope.mscale != rope.mscale_all_dim || rope.attention_factor)
    refuse(config, keys, place + ".mscale", "another value than mscale_all_dim, or an attention_factor");
  describe_yarn(config, rope, keys);
  keys.add_number("rope.scaling.yarn_log_multiplier", 0.1 * rope.mscale_all_dim);
}

void describe_experts(const JsonField& config, const MlaConfig& read, ArchitectureKeys& keys) {
  const std::size_t layers = read.num_hidden_layers;
  std::size_t dense = 0;
  while (dense < layers && !read.has_experts(dense)) ++dense;
  for (std::size_t layer = dense; layer < layers; ++layer)
    if (!read.has_experts(layer))
      refuse(config, keys, "mlp_layer_types", "a dense layer behind one with experts");
  keys.add_size("leading_dense_block_count", dense);
  keys.add_size("feed_forward_length", dense > 0 ? read.intermediate_size : read.moe_intermediate_size);
  // Asked for even where there are none.
  keys.add_size("expert_feed_forward_length",
                dense < layers ? read.moe_intermediate_size : read.intermediate_size);
  keys.add_size("expert_shared_count", dense < layers ? read.n_shared_experts : 0);
  if (dense == layers) return;
  if (read.n_shared_experts == 0) refuse(config, keys, "n_shared_experts", "0");
  if (read.zero_experts > 0) refuse(config, keys, "zero_expert_num", std::to_string(read.zero_experts));
  const RouterShape& router = *read.router;
  const bool sigmoid = router.kind == RouterKind::sigmoid_noaux_tc;
  keys.add_size("expert_count", router.n_routed_experts);
  keys.add_size("expert_used_count", router.top_k);
  if (router.kind != RouterKind::softmax_greedy) {
    keys.add_size("expert_group_count", router.n_group);
    keys.add_size("expert_group_used_count", router.topk_group);
  }
  constexpr std::size_t kSoftmax = 1;
  constexpr std::size_t kSigmoid = 2;
  keys.add_size("expert_gating_func", sigmoid ? kSigmoid : kSoftmax);
  keys.add_number("expert_weights_scale", double{router.routed_scaling_factor});
  if (router.norm_topk_prob) keys.add_bool("expert_weights_norm", true);
}

FolderModel describe_deepseek(const JsonField& config, ArchitectureKeys& keys) {
  const MlaConfig read = read_deepseek_config(config);
  FolderModel model = describe_latent(config, read, keys);
  if (read.embedding_scale != 1.0F) refuse(config, keys, "scale_embedding", "true");
  model.pairing = read.rope_pairing;
  const MlaShape& shape = read.attention;
  // The heads as the absorbed form sees them: one key, the latent with its rotary part.
  keys.add_size("attention.head_count_kv", 1);
  keys.add_size("attention.key_length", shape.kv_lora_rank + shape.qk_rope_head_dim);
  keys.add_size("attention.value_length", shape.kv_lora_rank);
  keys.add_size("attention.key_length_mla", shape.qk_head_dim());
  keys.add_size("attention.value_length_mla", shape.v_head_dim);
  // llama.cpp takes models of 26 and 27 layers for the lite ones, which have none; others must say so.
  constexpr std::array<std::size_t, 2> kLite = {26, 27};
  const bool is_lite = std::find(kLite.begin(), kLite.end(), read.num_hidden_layers) != kLite.end();
  if (read.q_lora_rank || !is_lite) keys.add_size("attention.q_lora_rank", read.q_lora_rank.value_or(0));
  describe_experts(config, read, keys);
  describe_deepseek_rope(config, read.rope, keys);
  return model;
}

void describe_longrope(const JsonField& config, const RopeScaling& rope, ArchitectureKeys& keys,
                       FolderModel& model) {
  if (rope.type == RopeType::standard) return;
  if (rope.type != RopeType::longrope)
    refuse(config, keys, rope_place(config) + ".rope_type",
           std::string("\"").append(name_of(rope.type)).append("\""));
  keys.add_text("rope.scaling.type", "longrope");
  keys.add_size("rope.scaling.original_context_length", rope.original_max_position_embeddings);
  keys.add_number("rope.scaling.attn_factor", rope_attention_factor(rope));
  const auto floats = [](const std::vector<double>& values) {
    std::vector<float> result;
    for (const double value : values) result.push_back(static_cast<float>(value));
    return result;
  };
  model.rope_factors.emplace_back("rope_factors_long.weight", floats(rope.long_factor));
  model.rope_factors.emplace_back("rope_factors_short.weight", floats(rope.short_factor));
}

FolderModel describe_minicpm3(const JsonField& config, ArchitectureKeys& keys) {
  const MlaConfig read = read_minicpm3_config(config);
  FolderModel model = describe_latent(config, read, keys);
  // These are no metadata but constants of the architecture (src/models/minicpm3.cpp).
  const auto check = [&](const char* key, float found, double expected) {
    if (found != static_cast<float>(expected)) refuse(config, keys, key, "another value than MiniCPM3-4B's");
  };
  check("scale_emb", read.embedding_scale, 12.0);
  check("scale_depth", read.residual_scale, 1.4 / std::sqrt(static_cast<double>(read.num_hidden_layers)));
  check("dim_model_base", read.logit_scale, 256.0 / static_cast<double>(read.hidden_size));
  if (!read.q_lora_rank) refuse(config, keys, "q_lora_rank", "null");
  keys.add_size("feed_forward_length", read.intermediate_size);
  keys.add_size("attention.head_count_kv", read.attention.num_heads);
  keys.add_size("attention.q_lora_rank", *read.q_lora_rank);
  keys.add_size("attention.key_length", read.attention.qk_head_dim());
  keys.add_size("attention.value_length", read.attention.v_head_dim);
  describe_longrope(config, read.rope, keys, model);
  return model;
}

}  // namespace

void ArchitectureKeys::add_size(std::string_view key, std::size_t value) {
  metadata_.add_uint32(full(key), static_cast<std::uint32_t>(value));
}

void ArchitectureKeys::add_number(std::string_view key, double value) {
  metadata_.add_float32(full(key), static_cast<float>(value));
}

void ArchitectureKeys::add_bool(std::string_view key, bool value) {
  metadata_.add_bool(full(key), value);
}

void ArchitectureKeys::add_text(std::string_view key, std::string_view value) {
  metadata_.add_string(full(key), value);
}

FolderModel describe_architecture(const ModelSource& source, GgufMetadata& metadata) {
  const JsonField config(source.config, source.config_file);
  const JsonField type_field = config.get("model_type");
  const std::string& type = type_field.as_string();
  const auto keys = [&](const char* architecture) { return ArchitectureKeys(metadata, architecture); };
  if (type == "deepseek_v2" || type == "deepseek_v3" || type == "kimi_k2") {
    ArchitectureKeys deepseek = keys("deepseek2");
    return describe_deepseek(config, deepseek);
  }
  if (type == "minicpm3") {
    ArchitectureKeys minicpm = keys("minicpm3");
    return describe_minicpm3(config, minicpm);
  }
  if (type == "gpt2") {
    ArchitectureKeys gpt2 = keys("gpt2");
    return describe_gpt2(config, gpt2);
  }
  if (type == "qwen2" || type == "qwen3") {
    ArchitectureKeys qwen = keys(type.c_str());
    return describe_llama(config, type == "qwen2" ? read_qwen2_config(config) : read_qwen3_config(config),
                          qwen);
  }
  if (type == "llama" || type == "mistral" || type == "ministral") {
    ArchitectureKeys llama = keys("llama");
    return describe_llama(config, type == "llama" ? read_llama_config(config) : read_mistral_config(config),
                          llama);
  }
  type_field.unsupported(
      "found \"" + type +
      "\", expected a family mla can write as GGUF: deepseek_v2, deepseek_v3, kimi_k2, minicpm3, "
      "gpt2, llama, mistral, ministral, qwen2 or qwen3");
}

}  // namespace mla
