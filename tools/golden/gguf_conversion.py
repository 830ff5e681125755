"""From transformers' tensors and config to a GGUF file, by the rules of llama.cpp's published converters, and back.

Every rule is a list of (name in the file, array) made of one tensor of transformers, and the way back, so that the
reference can compute with exactly the values that the file holds.
"""

import re
from dataclasses import dataclass

import gguf
import numpy as np
from gguf import GGMLQuantizationType as Type

LLAMA = {
    "model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output",
    "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm", "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
    "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
    "self_attn.q_norm": "attn_q_norm", "self_attn.k_norm": "attn_k_norm",
    "self_attn.q_a_proj": "attn_q_a", "self_attn.q_a_layernorm": "attn_q_a_norm", "self_attn.q_b_proj": "attn_q_b",
    "self_attn.kv_a_proj_with_mqa": "attn_kv_a_mqa", "self_attn.kv_a_layernorm": "attn_kv_a_norm",
    "self_attn.kv_b_proj": "attn_kv_b", "mlp.gate": "ffn_gate_inp", "mlp.experts.down_proj": "ffn_down_exps",
    "mlp.shared_experts.gate_proj": "ffn_gate_shexp", "mlp.shared_experts.up_proj": "ffn_up_shexp",
    "mlp.shared_experts.down_proj": "ffn_down_shexp",
}  # fmt: skip
GPT2 = {
    "transformer.wte": "token_embd", "transformer.wpe": "position_embd", "transformer.ln_f": "output_norm",
    "lm_head": "output", "ln_1": "attn_norm", "ln_2": "ffn_norm", "attn.c_attn": "attn_qkv",
    "attn.c_proj": "attn_output", "mlp.c_fc": "ffn_up", "mlp.c_proj": "ffn_down",
}  # fmt: skip
BLOCK = re.compile(r"(?:model\.layers|transformer\.h)\.(\d+)\.(.*)")


def gguf_name(name, table):
    stem, dot, kind = name.rpartition(".")
    if kind not in ("weight", "bias"):  # The experts of transformers' classes have no such ending.
        stem, dot, kind = name, ".", "weight"
    block = BLOCK.fullmatch(stem)
    return f"blk.{block[1]}.{table[block[2]]}.{kind}" if block else f"{table[stem]}.{kind}"


def interleave(rows, heads):
    """Rows of a head whose pairs are (i, i + d/2), in the order in which they are (2i, 2i + 1)."""
    return rows.reshape(heads, 2, -1, *rows.shape[1:]).swapaxes(1, 2).reshape(rows.shape)


def deinterleave(rows, heads):
    return rows.reshape(heads, -1, 2, *rows.shape[1:]).swapaxes(1, 2).reshape(rows.shape)


@dataclass
class Piece:
    """A tensor of transformers in the file: its parts there, and how they are put together again."""

    parts: list
    join: object


def convert(name, values, case):
    c = case.config
    if case.architecture == "gpt2":
        transposed = values.ndim == 2 and ".h." in name
        values = np.ascontiguousarray(values.T) if transposed else values
        return Piece([(gguf_name(name, GPT2), values)], lambda a: a.T if transposed else a)
    short = name.rpartition("self_attn.")[2]
    if case.architecture == "llama" and short.startswith(("q_proj", "k_proj")):
        heads = c["num_attention_heads" if short[0] == "q" else "num_key_value_heads"]
        return Piece([(gguf_name(name, LLAMA), interleave(values, heads))], lambda a: deinterleave(a, heads))
    if short == "kv_b_proj.weight" and case.split:
        heads, nope, value = c["num_attention_heads"], c["qk_nope_head_dim"], c["v_head_dim"]
        by_head = values.reshape(heads, nope + value, -1)
        block = name.split(".")[2]
        return Piece(
            [
                (f"blk.{block}.attn_k_b.weight", by_head[:, :nope].swapaxes(1, 2)),
                (f"blk.{block}.attn_v_b.weight", by_head[:, nope:]),
            ],
            lambda k, v: np.concatenate([k.swapaxes(1, 2), v], 1).reshape(values.shape),
        )
    if name.endswith("experts.gate_up_proj"):
        block = name.split(".")[2]
        if case.fused_experts:
            return Piece([(f"blk.{block}.ffn_gate_up_exps.weight", values)], lambda a: a)
        gate, up = np.split(values, 2, axis=1)
        return Piece(
            [(f"blk.{block}.ffn_gate_exps.weight", gate), (f"blk.{block}.ffn_up_exps.weight", up)],
            lambda g, u: np.concatenate([g, u], 1),
        )
    if name.endswith("e_score_correction_bias"):
        block = name.split(".")[2]
        return Piece([(f"blk.{block}.exp_probs_b" + ("" if case.old_bias_name else ".bias"), values)], lambda a: a)
    return Piece([(gguf_name(name, LLAMA), values)], lambda a: a)


