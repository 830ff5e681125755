"""The golden checkpoints of the Llama family and of GPT-2."""

from variants import Variant, without, yarn

SIZES = dict(vocab_size=67, num_hidden_layers=2, max_position_embeddings=1024, bos_token_id=65, eos_token_id=66)
COMMON = dict(hidden_act="silu", initializer_range=0.02, use_cache=True, tie_word_embeddings=False,
              attention_dropout=0.0, rope_theta=10000.0, torch_dtype="float32",
              transformers_version="4.40.1")  # fmt: skip


def llama(**changes):
    config = dict(
        architectures=["LlamaForCausalLM"], model_type="llama", **SIZES, **COMMON, hidden_size=36, intermediate_size=46,
        num_attention_heads=6, num_key_value_heads=2, rms_norm_eps=1e-5, rope_scaling=None, attention_bias=False,
        mlp_bias=False, pretraining_tp=1,
    )  # fmt: skip
    return {**config, **changes}


def mistral(**changes):
    config = dict(
        architectures=["MistralForCausalLM"], model_type="mistral", **SIZES, **COMMON, hidden_size=35,
        intermediate_size=44, num_attention_heads=5, num_key_value_heads=1, head_dim=8, rms_norm_eps=1e-5,
        sliding_window=19,
    )  # fmt: skip
    return {**config, **changes}


def qwen2(**changes):
    config = dict(
        architectures=["Qwen2ForCausalLM"], model_type="qwen2", **SIZES, **COMMON, hidden_size=40, intermediate_size=42,
        num_attention_heads=4, num_key_value_heads=2, rms_norm_eps=1e-6, use_sliding_window=False, sliding_window=23,
        max_window_layers=1,
    )  # fmt: skip
    return {**config, **changes}


def qwen3(**changes):
    config = dict(
        architectures=["Qwen3ForCausalLM"], model_type="qwen3", **SIZES, **COMMON, hidden_size=33, intermediate_size=39,
        num_attention_heads=6, num_key_value_heads=3, head_dim=8, rms_norm_eps=1e-6, rope_scaling=None,
        attention_bias=False, use_sliding_window=False, sliding_window=None, max_window_layers=2,
    )  # fmt: skip
    return {**config, **changes}


def gpt2(**changes):
    config = dict(
        architectures=["GPT2LMHeadModel"], model_type="gpt2", vocab_size=61, n_embd=30, n_layer=2, n_head=3,
        n_positions=136, n_ctx=136, n_inner=None, activation_function="gelu_new", attn_pdrop=0.1, embd_pdrop=0.1,
        resid_pdrop=0.1, initializer_range=0.02, layer_norm_epsilon=1e-5, summary_type="cls_index",
        summary_use_proj=True, bos_token_id=60, eos_token_id=60, torch_dtype="float32",
    )  # fmt: skip
    return {**config, **changes}


def new_style(config):
    """As newer transformers write it: `rope_parameters` and `dtype`."""
    config = dict(config)
    rope = {"rope_theta": config.pop("rope_theta"), **(config.pop("rope_scaling", None) or {})}
    rope.setdefault("rope_type", rope.pop("type", "default"))
    return {**config, "rope_parameters": rope, "dtype": config.pop("torch_dtype")}


LLAMA3 = dict(rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
              original_max_position_embeddings=48)  # fmt: skip
LONGROPE = dict(rope_type="longrope", short_factor=[1.0, 1.2, 1.5], long_factor=[1.3, 2.5, 5.0],
                original_max_position_embeddings=64)  # fmt: skip
WIDE = dict(num_attention_heads=3, num_key_value_heads=1, rope_theta=200.0)  # heads of 12, for yarn's ramp


def llama_variants():
    return [
        Variant("llama_gqa", llama(rms_norm_eps=0.03), "3 query heads share a key-value head", exchanges=(
            "none", "integer", "binary", "sinusoidal", "alibi")),
        Variant("llama_mha", without(llama(), "num_key_value_heads", "rms_norm_eps", "rope_theta", "rope_scaling",
                "attention_bias", "mlp_bias", "tie_word_embeddings", "hidden_act", "torch_dtype"),
                "optional keys are absent: as many key-value heads as heads", "bfloat16"),
        Variant("llama_mqa", llama(num_key_value_heads=1, hidden_size=48, num_attention_heads=4),
                "one key-value head", "bfloat16"),
        Variant("llama_biases", llama(attention_bias=True, mlp_bias=True), "biases everywhere", "bfloat16"),
        Variant("llama_tied", llama(tie_word_embeddings=True, hidden_size=54, num_attention_heads=9,
                num_key_value_heads=3), "SmolLM2 shape: tied embeddings, 9 heads over 3", "bfloat16"),
        Variant("llama_head_dim", llama(head_dim=10, rope_theta=500000.0),
                "heads wider than hidden_size / num_attention_heads", "bfloat16"),
        Variant("llama_llama3", llama(head_dim=12, rope_theta=100.0, rope_scaling=LLAMA3), "Llama 3.1's scaling",
                "bfloat16"),
        Variant("llama_linear", llama(rope_scaling=dict(type="linear", factor=4.0)), "linear scaling", "float16"),
        Variant("llama_dynamic", llama(rope_scaling=dict(type="dynamic", factor=2.0), max_position_embeddings=64),
                "dynamic scaling beyond max_position_embeddings", "bfloat16"),
        Variant("llama_yarn", new_style(llama(**WIDE, rope_scaling=yarn(6.0, 40, beta_fast=2.0))),
                "yarn, whose factor is on cosines and sines only; new config style", "bfloat16"),
        Variant("llama_yarn_mscales", llama(**WIDE, rope_scaling=yarn(6.0, 40, 0.8, 1.3)),
                "yarn; mscale_all_dim does not enter the softmax scale", "bfloat16"),
        Variant("llama_longrope", llama(rope_scaling=LONGROPE), "longrope, long factors", "bfloat16"),
        Variant("llama_interleaved", llama(rope_interleave=True, attention_bias=True), "our own key: pairs (2i, 2i+1)",
                "bfloat16"),
        Variant("llama_partial", llama(head_dim=14, partial_rotary_factor=0.43, rope_theta=100.0),
                "partial_rotary_factor is not looked at: all 14 values are turned", "bfloat16"),
        Variant("llama_sharded", llama(num_hidden_layers=3), "three shards and an index", "bfloat16", shards=3),
        Variant("llama_save_pretrained", llama(rope_scaling=LLAMA3, num_key_value_heads=3),
                "written by save_pretrained", "bfloat16", naming="save_pretrained"),
        Variant("llama_alibi", llama(position_encoding="alibi", scale_embedding=True), "linear biases of 6 heads",
                "bfloat16"),
        Variant("llama_learned", llama(position_encoding="learned", max_position_embeddings=128),
                "a table of positions", "bfloat16"),
    ]  # fmt: skip


