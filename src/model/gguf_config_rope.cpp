// Rotary position embedding in a GGUF's metadata.
//
// YaRN in llama.cpp (llama-context.cpp, models/deepseek2.cpp) multiplies cosine and sine by
// m(1) = 0.1 ln(factor) + 1, as transformers does where a config has no mscale. With a yarn_log_multiplier l in a
// deepseek2 file, which the converter makes of mscale_all_dim as 0.1 mscale_all_dim, it multiplies them by 1 and the
// softmax scale by (1 + l ln(factor))^2: that is transformers' function for mscale = mscale_all_dim, and all published
// configs have them equal. (Where a deepseek2 file has yarn without the multiplier, versions of llama.cpp differ from
// each other and from transformers; the config had no mscale_all_dim then, and what transformers makes of that counts.)
#include <cmath>
#include <string>
#include <vector>

#include "model/gguf_config.h"
#include "tensor/decode.h"
#include "tensor/view.h"

namespace mla {
namespace {

/// A tensor of `count` positive factors, if there is one of that name.
std::optional<std::vector<double>> find_factors(const GgufKeys& keys, const char* name, std::size_t count) {
  const auto [file, tensor] = keys.parts().find_tensor(name);
  if (tensor == nullptr) return std::nullopt;
  if (tensor->dtype != "F32")
    file->unsupported(name, std::string("found dtype ").append(tensor->dtype).append(", expected F32"));
  if (tensor->shape != std::vector<std::size_t>{count}) {
    file->fail(
        name, "found shape " +
                  to_string(Shape(std::span(tensor->shape)
                                      .first(std::min<std::size_t>(tensor->shape.size(), Shape::kMaxRank)))) +
                  ", expected one factor for each pair of values to rotate, " + std::to_string(count));
  }
  std::vector<double> factors;
  for (const float factor : decode(TensorView{DType::f32, Shape{count}, tensor->data.data()})) {
    if (!(factor > 0.0F) || !std::isfinite(factor))
      file->fail(name, "found " + std::to_string(factor) + ", expected a finite factor greater than 0");
    factors.push_back(static_cast<double>(factor));
  }
  return factors;
}

/// What the wavelengths are multiplied by; 1 if nothing is said. 0 says nothing, too, as in llama.cpp.
double read_factor(GgufKeys& keys) {
  std::optional<double> factor = keys.find_number("rope.scaling.factor");
  const std::optional<double> old = keys.find_number("rope.scale_linear");
  if (!factor) factor = old;
  if (!factor || *factor == 0.0) return 1.0;
  if (*factor < 0.0)
    keys.fail("rope.scaling.factor", "found " + std::to_string(*factor) + ", expected more than 0");
  return *factor;
}

std::size_t original_length(GgufKeys& keys, const Json& config) {
  return keys.find_size("rope.scaling.original_context_length")
      .value_or(config["max_position_embeddings"].get<std::size_t>());
}

Json yarn(GgufKeys& keys, double factor, const Json& config) {
  Json scaling{{"rope_type", "yarn"},
               {"factor", factor},
               {"original_max_position_embeddings", original_length(keys, config)}};
  if (const auto value = keys.find_number("rope.scaling.yarn_beta_fast")) scaling["beta_fast"] = *value;
  if (const auto value = keys.find_number("rope.scaling.yarn_beta_slow")) scaling["beta_slow"] = *value;
  if (const auto value = keys.find_number("rope.scaling.yarn_attn_factor"))
    scaling["attention_factor"] = *value;
  keys.expect_number("rope.scaling.attn_factor", 1.0);
  keys.expect_number("rope.scaling.yarn_ext_factor", 1.0);
  if (keys.architecture() != "deepseek2") return scaling;
  if (const auto multiplier = keys.find_number("rope.scaling.yarn_log_multiplier");
      multiplier && *multiplier != 0.0) {
    // Both are float32 there, and their quotient gives back what was multiplied.
    const double all_dim = *multiplier / static_cast<double>(0.1F);
    scaling["mscale"] = scaling["mscale_all_dim"] = all_dim;
  }
  return scaling;
}

Json longrope(GgufKeys& keys, const std::vector<double>& long_factors,
              const std::vector<double>& short_factors, const Json& config) {
  Json scaling{{"rope_type", "longrope"},
               {"long_factor", long_factors},
               {"short_factor", short_factors},
               {"original_max_position_embeddings", original_length(keys, config)}};
  if (const auto value = keys.find_number("rope.scaling.attn_factor")) scaling["attention_factor"] = *value;
  return scaling;
}

/// The factors that a file has as tensors: those of Llama 3.1, or of LongRoPE for short and long texts.
std::optional<Json> scaling_by_tensors(GgufKeys& keys, std::size_t count, const Json& config) {
  const bool llama = keys.architecture() == "llama";
  if (!llama && keys.architecture() != "minicpm3") return std::nullopt;
  if (llama)
    if (auto factors = find_factors(keys, "rope_freqs.weight", count))
      return Json{{"rope_type", "factors"}, {"factors", std::move(*factors)}};
  const auto long_factors = find_factors(keys, "rope_factors_long.weight", count);
  const auto short_factors = find_factors(keys, "rope_factors_short.weight", count);
  if (!long_factors && !short_factors) return std::nullopt;
  if (!long_factors || !short_factors)
    keys.file().fail(long_factors ? "rope_factors_short.weight" : "rope_factors_long.weight",
                     "missing, expected both kinds of factors or none");
  return longrope(keys, *long_factors, *short_factors, config);
}

}  // namespace

void add_gguf_rope(GgufKeys& keys, std::size_t rotary_dim, Json& config) {
  config["rope_theta"] = keys.find_number("rope.freq_base").value_or(10000.0);
  // Without a type a factor is a linear one.
  const std::string_view type = keys.find_text("rope.scaling.type").value_or("linear");
  const double factor = read_factor(keys);
  const std::optional<Json> by_tensors = scaling_by_tensors(keys, rotary_dim / 2, config);
  if (type != "none" && type != "linear" && type != "yarn" && type != "longrope") {
    keys.unsupported(
        "rope.scaling.type",
        std::string("found \"").append(type).append("\", expected none, linear, yarn or longrope"));
  }
  if (by_tensors) {
    if (type == "yarn" || (type == "linear" && factor != 1.0)) {
      keys.unsupported("rope.scaling.type",
                       std::string("found ").append(type).append(
                           " scaling together with a tensor of factors, expected one of them"));
    }
    config["rope_scaling"] = *by_tensors;
  } else if (type == "longrope") {
    keys.fail("rope.scaling.type",
              "found \"longrope\", expected rope_factors_long.weight and rope_factors_short.weight");
  } else if (type == "yarn") {
    config["rope_scaling"] = yarn(keys, factor, config);
  } else if (type == "linear" && factor != 1.0) {
    config["rope_scaling"] = Json{{"rope_type", "linear"}, {"factor", factor}};
  }
}

}  // namespace mla