# Where a block has its float16 scales, and what to multiply the first by to get the second, so that values are
# about as often negative as positive.
BLOCK_SCALES = {
    "Q2_K": [(80, 1.0), (82, 1.5)], "Q3_K": [(108, 1.0)], "Q4_K": [(0, 1.0), (2, 7.5)], "Q5_K": [(0, 1.0), (2, 15.5)],
    "Q6_K": [(208, 1.0)], "IQ4_NL": [(0, 1.0)], "IQ4_XS": [(0, 1.0)],
}  # fmt: skip


def random_blocks(kind, shape, deviation, random):
    """Blocks of a type that the gguf package decodes but does not encode."""
    elements, size = gguf.GGML_QUANT_SIZES[kind]
    blocks = random.integers(0, 256, (int(np.prod(shape)) // elements, size), dtype=np.uint8)

    def set_scales(scales):
        for at, factor in BLOCK_SCALES[kind.name]:
            blocks[:, at : at + 2] = (scales * factor).astype("<f2").view(np.uint8).reshape(-1, 2)

    set_scales(np.ones(len(blocks)))
    unit = gguf.quants.dequantize(blocks, kind).std()
    set_scales(random.uniform(0.7, 1.3, len(blocks)) * deviation / unit)
    return blocks.reshape(*shape[:-1], shape[-1] // elements * size)


def encode(name, values, case, random):
    """What the file holds of the tensor, and as which type."""
    kind = Type[case.type_of(name, values.ndim)]
    if kind == Type.F32:
        return values.astype(np.float32), kind
    if kind == Type.F16:
        return values.astype(np.float16), kind
    if kind.name in BLOCK_SCALES:
        return random_blocks(kind, values.shape, values.std(), random), kind
    return gguf.quants.quantize(np.ascontiguousarray(values), kind), kind


def decode(data, kind):
    return data.astype(np.float32) if data.dtype.kind == "f" else gguf.quants.dequantize(data, kind)


def stored_tensors(tensors, case, random):
    """{name in the file: (data, type)}, and transformers' tensors with the values that these stand for."""
    stored, exact = {}, {}
    for name, values in tensors.items():
        piece = convert(name, values, case)
        parts = []
        for part, array in piece.parts:
            stored[part] = encode(part, array, case, random)
            parts.append(decode(*stored[part]).reshape(array.shape))
        exact[name] = np.ascontiguousarray(piece.join(*parts))
    return stored, exact


def llama3_factors(scaling, theta, dim):
    """What rope_freqs.weight holds: by how much each frequency is divided."""
    frequencies = 1.0 / theta ** (np.arange(0, dim, 2, dtype=np.float32) / dim)
    low, high, factor = scaling["low_freq_factor"], scaling["high_freq_factor"], scaling["factor"]
    original = scaling["original_max_position_embeddings"]
    factors = []
    for wavelength in 2 * np.pi / frequencies.astype(np.float64):
        if wavelength < original / high:
            factors.append(1.0)
        elif wavelength > original / low:
            factors.append(factor)
        else:
            smooth = (original / wavelength - low) / (high - low)
            factors.append(1 / ((1 - smooth) / factor + smooth))
    return np.array(factors, np.float32)


def add_rope(writer, case, stored):
    c = case.config
    scaling = c.get("rope_scaling")
    writer.add_rope_freq_base(c["rope_theta"])
    if not scaling:
        return
    kind = scaling["rope_type"]
    if kind == "llama3":
        factors = llama3_factors(scaling, c["rope_theta"], c["head_dim"])
        stored["rope_freqs.weight"] = factors, Type.F32
    elif kind == "longrope":
        for size in ("long", "short"):
            factors = np.array(scaling[size + "_factor"], np.float32)
            stored[f"rope_factors_{size}.weight"] = factors, Type.F32
    elif kind == "linear" and case.old:
        writer.add_float32(f"{case.architecture}.rope.scale_linear", scaling["factor"])
    else:
        writer.add_rope_scaling_type(gguf.RopeScalingType(kind))
        writer.add_rope_scaling_factor(scaling["factor"])
    if kind == "yarn":
        writer.add_rope_scaling_orig_ctx_len(scaling["original_max_position_embeddings"])
        for key, add in (
            ("beta_fast", writer.add_rope_scaling_yarn_beta_fast),
            ("beta_slow", writer.add_rope_scaling_yarn_beta_slow),
            ("attention_factor", writer.add_rope_scaling_yarn_attn_factor),
        ):
            if key in scaling:
                add(scaling[key])
        if "mscale_all_dim" in scaling:
            writer.add_rope_scaling_yarn_log_mul(0.1 * scaling["mscale_all_dim"])


def add_mla(writer, case):
    c = case.config
    rope, nope, value = c["qk_rope_head_dim"], c["qk_nope_head_dim"], c["v_head_dim"]
    if c["q_lora_rank"]:
        writer.add_q_lora_rank(c["q_lora_rank"])
    elif not case.old:
        writer.add_q_lora_rank(0)  # llama.cpp wants the key for all but the layer counts of published lite models.
    writer.add_kv_lora_rank(c["kv_lora_rank"])
    writer.add_rope_dimension_count(rope)
    if case.architecture == "minicpm3":
        writer.add_head_count_kv(c["num_attention_heads"])
        writer.add_key_length(nope + rope)
    elif case.split:
        writer.add_head_count_kv(1)
        writer.add_key_length(c["kv_lora_rank"] + rope)
        writer.add_value_length(c["kv_lora_rank"])
        writer.add_key_length_mla(nope + rope)
        writer.add_value_length_mla(value)
    else:
        writer.add_head_count_kv(c["num_attention_heads"])
        writer.add_key_length(nope + rope)
        writer.add_value_length(value)


def add_experts(writer, case):
    c = case.config
    dense = c.get("n_routed_experts") is None
    writer.add_leading_dense_block_count(c["num_hidden_layers"] if dense else c["first_k_dense_replace"])
    if dense:
        # What llama.cpp asks for; its published deepseek2 models all have experts somewhere.
        writer.add_expert_feed_forward_length(c["intermediate_size"])
        writer.add_expert_shared_count(0)
        return
    writer.add_expert_count(c["n_routed_experts"])
    writer.add_expert_used_count(c["num_experts_per_tok"])
    writer.add_expert_feed_forward_length(c["moe_intermediate_size"])
    writer.add_expert_shared_count(c["n_shared_experts"])
    writer.add_expert_weights_scale(c["routed_scaling_factor"])
    v3 = c["model_type"] == "deepseek_v3"
    if case.normalized or v3:
        writer.add_expert_weights_norm(case.normalized or c["norm_topk_prob"])
    if case.old:
        return
    writer.add_expert_gating_func(gguf.ExpertGatingFuncType.SIGMOID if v3 else gguf.ExpertGatingFuncType.SOFTMAX)
    if c.get("n_group"):
        writer.add_expert_group_count(c["n_group"])
        writer.add_expert_group_used_count(c["topk_group"])


def add_architecture(writer, case, stored):
    c = case.config
    if case.architecture == "gpt2":
        writer.add_block_count(c["n_layer"])
        writer.add_context_length(c["n_positions"])
        writer.add_embedding_length(c["n_embd"])
        writer.add_feed_forward_length(c["n_inner"])
        writer.add_head_count(c["n_head"])
        writer.add_layer_norm_eps(c["layer_norm_epsilon"])
        return
    writer.add_block_count(c["num_hidden_layers"])
    writer.add_context_length(c["max_position_embeddings"])
    writer.add_embedding_length(c["hidden_size"])
    layers = c["num_hidden_layers"]
    per_layer = case.per_layer_arrays
    writer.add_feed_forward_length([c["intermediate_size"]] * layers if per_layer else c["intermediate_size"])
    writer.add_head_count([c["num_attention_heads"]] * layers if per_layer else c["num_attention_heads"])
    writer.add_layer_norm_rms_eps(c["rms_norm_eps"])
    if case.architecture in ("deepseek2", "minicpm3"):
        add_mla(writer, case)
    else:
        kv_heads = c["num_key_value_heads"]
        writer.add_head_count_kv([kv_heads] * layers if per_layer else kv_heads)
        writer.add_rope_dimension_count(c["head_dim"])
        if not case.old:
            writer.add_key_length(c["head_dim"])
            writer.add_value_length(c["head_dim"])
        if c.get("sliding_window"):
            writer.add_sliding_window(c["sliding_window"])
    if case.architecture == "deepseek2":
        add_experts(writer, case)
    if not case.old:
        writer.add_vocab_size(c["vocab_size"])
    add_rope(writer, case, stored)


def add_vocabulary(writer, size):
    """A byte-level vocabulary as GPT-2's, small as it is: two special tokens, the printable ASCII, pairs of letters."""
    tokens = ["<s>", "</s>"] + [chr(code) for code in range(33, 127)] + ["Ġ", "Ċ"]
    merges = [f"{a} {b}" for a in "etaoin" for b in "srhldu"][: max(size - len(tokens), 0)]
    tokens += [merge.replace(" ", "") for merge in merges]
    assert len(tokens) == size, (len(tokens), size)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types([gguf.TokenType.CONTROL] * 2 + [gguf.TokenType.NORMAL] * (size - 2))
    writer.add_token_merges(merges)
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(1)
    writer.add_add_bos_token(False)


def write_gguf(path, case, stored):
    writer = gguf.GGUFWriter(path, case.architecture)
    writer.add_name(case.name)
    writer.add_file_type(case.file_type)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    tensors = dict(stored)
    add_architecture(writer, case, tensors)
    add_vocabulary(writer, case.config["vocab_size"])
    for name, (data, kind) in tensors.items():
        writer.add_tensor(name, data, raw_dtype=None if data.dtype.kind == "f" else kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    if case.format_version != 3:  # Version 2 differs in the number alone.
        content = bytearray(path.read_bytes())
        content[4:8] = np.uint32(case.format_version).tobytes()
        path.write_bytes(content)
