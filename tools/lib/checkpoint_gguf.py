"""A shape as a GGUF file: metadata, names, types and the file's layout.

Names and metadata are those that convert_hf_to_gguf.py of https://github.com/ggml-org/llama.cpp gives, the mixture of
types that of its src/llama-quant.cpp, as far as these shapes need them. `mla quantize` writes the same from a folder, which
a test holds this against; but it needs all weights in floats first, three times as much.
"""

import math
import re
import struct
from dataclasses import dataclass

import checkpoint_vocabulary
from checkpoint_shapes import Tensor, dense_layers, folder_tensors, has_latent
from checkpoint_values import block_of, byte_count

ALIGNMENT = 32
QUANTIZATION_VERSION = 2


@dataclass
class Mixture:
    kind: str  # Of most matrices.
    file_type: int  # general.file_type
    more_bits: bool = False  # Some layers' attn_v and ffn_down have Q6_K.


MIXTURES = {
    "f32": Mixture("F32", 0),
    "f16": Mixture("F16", 1),
    "bf16": Mixture("BF16", 32),
    "q8_0": Mixture("Q8_0", 7),
    "q4_0": Mixture("Q4_0", 2),
    "q4_k_m": Mixture("Q4_K", 15, more_bits=True),
}

TYPE_IDS = {"F32": 0, "F16": 1, "Q4_0": 2, "Q5_0": 6, "Q8_0": 8, "Q4_K": 12, "Q6_K": 14, "BF16": 30}

NAMES = {
    "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
    "self_attn.q_a_proj": "attn_q_a", "self_attn.q_a_layernorm": "attn_q_a_norm", "self_attn.q_b_proj": "attn_q_b",
    "self_attn.kv_a_proj_with_mqa": "attn_kv_a_mqa", "self_attn.kv_a_layernorm": "attn_kv_a_norm",
    "self_attn.kv_b_proj": "attn_kv_b", "self_attn.o_proj": "attn_output", "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm", "mlp.gate": "ffn_gate_inp", "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down", "mlp.shared_experts.gate_proj": "ffn_gate_shexp",
    "mlp.shared_experts.up_proj": "ffn_up_shexp", "mlp.shared_experts.down_proj": "ffn_down_shexp",
    "model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output",
}  # fmt: skip

EXPERT = re.compile(r"model\.layers\.(\d+)\.mlp\.experts\.(\d+)\.(gate|up|down)_proj\.weight")


def architecture_of(config):
    return {"deepseek_v2": "deepseek2", "deepseek_v3": "deepseek2"}.get(config["model_type"], config["model_type"])


def layer_of(name):
    return int(name.split(".")[1]) if name.startswith("blk.") else -1


def gguf_name(published):
    """Of a tensor in one piece."""
    stem, suffix = published.rsplit(".", 1)
    prefix = ""
    if stem.startswith("model.layers."):
        _, _, layer, stem = stem.split(".", 3)
        prefix = f"blk.{layer}."
    if suffix == "e_score_correction_bias":
        return prefix + "exp_probs_b.bias"
    return f"{prefix}{NAMES[stem]}.{suffix}"


def split_latent(config, tensor, stem):
    """kv_b_proj [heads * (nope + v), rank] as the keys' part [heads, rank, nope] and the values' [heads, v, rank]."""
    heads, rank = config["num_attention_heads"], config["kv_lora_rank"]
    yield Tensor(stem + "k_b.weight", (heads, rank, config["qk_nope_head_dim"]), tensor.deviation)
    yield Tensor(stem + "v_b.weight", (heads, config["v_head_dim"], rank), tensor.deviation)


