// From a checkpoint's tensors to the parts of a model with latent attention.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "formats/checkpoint.h"
#include "mla/model.h"
#include "model/decoder.h"
#include "model/mla_config.h"
#include "model/weights.h"
#include "nn/mla_attention.h"

namespace mla {

/// Weight names and layout: transformers' modeling_deepseek_v3.py and the published checkpoints
/// (https://huggingface.co/deepseek-ai). A family whose layers are others puts them together from the parts. The
/// config must outlive the object.
class MlaParts {
 public:
  MlaParts(const MlaConfig& config, const Checkpoint& checkpoint)
      : config_(config), weights_(checkpoint, config.fp8) {}

  /// All but the layers: embedding, scales, what the encoding needs, final norm, output head.
  Decoder frame();

  /// Norms, attention and the feed-forward block of `model.layers.<index>.`
  DecoderLayer layer(std::size_t index);

  /// A norm of the residual stream, with rms_norm_eps.
  Norm norm(const std::string& name);
  /// The weights of an attention block, `prefix` up to and including the dot.
  MlaWeights attention_weights(const std::string& prefix);
  std::unique_ptr<Attention> attention(const std::string& prefix);
  /// gate_proj, up_proj and down_proj.
  SwiGlu swiglu(const std::string& prefix, std::size_t width, bool bias);
  /// `router` + ".weight", its correction bias if the kind has one, experts.<i> and shared_experts.
  std::unique_ptr<FeedForward> moe(const std::string& prefix, const std::string& router = "gate",
                                   const std::string& correction_bias = "gate.e_score_correction_bias");

  WeightLoader& weights() { return weights_; }

  /// Elements of what was taken, without the places that nobody looks at.
  std::size_t parameters() const { return weights_.parameters() - unused_parameters_; }

 private:
  EncodingSettings encoding_settings();
  void take_kv_b(const std::string& prefix, MlaWeights& parts);
  Indexer indexer(const std::string& prefix);
  Norm latent_norm(const std::string& name, std::size_t size, float scale);
  std::vector<SwiGlu> experts(const std::string& prefix, std::size_t count);

  const MlaConfig& config_;
  WeightLoader weights_;
  std::size_t unused_parameters_ = 0;
};

/// Tensors that no family needs: multi-token-prediction modules, which are stored as layers behind the last one
/// and told from ordinary layers by the tensors that only they have, and the rotary tables of old files.
bool may_be_left(std::string_view name, std::size_t num_hidden_layers, const Checkpoint& checkpoint);

/// The whole model, if all its layers are MlaParts::layer.
Decoder build_mla(const MlaConfig& config, const Checkpoint& checkpoint, ModelInfo& info);

}  // namespace mla
