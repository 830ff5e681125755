#include "convert/mixture.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <numeric>

namespace mla {
namespace {

constexpr std::array kQuantizations = {
    Quantization{"q8_0", DType::q8_0, false, 7},   Quantization{"q4_0", DType::q4_0, false, 2},
    Quantization{"q4_k_m", DType::q4_k, true, 15}, Quantization{"q6_k", DType::q6_k, false, 18},
    Quantization{"bf16", DType::bf16, false, 32},  Quantization{"f32", DType::f32, false, 0}};

constexpr std::size_t kRestLayer = SIZE_MAX;  // Of tensors outside of the blocks.

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

/// 7 of "blk.7.ffn_down.weight".
std::size_t layer_of(std::string_view name) {
  constexpr std::string_view kBlocks = "blk.";
  std::size_t layer = kRestLayer;
  if (name.starts_with(kBlocks))
    std::from_chars(name.data() + kBlocks.size(), name.data() + name.size(), layer);
  return layer;
}

/// Dimensions as ggml counts them: without ones on the outside.
std::size_t rank_of(std::span<const std::size_t> shape) {
  const auto first = std::find_if(shape.begin(), shape.end(), [](std::size_t d) { return d != 1; });
  return std::max<std::size_t>(1, static_cast<std::size_t>(shape.end() - first));
}

bool may_be_quantized(const MixtureTensor& tensor) {
  return rank_of(tensor.shape) >= 2 && tensor.name.ends_with("weight") &&
         !contains(tensor.name, "_norm.weight") && !contains(tensor.name, "ffn_gate_inp.weight") &&
         tensor.name != "position_embd.weight" && tensor.name != "token_types.weight";
}

/// Weights through which values go: all heads that share them feel an error.
bool carries_values(std::string_view name) {
  return contains(name, "attn_qkv.weight") || contains(name, "attn_kv_b.weight") ||
         contains(name, "attn_v.weight");
}

/// The layers at both ends, and every third between.
bool deserves_more_bits(std::size_t layer, std::size_t layers) {
  const std::size_t eighth = layers / 8;
  return layer < eighth || layer >= 7 * layers / 8 || (layer - eighth) % 3 == 2;
}

class Rules {
 public:
  Rules(const Quantization& quantization, const MixtureModel& model, bool tied, std::size_t value_tensors)
      : quantization_(quantization), model_(model), tied_(tied), value_tensors_(value_tensors) {}

  /// Called in the order of the layers.
  DType type_of(const MixtureTensor& tensor) {
    const bool is_output = tensor.name == "output.weight" || (tied_ && tensor.name == "token_embd.weight");
    if (is_output) return output_type(tensor.shape.back());
    if (tensor.name == "token_embd.weight") return quantization_.dtype;
    if (carries_values(tensor.name)) return value_type();
    if (contains(tensor.name, "attn_k.weight") && model_.experts == 8) return DType::q8_0;
    if (contains(tensor.name, "attn_output.weight") && model_.experts == 8 && quantization_.more_bits)
      return DType::q5_k;
    if (contains(tensor.name, "ffn_down")) return down_type(layer_of(tensor.name));
    return quantization_.dtype;
  }

 private:
  DType output_type(std::size_t cols) const {
    if (quantization_.dtype == DType::q8_0 || cols % dtype_traits(quantization_.dtype).block_elements != 0)
      return DType::q8_0;
    return DType::q6_k;
  }

  DType value_type() {
    DType type = quantization_.dtype;
    if (quantization_.more_bits && deserves_more_bits(values_seen_, value_tensors_)) type = DType::q6_k;
    if (model_.shares_values && type == DType::q4_k) type = DType::q5_k;
    if (model_.experts == 8) type = DType::q8_0;  // Little beside the experts.
    ++values_seen_;
    return type;
  }

  DType down_type(std::size_t layer) {
    // Where layers may have several of them, or none, they are not counted but found by name.
    if (model_.experts <= 1) layer = downs_seen_++;
    return quantization_.more_bits && deserves_more_bits(layer, model_.layers) ? DType::q6_k
                                                                               : quantization_.dtype;
  }

  const Quantization& quantization_;
  const MixtureModel& model_;
  bool tied_;
  std::size_t value_tensors_;
  std::size_t values_seen_ = 0;
  std::size_t downs_seen_ = 0;
};

/// What takes its place where rows are not whole blocks.
DType fitting(DType type, std::size_t cols) {
  const auto fits = [&](DType candidate) { return cols % dtype_traits(candidate).block_elements == 0; };
  if (fits(type)) return type;
  if (type == DType::q4_k) type = DType::q5_0;
  if (type == DType::q5_k) type = DType::q5_1;
  if (type == DType::q6_k) type = DType::q8_0;
  return fits(type) ? type : DType::f16;
}

}  // namespace

std::span<const Quantization> quantizations() {
  return kQuantizations;
}

const Quantization* find_quantization(std::string_view name) {
  const auto* const found =
      std::find_if(kQuantizations.begin(), kQuantizations.end(),
                   [&](const Quantization& quantization) { return quantization.name == name; });
  return found == kQuantizations.end() ? nullptr : found;
}

bool shares_values(std::string_view architecture, std::size_t layers, std::size_t heads,
                   std::size_t key_value_heads) {
  constexpr std::size_t kLayers = 80;
  if (layers != kLayers) return false;
  return architecture == "qwen2" || (architecture == "llama" && heads != key_value_heads);
}

std::vector<std::optional<DType>> choose_types(const Quantization& quantization,
                                               std::span<const MixtureTensor> tensors,
                                               const MixtureModel& model) {
  std::vector<std::size_t> order(tensors.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return layer_of(tensors[a].name) < layer_of(tensors[b].name);
  });
  const bool tied = std::none_of(tensors.begin(), tensors.end(),
                                 [](const MixtureTensor& tensor) { return tensor.name == "output.weight"; });
  const auto value_tensors =
      static_cast<std::size_t>(std::count_if(tensors.begin(), tensors.end(), [](const MixtureTensor& tensor) {
        return carries_values(tensor.name);
      }));
  const bool is_plain = dtype_traits(quantization.dtype).block_elements == 1;
  Rules rules(quantization, model, tied, value_tensors);
  std::vector<std::optional<DType>> types(tensors.size());
  for (const std::size_t i : order) {
    if (!may_be_quantized(tensors[i])) continue;
    types[i] = is_plain ? quantization.dtype : fitting(rules.type_of(tensors[i]), tensors[i].shape.back());
  }
  return types;
}

}  // namespace mla
