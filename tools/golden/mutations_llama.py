"""Wrong readings of the Llama family and of GPT-2, for mutation_check.py."""

import fnmatch

import numpy as np
from mutations import changed_config, changed_rope, without_tensors
from numpy_gpt2 import ACTIVATIONS
from numpy_reference import yarn_magnitude


def without_head_norms(letter):
    def mutate(model):
        for name in fnmatch.filter(list(model.tensors), f"*.{letter}_norm.weight"):
            del model.tensors[name]

    return mutate


def heads_in_turn(model):
    group = model.config["num_attention_heads"] // model.config["num_key_value_heads"]
    model.shared = lambda x: np.tile(x, (1, group, 1))


def scale_with_mscale(model):
    scaling, plain = model.config["rope"], model.softmax_scale()
    model.softmax_scale = lambda: plain * yarn_magnitude(scaling["factor"], scaling["mscale_all_dim"]) ** 2


def norms_behind_the_rotation(model):
    heads, turned = model.heads, model.turned

    def late(prefix, name, x):
        norm = model.tensors.pop(f"{prefix}{name}_norm.weight", None)
        y = heads(prefix, name, x)
        if norm is None:
            return y
        model.tensors[f"{prefix}{name}_norm.weight"] = norm
        y = turned(y)
        return norm * y / np.sqrt((y * y).mean(-1, keepdims=True) + model.config["rms_norm_eps"])

    model.heads = late
    model.turned = lambda x: x


def window_by(change):
    return lambda model: model.config.update(sliding_window=model.config["sliding_window"] + change)


def values_before_keys(model):
    for name in fnmatch.filter(list(model.tensors), "*.c_attn.*"):
        q, k, v = np.split(model.tensors[name], 3, -1)
        model.tensors[name] = np.concatenate([q, v, k], -1)


def norm_keeps_the_mean(model):
    def norm(name, x):
        x = x / np.sqrt((x * x).mean(-1, keepdims=True) + model.config["layer_norm_epsilon"])
        return x * model.tensors[name + ".weight"] + model.tensors[name + ".bias"]

    model.norm = norm


def activation(function):
    return lambda model: ACTIVATIONS.update(other=function) or model.config.update(activation_function="other")


