// Which type each tensor of a quantized file gets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/dtype.h"

namespace mla {

/// What `mla quantize --type` names: a type for most matrices, and for the mixtures rules for the others.
struct Quantization {
  std::string_view name;    ///< "q4_k_m"
  DType dtype;              ///< Of most matrices.
  bool more_bits;           ///< Some layers' attn_v and ffn_down have Q6_K ("_m").
  std::uint32_t file_type;  ///< `general.file_type`: enum llama_ftype in llama.h of llama.cpp.
};

/// In the order in which help lists them.
std::span<const Quantization> quantizations();
const Quantization* find_quantization(std::string_view name);

/// What the rules ask of a model besides its tensors.
struct MixtureModel {
  std::size_t layers = 0;
  std::size_t experts = 0;     ///< 0 if no layer has any.
  bool shares_values = false;  ///< 80 layers whose heads share keys and values (Llama 70B).
};

/// Whether llama.cpp takes a model for one of 70B: a Llama or Qwen2 of 80 layers whose heads share keys and values.
bool shares_values(std::string_view architecture, std::size_t layers, std::size_t heads,
                   std::size_t key_value_heads);

struct MixtureTensor {
  std::string_view name;               ///< As GGUF has it.
  std::span<const std::size_t> shape;  ///< Outermost dimension first.
};

/// For each tensor its type, or nothing where it keeps its own: vectors, norms, routers, position tables. The rules
/// are those of llama_tensor_get_type in llama.cpp's src/llama-quant.cpp, without an importance matrix, so that files
/// have the size and the quality that users of llama-quantize know. `tensors` may come in any order.
std::vector<std::optional<DType>> choose_types(const Quantization& quantization,
                                               std::span<const MixtureTensor> tensors,
                                               const MixtureModel& model);

}  // namespace mla