def llama3_factors(config):
    """What Llama 3.1 divides the rotary frequencies by: transformers' _compute_llama3_parameters."""
    scaling, dim = config["rope_scaling"], config["head_dim"]
    low, high, factor = scaling["low_freq_factor"], scaling["high_freq_factor"], scaling["factor"]
    factors = []
    for i in range(dim // 2):
        turns = scaling["original_max_position_embeddings"] * config["rope_theta"] ** (-2 * i / dim) / (2 * math.pi)
        share = min(max((turns - low) / (high - low), 0.0), 1.0)
        factors.append(1.0 / ((1.0 - share) / factor + share))
    return factors


def rope_factors(config):
    scaling = config["rope_scaling"] or {}
    if scaling.get("rope_type") == "llama3":
        yield "rope_freqs.weight", llama3_factors(config)
    if scaling.get("type") == "longrope":
        for length in ("long", "short"):
            yield f"rope_factors_{length}.weight", scaling[f"{length}_factor"]


def gguf_tensors(config):
    """In the order of the layers, and within one in that of the names."""
    tensors = []
    for tensor in folder_tensors(config):
        if expert := EXPERT.fullmatch(tensor.name):  # All of a layer in one tensor.
            layer, number, part = expert.groups()
            if number == "0":
                name = f"blk.{layer}.ffn_{part}_exps.weight"
                tensors.append(Tensor(name, (config["n_routed_experts"], *tensor.shape), tensor.deviation))
            continue
        name = gguf_name(tensor.name)
        if architecture_of(config) == "deepseek2" and name.endswith("attn_kv_b.weight"):
            tensors.extend(split_latent(config, tensor, name.removesuffix("kv_b.weight")))
        else:
            tensors.append(Tensor(name, tensor.shape, tensor.deviation, tensor.mean))
    tensors.extend(Tensor(name, (len(values),), 0.0, values=values) for name, values in rope_factors(config))
    return sorted(tensors, key=lambda tensor: (layer_of(tensor.name), tensor.name))


def deserves_more_bits(layer, layers):
    """The layers at both ends, and every third between."""
    eighth = layers // 8
    return layer < eighth or layer >= 7 * layers // 8 or (layer - eighth) % 3 == 2


def fitting(kind, cols):
    """What takes its place where rows are not whole blocks."""
    if cols % block_of(kind)[0] != 0:
        kind = {"Q4_K": "Q5_0", "Q6_K": "Q8_0"}.get(kind, "F16")
    return kind if cols % block_of(kind)[0] == 0 else "F16"


def kind_of(tensor, config, mixture):
    name, cols = tensor.name, tensor.shape[-1]
    if len(tensor.shape) == 1 or "ffn_gate_inp" in name:
        return "F32"
    if block_of(mixture.kind)[0] == 1:
        return mixture.kind
    kind = mixture.kind
    if name == ("token_embd.weight" if config["tie_word_embeddings"] else "output.weight"):
        kind = "Q8_0" if kind == "Q8_0" or cols % block_of(kind)[0] != 0 else "Q6_K"
    elif mixture.more_bits and any(part in name for part in ("attn_v.", "attn_kv_b.", "ffn_down")):
        if deserves_more_bits(layer_of(name), config["num_hidden_layers"]):
            kind = "Q6_K"
    return fitting(kind, cols)


def llama_keys(config):
    heads = {
        "attention.head_count_kv": config["num_key_value_heads"],
        "feed_forward_length": config["intermediate_size"],
    }
    sizes = {"rope.dimension_count": config["head_dim"], "attention.key_length": config["head_dim"]}
    return heads | sizes | {"attention.value_length": config["head_dim"]}


def minicpm3_keys(config):
    keys = {
        "feed_forward_length": config["intermediate_size"],
        "attention.head_count_kv": config["num_attention_heads"],
        "attention.q_lora_rank": config["q_lora_rank"],
        "attention.key_length": config["qk_nope_head_dim"] + config["qk_rope_head_dim"],
        "attention.value_length": config["v_head_dim"],
        "rope.scaling.type": "longrope",
        "rope.scaling.original_context_length": config["rope_scaling"]["original_max_position_embeddings"],
    }
    longer = config["max_position_embeddings"] / config["rope_scaling"]["original_max_position_embeddings"]
    original = math.log(config["rope_scaling"]["original_max_position_embeddings"])
    return keys | {"rope.scaling.attn_factor": 1.0 if longer <= 1 else math.sqrt(1 + math.log(longer) / original)}


def expert_keys(config):
    dense = dense_layers(config)
    if dense == config["num_hidden_layers"]:  # llama.cpp asks for the widths of experts all the same.
        width = config["intermediate_size"]
        return {"leading_dense_block_count": dense, "feed_forward_length": width, "expert_feed_forward_length": width,
                "expert_shared_count": 0}  # fmt: skip
    keys = {
        "leading_dense_block_count": dense,
        "feed_forward_length": config["intermediate_size"],
        "expert_feed_forward_length": config["moe_intermediate_size"],
        "expert_shared_count": config["n_shared_experts"],
        "expert_count": config["n_routed_experts"],
        "expert_used_count": config["num_experts_per_tok"],
        "expert_gating_func": 2 if config["scoring_func"] == "sigmoid" else 1,
        "expert_weights_scale": config["routed_scaling_factor"],
    }
    if config["topk_method"] != "greedy":
        keys |= {"expert_group_count": config["n_group"], "expert_group_used_count": config["topk_group"]}
    if config["norm_topk_prob"]:
        keys["expert_weights_norm"] = True
    return keys


def deepseek2_keys(config):
    latent, rope = config["kv_lora_rank"], config["qk_rope_head_dim"]
    keys = {
        "attention.head_count_kv": 1,  # As the absorbed form sees it.
        "attention.key_length": latent + rope,
        "attention.value_length": latent,
        "attention.key_length_mla": config["qk_nope_head_dim"] + rope,
        "attention.value_length_mla": config["v_head_dim"],
    }
    # llama.cpp takes models of 26 and 27 layers for the lite ones, which have no rank; others must say so.
    if config["q_lora_rank"] or config["num_hidden_layers"] not in (26, 27):
        keys["attention.q_lora_rank"] = config["q_lora_rank"] or 0
    scaling = config["rope_scaling"]
    if scaling:
        keys |= {
            "rope.scaling.type": "yarn",
            "rope.scaling.factor": scaling["factor"],
            "rope.scaling.original_context_length": scaling["original_max_position_embeddings"],
            "rope.scaling.yarn_beta_fast": scaling["beta_fast"],
            "rope.scaling.yarn_beta_slow": scaling["beta_slow"],
            "rope.scaling.yarn_log_multiplier": 0.1 * scaling["mscale_all_dim"],
        }
    return keys | expert_keys(config)


def metadata(config, mixture, name):
    """Python's int, float, bool, str and lists stand for uint32, float32, bool, string and arrays."""
    architecture = architecture_of(config)
    own = {
        "block_count": config["num_hidden_layers"],
        "context_length": config["max_position_embeddings"],
        "embedding_length": config["hidden_size"],
        "attention.head_count": config["num_attention_heads"],
        "attention.layer_norm_rms_epsilon": config["rms_norm_eps"],
        "vocab_size": config["vocab_size"],
        "rope.freq_base": config["rope_theta"],
    }
    if has_latent(config):
        own |= {"attention.kv_lora_rank": config["kv_lora_rank"], "rope.dimension_count": config["qk_rope_head_dim"]}
    own |= {"llama": llama_keys, "minicpm3": minicpm3_keys, "deepseek2": deepseek2_keys}[architecture](config)
    return {
        "general.architecture": architecture,
        "general.type": "model",
        "general.name": name,
        "general.file_type": mixture.file_type,
        "general.quantization_version": QUANTIZATION_VERSION,
        **{f"{architecture}.{key}": value for key, value in own.items()},
        **checkpoint_vocabulary.gguf_keys(config["vocab_size"]),
    }


def text(content):
    encoded = content.encode()
    return struct.pack("<Q", len(encoded)) + encoded


def typed_value(value):
    if isinstance(value, bool):  # Before int, which it is too.
        return struct.pack("<I?", 7, value)
    if isinstance(value, int):
        return struct.pack("<II", 4, value)
    if isinstance(value, float):
        return struct.pack("<If", 6, value)
    if isinstance(value, str):
        return struct.pack("<I", 8) + text(value)
    if not value or isinstance(value[0], str):
        return struct.pack("<IIQ", 9, 8, len(value)) + b"".join(map(text, value))
    return struct.pack(f"<IIQ{len(value)}i", 9, 5, len(value), *value)


def padded(size):
    return -(-size // ALIGNMENT) * ALIGNMENT


def head(keys, tensors, kinds):
    """Everything before the data of the tensors, which lie behind each other in their order, aligned."""
    parts = [b"GGUF", struct.pack("<IQQ", 3, len(tensors), len(keys))]
    parts.extend(text(key) + typed_value(value) for key, value in keys.items())
    offset = 0
    for tensor, kind in zip(tensors, kinds):
        rank = len(tensor.shape)
        parts.append(
            text(tensor.name) + struct.pack(f"<I{rank}QIQ", rank, *reversed(tensor.shape), TYPE_IDS[kind], offset)
        )
        offset += padded(byte_count(kind, tensor.elements))
    content = b"".join(parts)
    return content + bytes(padded(len(content)) - len(content))
