// Whole models of a few kilobytes, in every format that is read.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "unit/formats/format_files.h"
#include "unit/formats/gguf_files.h"

namespace small_checkpoints {

/// The files of a model by their names.
using Files = std::map<std::string, std::string>;

/// Values that differ from each other, as they lie in a file.
inline std::string bf16_values(std::size_t count) {
  std::string bytes;
  for (std::size_t i = 0; i < count; ++i) {
    const float value = static_cast<float>(static_cast<int>((i * 37 + count) % 17) - 8) / 16.0F;
    bytes.append(gguf_files::raw(value).substr(2));
  }
  return bytes;
}

struct Shape {
  std::string name;
  std::vector<std::size_t> dims;
};

inline std::string safetensors_of(const std::vector<Shape>& shapes) {
  std::vector<format_files::Tensor> tensors;
  for (const Shape& shape : shapes) {
    std::size_t count = 1;
    std::string dims;
    for (const std::size_t dim : shape.dims) {
      count *= dim;
      dims.append(dims.empty() ? "[" : ",").append(std::to_string(dim));
    }
    tensors.push_back({shape.name, "BF16", dims.append("]"), bf16_values(count)});
  }
  return format_files::safetensors(tensors);
}

/// Tokens 0 to 7: a, b, c, Ġ, ab, <s>, </s> and one that the tokenizer does not have.
inline std::string tokenizer_json() {
  return R"x({"added_tokens":[{"id":5,"content":"<s>","special":true},{"id":6,"content":"</s>","special":true,)x"
         R"x("single_word":false,"lstrip":false,"rstrip":true,"normalized":false}],"normalizer":{"type":)x"
         R"x("Sequence","normalizers":[{"type":"NFC"},{"type":"Replace","pattern":{"String":"B"},"content":"b"}]},)x"
         R"x("pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":)x"
         R"x("\\w+| \\w+|\\s+(?!\\S)"},"behavior":"Isolated","invert":false},{"type":"ByteLevel",)x"
         R"x("add_prefix_space":false,"use_regex":false}]},"post_processor":{"type":"TemplateProcessing",)x"
         R"x("single":[{"SpecialToken":{"id":"<s>"}},{"Sequence":{"id":"A"}}],"special_tokens":{"<s>":)x"
         R"x({"ids":[5]}}},"decoder":{"type":"ByteLevel"},"model":{"type":"BPE","unk_token":null,)x"
         R"x("fuse_unk":false,"byte_fallback":false,"vocab":{"a":0,"b":1,"c":2,"\u0120":3,"ab":4},)x"
         R"x("merges":["a b"]}})x";
}

inline Files llama_folder() {
  const std::string prefix = "model.layers.0.";
  return {
      {"config.json",
       R"({"model_type":"llama","vocab_size":8,"hidden_size":4,"intermediate_size":4,"num_hidden_layers":1,)"
       R"("num_attention_heads":2,"num_key_value_heads":1,"max_position_embeddings":32,"rms_norm_eps":1e-06,)"
       R"("rope_theta":10000.0,"hidden_act":"silu","tie_word_embeddings":true,"bos_token_id":5,)"
       R"("eos_token_id":[6,7],"torch_dtype":"bfloat16"})"},
      {"generation_config.json",
       R"({"do_sample":true,"temperature":0.7,"top_p":0.9,"top_k":5,"eos_token_id":6})"},
      {"tokenizer.json", tokenizer_json()},
      {"tokenizer_config.json", R"({"add_bos_token":true,"bos_token":"<s>","chat_template":"{{ 1 }}"})"},
      {"model.safetensors", safetensors_of({{"model.embed_tokens.weight", {8, 4}},
                                            {prefix + "input_layernorm.weight", {4}},
                                            {prefix + "self_attn.q_proj.weight", {4, 4}},
                                            {prefix + "self_attn.k_proj.weight", {2, 4}},
                                            {prefix + "self_attn.v_proj.weight", {2, 4}},
                                            {prefix + "self_attn.o_proj.weight", {4, 4}},
                                            {prefix + "post_attention_layernorm.weight", {4}},
                                            {prefix + "mlp.gate_proj.weight", {4, 4}},
                                            {prefix + "mlp.up_proj.weight", {4, 4}},
                                            {prefix + "mlp.down_proj.weight", {4, 4}},
                                            {"model.norm.weight", {4}}})}};
}

/// Latent attention and two experts, in two files with an index.
inline Files deepseek_folder() {
  const std::string prefix = "model.layers.0.";
  const std::vector<Shape> first = {{"model.embed_tokens.weight", {8, 4}},
                                    {prefix + "input_layernorm.weight", {4}},
                                    {prefix + "self_attn.q_proj.weight", {8, 4}},
                                    {prefix + "self_attn.kv_a_proj_with_mqa.weight", {4, 4}},
                                    {prefix + "self_attn.kv_a_layernorm.weight", {2}},
                                    {prefix + "self_attn.kv_b_proj.weight", {8, 2}},
                                    {prefix + "self_attn.o_proj.weight", {4, 4}}};
  std::vector<Shape> second = {{prefix + "post_attention_layernorm.weight", {4}},
                               {prefix + "mlp.gate.weight", {2, 4}},
                               {prefix + "mlp.gate.e_score_correction_bias", {2}},
                               {"model.norm.weight", {4}}};
  for (const std::string expert : {"0", "1"})
    for (const std::string part : {"gate", "up", "down"})
      second.push_back({prefix + "mlp.experts." + expert + "." + part + "_proj.weight",
                        part == "down" ? std::vector<std::size_t>{4, 2} : std::vector<std::size_t>{2, 4}});
  std::string map;
  for (const auto& [shapes, file] : {std::pair(first, "a.safetensors"), std::pair(second, "b.safetensors")})
    for (const Shape& shape : shapes)
      map.append(map.empty() ? "" : ",").append("\"" + shape.name + "\":\"" + file + "\"");
  return {
      {"config.json",
       R"({"model_type":"deepseek_v3","vocab_size":8,"hidden_size":4,"intermediate_size":4,)"
       R"("moe_intermediate_size":2,"num_hidden_layers":1,"num_attention_heads":2,"n_shared_experts":0,)"
       R"("n_routed_experts":2,"routed_scaling_factor":1.5,"kv_lora_rank":2,"q_lora_rank":null,)"
       R"("qk_rope_head_dim":2,"v_head_dim":2,"qk_nope_head_dim":2,"topk_method":"noaux_tc","n_group":1,)"
       R"("topk_group":1,"num_experts_per_tok":1,"first_k_dense_replace":0,"norm_topk_prob":true,)"
       R"("scoring_func":"sigmoid","hidden_act":"silu","max_position_embeddings":32,"rms_norm_eps":1e-06,)"
       R"("rope_theta":10000,"rope_scaling":{"type":"yarn","factor":4,"mscale":1.0,"mscale_all_dim":1.0,)"
       R"("original_max_position_embeddings":8},"tie_word_embeddings":true,"bos_token_id":5,"eos_token_id":6})"},
      {"tokenizer.json", tokenizer_json()},
      {"model.safetensors.index.json", "{\"metadata\":{},\"weight_map\":{" + map + "}}"},
      {"a.safetensors", safetensors_of(first)},
      {"b.safetensors", safetensors_of(second)}};
}

/// Blocks of Q8_0: a scale of 1/64 and codes that differ.
inline std::string q8_0_values(std::size_t count) {
  std::string bytes;
  for (std::size_t i = 0; i < count; ++i) {
    if (i % 32 == 0) bytes.append(gguf_files::raw(std::uint16_t{0x2400}));
    bytes.push_back(static_cast<char>((i * 37 + count) % 61));
  }
  return bytes;
}

/// A Llama of one block and some of its matrices in Q8_0, with the same vocabulary.
inline Files gguf_file() {
  using gguf_files::GgufBuilder;
  const std::string norm(std::size_t{32} * 4, '\x3f');
  GgufBuilder file;
  file.string("general.architecture", "llama")
      .uint32("llama.block_count", 1)
      .uint32("llama.context_length", 32);
  file.uint32("llama.embedding_length", 32).uint32("llama.feed_forward_length", 1);
  file.uint32("llama.attention.head_count", 1).uint32("llama.attention.key_length", 2);
  file.uint32("llama.attention.value_length", 2).float32("llama.attention.layer_norm_rms_epsilon", 1e-6F);
  file.float32("llama.rope.freq_base", 10000.0F).string("llama.rope.scaling.type", "linear");
  file.float32("llama.rope.scaling.factor", 2.0F)
      .uint32("general.alignment", 32)
      .uint32("general.file_type", 7);
  file.string("tokenizer.ggml.model", "gpt2").string("tokenizer.ggml.pre", "gpt-2");
  file.strings("tokenizer.ggml.tokens", {"a", "b", "c", "Ġ", "ab", "<s>", "</s>", "d"});
  file.int32s("tokenizer.ggml.token_type", {1, 1, 1, 1, 1, 3, 3, 1});
  file.strings("tokenizer.ggml.merges", {"a b"});
  file.uint32("tokenizer.ggml.bos_token_id", 5).uint32("tokenizer.ggml.eos_token_id", 6);
  file.boolean("tokenizer.ggml.add_bos_token", true).float32("general.sampling.temp", 0.7F);
  file.tensor("token_embd.weight", {32, 8}, 8, q8_0_values(256));
  file.tensor("blk.0.attn_norm.weight", {32}, 0, norm).tensor("blk.0.ffn_norm.weight", {32}, 0, norm);
  for (const char* name : {"blk.0.attn_q.weight", "blk.0.attn_k.weight", "blk.0.attn_v.weight"})
    file.tensor(name, {32, 2}, 8, q8_0_values(64));
  file.tensor("blk.0.attn_output.weight", {2, 32}, 30, bf16_values(64));
  file.tensor("blk.0.ffn_gate.weight", {32, 1}, 8, q8_0_values(32));
  file.tensor("blk.0.ffn_up.weight", {32, 1}, 30, bf16_values(32));
  file.tensor("blk.0.ffn_down.weight", {1, 32}, 30, bf16_values(32))
      .tensor("output_norm.weight", {32}, 0, norm);
  return {{"model.gguf", file.bytes()}};
}

/// A vocabulary of scores needs a token for every byte; its model would not be small.
inline std::string scored_gguf_tokenizer() {
  using gguf_files::GgufBuilder;
  std::vector<std::string> tokens = {"<unk>", "<s>", "</s>"};
  for (int byte = 0; byte < 256; ++byte) {
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    const auto digit = [&](int value) { return std::string(1, kDigits[static_cast<std::size_t>(value)]); };
    tokens.push_back("<0x" + digit(byte / 16) + digit(byte % 16) + ">");
  }
  for (const char* token : {"a", "b", "ab", "▁", "▁a"}) tokens.emplace_back(token);
  std::vector<float> scores;
  for (std::size_t i = 0; i < tokens.size(); ++i) scores.push_back(-static_cast<float>(i));
  return GgufBuilder()
      .string("tokenizer.ggml.model", "llama")
      .strings("tokenizer.ggml.tokens", tokens)
      .float32s("tokenizer.ggml.scores", scores)
      .uint32("tokenizer.ggml.bos_token_id", 1)
      .bytes();
}

}  // namespace small_checkpoints
