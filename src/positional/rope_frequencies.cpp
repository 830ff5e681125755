#include "positional/rope_frequencies.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <utility>

namespace mla {
namespace {

constexpr std::array<std::pair<RopeType, std::string_view>, 7> kNames = {{{RopeType::standard, "default"},
                                                                          {RopeType::linear, "linear"},
                                                                          {RopeType::dynamic, "dynamic"},
                                                                          {RopeType::yarn, "yarn"},
                                                                          {RopeType::llama3, "llama3"},
                                                                          {RopeType::longrope, "longrope"},
                                                                          {RopeType::factors, "factors"}}};

/// theta^(2i / d), i = 0 .. d/2 - 1, in float32 as the reference has it.
std::vector<float> wave_bases(double theta, std::size_t rope_dim) {
  const double base = static_cast<double>(static_cast<float>(theta));
  std::vector<float> bases(rope_dim / 2);
  for (std::size_t i = 0; i < bases.size(); ++i) {
    const float exponent = static_cast<float>(2 * i) / static_cast<float>(rope_dim);
    bases[i] = static_cast<float>(std::pow(base, static_cast<double>(exponent)));
  }
  return bases;
}

double yarn_mscale(double factor, double mscale) {
  return factor <= 1.0 ? 1.0 : 0.1 * mscale * std::log(factor) + 1.0;
}

/// Beyond the trained length the reference computes with the length as a tensor, in float32.
double dynamic_theta(const RopeScaling& scaling, std::size_t rope_dim, std::size_t sequence_length) {
  const std::size_t trained = scaling.max_position_embeddings;
  const double d = static_cast<double>(rope_dim);
  const double exponent = d / (d - 2.0);
  if (sequence_length <= trained)
    return scaling.theta * std::pow(scaling.factor - (scaling.factor - 1.0), exponent);
  const float ratio =
      static_cast<float>(scaling.factor) * static_cast<float>(sequence_length) / static_cast<float>(trained);
  const float stretched = ratio - static_cast<float>(scaling.factor - 1.0);
  const float power = static_cast<float>(
      std::pow(static_cast<double>(stretched), static_cast<double>(static_cast<float>(exponent))));
  return static_cast<double>(power * static_cast<float>(scaling.theta));
}

/// YaRN, section 3.2: dimension i makes `original / wavelength` turns over the trained context; those with
/// more turns than beta_fast stay, those with fewer than beta_slow are interpolated, a linear ramp lies
/// between.
std::vector<float> yarn_frequencies(const RopeScaling& scaling, const std::vector<float>& bases) {
  const double dim = 2.0 * static_cast<double>(bases.size());
  const double original = static_cast<double>(scaling.original_max_position_embeddings);
  const auto dimension_of = [&](double turns) {
    return dim * std::log(original / (turns * 2.0 * std::numbers::pi)) / (2.0 * std::log(scaling.theta));
  };
  double low = dimension_of(scaling.beta_fast);
  double high = dimension_of(scaling.beta_slow);
  if (scaling.truncate) {
    low = std::floor(low);
    high = std::ceil(high);
  }
  low = std::max(low, 0.0);
  high = std::min(high, dim - 1.0);
  if (low == high) high += 0.001;  // As the reference does, so as not to divide by zero.

  std::vector<float> result(bases.size());
  for (std::size_t i = 0; i < bases.size(); ++i) {
    const float position = (static_cast<float>(i) - static_cast<float>(low)) / static_cast<float>(high - low);
    const float interpolated_share = std::clamp(position, 0.0F, 1.0F);
    const float kept_share = 1.0F - interpolated_share;
    const float interpolated = 1.0F / (static_cast<float>(scaling.factor) * bases[i]);
    result[i] = interpolated * (1.0F - kept_share) + (1.0F / bases[i]) * kept_share;
  }
  return result;
}

/// In the reference's float32 operations, one by one. A number divided by a tensor is there a product with the
/// reciprocal.
float llama3_frequency(const RopeScaling& scaling, float inverse) {
  const float original = static_cast<float>(scaling.original_max_position_embeddings);
  const float factor = static_cast<float>(scaling.factor);
  const auto longest = [&](double turns) {
    return static_cast<float>(static_cast<double>(scaling.original_max_position_embeddings) / turns);
  };
  const float wavelength = (1.0F / inverse) * static_cast<float>(2.0 * std::numbers::pi);
  if (wavelength > longest(scaling.low_freq_factor)) return inverse / factor;
  if (wavelength < longest(scaling.high_freq_factor)) return inverse;
  const float smooth = ((1.0F / wavelength) * original - static_cast<float>(scaling.low_freq_factor)) /
                       static_cast<float>(scaling.high_freq_factor - scaling.low_freq_factor);
  return (1.0F - smooth) * inverse / factor + smooth * inverse;
}

}  // namespace

std::string_view name_of(RopeType type) {
  return std::find_if(kNames.begin(), kNames.end(), [&](const auto& entry) { return entry.first == type; })
      ->second;
}

std::optional<RopeType> rope_type_named(std::string_view name) {
  for (const auto& [type, known] : kNames)
    if (name == known) return type;
  return std::nullopt;
}

std::vector<float> rope_inverse_frequencies(const RopeScaling& scaling, std::size_t rope_dim,
                                            std::size_t sequence_length) {
  const bool dynamic = scaling.type == RopeType::dynamic;
  std::vector<float> bases =
      wave_bases(dynamic ? dynamic_theta(scaling, rope_dim, sequence_length) : scaling.theta, rope_dim);
  if (scaling.type == RopeType::yarn) return yarn_frequencies(scaling, bases);
  if (scaling.type == RopeType::longrope) {
    const bool beyond = sequence_length > scaling.original_max_position_embeddings;
    const std::vector<double>& factors = beyond ? scaling.long_factor : scaling.short_factor;
    for (std::size_t i = 0; i < bases.size(); ++i) bases[i] *= static_cast<float>(factors[i]);
  }
  std::vector<float> result(bases.size());
  for (std::size_t i = 0; i < bases.size(); ++i) {
    result[i] = 1.0F / bases[i];
    if (scaling.type == RopeType::linear) result[i] /= static_cast<float>(scaling.factor);
    if (scaling.type == RopeType::factors) result[i] /= static_cast<float>(scaling.factors[i]);
    if (scaling.type == RopeType::llama3) result[i] = llama3_frequency(scaling, result[i]);
  }
  return result;
}

double rope_attention_factor(const RopeScaling& scaling) {
  if (scaling.type != RopeType::yarn && scaling.type != RopeType::longrope) return 1.0;
  if (scaling.attention_factor) return *scaling.attention_factor;
  if (scaling.type == RopeType::longrope) {
    const double original = static_cast<double>(scaling.original_max_position_embeddings);
    return scaling.factor <= 1.0 ? 1.0 : std::sqrt(1.0 + std::log(scaling.factor) / std::log(original));
  }
  if (scaling.mscale != 0.0 && scaling.mscale_all_dim != 0.0)
    return yarn_mscale(scaling.factor, scaling.mscale) / yarn_mscale(scaling.factor, scaling.mscale_all_dim);
  return yarn_mscale(scaling.factor, 1.0);
}

float rope_query_scale(const RopeScaling& scaling, std::size_t position) {
  const float lengths =
      std::floor(static_cast<float>(position) / static_cast<float>(scaling.original_max_position_embeddings));
  return 1.0F + static_cast<float>(scaling.query_scaling_beta) * std::log(1.0F + lengths);
}

double rope_softmax_factor(const RopeScaling& scaling) {
  if (scaling.type == RopeType::standard || scaling.mscale_all_dim == 0.0) return 1.0;
  const double m = yarn_mscale(scaling.factor, scaling.mscale_all_dim);
  return m * m;
}

}  // namespace mla
