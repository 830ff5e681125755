"""The GGUF files of tests/golden/gguf. Sizes differ from each other, so that none can stand for another."""

import fnmatch
from dataclasses import dataclass, field

from gguf import LlamaFileType as File


@dataclass
class Case:
    name: str
    about: str
    architecture: str
    config: dict  # Of transformers' class.
    types: dict = field(default_factory=lambda: {"*": "F32"})  # Of matrices, by pattern; the first that fits.
    file_type: int = File.ALL_F32
    split: bool = False  # attn_k_b and attn_v_b instead of attn_kv_b.
    fused_experts: bool = False  # ffn_gate_up_exps.
    old_bias_name: bool = False  # exp_probs_b without .bias.
    old: bool = False  # Without keys that older converters did not write.
    per_layer_arrays: bool = False
    normalized: bool = False  # expert_weights_norm, where the class of transformers does not have it.
    format_version: int = 3
    as_llama_cpp: bool = True  # llama.cpp computes the same function.
    float32_always = ("exp_probs_b*", "*.ffn_gate_inp.*", "position_embd*", "rope_f*")

    def type_of(self, name, dimensions):
        if dimensions < 2 or any(fnmatch.fnmatch(name, pattern) for pattern in self.float32_always):
            return "F32"
        return next(kind for pattern, kind in self.types.items() if fnmatch.fnmatch(name, pattern))


def llama(model_type="llama", **changes):
    config = {
        "model_type": model_type, "vocab_size": 107, "hidden_size": 44, "intermediate_size": 52,
        "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 10,
        "max_position_embeddings": 256, "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "tie_word_embeddings": False,
        "hidden_act": "silu", "bos_token_id": 0, "eos_token_id": 1,
    }  # fmt: skip
    config.update(changes)
    return config


BLOCKS_OF_32 = {"hidden_size": 64, "intermediate_size": 96, "head_dim": 24}  # Rows are whole blocks.


def gpt2(**changes):
    config = {
        "model_type": "gpt2", "vocab_size": 109, "n_embd": 44, "n_inner": 52, "n_layer": 2, "n_head": 4,
        "n_positions": 160, "layer_norm_epsilon": 1e-5, "activation_function": "gelu_new",
        "tie_word_embeddings": True, "bos_token_id": 0, "eos_token_id": 1,
    }  # fmt: skip
    config.update(changes)
    return config


def latent(model_type, **changes):
    config = {
        "model_type": model_type, "vocab_size": 103, "hidden_size": 45, "intermediate_size": 58,
        "num_hidden_layers": 2, "num_attention_heads": 3, "num_key_value_heads": 3, "kv_lora_rank": 20,
        "q_lora_rank": 26, "qk_nope_head_dim": 12, "qk_rope_head_dim": 8, "v_head_dim": 14,
        "max_position_embeddings": 256, "rms_norm_eps": 1e-6, "rope_theta": 10000.0, "tie_word_embeddings": False,
        "hidden_act": "silu", "attention_bias": False, "bos_token_id": 0, "eos_token_id": 1,
    }  # fmt: skip
    config.update(changes)
    return config


def deepseek(model_type, **changes):
    config = {
        "n_routed_experts": 8, "num_experts_per_tok": 3, "n_shared_experts": 2, "moe_intermediate_size": 18,
        "first_k_dense_replace": 1, "routed_scaling_factor": 1.7,
    }  # fmt: skip
    if model_type == "deepseek_v2":
        config |= {"topk_method": "greedy", "n_group": None, "topk_group": None, "norm_topk_prob": False}
    else:
        config |= {"n_group": 4, "topk_group": 2, "norm_topk_prob": True, "routed_scaling_factor": 2.5}
    return latent(model_type, **(config | changes))


def yarn(**changes):
    return {"rope_type": "yarn", "factor": 5.0, "original_max_position_embeddings": 48} | changes


