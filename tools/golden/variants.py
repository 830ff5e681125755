"""The list of golden checkpoints: one `Variant` per behaviour that must be pinned down.

Dimensions are deliberately odd and mutually different, so that a mix-up between two of them cannot go unnoticed.
"""

from dataclasses import dataclass, field


@dataclass
class Variant:
    name: str
    config: dict  # what goes into config.json
    about: str
    dtype: str = "float32"  # of the weights on disk: float32, bfloat16, float16 or fp8
    naming: str = "published"  # published, save_pretrained (untouched) or fused (3D expert tensors)
    shards: int = 1
    mtp_layers: int = 0
    prompt_tokens: int = 104
    repeats: bool = True  # whether a token may stand in the prompt twice
    correction_bias: tuple = (0.0, 0.15)  # mean and deviation of e_score_correction_bias
    correction_bias_dtype: str = "float32"
    generation_config: dict = field(default_factory=dict)
    exchanges: tuple = ()  # position encodings that the checkpoint is also computed with, in place of its own

    def __post_init__(self):
        """Makes the dtype that config.json announces, if it announces any, the one of the files."""
        for key in {"dtype", "torch_dtype"} & set(self.config):
            self.config[key] = "bfloat16" if self.dtype == "fp8" else self.dtype


def v2(**changes):
    config = dict(
        architectures=["DeepseekV2ForCausalLM"], model_type="deepseek_v2", vocab_size=97, hidden_size=51,
        intermediate_size=38, moe_intermediate_size=14, num_hidden_layers=2, num_attention_heads=3,
        num_key_value_heads=3, n_shared_experts=1, n_routed_experts=6, routed_scaling_factor=1.0, kv_lora_rank=14,
        q_lora_rank=18, qk_rope_head_dim=6, v_head_dim=9, qk_nope_head_dim=10, topk_method="greedy", n_group=1,
        topk_group=1, num_experts_per_tok=2, moe_layer_freq=1, first_k_dense_replace=1, norm_topk_prob=False,
        scoring_func="softmax", aux_loss_alpha=0.001, seq_aux=True, hidden_act="silu", max_position_embeddings=1024,
        initializer_range=0.02, rms_norm_eps=1e-6, use_cache=True, pretraining_tp=1, tie_word_embeddings=False,
        rope_theta=10000, rope_scaling=None, attention_bias=False, attention_dropout=0.0, bos_token_id=95,
        eos_token_id=96, torch_dtype="float32", transformers_version="4.39.3",
    )  # fmt: skip
    return {**config, **changes}


def v3(**changes):
    config = dict(
        architectures=["DeepseekV3ForCausalLM"], model_type="deepseek_v3", vocab_size=103, hidden_size=53,
        intermediate_size=37, moe_intermediate_size=13, num_hidden_layers=2, num_attention_heads=5,
        num_key_value_heads=5, n_shared_experts=1, n_routed_experts=12, routed_scaling_factor=2.5, kv_lora_rank=17,
        q_lora_rank=22, qk_rope_head_dim=8, v_head_dim=11, qk_nope_head_dim=7, topk_method="noaux_tc", n_group=4,
        topk_group=2, num_experts_per_tok=3, moe_layer_freq=1, first_k_dense_replace=1, norm_topk_prob=True,
        scoring_func="sigmoid", aux_loss_alpha=0.001, seq_aux=True, num_nextn_predict_layers=1, hidden_act="silu",
        max_position_embeddings=1024, initializer_range=0.02, rms_norm_eps=1e-6, use_cache=True, ep_size=1,
        pretraining_tp=1, tie_word_embeddings=False, rope_theta=10000, rope_scaling=None, attention_bias=False,
        attention_dropout=0.0, bos_token_id=101, eos_token_id=102, torch_dtype="float32",
        transformers_version="4.33.1",
    )  # fmt: skip
    return {**config, **changes}


def new_style(config):
    """The same configuration as newer transformers write it: `rope_parameters` and `dtype`."""
    config = dict(config)
    rope = dict(config.pop("rope_scaling") or {})
    rope["rope_type"] = rope.pop("type", rope.get("rope_type", "default"))
    rope["rope_theta"] = float(config.pop("rope_theta"))
    config["rope_parameters"] = rope
    config["dtype"] = config.pop("torch_dtype")
    config["head_dim"] = config["qk_rope_head_dim"]
    config["qk_head_dim"] = config["qk_rope_head_dim"] + config["qk_nope_head_dim"]
    for key in ("moe_layer_freq", "scoring_func", "aux_loss_alpha", "seq_aux", "ep_size"):
        config.pop(key, None)
    return config


def without(config, *keys):
    return {key: value for key, value in config.items() if key not in keys}