GROUPED = "llama_gqa llama_tied llama_sharded mistral_full qwen2_plain qwen3_plain"
WINDOWS = "mistral_window mistral_narrow mistral_long mistral_layer_types qwen2_window qwen2_layer_types qwen3_layer_types"
GPT2 = "gpt2_plain gpt2_published gpt2_untied gpt2_sharded"
LLAMA_MUTATIONS = [
    ("key-value heads in turn", heads_in_turn, GROUPED),
    ("rotary pairs (2i, 2i+1)", changed_config(rope_interleave=True),
     "llama_gqa llama_mha mistral_full qwen2_plain qwen3_plain"),
    ("rotary pairs (i, i+d/2)", changed_config(rope_interleave=False), "llama_interleaved"),
    ("nothing is turned", changed_config(position_encoding="none"), GROUPED + " llama_mqa llama_head_dim " + WINDOWS),
    ("alibi: turned as well", changed_config(position_encoding="rope"), "llama_alibi llama_learned"),
    ("embedding not scaled", changed_config(scale_embedding=False), "llama_alibi"),
    ("a part of the head is turned", changed_config(qk_nope_head_dim=6), "llama_partial"),
    ("rope_theta 10000", changed_rope(rope_theta=10000.0), "llama_head_dim llama_partial llama_yarn qwen2_yarn"),
    ("attention factor 1", changed_rope(attention_factor=1.0),
     "llama_yarn llama_yarn_mscales qwen2_yarn llama_longrope"),
    ("mscale_all_dim in the scale", scale_with_mscale, "llama_yarn_mscales"),
    ("no yarn", changed_rope(rope_type="default"), "llama_yarn qwen2_yarn"),
    ("no llama3", changed_rope(rope_type="default"), "llama_llama3 llama_save_pretrained"),
    ("no linear", changed_rope(rope_type="default"), "llama_linear"),
    ("no dynamic", changed_rope(rope_type="default"), "llama_dynamic"),
    ("rms_norm_eps 1e-6", changed_config(rms_norm_eps=1e-6), "llama_gqa qwen3_plain"),
    ("no bias on q", without_tensors("*.q_proj.bias"), "llama_biases qwen2_plain qwen3_bias"),
    ("no bias on k", without_tensors("*.k_proj.bias"), "llama_biases qwen2_plain qwen3_bias llama_interleaved"),
    ("no bias on v", without_tensors("*.v_proj.bias"), "llama_biases qwen2_plain qwen3_bias"),
    ("no bias on o", without_tensors("*.o_proj.bias"), "llama_biases qwen3_bias"),
    ("no bias on gate", without_tensors("*.gate_proj.bias"), "llama_biases"),
    ("no bias on up", without_tensors("*.up_proj.bias"), "llama_biases"),
    ("no bias on down", without_tensors("*.down_proj.bias"), "llama_biases"),
    ("no norm over queries", without_head_norms("q"), "qwen3_plain qwen3_bias"),
    ("no norm over keys", without_head_norms("k"), "qwen3_plain qwen3_bias"),
    ("norms behind the rotation", norms_behind_the_rotation, "qwen3_plain qwen3_bias"),
    ("window one longer", window_by(1), WINDOWS),
    ("window one shorter", window_by(-1), WINDOWS),
    ("no window", changed_config(model_type="llama"), WINDOWS),
    ("a window after all", changed_config(use_sliding_window=True), "qwen2_plain"),
    ("window in every layer", changed_config(layer_types=None, max_window_layers=0), "qwen2_window qwen2_layer_types"),
    ("max_window_layers wins", changed_config(layer_types=None), "qwen2_layer_types qwen3_layer_types"),
    ("layer_types not looked at", changed_config(layer_types=None), "mistral_layer_types"),
    ("scores not scaled", changed_config(scale_attn_weights=False), GPT2),
    ("scores scaled", changed_config(scale_attn_weights=True), "gpt2_unscaled"),
    ("not by the layer", changed_config(scale_attn_by_inverse_layer_idx=False), "gpt2_inverse_layer"),
    ("by the layer", changed_config(scale_attn_by_inverse_layer_idx=True), GPT2),
    ("layer_norm_epsilon 1e-5", changed_config(layer_norm_epsilon=1e-5), "gpt2_unscaled"),
    ("values before keys", values_before_keys, GPT2),
    ("the norm keeps the mean", norm_keeps_the_mean, GPT2),
    ("no bias in norms", without_tensors("*.ln_1.bias"), GPT2),
    ("no bias in the last norm", without_tensors("ln_f.bias"), GPT2),
    ("no bias on c_attn", without_tensors("*.c_attn.bias"), GPT2 + " gpt2_transposed"),
    ("no bias on attn.c_proj", without_tensors("*.attn.c_proj.bias"), GPT2 + " gpt2_transposed"),
    ("no bias on c_fc", without_tensors("*.c_fc.bias"), GPT2 + " gpt2_transposed"),
    ("no bias on mlp.c_proj", without_tensors("*.mlp.c_proj.bias"), GPT2 + " gpt2_transposed"),
    ("no positions", changed_config(position_encoding="none"), GPT2),
    ("relu", changed_config(activation_function="relu"), "gpt2_plain gpt2_gelu gpt2_gelu_tanh"),
    ("gelu", changed_config(activation_function="gelu"), "gpt2_relu"),
    ("quick gelu", activation(lambda x: x / (1 + np.exp(-1.702 * x))), "gpt2_plain gpt2_gelu gpt2_gelu_tanh"),
]  # fmt: skip
