// A dense MLA model with muP's scales (Hu et al. 2024, MiniCPM, section 3.1): transformers'
// configuration_minicpm3.py and modeling_minicpm3.py. Its differences to DeepSeek:
//   rotary pairs are (i, i + d/2)
//   scale_emb        embeddings are multiplied by it
//   scale_depth      blocks' results are multiplied by scale_depth / sqrt(num_hidden_layers); null: not at all
//   dim_model_base   the normalized stream is divided by hidden_size / dim_model_base; null: not at all
//   v_head_dim       may be absent: hidden_size / num_attention_heads
//   mlp_bias         biases of the MLP
// Weight names are DeepSeek's.
#include "model/minicpm3.h"

#include <cmath>

#include "model/config_reading.h"
#include "model/mla_parts.h"

namespace mla {
namespace {

constexpr double kGreatestScale = 1e6;

float read_residual_scale(const JsonField& config, std::size_t layers) {
  if (config.json().contains("scale_depth") && !config.has("scale_depth")) return 1.0F;
  const auto depth = config.find("scale_depth");
  const double scale = depth ? depth->as_number(-kGreatestScale, kGreatestScale) : 1.4;
  return static_cast<float>(scale / std::sqrt(static_cast<double>(layers)));
}

float read_logit_scale(const JsonField& config, std::size_t hidden_size) {
  if (config.json().contains("dim_model_base") && !config.has("dim_model_base")) return 1.0F;
  const double base = static_cast<double>(read_size_or(config, "dim_model_base", 256));
  return static_cast<float>(base / static_cast<double>(hidden_size));
}

}  // namespace

MlaConfig read_minicpm3_config(const JsonField& config) {
  MlaConfig result = read_mla_config(
      config, {.rms_norm_eps = 1e-5F, .tie_word_embeddings = true, .v_head_dim_of_hidden = true});
  result.num_hidden_layers = read_size(config, "num_hidden_layers");
  result.intermediate_size = read_size(config, "intermediate_size");
  result.rope_pairing = RopePairing::halves;
  result.mlp_bias = read_bool_or(config, "mlp_bias", false);
  const auto embedding_scale = config.find("scale_emb");
  result.embedding_scale = static_cast<float>(
      embedding_scale ? embedding_scale->as_number(-kGreatestScale, kGreatestScale) : 12.0);
  result.residual_scale = read_residual_scale(config, result.num_hidden_layers);
  result.logit_scale = read_logit_scale(config, result.hidden_size);
  result.ignored_keys = keys_not_read(config, {"num_hidden_layers", "intermediate_size", "mlp_bias",
                                               "scale_emb", "scale_depth", "dim_model_base"});
  return result;
}

Decoder build_minicpm3(const JsonField& config, const Checkpoint& checkpoint, ModelInfo& info) {
  return build_mla(read_minicpm3_config(config), checkpoint, info);
}

}  // namespace mla