def yarn(factor, original, mscale=None, mscale_all_dim=None, **more):
    rope = dict(type="yarn", factor=factor, original_max_position_embeddings=original, beta_fast=32, beta_slow=1)
    if mscale is not None:
        rope["mscale"] = mscale
    if mscale_all_dim is not None:
        rope["mscale_all_dim"] = mscale_all_dim
    return {**rope, **more}


# A wide rotary part and a small base give the yarn ramp several intermediate values.
WIDE_ROPE = dict(qk_rope_head_dim=12, rope_theta=200)
V2_GROUPS = dict(topk_method="group_limited_greedy", n_routed_experts=12, n_group=4, topk_group=2,
                 num_experts_per_tok=3, routed_scaling_factor=16.0, moe_intermediate_size=11)  # fmt: skip
MOONLIGHT = dict(q_lora_rank=None, n_group=1, topk_group=1, n_routed_experts=10, num_experts_per_tok=3,
                 n_shared_experts=2, routed_scaling_factor=2.446, rope_theta=50000,
                 num_nextn_predict_layers=0)  # fmt: skip
KIMI_K2 = dict(n_group=1, topk_group=1, n_routed_experts=24, num_experts_per_tok=5, moe_intermediate_size=7,
               routed_scaling_factor=2.827, rope_theta=50000, num_nextn_predict_layers=0,
               rope_scaling=yarn(32.0, 16, 1.0, 1.0, beta_fast=1.0, beta_slow=1.0))  # fmt: skip


def v2_variants():
    lite_yarn = yarn(40, 32, 0.707, 0.707)
    mixed_yarn = yarn(8, 48, 0.9, 0.6, beta_fast=2)
    return [
        Variant("v2_q_lora", v2(), "greedy softmax router, compressed queries"),
        Variant("v2_no_q_lora", v2(q_lora_rank=None, rms_norm_eps=1e-5), "V2-Lite shape: q_lora_rank null"),
        Variant("v2_group_limited", v2(**V2_GROUPS), "group_limited_greedy, scaling 16", "bfloat16"),
        Variant("v2_lite_yarn", v2(q_lora_rank=None, rope_scaling=lite_yarn, n_shared_experts=2),
                "V2-Lite: yarn with mscale = mscale_all_dim = 0.707", "bfloat16",
                prompt_tokens=150),
        Variant("v2_yarn_mscales", v2(**WIDE_ROPE, rope_scaling=mixed_yarn), "mscale and mscale_all_dim differ",
                "bfloat16", prompt_tokens=131),
        Variant("v2_yarn_no_mscale", new_style(v2(**WIDE_ROPE, rope_scaling=yarn(4.0, 40, truncate=False))),
                "no mscale at all, truncate false, new config style", "bfloat16"),
        Variant("v2_attention_bias", v2(attention_bias=True), "biases on q_a, kv_a and o projections", "bfloat16"),
        Variant("v2_mlp_bias", v2(mlp_bias=True), "biases in dense and shared MLPs", "bfloat16"),
        Variant("v2_dense_only", v2(first_k_dense_replace=2, rms_norm_eps=0.05), "no MoE layer; a large rms_norm_eps, "
                "which must not reach q_a_layernorm and kv_a_layernorm"),
        Variant("v2_moe_from_0", v2(first_k_dense_replace=0, hidden_size=65, num_attention_heads=5,
                num_key_value_heads=5, moe_intermediate_size=9), "MoE in every layer", "float16"),
        Variant("v2_no_shared", v2(n_shared_experts=0), "no shared experts"),
        Variant("v2_tied", v2(tie_word_embeddings=True), "tied embeddings, lm_head.weight absent", "bfloat16"),
        Variant("v2_new_style", new_style(v2(rope_theta=500.0)), "rope_parameters + dtype", "bfloat16"),
        Variant("v2_linear", v2(rope_scaling=dict(type="linear", factor=4.0)), "linear rope scaling", "bfloat16"),
        Variant("v2_defaults", without(v2(), "rope_theta", "rope_scaling", "attention_bias", "tie_word_embeddings",
                "rms_norm_eps", "routed_scaling_factor", "topk_method", "n_group", "topk_group", "num_key_value_heads",
                "hidden_act", "torch_dtype"), "optional keys are absent", "bfloat16"),
        Variant("v2_save_pretrained", v2(rope_scaling=lite_yarn), "written by save_pretrained",
                naming="save_pretrained"),
    ]  # fmt: skip


