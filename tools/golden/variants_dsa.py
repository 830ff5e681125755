"""Checkpoints of DeepSeek-V3.2: MLA with sparse attention."""

import numpy_dsa  # noqa: F401: registers itself.
import random_weights_dsa  # noqa: F401: registers itself.
from variants import FP8_CONFIG, SMALL, WIDE_ROPE, Variant, new_style, v3, without, yarn


def v32(**changes):
    own = dict(index_topk=19, index_n_heads=7, index_head_dim=10, vocab_size=71, bos_token_id=69, eos_token_id=70,
               hidden_size=43, intermediate_size=29, moe_intermediate_size=9, n_routed_experts=8, num_attention_heads=3,
               num_key_value_heads=3)  # fmt: skip
    changes = {**own, **changes}
    return v3(architectures=["DeepseekV32ForCausalLM"], model_type="deepseek_v32", **changes)


def dsa_variants():
    wide = dict(hidden_size=131, intermediate_size=39, num_hidden_layers=1, kv_lora_rank=21, q_lora_rank=133,
                index_n_heads=6, index_head_dim=23, num_nextn_predict_layers=0)  # fmt: skip
    small = {**SMALL, "index_n_heads": 6, "index_head_dim": 9, "index_topk": 14}
    many = dict(vocab_size=107, bos_token_id=105, eos_token_id=106, index_n_heads=13)
    pattern = ["sparse", "dense", "sparse"]
    return [
        Variant("v32_sparse", v32(rope_interleave=False), "19 of the tokens selected; rope_interleave is ignored",
                "bfloat16"),
        Variant("v32_all_selected", v32(index_topk=300), "index_topk beyond the text: dense attention", "bfloat16"),
        Variant("v32_selects_late", v32(index_topk=109), "selection begins while the text is continued", "bfloat16"),
        Variant("v32_few", v32(index_topk=5, first_k_dense_replace=0, moe_intermediate_size=6, attention_bias=True),
                "5 tokens selected, attention biases, MoE in every layer", "bfloat16"),
        Variant("v32_one", v32(index_topk=1, index_n_heads=11, first_k_dense_replace=2),
                "a single token selected, no MoE layer", "bfloat16"),
        Variant("v32_yarn", new_style(v32(**WIDE_ROPE, index_head_dim=12, index_topk=23,
                                          rope_scaling=yarn(6.0, 64, 0.8, 1.3, beta_fast=2.0))),
                "yarn; the indexer's heads are rotated whole", "bfloat16"),
        Variant("v32_layer_types", v32(num_hidden_layers=3, mlp_layer_types=pattern, moe_intermediate_size=5, hidden_size=35,
                                       layer_types=["indexed_attention"] * 3),
                "mlp_layer_types, against first_k_dense_replace", "bfloat16"),
        Variant("v32_fp8", v32(**wide, quantization_config=FP8_CONFIG), "fp8 blocks, the indexer's projections too",
                "fp8"),
        Variant("v32_defaults", without(v32(num_hidden_layers=4, moe_intermediate_size=7, hidden_size=33), "rope_theta", "rope_scaling", "attention_bias",
                "tie_word_embeddings", "rms_norm_eps", "routed_scaling_factor", "topk_method", "scoring_func",
                "norm_topk_prob", "first_k_dense_replace", "hidden_act", "torch_dtype"),
                "optional keys are absent: 3 dense layers", "bfloat16"),
        Variant("v32_mtp", v32(num_hidden_layers=1, first_k_dense_replace=1),
                "tensors of a multi-token-prediction layer, to be ignored", "bfloat16", mtp_layers=1),
        Variant("v32_save_pretrained", v32(rope_scaling=yarn(40, 24, 1.0, 1.0), index_topk=40),
                "written by save_pretrained", "bfloat16", naming="save_pretrained"),
        Variant("v32_positions", v32(**small), "also under other encodings than its own", "bfloat16",
                exchanges=("sinusoidal", "rope")),
        # Without a rotation the keys of equal tokens would be equal, and their scores tied.
        Variant("v32_biased", v32(**{**small, **many}), "also with linear biases of 3 heads", "bfloat16", repeats=False,
                exchanges=("alibi",)),
        Variant("v32_simplified", v32(**{**small, "qk_rope_head_dim": 0}, position_encoding="sinusoidal"),
                "no rotary part", "bfloat16"),
    ]  # fmt: skip
