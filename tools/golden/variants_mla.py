"""Checkpoints of the other families with latent attention: MiniCPM3, Youtu, GLM-4.7-Flash, Mistral 4, LongCat-Flash."""

import numpy_mla  # noqa: F401: registers itself.
import random_weights_mla  # noqa: F401: registers itself.
from variants import FP8_CONFIG, Variant, new_style, v3, without, yarn

NOT_IN_DENSE = ("moe_intermediate_size", "n_shared_experts", "n_routed_experts", "routed_scaling_factor", "topk_method",
                "n_group", "topk_group", "num_experts_per_tok", "moe_layer_freq", "first_k_dense_replace",
                "norm_topk_prob", "scoring_func", "aux_loss_alpha", "seq_aux", "num_nextn_predict_layers",
                "ep_size")  # fmt: skip


def named(config, name, model_type):
    return {**config, "architectures": [name + "ForCausalLM"], "model_type": model_type}


def minicpm3(**changes):
    """Published style: v_head_dim and tie_word_embeddings are left to the class."""
    config = without(named(v3(), "MiniCPM3", "minicpm3"), *NOT_IN_DENSE, "v_head_dim", "tie_word_embeddings")
    own = dict(vocab_size=61, bos_token_id=59, eos_token_id=60, hidden_size=45, intermediate_size=31, scale_emb=12,
               scale_depth=1.4, dim_model_base=90, rms_norm_eps=1e-5)  # fmt: skip
    return {**config, **own, **changes}


def minicpm3_variants():
    short, long = [1.0, 1.1, 1.3, 1.6], [1.2, 2.0, 3.5, 6.0]
    published = dict(type="longrope", short_factor=short, long_factor=long, original_max_position_embeddings=1024)
    stretched = {**published, "original_max_position_embeddings": 64}
    plain = dict(scale_depth=None, dim_model_base=None, mlp_bias=True, attention_bias=True, q_lora_rank=None,
                 v_head_dim=9, tie_word_embeddings=False, scale_emb=0.8, num_hidden_layers=3)  # fmt: skip
    return [
        Variant("minicpm3_published", minicpm3(rope_scaling=published), "longrope with short factors, tied", "bfloat16",
                exchanges=("alibi",)),
        Variant("minicpm3_longrope", minicpm3(rope_scaling=stretched), "longrope with long factors", "bfloat16"),
        Variant("minicpm3_plain", new_style(minicpm3(**plain)), "scale_depth and dim_model_base null, q_lora_rank null, "
                "biases, untied", "bfloat16"),
        Variant("minicpm3_defaults", without(minicpm3(tie_word_embeddings=False), "scale_emb", "scale_depth", "dim_model_base", "rms_norm_eps"),
                "scales are left to the class", "bfloat16"),
    ]  # fmt: skip


def youtu(**changes):
    config = without(named(v3(), "Youtu", "youtu"), *NOT_IN_DENSE, "tie_word_embeddings")
    own = dict(hidden_size=39, num_attention_heads=3, num_key_value_heads=3, vocab_size=71, bos_token_id=69,
               eos_token_id=70)  # fmt: skip
    return {**config, **own, **changes}


def youtu_variants():
    halves = youtu(rope_interleave=False, rope_scaling=yarn(6.0, 48, 0.8, 1.3), rope_theta=200, q_lora_rank=None,
                   attention_bias=True, tie_word_embeddings=False, qk_rope_head_dim=12)  # fmt: skip
    return [
        Variant("youtu_published", youtu(), "a dense DeepSeek-V3, tied", "bfloat16", exchanges=("none",)),
        Variant("youtu_halves", new_style(halves), "rotary pairs (i, i + d/2), yarn, q_lora_rank null, untied", "bfloat16"),
    ]  # fmt: skip


def glm(**changes):
    config = named(v3(), "Glm4MoeLite", "glm4_moe_lite")
    own = dict(hidden_size=31, rope_theta=1000000, rms_norm_eps=1e-5, n_group=1, topk_group=1, n_routed_experts=8,
               intermediate_size=23, moe_intermediate_size=9, num_attention_heads=3, num_key_value_heads=3,
               vocab_size=67, bos_token_id=65, eos_token_id=66,
               routed_scaling_factor=1.8, partial_rotary_factor=1.0)  # fmt: skip
    return {**config, **own, **changes}


def glm_variants():
    mixed = without(glm(num_hidden_layers=3, n_group=4, topk_group=2, num_experts_per_tok=2, moe_intermediate_size=6,
                        mlp_layer_types=["sparse", "dense", "sparse"], rope_interleave=False,
                        rope_theta=500.0), "first_k_dense_replace", "partial_rotary_factor")  # fmt: skip
    return [
        Variant("glm4_published", glm(), "all but the first layer have experts, a prediction layer", "bfloat16",
                mtp_layers=1),
        Variant("glm4_layer_types", new_style(mixed), "mlp_layer_types, groups, pairs (i, i + d/2)", "bfloat16",
                naming="save_pretrained", exchanges=("alibi",)),
        Variant("glm4_not_read", glm(first_k_dense_replace=0, norm_topk_prob=False, q_lora_rank=None),
                "first_k_dense_replace is not read; weights not normalized", "bfloat16"),
    ]  # fmt: skip