def v3_routing_variants():
    return [
        Variant("v3_groups", v3(n_routed_experts=10, n_group=5, topk_group=3, moe_intermediate_size=12),
                "noaux_tc with groups", "bfloat16", prompt_tokens=120),
        Variant("v3_moonlight", v3(**MOONLIGHT), "Moonlight shape: q_lora_rank null, one group", "bfloat16"),
        Variant("v3_kimi_k2", v3(**KIMI_K2), "Kimi-K2 shape: 24 experts, one group, yarn factor 32", "bfloat16"),
        Variant("v3_negative_scores", v3(), "choice scores below zero: excluded groups are masked with -inf",
                "bfloat16", correction_bias=(-0.9, 0.2)),
        Variant("v3_no_topk_norm", v3(norm_topk_prob=False), "norm_topk_prob false", "bfloat16"),
        Variant("v3_moe_from_0", v3(first_k_dense_replace=0, moe_intermediate_size=7), "MoE in every layer",
                "bfloat16"),
        Variant("v3_dense_only", v3(first_k_dense_replace=2, rms_norm_eps=0.02), "no MoE layer", "bfloat16"),
        Variant("v3_no_shared", v3(n_shared_experts=0), "no shared experts", "bfloat16"),
        Variant("v3_shared_2", v3(n_shared_experts=2, num_hidden_layers=4, moe_intermediate_size=5),
                "two shared experts, four layers", "bfloat16"),
    ]  # fmt: skip


def v3_position_variants():
    llama3 = dict(rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
                  original_max_position_embeddings=48)  # fmt: skip
    longrope = dict(rope_type="longrope", short_factor=[1.0, 1.1, 1.3, 1.6], long_factor=[1.2, 2.0, 3.5, 6.0],
                    original_max_position_embeddings=64)  # fmt: skip
    return [
        Variant("v3_no_interleave", v3(rope_interleave=False), "rotary pairs are (i, i + d/2)", "bfloat16"),
        Variant("v3_r1_yarn", v3(rope_scaling=yarn(40, 24, 1.0, 1.0)), "R1: mscale = mscale_all_dim = 1", "bfloat16",
                prompt_tokens=220),
        Variant("v3_yarn_mscales", new_style(v3(**WIDE_ROPE, rope_scaling=yarn(6.0, 64, 0.8, 1.3, beta_fast=2.0))),
                "mscale and mscale_all_dim differ, new config style", "bfloat16"),
        Variant("v3_yarn_attention_factor", v3(**WIDE_ROPE, rope_scaling=yarn(6, 64, None, 0.7, attention_factor=1.25)),
                "explicit attention_factor, only mscale_all_dim", "bfloat16"),
        Variant("v3_linear", new_style(v3(rope_scaling=dict(rope_type="linear", factor=3.0, mscale_all_dim=0.8))),
                "linear scaling; mscale_all_dim enters the softmax scale all the same", "bfloat16"),
        Variant("v3_dynamic", v3(rope_scaling=dict(type="dynamic", factor=2.0), max_position_embeddings=64),
                "dynamic scaling beyond max_position_embeddings (prompt in one forward, then one token each, cached)",
                "bfloat16"),
        Variant("v3_llama3", v3(rope_scaling=llama3), "llama3 scaling", "bfloat16"),
        Variant("v3_longrope", v3(rope_scaling=longrope), "longrope, long factors", "bfloat16"),
    ]  # fmt: skip


FP8_CONFIG = dict(activation_scheme="dynamic", fmt="e4m3", quant_method="fp8", weight_block_size=[128, 128])


def v3_storage_variants():
    wide = dict(hidden_size=135, intermediate_size=141, moe_intermediate_size=130, n_routed_experts=6, n_group=3,
                kv_lora_rank=33, q_lora_rank=131, num_experts_per_tok=2, vocab_size=99, bos_token_id=97,
                eos_token_id=98, v_head_dim=29, num_nextn_predict_layers=0)  # fmt: skip
    return [
        Variant("v3_float32", v3(), "float32 weights"),
        Variant("v3_float16", v3(), "float16 weights", "float16"),
        Variant("v3_attention_bias", v3(attention_bias=True), "attention biases", "bfloat16"),
        Variant("v3_tied", v3(tie_word_embeddings=True), "tied embeddings; e_score_correction_bias stored as bfloat16",
                "bfloat16", correction_bias_dtype="bfloat16"),
        Variant("v3_fp8", v3(**wide, quantization_config=FP8_CONFIG), "fp8 blocks of 128x128 with ragged edges", "fp8"),
        Variant("v3_sharded", v3(num_hidden_layers=3), "three shards and an index", "bfloat16", shards=3,
                generation_config=dict(bos_token_id=101, eos_token_id=[102, 100], do_sample=True, temperature=0.6,
                                       top_p=0.95)),
        Variant("v3_mtp", v3(num_hidden_layers=3, moe_intermediate_size=6),
                "tensors of a multi-token-prediction layer, to be ignored", "bfloat16", mtp_layers=1),
        Variant("v3_save_pretrained", v3(rope_scaling=yarn(40, 24, 1.0, 1.0)), "written by save_pretrained",
                "bfloat16", naming="save_pretrained"),
        Variant("v3_fused_experts", v3(), "experts fused in 3D tensors (save_original_format=False)", "bfloat16",
                naming="fused"),
    ]  # fmt: skip