def relative_variants():
    layers = ["sliding_attention", "full_attention", "sliding_attention"]
    return [
        Variant("mistral_window", mistral(), "a window shorter than the prompt, one key-value head", "bfloat16",
                exchanges=("none", "alibi")),
        Variant("mistral_narrow", mistral(sliding_window=2, num_key_value_heads=5), "a row sees itself and the one before",
                "bfloat16"),
        Variant("mistral_full", mistral(sliding_window=None, num_attention_heads=6, num_key_value_heads=3, head_dim=6),
                "no window; heads that do not fill hidden_size", "bfloat16"),
        Variant("mistral_long", mistral(sliding_window=70, num_attention_heads=4, num_key_value_heads=2, head_dim=4),
                "a window longer than a block of queries", "bfloat16", prompt_tokens=150),
        Variant("mistral_layer_types", mistral(num_hidden_layers=3, layer_types=layers), "a window in some layers",
                "bfloat16"),
        Variant("qwen2_plain", qwen2(), "biases on queries, keys and values; the window is switched off", "bfloat16"),
        Variant("qwen2_window", qwen2(use_sliding_window=True, num_hidden_layers=3, tie_word_embeddings=True),
                "a window in the layers from 1 on", "bfloat16"),
        Variant("qwen2_layer_types", new_style(qwen2(use_sliding_window=True, num_hidden_layers=3, layer_types=layers)),
                "layer_types win over max_window_layers", "bfloat16"),
        Variant("qwen2_yarn", qwen2(hidden_size=48, rope_theta=200.0, rope_scaling=yarn(4.0, 32)), "yarn",
                "bfloat16"),
        Variant("qwen3_plain", qwen3(rms_norm_eps=0.02), "a norm over each head of queries and keys", exchanges=(
            "sinusoidal",)),
        Variant("qwen3_bias", qwen3(attention_bias=True, num_key_value_heads=6), "biases before the norms",
                "bfloat16"),
        Variant("qwen3_layer_types", qwen3(use_sliding_window=True, sliding_window=11, num_hidden_layers=3,
                layer_types=layers, num_key_value_heads=1, tie_word_embeddings=True), "a window in some layers",
                "bfloat16"),
    ]  # fmt: skip


def gpt2_variants():
    return [
        Variant("gpt2_plain", gpt2(), "as transformers writes it, with \"transformer.\"", exchanges=(
            "none", "sinusoidal", "rope", "alibi")),
        Variant("gpt2_published", without(gpt2(n_layer=3), "activation_function", "layer_norm_epsilon", "torch_dtype"),
                "names without a prefix, the old buffers", "bfloat16", naming="published"),
        Variant("gpt2_unscaled", gpt2(scale_attn_weights=False, layer_norm_epsilon=0.04), "scores are not scaled",
                "bfloat16"),
        Variant("gpt2_inverse_layer", gpt2(scale_attn_by_inverse_layer_idx=True, n_layer=3, n_inner=50),
                "scores divided by layer + 1; its own n_inner", "float16"),
        Variant("gpt2_relu", gpt2(activation_function="relu", n_head=5), "relu", "bfloat16"),
        Variant("gpt2_gelu", gpt2(activation_function="gelu", n_embd=32, n_head=1), "gelu by the error function"),
        Variant("gpt2_gelu_tanh", gpt2(activation_function="gelu_pytorch_tanh"), "gelu_pytorch_tanh", "bfloat16"),
        Variant("gpt2_untied", gpt2(tie_word_embeddings=False), "an output head of its own", "bfloat16"),
        Variant("gpt2_transposed", gpt2(conv1d_layout=False, n_inner=77), "our own key: matrices [out, in]",
                "bfloat16"),
        Variant("gpt2_sharded", gpt2(n_layer=3), "two shards and an index", "bfloat16", shards=2),
    ]  # fmt: skip


def all_llama_variants():
    return llama_variants() + relative_variants() + gpt2_variants()