LLAMA3 = {
    "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}  # fmt: skip

DEEPSEEK_BLOCKS_OF_32 = {
    "hidden_size": 64, "intermediate_size": 96, "kv_lora_rank": 32, "q_lora_rank": 96, "qk_nope_head_dim": 32,
    "qk_rope_head_dim": 16, "v_head_dim": 32, "num_attention_heads": 2, "num_key_value_heads": 2,
    "moe_intermediate_size": 32,
}  # fmt: skip

MINICPM3 = {"scale_emb": 12, "scale_depth": 1.4, "dim_model_base": 256}


def grouped_cases():
    yield Case("llama", "heads with a size of their own", "llama", llama())
    yield Case(
        "llama_old", "version 2, the old key for linear scaling, without key_length and vocab_size, tied", "llama",
        llama(hidden_size=48, head_dim=12, tie_word_embeddings=True, rope_scaling={"rope_type": "linear", "factor": 3.0}),
        {"*": "F16"}, File.MOSTLY_F16, old=True, format_version=2,
    )  # fmt: skip
    yield Case(
        "llama_llama3", "Llama 3.1's frequencies as a tensor", "llama",
        llama(**BLOCKS_OF_32, num_hidden_layers=1, rope_theta=500000.0, rope_scaling=LLAMA3), {"*": "Q8_0"}, File.MOSTLY_Q8_0,
        per_layer_arrays=True,
    )  # fmt: skip
    yield Case(
        "llama_biases", "biases on all projections", "llama", llama(num_hidden_layers=1, attention_bias=True, mlp_bias=True),
        {"*": "BF16"}, File.MOSTLY_BF16,
    )  # fmt: skip
    yield Case(
        "llama_blocks", "every type of blocks of 32", "llama", llama(**BLOCKS_OF_32, num_hidden_layers=1),
        {"token_embd*": "Q5_1", "output.*": "Q8_0", "*attn_q.*": "Q4_1", "*attn_k.*": "Q5_0", "*attn_v.*": "Q5_1",
         "*down*": "IQ4_NL", "*": "Q4_0"}, File.MOSTLY_Q4_0,
    )  # fmt: skip
    yield Case(
        "llama_k_quants", "every type of blocks of 256", "llama",
        llama(hidden_size=256, intermediate_size=256, head_dim=64, num_hidden_layers=1),
        {"token_embd*": "Q3_K", "output.*": "Q6_K", "*attn_q.*": "Q4_K", "*attn_k.*": "Q5_K", "*attn_v.*": "Q6_K",
         "*attn_output*": "IQ4_XS", "*gate*": "Q2_K", "*up*": "Q4_K", "*": "Q5_K"}, File.MOSTLY_Q4_K_M,
    )  # fmt: skip
    yield Case(
        "llama_window", "Mistral's window, which llama.cpp does not look at", "llama",
        llama("mistral", sliding_window=17), {"*": "F16"}, File.MOSTLY_F16, as_llama_cpp=False,
    )  # fmt: skip
    yield Case(
        "qwen2", "biases on queries, keys and values; yarn", "qwen2",
        llama("qwen2", **(BLOCKS_OF_32 | {"head_dim": 16, "num_hidden_layers": 1}), tie_word_embeddings=True,
              rope_theta=1e6, rope_scaling=yarn(beta_fast=24.0, beta_slow=2.0)), {"*": "Q8_0"}, File.MOSTLY_Q8_0,
    )  # fmt: skip
    yield Case("qwen3", "norms of queries and keys", "qwen3", llama("qwen3", num_hidden_layers=1), {"*": "F16"}, File.MOSTLY_F16)
    yield Case("gpt2", "learned positions, tied", "gpt2", gpt2(), {"*": "F16"}, File.MOSTLY_F16)
    yield Case(
        "gpt2_q8_0", "an output head of its own", "gpt2",
        gpt2(n_embd=64, n_inner=96, n_layer=1, tie_word_embeddings=False), {"*": "Q8_0"}, File.MOSTLY_Q8_0,
    )  # fmt: skip


def latent_cases():
    same = {"mscale": 0.707, "mscale_all_dim": 0.707}
    yield Case(
        "deepseek2_v2_lite_old", "joined attn_kv_b, without queries' compression, gating function and vocab_size",
        "deepseek2", deepseek("deepseek_v2", q_lora_rank=None, rope_scaling=yarn(**same)), {"*": "F16"}, File.MOSTLY_F16,
        old=True,
        as_llama_cpp=False,
    )  # fmt: skip
    yield Case(
        "deepseek2_v2_lite", "split, without queries' compression; yarn", "deepseek2",
        deepseek("deepseek_v2", q_lora_rank=None, rope_scaling=yarn(**same)), {"*": "F16"}, File.MOSTLY_F16,
        split=True,
    )  # fmt: skip
    yield Case(
        "deepseek2_v2_groups", "joined; experts by groups, which llama.cpp chooses otherwise", "deepseek2",
        deepseek("deepseek_v2", topk_method="group_limited_greedy", n_group=4, topk_group=2), {"*": "BF16"},
        File.MOSTLY_BF16, as_llama_cpp=False,
    )  # fmt: skip
    yield Case(
        "deepseek2_v2_normalized", "softmax with normalized weights; gate and up of the experts in one tensor",
        "deepseek2", deepseek("deepseek_v2"), {"*": "F16"}, File.MOSTLY_F16, split=True, normalized=True, fused_experts=True,
    )  # fmt: skip
    yield Case(
        "deepseek2_v3", "split; sigmoid, groups, correction bias; yarn", "deepseek2",
        deepseek("deepseek_v3", rope_scaling=yarn(mscale=1.0, mscale_all_dim=1.0)), {"*": "F16"}, File.MOSTLY_F16,
        split=True,
    )  # fmt: skip
    yield Case(
        "deepseek2_v3_joined", "joined, the correction bias by its old name, the gating function not said",
        "deepseek2", deepseek("deepseek_v3", n_group=1, topk_group=1), {"*": "F16"}, File.MOSTLY_F16, old=True, old_bias_name=True,
        as_llama_cpp=False,
    )  # fmt: skip
    yield Case(
        "deepseek2_v3_blocks", "split, all in blocks", "deepseek2",
        deepseek("deepseek_v3", **DEEPSEEK_BLOCKS_OF_32, n_group=2, topk_group=1),
        {"*attn_k_b*": "Q8_0", "*attn_v_b*": "Q5_0", "*exps*": "Q4_0", "*": "Q8_0"}, File.MOSTLY_Q8_0, split=True,
    )  # fmt: skip
    yield Case(
        "deepseek2_dense", "joined, no experts, tied", "deepseek2",
        latent("deepseek_v3", first_k_dense_replace=1, num_hidden_layers=1, tie_word_embeddings=True,
               rms_norm_eps=1e-5), {"*": "F16"}, File.MOSTLY_F16, as_llama_cpp=False,
    )  # fmt: skip
    yield Case(
        "minicpm3", "scales of embeddings, blocks and logits; LongRoPE's factors", "minicpm3",
        latent("minicpm3", hidden_size=48, v_head_dim=16, **MINICPM3, rope_scaling={
            "rope_type": "longrope", "original_max_position_embeddings": 256,
            "long_factor": [1.5, 2.5, 3.5, 4.5], "short_factor": [1.1, 1.3, 1.7, 2.3]}), {"*": "F16"}, File.MOSTLY_F16,
    )  # fmt: skip
    yield Case(
        "minicpm3_q8_0", "in blocks", "minicpm3",
        latent("minicpm3", **{key: value for key, value in DEEPSEEK_BLOCKS_OF_32.items() if "moe" not in key},
               **MINICPM3, num_hidden_layers=1), {"*": "Q8_0"}, File.MOSTLY_Q8_0,
    )  # fmt: skip


def all_cases():
    return [*grouped_cases(), *latent_cases()]