# These are small: what they are about does not need much.
SMALL = dict(vocab_size=31, bos_token_id=29, eos_token_id=30, hidden_size=21, intermediate_size=12, num_attention_heads=3,
             num_key_value_heads=3, q_lora_rank=7, kv_lora_rank=8, qk_nope_head_dim=6, qk_rope_head_dim=4, v_head_dim=5,
             first_k_dense_replace=2, max_position_embeddings=160)  # fmt: skip
SMALL_EXPERTS = dict(first_k_dense_replace=1, n_routed_experts=6, n_group=3, topk_group=2, num_experts_per_tok=2,
                     moe_intermediate_size=5)  # fmt: skip


def encoded(name, encoding, about, make=v3, exchanges=(), **changes):
    """Another positional encoding than the published models have."""
    config = make(**{**SMALL, **changes}, position_encoding=encoding)
    return Variant(name, config, about, "bfloat16", exchanges=exchanges)


def encoding_variants():
    """With a rotary part, which only rope turns."""
    own = Variant("positions_rope_decoupled", v3(**SMALL), "also under other encodings than its own", "bfloat16",
                  exchanges=("none", "integer", "binary", "sinusoidal", "rope", "alibi"))
    return [
        own,
        encoded("positions_none", "none", "no positions; the rotary part is not turned"),
        encoded("positions_integer", "integer", "the position is added to every value", q_lora_rank=None),
        encoded("positions_binary", "binary", "the binary digits of the position are added"),
        encoded("positions_sinusoidal", "sinusoidal", "sinusoids, the embedding scaled", v2, scale_embedding=True),
        encoded("positions_learned", "learned", "a table of positions", max_position_embeddings=128,
                exchanges=("sinusoidal",)),
        encoded("positions_rope", "rope", "with a rotary part rope is rope-decoupled", q_lora_rank=None),
        encoded("positions_alibi", "alibi", "linear biases of 3 heads, so that one slope is in between"),
        encoded("positions_alibi_experts", "alibi", "linear biases of 4 heads, MoE", v2, **SMALL_EXPERTS,
                num_attention_heads=4, num_key_value_heads=4, hidden_size=20),
    ]  # fmt: skip


def simplified_variants():
    """Without a rotary part: DeepSeek-V2's MLA before it is joined with rope."""

    def simplified(encoding, about, make=v3, name=None, **changes):
        name = f"simplified_{name or encoding}"
        return encoded(name, encoding, about, make, **{"qk_rope_head_dim": 0, **changes})

    return [
        simplified("none", "no positions", exchanges=("rope", "alibi")),
        simplified("integer", "the position is added to every value"),
        simplified("binary", "the binary digits of the position are added", v2, q_lora_rank=None),
        simplified("sinusoidal", "sinusoids, the embedding not scaled"),
        simplified("learned", "a table of positions, the embedding scaled, MoE", **SMALL_EXPERTS, scale_embedding=True,
                   max_position_embeddings=128),
        simplified("alibi", "linear biases of 4 heads", num_attention_heads=4, num_key_value_heads=4),
        simplified("alibi", "linear biases of 3 heads", v2, name="alibi_3_heads"),
        simplified("rope", "the whole keys are turned, pairs (2i, 2i+1)", rope_theta=100.0),
        simplified("rope", "the whole keys are turned, pairs (i, i+d/2)", name="rope_halves", rope_interleave=False,
                   qk_nope_head_dim=10, rope_theta=100.0),
        simplified("rope", "the whole keys are turned, MoE", v2, name="rope_experts", **SMALL_EXPERTS),
        simplified("rope", "the whole keys are turned, yarn", name="rope_yarn", qk_nope_head_dim=12, q_lora_rank=None,
                   rope_scaling=yarn(6, 32, 0.8, 1.3), rope_theta=200),
        simplified("rope", "the whole keys are turned, all anew by the length of each call", name="rope_dynamic",
                   rope_scaling=dict(type="dynamic", factor=2.0), max_position_embeddings=64),
    ]  # fmt: skip


def all_variants():
    published = v2_variants() + v3_routing_variants() + v3_position_variants() + v3_storage_variants()
    return published + encoding_variants() + simplified_variants()