def mistral4(**changes):
    """The rotary share of a head is a power of two, so that transformers' int() of a product is exact."""
    rope = dict(type="yarn", rope_theta=200.0, factor=8.0, original_max_position_embeddings=16, beta_fast=32.0,
                beta_slow=1.0, mscale=1.0, mscale_all_dim=1.0, llama_4_scaling_beta=0.4,
                max_position_embeddings=1024, partial_rotary_factor=0.5)  # fmt: skip
    config = without(named(v3(), "Mistral4", "mistral4"), "rope_theta", "rope_scaling", "scoring_func", "topk_method")
    own = dict(vocab_size=57, bos_token_id=55, eos_token_id=56, hidden_size=35, qk_nope_head_dim=8, num_attention_heads=3, num_key_value_heads=3, n_routed_experts=8,
               num_experts_per_tok=3, n_group=1, topk_group=1, routed_scaling_factor=1.0, first_k_dense_replace=0,
               moe_intermediate_size=9, rope_parameters=rope)  # fmt: skip
    return {**config, **own, **changes}


def mistral4_variants():
    linear = dict(rope_type="linear", factor=3.0, rope_theta=10000.0, original_max_position_embeddings=40,
                  llama_4_scaling_beta=0.9, partial_rotary_factor=0.5)  # fmt: skip
    groups = dict(n_routed_experts=12, n_group=4, topk_group=2, moe_intermediate_size=7)
    return [
        Variant("mistral4_published", mistral4(), "queries scaled by position, softmax router, yarn", "bfloat16",
                exchanges=("alibi",)),
        Variant("mistral4_groups", mistral4(**groups, norm_topk_prob=False, routed_scaling_factor=2.5,
                first_k_dense_replace=1, q_lora_rank=None, rope_interleave=False), "groups by their two best, weights "
                "not normalized, pairs (i, i + d/2)", "bfloat16"),
        Variant("mistral4_linear", mistral4(rope_parameters=linear, attention_bias=True, tie_word_embeddings=True,
                n_shared_experts=2), "linear scaling, biases, tied", "bfloat16", prompt_tokens=131),
        Variant("mistral4_save_pretrained", mistral4(**groups), "written by transformers: experts in one tensor",
                "bfloat16", naming="save_pretrained"),
    ]  # fmt: skip


def longcat(**changes):
    config = without(named(v3(), "LongcatFlash", "longcat_flash"), *NOT_IN_DENSE, "num_hidden_layers",
                     "intermediate_size", "num_key_value_heads")  # fmt: skip
    own = dict(vocab_size=53, bos_token_id=51, eos_token_id=52, num_layers=1, hidden_size=37, num_attention_heads=3, kv_lora_rank=19, q_lora_rank=26, head_dim=8,
               ffn_hidden_size=31, expert_ffn_hidden_size=11, moe_topk=4, n_routed_experts=6, zero_expert_num=5,
               zero_expert_type="identity", routed_scaling_factor=6.0, mla_scale_q_lora=True, mla_scale_kv_lora=True,
               router_bias=False, rope_theta=10000000.0, rms_norm_eps=1e-5, attention_method="MLA")  # fmt: skip
    return {**config, **own, **changes}


def longcat_variants():
    bias = dict(correction_bias=(0.0, 0.05))
    more = longcat(num_layers=2, zero_expert_num=0, moe_topk=2, attention_bias=True, router_bias=True,
                   rope_parameters=yarn(6.0, 48, 0.8, 1.3), tie_word_embeddings=True, expert_ffn_hidden_size=6,
                   ffn_hidden_size=17)  # fmt: skip
    return [
        Variant("longcat_published", longcat(), "two attention blocks a layer, zero experts, prediction modules",
                "bfloat16", mtp_layers=1, **bias),
        Variant("longcat_two_layers", without(more, "rope_theta", "rope_scaling"), "no zero experts, a router bias that is "
                "not added, yarn over the default theta", "bfloat16", **bias),
        Variant("longcat_fp8", longcat(quantization_config=FP8_CONFIG, ffn_hidden_size=23,
                expert_ffn_hidden_size=7), "fp8 blocks", "fp8", **bias),
        Variant("longcat_save_pretrained", longcat(), "written by save_pretrained", "bfloat16", naming="save_pretrained",
                exchanges=("alibi",), **bias),
        Variant("longcat_fused", longcat(), "experts in one tensor, with places for zero experts", "bfloat16",
                naming="fused", **bias),
    ]  # fmt: skip


def mla_variants():
    return minicpm3_variants() + youtu_variants() + glm_variants() + mistral4_variants() + longcat_variants()
