#include <catch2/catch.hpp>

#include <string>
#include <vector>

#include "model/gguf_names.h"

namespace {

struct Pair {
  const char* architecture;
  const char* gguf;
  const char* transformers;
};

const std::vector<Pair> kPairs = {
    {"llama", "token_embd.weight", "model.embed_tokens.weight"},
    {"llama", "output.weight", "lm_head.weight"},
    {"llama", "output_norm.weight", "model.norm.weight"},
    {"llama", "blk.0.attn_norm.weight", "model.layers.0.input_layernorm.weight"},
    {"llama", "blk.10.attn_q.weight", "model.layers.10.self_attn.q_proj.weight"},
    {"llama", "blk.1.attn_k.bias", "model.layers.1.self_attn.k_proj.bias"},
    {"llama", "blk.1.attn_output.weight", "model.layers.1.self_attn.o_proj.weight"},
    {"llama", "blk.1.ffn_norm.weight", "model.layers.1.post_attention_layernorm.weight"},
    {"llama", "blk.1.ffn_gate.weight", "model.layers.1.mlp.gate_proj.weight"},
    {"llama", "blk.1.ffn_up.bias", "model.layers.1.mlp.up_proj.bias"},
    {"llama", "blk.1.ffn_down.weight", "model.layers.1.mlp.down_proj.weight"},
    {"llama", "blk.1.attn_rot_embd.weight", "model.layers.1.self_attn.rotary_emb.inv_freq"},
    {"qwen2", "blk.3.attn_v.bias", "model.layers.3.self_attn.v_proj.bias"},
    {"qwen3", "blk.3.attn_q_norm.weight", "model.layers.3.self_attn.q_norm.weight"},
    {"qwen3", "blk.3.attn_k_norm.weight", "model.layers.3.self_attn.k_norm.weight"},
    {"gpt2", "token_embd.weight", "transformer.wte.weight"},
    {"gpt2", "position_embd.weight", "transformer.wpe.weight"},
    {"gpt2", "output_norm.bias", "transformer.ln_f.bias"},
    {"gpt2", "output.weight", "lm_head.weight"},
    {"gpt2", "blk.2.attn_qkv.bias", "transformer.h.2.attn.c_attn.bias"},
    {"gpt2", "blk.2.attn_output.weight", "transformer.h.2.attn.c_proj.weight"},
    {"gpt2", "blk.2.ffn_up.weight", "transformer.h.2.mlp.c_fc.weight"},
    {"gpt2", "blk.2.ffn_down.weight", "transformer.h.2.mlp.c_proj.weight"},
    {"gpt2", "blk.2.ffn_norm.weight", "transformer.h.2.ln_2.weight"},
    {"deepseek2", "blk.0.attn_q.weight", "model.layers.0.self_attn.q_proj.weight"},
    {"deepseek2", "blk.0.attn_q_a.weight", "model.layers.0.self_attn.q_a_proj.weight"},
    {"deepseek2", "blk.0.attn_q_a_norm.weight", "model.layers.0.self_attn.q_a_layernorm.weight"},
    {"deepseek2", "blk.0.attn_q_b.weight", "model.layers.0.self_attn.q_b_proj.weight"},
    {"deepseek2", "blk.0.attn_kv_a_mqa.weight", "model.layers.0.self_attn.kv_a_proj_with_mqa.weight"},
    {"deepseek2", "blk.0.attn_kv_a_norm.weight", "model.layers.0.self_attn.kv_a_layernorm.weight"},
    {"deepseek2", "blk.0.attn_kv_b.weight", "model.layers.0.self_attn.kv_b_proj.weight"},
    {"deepseek2", "blk.0.attn_k_b.weight", "model.layers.0.self_attn.k_b_proj.weight"},
    {"deepseek2", "blk.0.attn_v_b.weight", "model.layers.0.self_attn.v_b_proj.weight"},
    {"deepseek2", "blk.5.ffn_gate_inp.weight", "model.layers.5.mlp.gate.weight"},
    {"deepseek2", "blk.5.exp_probs_b.bias", "model.layers.5.mlp.gate.e_score_correction_bias"},
    {"deepseek2", "blk.5.ffn_gate_exps.weight", "model.layers.5.mlp.experts.gate_proj"},
    {"deepseek2", "blk.5.ffn_up_exps.weight", "model.layers.5.mlp.experts.up_proj"},
    {"deepseek2", "blk.5.ffn_gate_up_exps.weight", "model.layers.5.mlp.experts.gate_up_proj"},
    {"deepseek2", "blk.5.ffn_down_exps.weight", "model.layers.5.mlp.experts.down_proj"},
    {"deepseek2", "blk.5.ffn_gate_shexp.weight", "model.layers.5.mlp.shared_experts.gate_proj.weight"},
    {"deepseek2", "blk.5.ffn_up_shexp.weight", "model.layers.5.mlp.shared_experts.up_proj.weight"},
    {"deepseek2", "blk.5.ffn_down_shexp.weight", "model.layers.5.mlp.shared_experts.down_proj.weight"},
    {"deepseek2", "blk.61.nextn.eh_proj.weight", "model.layers.61.eh_proj.weight"},
    {"deepseek2", "blk.61.nextn.shared_head_norm.weight", "model.layers.61.shared_head.norm.weight"},
    {"minicpm3", "blk.61.attn_kv_b.weight", "model.layers.61.self_attn.kv_b_proj.weight"},
};

}  // namespace

