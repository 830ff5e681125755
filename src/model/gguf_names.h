// The names of tensors in GGUF files, and those that transformers gives the same tensors.
//
// Facts: gguf-py's constants.py and tensor_mapping.py in https://github.com/ggml-org/llama.cpp.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace mla {

/// The values of `general.architecture` mla knows: llama, qwen2, qwen3, gpt2, deepseek2, minicpm3.
std::span<const std::string_view> gguf_architectures();

/// What transformers calls the tensor `gguf_name` of an architecture mla knows; nothing for a tensor that the table
/// does not have. The names mla adds to those of transformers' modules, because a GGUF holds the tensor in another form:
///   ...mlp.experts.gate_proj, up_proj     [experts, width, hidden]: as `gate_up_proj`, but apart
///   ...self_attn.k_b_proj.weight          [heads, kv_lora_rank, qk_nope_head_dim]: W_UK of each head, transposed
///   ...self_attn.v_b_proj.weight          [heads, v_head_dim, kv_lora_rank]: W_UV of each head
std::optional<std::string> transformers_name(std::string_view architecture, std::string_view gguf_name);

/// A tensor's place in a GGUF file.
struct GgufPlace {
  std::string name;
  /// A file has all routed experts of a layer in one tensor: which of them this is. Nothing for other tensors and for
  /// tensors that hold all experts already.
  std::optional<std::size_t> expert;

  bool operator==(const GgufPlace&) const = default;
};

/// Where the tensor that transformers calls `name` belongs in a file of that architecture; nothing for a tensor that
/// the architecture does not have. gpt2's names count with and without their `transformer.`.
std::optional<GgufPlace> gguf_place(std::string_view architecture, std::string_view name);

}  // namespace mla
