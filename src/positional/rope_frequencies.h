// The angular frequencies of rotary position embedding and their rescalings for longer contexts.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

namespace mla {

/// Names as in `rope_type`.
enum class RopeType { standard, linear, dynamic, yarn, llama3, longrope, factors };

std::string_view name_of(RopeType type);
std::optional<RopeType> rope_type_named(std::string_view name);  ///< "default", "linear", ...

/// `rope_parameters` / `rope_scaling` of a config; a field is read only by the types it is written beside.
struct RopeScaling {
  RopeType type = RopeType::standard;
  double theta = 10000.0;
  std::size_t max_position_embeddings = 0;           // dynamic
  std::size_t original_max_position_embeddings = 0;  // yarn, llama3, longrope, query_scaling_beta
  double factor = 1.0;                               // linear, dynamic, yarn, llama3, longrope
  std::optional<double> attention_factor;            // yarn, longrope
  double mscale = 0.0;                               // yarn; 0 when absent
  double mscale_all_dim = 0.0;                       // every type but default (softmax scale); 0 when absent
  double beta_fast = 32.0;                           // yarn
  double beta_slow = 1.0;                            // yarn
  bool truncate = true;                              // yarn
  double low_freq_factor = 1.0;                      // llama3
  double high_freq_factor = 4.0;                     // llama3
  std::vector<double> short_factor;                  // longrope, rope_dim / 2 values
  std::vector<double> long_factor;                   // longrope
  std::vector<double> factors;                       // factors, rope_dim / 2 values
  double query_scaling_beta = 0.0;                   // every type; llama_4_scaling_beta
};

/// The rope_dim / 2 inverse frequencies for a sequence of `sequence_length` tokens (only `dynamic` and `longrope`
/// depend on it), rounded to float32 at the steps where transformers' modeling_rope_utils.py rounds:
///   default   inv_i = theta^(-2i / d)                            (Su et al. 2021, RoFormer, section 3.2.2)
///   linear    inv_i / factor                                     (Chen et al. 2023, Position Interpolation)
///   dynamic   theta' = theta (factor n / max - (factor - 1))^(d / (d - 2)), n = max(sequence_length, max)
///   yarn      a ramp between inv_i / factor and inv_i            (Peng et al. 2023, YaRN, section 3.2)
///   llama3    long wavelengths / factor, a smooth band between   (Llama 3.1's reference code)
///   longrope  inv_i / (short_factor_i or long_factor_i)          (Ding et al. 2024, LongRoPE)
///   factors   inv_i / factor_i                                   (mla's own type: GGUF's rope_freqs.weight)
std::vector<float> rope_inverse_frequencies(const RopeScaling& scaling, std::size_t rope_dim,
                                            std::size_t sequence_length);

/// What cosine and sine are multiplied by. 1 but for yarn: attention_factor, or m(mscale) / m(mscale_all_dim)
/// when both are given, or m(1); and for longrope: attention_factor, or sqrt(1 + ln(factor) / ln(original
/// max)). m(s) = 0.1 * s * ln(factor) + 1 for factor > 1, else 1.
double rope_attention_factor(const RopeScaling& scaling);

/// What the queries at a position are multiplied by, so that attention stays sharp in long texts:
/// 1 + query_scaling_beta ln(1 + floor(position / original max)), in float32 (transformers' modeling_mistral4.py,
/// get_llama_4_attn_scale).
float rope_query_scale(const RopeScaling& scaling, std::size_t position);

/// What MLA's softmax scale is multiplied by: m(mscale_all_dim)^2, for every type but default, if
/// mscale_all_dim is given (DeepSeek-V2's modeling code, `softmax_scale * mscale * mscale`).
double rope_softmax_factor(const RopeScaling& scaling);

}  // namespace mla