TEST_CASE("tensors' names go from GGUF to transformers and back", "[gguf]") {
  for (const Pair& pair : kPairs) {
    CAPTURE(pair.architecture, pair.gguf);
    CHECK(mla::transformers_name(pair.architecture, pair.gguf) == std::string(pair.transformers));
    const auto place = mla::gguf_place(pair.architecture, pair.transformers);
    REQUIRE(place.has_value());
    CHECK(*place == mla::GgufPlace{pair.gguf, std::nullopt});
  }
}

TEST_CASE("the correction bias has an old name, too", "[gguf]") {
  CHECK(mla::transformers_name("deepseek2", "blk.5.exp_probs_b") ==
        std::string("model.layers.5.mlp.gate.e_score_correction_bias"));
}

TEST_CASE("an expert's tensor is a part of one that holds them all", "[gguf]") {
  CHECK(mla::gguf_place("deepseek2", "model.layers.3.mlp.experts.17.gate_proj.weight") ==
        mla::GgufPlace{"blk.3.ffn_gate_exps.weight", 17});
  CHECK(mla::gguf_place("deepseek2", "model.layers.3.mlp.experts.0.down_proj.weight") ==
        mla::GgufPlace{"blk.3.ffn_down_exps.weight", 0});
  CHECK_FALSE(mla::gguf_place("llama", "model.layers.3.mlp.experts.0.down_proj.weight").has_value());
  CHECK_FALSE(mla::gguf_place("deepseek2", "model.layers.3.mlp.experts.0.down_proj.bias").has_value());
}

TEST_CASE("gpt2's tensors count with and without their prefix", "[gguf]") {
  CHECK(mla::gguf_place("gpt2", "h.1.ln_1.bias") == mla::GgufPlace{"blk.1.attn_norm.bias", std::nullopt});
  CHECK(mla::gguf_place("gpt2", "wpe.weight") == mla::GgufPlace{"position_embd.weight", std::nullopt});
}

TEST_CASE("names that an architecture does not have are not translated", "[gguf]") {
  for (const char* name :
       {"blk.0.attn_sinks.weight", "blk.x.attn_q.weight", "blk..attn_q.weight", "blk.00.attn_q.weight",
        "blk.0attn_q.weight", "blk.0.attn_q", "blk.0.attn_q.scale", "blk.12345678901234567890.attn_q.weight",
        "token_embd", "output_norm.weights", "blk.0", "", "blk.0.attn_kv_b.weight"})
    CHECK_FALSE(mla::transformers_name("llama", name).has_value());
  CHECK_FALSE(mla::transformers_name("qwen2", "blk.0.ffn_gate_exps.weight").has_value());
  CHECK_FALSE(mla::transformers_name("mamba", "token_embd.weight").has_value());
  CHECK_FALSE(mla::gguf_place("llama", "model.layers.0.self_attn.kv_b_proj.weight").has_value());
  CHECK_FALSE(mla::gguf_place("mamba", "model.embed_tokens.weight").has_value());
  CHECK(mla::gguf_architectures().size() == 6);
}
