#include "model/gguf_names.h"

#include <algorithm>
#include <array>

namespace mla {
namespace {

/// One tensor in both tongues. A `stem` goes on with .weight or .bias, the same on both sides; other names are whole.
struct NamePair {
  std::string_view gguf;
  std::string_view transformers;
  bool stem = true;
};

constexpr NamePair whole(std::string_view gguf, std::string_view transformers) {
  return {gguf, transformers, false};
}

/// What the architectures that came after Llama have in common, outside of the blocks and in each of them.
constexpr std::array kLlamaRest = {NamePair{"token_embd", "model.embed_tokens"},
                                   NamePair{"output_norm", "model.norm"}, NamePair{"output", "lm_head"}};

constexpr std::array kSwiGluBlock = {NamePair{"attn_norm", "input_layernorm"},
                                     NamePair{"attn_output", "self_attn.o_proj"},
                                     NamePair{"ffn_norm", "post_attention_layernorm"},
                                     NamePair{"ffn_gate", "mlp.gate_proj"},
                                     NamePair{"ffn_up", "mlp.up_proj"},
                                     NamePair{"ffn_down", "mlp.down_proj"},
                                     whole("attn_rot_embd.weight", "self_attn.rotary_emb.inv_freq")};

constexpr std::array kGroupedQueryBlock = {
    NamePair{"attn_q", "self_attn.q_proj"}, NamePair{"attn_k", "self_attn.k_proj"},
    NamePair{"attn_v", "self_attn.v_proj"}, NamePair{"attn_q_norm", "self_attn.q_norm"},
    NamePair{"attn_k_norm", "self_attn.k_norm"}};

constexpr std::array kLatentBlock = {NamePair{"attn_q", "self_attn.q_proj"},
                                     NamePair{"attn_q_a", "self_attn.q_a_proj"},
                                     NamePair{"attn_q_a_norm", "self_attn.q_a_layernorm"},
                                     NamePair{"attn_q_b", "self_attn.q_b_proj"},
                                     NamePair{"attn_kv_a_mqa", "self_attn.kv_a_proj_with_mqa"},
                                     NamePair{"attn_kv_a_norm", "self_attn.kv_a_layernorm"},
                                     NamePair{"attn_kv_b", "self_attn.kv_b_proj"},
                                     NamePair{"attn_k_b", "self_attn.k_b_proj"},
                                     NamePair{"attn_v_b", "self_attn.v_b_proj"}};

// The correction bias comes twice: files of early 2025 name it without .bias. The first is the one to write.
constexpr std::array kExpertsBlock = {NamePair{"ffn_gate_inp", "mlp.gate"},
                                      whole("exp_probs_b.bias", "mlp.gate.e_score_correction_bias"),
                                      whole("exp_probs_b", "mlp.gate.e_score_correction_bias"),
                                      whole("ffn_gate_exps.weight", "mlp.experts.gate_proj"),
                                      whole("ffn_up_exps.weight", "mlp.experts.up_proj"),
                                      whole("ffn_gate_up_exps.weight", "mlp.experts.gate_up_proj"),
                                      whole("ffn_down_exps.weight", "mlp.experts.down_proj"),
                                      NamePair{"ffn_gate_shexp", "mlp.shared_experts.gate_proj"},
                                      NamePair{"ffn_up_shexp", "mlp.shared_experts.up_proj"},
                                      NamePair{"ffn_down_shexp", "mlp.shared_experts.down_proj"}};

constexpr std::array kGpt2Rest = {NamePair{"token_embd", "transformer.wte"},
                                  NamePair{"position_embd", "transformer.wpe"},
                                  NamePair{"output_norm", "transformer.ln_f"}, NamePair{"output", "lm_head"}};

constexpr std::array kGpt2Block = {
    NamePair{"attn_norm", "ln_1"},          NamePair{"attn_qkv", "attn.c_attn"},
    NamePair{"attn_output", "attn.c_proj"}, NamePair{"ffn_norm", "ln_2"},
    NamePair{"ffn_up", "mlp.c_fc"},         NamePair{"ffn_down", "mlp.c_proj"}};

/// Multi-token prediction, in blocks behind the others.
constexpr std::array kPredictionBlock = {NamePair{"nextn.eh_proj", "eh_proj"},
                                         NamePair{"nextn.enorm", "enorm"},
                                         NamePair{"nextn.hnorm", "hnorm"},
                                         NamePair{"nextn.embed_tokens", "embed_tokens"},
                                         NamePair{"nextn.shared_head_head", "shared_head.head"},
                                         NamePair{"nextn.shared_head_norm", "shared_head.norm"}};

using Table = std::span<const NamePair>;

struct Names {
  std::string_view architecture;
  std::string_view blocks;  ///< What transformers has for "blk.".
  Table rest;
  std::array<Table, 4> block;
};

constexpr std::string_view kGgufBlocks = "blk.";
constexpr std::string_view kLayers = "model.layers.";
constexpr std::string_view kGpt2Prefix = "transformer.";

constexpr std::array kNames = {
    Names{"llama", kLayers, kLlamaRest, {kSwiGluBlock, kGroupedQueryBlock, {}, {}}},
    Names{"qwen2", kLayers, kLlamaRest, {kSwiGluBlock, kGroupedQueryBlock, {}, {}}},
    Names{"qwen3", kLayers, kLlamaRest, {kSwiGluBlock, kGroupedQueryBlock, {}, {}}},
    Names{"gpt2", "transformer.h.", kGpt2Rest, {kGpt2Block, {}, {}, {}}},
    Names{"deepseek2", kLayers, kLlamaRest, {kSwiGluBlock, kLatentBlock, kExpertsBlock, kPredictionBlock}},
    Names{"minicpm3", kLayers, kLlamaRest, {kSwiGluBlock, kLatentBlock, {}, {}}}};

const Names* names_of(std::string_view architecture) {
  const auto* const found = std::find_if(
      kNames.begin(), kNames.end(), [&](const Names& names) { return names.architecture == architecture; });
  return found == kNames.end() ? nullptr : found;
}

using Side = std::string_view NamePair::*;

/// `name`, found on the side `from`, on the side `to`.
std::optional<std::string> look_up(Table table, std::string_view name, Side from, Side to) {
  for (const NamePair& pair : table) {
    if (!pair.stem && pair.*from == name) return std::string(pair.*to);
    if (!pair.stem || !name.starts_with(pair.*from)) continue;
    const std::string_view rest = name.substr((pair.*from).size());
    if (rest == ".weight" || rest == ".bias") return std::string(pair.*to).append(rest);
  }
  return std::nullopt;
}

/// A run of digits without leading zeros at the front of `text`, which loses it and the dot behind it.
std::optional<std::string_view> take_number(std::string_view& text) {
  const std::size_t length = std::min(text.find_first_not_of("0123456789"), text.size());
  constexpr std::size_t kMostDigits = 9;
  if (length == 0 || length > kMostDigits || length == text.size() || text[length] != '.')
    return std::nullopt;
  if (length > 1 && text.front() == '0') return std::nullopt;
  const std::string_view number = text.substr(0, length);
  text.remove_prefix(length + 1);
  return number;
}

/// A name under `from_blocks`, under `to_blocks`.
std::optional<std::string> translate(const Names& names, std::string_view name, Side from, Side to,
                                     std::string_view from_blocks, std::string_view to_blocks) {
  if (!name.starts_with(from_blocks)) return look_up(names.rest, name, from, to);
  name.remove_prefix(from_blocks.size());
  const auto number = take_number(name);
  if (!number) return std::nullopt;
  for (const Table table : names.block)
    if (const auto found = look_up(table, name, from, to))
      return std::string(to_blocks).append(*number).append(".").append(*found);
  return std::nullopt;
}

/// Takes the number out of `...mlp.experts.7.up_proj.weight` and leaves `...mlp.experts.up_proj`.
std::optional<std::size_t> take_expert(std::string& name) {
  constexpr std::string_view kExperts = ".mlp.experts.";
  constexpr std::string_view kWeight = ".weight";
  const std::size_t at = name.find(kExperts);
  if (at == std::string::npos || !name.ends_with(kWeight)) return std::nullopt;
  const std::size_t begin = at + kExperts.size();
  std::string_view rest = std::string_view(name).substr(begin);
  const auto number = take_number(rest);
  if (!number) return std::nullopt;
  const std::size_t expert = std::stoul(std::string(*number));
  name.erase(begin, number->size() + 1);
  name.erase(name.size() - kWeight.size());
  return expert;
}

}  // namespace

std::span<const std::string_view> gguf_architectures() {
  static constexpr auto kArchitectures = [] {
    std::array<std::string_view, kNames.size()> list;
    for (std::size_t i = 0; i < list.size(); ++i) list[i] = kNames[i].architecture;
    return list;
  }();
  return kArchitectures;
}

std::optional<std::string> transformers_name(std::string_view architecture, std::string_view gguf_name) {
  const Names* const names = names_of(architecture);
  if (names == nullptr) return std::nullopt;
  return translate(*names, gguf_name, &NamePair::gguf, &NamePair::transformers, kGgufBlocks, names->blocks);
}

std::optional<GgufPlace> gguf_place(std::string_view architecture, std::string_view name) {
  const Names* const names = names_of(architecture);
  if (names == nullptr) return std::nullopt;
  std::string full(name);
  const bool bare = architecture == "gpt2" && !name.starts_with(kGpt2Prefix) && !name.starts_with("lm_head.");
  if (bare) full.insert(0, kGpt2Prefix);
  const std::optional<std::size_t> expert = take_expert(full);
  const auto found =
      translate(*names, full, &NamePair::transformers, &NamePair::gguf, names->blocks, kGgufBlocks);
  if (!found) return std::nullopt;
  return GgufPlace{*found, expert};
}

}  // namespace mla
