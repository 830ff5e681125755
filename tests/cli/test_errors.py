"""Malformed checkpoints: each is refused with exit code 1, nothing on stdout and one line on stderr that names the file
and the field or tensor, soon and within little memory."""

import os
import shutil
import struct
import time
import unittest

from _support import (
    CHECKPOINTS,
    STORIES,
    TestCase,
    copy_checkpoint,
    mla,
    read_json,
    read_safetensors,
    rebuild,
    write_json,
    write_safetensors,
)

WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"
MISSING = object()


class Case:
    """A checkpoint, what is done to a copy of it, and what the message must have."""

    def __init__(self, name, base, change, *expected):
        self.name = name
        self.base = base
        self.change = change
        self.expected = expected


def config_case(name, base, expected, **values):
    """Sets top-level keys of config.json (MISSING removes one)."""

    def change(folder):
        config = read_json(folder / "config.json")
        for key, value in values.items():
            if value is MISSING:
                config.pop(key, None)
            else:
                config[key] = value
        write_json(folder / "config.json", config)

    return Case(name, base, change, "config.json", *expected)


def rope_case(name, expected, base="v3_r1_yarn", **values):
    """Sets keys of rope_scaling or, in a config of the new style, of rope_parameters."""

    def change(folder):
        config = read_json(folder / "config.json")
        place = "rope_scaling" if config.get("rope_scaling") else "rope_parameters"
        for key, value in values.items():
            if value is MISSING:
                config[place].pop(key, None)
            else:
                config[place][key] = value
        write_json(folder / "config.json", config)

    return Case(name, base, change, "config.json", *expected)


def text_case(name, file, expected, edit, base="v3_groups"):
    """Edits the bytes of a file."""

    def change(folder):
        (folder / file).write_bytes(edit((folder / file).read_bytes()))

    return Case(name, base, change, *expected)


def header_case(name, expected, edit, base="v3_groups"):
    """Edits the header of the safetensors file: `edit`(header, data) gives the new ones."""

    def change(folder):
        write_safetensors(folder / WEIGHTS, *edit(*read_safetensors(folder / WEIGHTS)))

    return Case(name, base, change, *expected)


def tensor_case(name, expected, edit, base="v3_groups"):
    """Edits the tensors; the file stays well-formed."""
    return Case(name, base, lambda folder: rebuild(folder / WEIGHTS, edit), *expected)


SIZES = (
    "vocab_size",
    "hidden_size",
    "num_hidden_layers",
    "max_position_embeddings",
    "num_attention_heads",
    "kv_lora_rank",
    "qk_nope_head_dim",
    "qk_rope_head_dim",
    "v_head_dim",
    "intermediate_size",
    "num_experts_per_tok",
    "moe_intermediate_size",
    "n_group",
    "topk_group",
)

WRONG_SIZES = {
    "missing": MISSING,
    "zero": 0,
    "negative": -1,
    "string": "8",
    "null": None,
    "fraction": 8.5,
    "whole float": 8.0,
    "bool": True,
    "list": [8],
    "object": {"size": 8},
    "2^31": 2**31,
    "2^63": 2**63,
    "2^64": 2**64,
    "1e400": "HUGE",
    "nan": float("nan"),
}


def size_cases():
    for key in SIZES:
        for kind, value in WRONG_SIZES.items():
            if kind == "nan":  # Not JSON, so that there is no field yet.
                yield config_case(f"{key} {kind}", "v3_groups", ("not valid JSON",), **{key: value})
            elif kind == "1e400":
                yield Case(f"{key} {kind}", "v3_groups", number_too_large(key), "config.json", "not valid JSON")
            else:
                expected = (key, "missing") if kind == "missing" else (key, "found", "expected")
                yield config_case(f"{key} {kind}", "v3_groups", expected, **{key: value})


def number_too_large(key):
    def change(folder):
        config = read_json(folder / "config.json")
        config[key] = "HUGE"
        write_json(folder / "config.json", config)
        text = (folder / "config.json").read_text()
        (folder / "config.json").write_text(text.replace('"HUGE"', "1e400"))

    return change


def config_cases():
    found = ("found", "expected")
    yield Case(
        "layers 1e9",
        "v3_groups",
        lambda folder: write_json(folder / "config.json", {**read_json(folder / "config.json"), "num_hidden_layers": 10**9}),
        "model.layers.2.input_layernorm.weight",
        "missing",
    )
    yield Case(
        "experts 1e9",
        "v3_groups",
        lambda folder: write_json(folder / "config.json", {**read_json(folder / "config.json"), "n_routed_experts": 10**9}),
        WEIGHTS,
        "model.layers.1.mlp.gate.weight",
        "[1000000000, 53]",
    )
    yield config_case("experts zero", "v3_groups", ("n_routed_experts", *found), n_routed_experts=0)
    yield config_case("experts missing", "v3_groups", ("n_routed_experts", "missing"), n_routed_experts=MISSING)
    yield config_case("experts string", "v3_groups", ("n_routed_experts", *found), n_routed_experts="12")
    yield config_case("top-k above experts", "v3_groups", ("num_experts_per_tok", *found), num_experts_per_tok=13)
    yield config_case(
        "top-k above the experts of the groups",
        "v3_groups",
        ("num_experts_per_tok", *found),
        topk_group=1,
        num_experts_per_tok=5,
    )
    yield config_case("more groups than experts", "v3_groups", ("n_group", *found), n_group=24, topk_group=2)
    yield config_case("groups do not divide experts", "v3_groups", ("n_group", *found), n_group=3)
    yield config_case("groups of one expert", "v3_groups", ("n_group", *found), n_group=10, topk_group=6)
    yield config_case("topk_group above n_group", "v3_groups", ("topk_group", *found), topk_group=6)
    yield config_case("odd rope dimension", "v3_groups", ("qk_rope_head_dim", *found), qk_rope_head_dim=7)
    yield config_case("q_lora_rank missing", "v3_groups", ("q_lora_rank", "missing"), q_lora_rank=MISSING)
    yield config_case("q_lora_rank zero", "v3_groups", ("q_lora_rank", *found), q_lora_rank=0)
    yield config_case("first_k_dense_replace negative", "v3_groups", ("first_k_dense_replace", *found), first_k_dense_replace=-1)
    yield config_case("n_shared_experts negative", "v3_groups", ("n_shared_experts", *found), n_shared_experts=-1)
    yield config_case("n_shared_experts 2^31", "v3_groups", ("n_shared_experts", *found), n_shared_experts=2**31)
    yield config_case("moe_layer_freq 2", "v3_groups", ("moe_layer_freq", *found), moe_layer_freq=2)
    for key, value in {
        "model_type": "bert",
        "hidden_act": "gelu",
        "scoring_func": "softmax",
        "topk_method": "greedy",
        "dtype": "int4",
        "torch_dtype": "float64",
    }.items():
        yield config_case(f"{key} {value}", "v3_groups", (key, value, *found), **{key: value})
        yield config_case(f"{key} a number", "v3_groups", (key, "7", *found), **{key: 7})
    yield config_case("model_type missing", "v3_groups", ("model_type", "missing"), model_type=MISSING)
    yield config_case("model_type with a line break", "v3_groups", ("model_type", "a\\x0ab"), model_type="a\nb")
    yield config_case("v2 topk_method noaux_tc", "v2_group_limited", ("topk_method", "noaux_tc", *found), topk_method="noaux_tc")
    yield config_case("v2 scoring_func sigmoid", "v2_group_limited", ("scoring_func", "sigmoid", *found), scoring_func="sigmoid")
    for key in ("tie_word_embeddings", "attention_bias", "norm_topk_prob", "rope_interleave"):
        yield config_case(f"{key} a number", "v3_groups", (key, "found 1", "expected true or false"), **{key: 1})
    yield config_case("mlp_bias a string", "v2_group_limited", ("mlp_bias", *found), mlp_bias="no")
    yield config_case("rms_norm_eps a string", "v3_groups", ("rms_norm_eps", *found), rms_norm_eps="1e-6")
    yield config_case("rms_norm_eps negative", "v3_groups", ("rms_norm_eps", *found), rms_norm_eps=-1e-6)
    yield config_case("routed_scaling_factor a list", "v3_groups", ("routed_scaling_factor", *found), routed_scaling_factor=[])
    yield config_case("rope_theta negative", "v3_groups", ("rope_theta", *found), rope_theta=-1)
    yield config_case("rope_theta a string", "v3_groups", ("rope_theta", *found), rope_theta="10000")
    yield config_case("rope_scaling a string", "v3_groups", ("rope_scaling", *found), rope_scaling="yarn")
    yield config_case("rope_scaling a list", "v3_groups", ("rope_scaling", *found), rope_scaling=[1])
    yield config_case("rope_parameters a number", "v3_groups", ("rope_parameters", *found), rope_parameters=3)
    yield config_case("eos_token_id beyond 31 bits", "v3_groups", ("eos_token_id", *found), eos_token_id=2**31)
    yield config_case("eos_token_id negative", "v3_groups", ("eos_token_id", *found), eos_token_id=-1)
    yield config_case("eos_token_id list with a string", "v3_groups", ("eos_token_id[1]", *found), eos_token_id=[1, "2"])
    yield config_case("bos_token_id a fraction", "v3_groups", ("bos_token_id", *found), bos_token_id=0.5)
    yield config_case("quant_method gptq", "v3_fp8", ("quant_method", "gptq", *found), quantization_config={"quant_method": "gptq"})
    yield config_case("fmt e5m2", "v3_fp8", ("fmt", "e5m2", *found), quantization_config={"quant_method": "fp8", "fmt": "e5m2"})
    yield config_case("quantization_config a string", "v3_fp8", ("quantization_config", *found), quantization_config="fp8")
    for blocks in ([0, 128], [128], [128, 128, 128], "128", [128, -1], [128, 2**40]):
        yield config_case(
            f"weight_block_size {blocks}",
            "v3_fp8",
            ("weight_block_size", "expected"),
            quantization_config={"quant_method": "fp8", "weight_block_size": blocks},
        )


def rope_cases():
    found = ("found", "expected")
    for kind in ("su", "mrope", "YARN", ""):
        yield rope_case(f"rope type {kind!r}", ("rope_scaling.", f'"{kind}"', *found), rope_type=kind, type=kind)
    yield rope_case("rope type a number", ("rope_scaling.", *found), rope_type=1, type=1)
    for key in ("factor", "beta_fast", "beta_slow", "mscale", "mscale_all_dim"):
        yield rope_case(f"yarn {key} a string", (f"rope_scaling.{key}", *found), **{key: "40"})
        yield rope_case(f"yarn {key} negative", (f"rope_scaling.{key}", *found), **{key: -4})
    yield rope_case("yarn factor zero", ("rope_scaling.factor", *found), factor=0)
    yield rope_case("yarn truncate a number", ("rope_scaling.truncate", *found), truncate=1)
    for value in (0, -1, "32", 1.5, 2**31):
        yield rope_case(
            f"yarn original length {value!r}",
            ("rope_scaling.original_max_position_embeddings", *found),
            original_max_position_embeddings=value,
        )
    yield rope_case("linear factor missing", ("factor", "missing"), base="v3_linear", factor=MISSING)
    yield rope_case("dynamic factor zero", ("factor", *found), base="v3_dynamic", factor=0)
    for key in ("low_freq_factor", "high_freq_factor", "factor"):
        yield rope_case(f"llama3 {key} missing", (key, "missing"), base="v3_llama3", **{key: MISSING})
    yield rope_case("llama3 factors crossed", ("high_freq_factor", "expected"), base="v3_llama3", low_freq_factor=9)
    for key in ("short_factor", "long_factor"):
        yield rope_case(f"longrope {key} missing", (key, "missing"), base="v3_longrope", **{key: MISSING})
        yield rope_case(f"longrope {key} too short", (key, *found), base="v3_longrope", **{key: [1.0]})
        yield rope_case(f"longrope {key} with a zero", (f"{key}[1]", *found), base="v3_longrope", **{key: [1, 0, 1, 1]})
    yield rope_case("partial rotary", ("partial_rotary_factor", *found), partial_rotary_factor=0.5)


TABLE = "model.embed_positions.weight"


def encoding_cases():
    found = ("found", "expected")
    for name in ("rotary", "ROPE", "", "rope\nnone"):
        shown = name.replace("\n", "\\x0a")
        yield config_case(
            f"position_encoding {name!r}",
            "positions_none",
            ("position_encoding", f'"{shown}"', *found, "none, integer, binary, sinusoidal, learned, rope, rope-decoupled, alibi"),
            position_encoding=name,
        )
    for value in (1, True, ["none"], {"type": "none"}):
        yield config_case(f"position_encoding {value!r}", "positions_none", ("position_encoding", *found), position_encoding=value)
    for value in (1, "true", "yes", [], 4.0):
        yield config_case(f"scale_embedding {value!r}", "positions_sinusoidal", ("scale_embedding", *found), scale_embedding=value)

    rotary = ("qk_rope_head_dim", "found 0", "expected")
    yield config_case("no rotary part and no encoding", "simplified_none", rotary, position_encoding=MISSING)
    yield config_case("no rotary part and a null encoding", "simplified_none", rotary, position_encoding=None)
    yield config_case("no rotary part for decoupled rope", "simplified_none", rotary, position_encoding="rope-decoupled")
    yield config_case(
        "rope on odd heads", "simplified_rope", ("qk_nope_head_dim", "found 7", "expected", "even"), qk_nope_head_dim=7
    )
    for base, size in (("simplified_none", 2), ("positions_none", 0), ("positions_none", 6)):
        yield Case(f"{base} with a rotary part of {size}", base, set_config(qk_rope_head_dim=size), WEIGHTS, "found shape", "expected")

    for base, width in (("positions_learned", 21), ("simplified_learned", 21)):
        yield tensor_case(f"{base} without its table", (TABLE, "missing", f"[128, {width}]"), lambda t: t.pop(TABLE), base=base)
        for shape in ([127, width], [129, width], [128, width + 1], [width, 128], [128 * width], [1, 128, width], [0, width], []):
            yield tensor_case(
                f"{base} with a table {shape}", (WEIGHTS, TABLE, "found shape", "expected"), set_shape(TABLE, "F32", shape), base=base
            )
        for dtype in ("F8_E4M3", "I16"):
            yield tensor_case(
                f"{base} with a table of {dtype}", (WEIGHTS, TABLE, dtype, "expected"), set_dtype(TABLE, dtype), base=base
            )
    for value in (float("nan"), float("inf"), -float("inf")):
        for place in (0, 128 * 21 - 1):
            yield tensor_case(
                f"table with {value} at {place}", (WEIGHTS, TABLE, "not finite"), set_table_value(place, value), base="positions_learned"
            )
    yield Case("table longer than the model", "positions_learned", set_config(max_position_embeddings=127), WEIGHTS, TABLE, "[128, 21]")
    yield Case(
        "table of 2e9 positions", "positions_learned", set_config(max_position_embeddings=2 * 10**9), WEIGHTS, TABLE, "[2000000000, 21]"
    )
    yield Case("a table nobody asked for", "positions_learned", set_config(position_encoding="none"), WEIGHTS, TABLE, "does not have")
    yield tensor_case("a table beside rope", (WEIGHTS, TABLE, "does not have"), set_shape(TABLE, "F32", [128, 21]), base="positions_rope")


def set_config(**values):
    def change(folder):
        write_json(folder / "config.json", {**read_json(folder / "config.json"), **values})

    return change


def set_dtype(name, dtype):
    def edit(tensors):
        _, shape, content = tensors[name]
        width = {"F8_E4M3": 1, "I16": 2}[dtype]
        tensors[name] = [dtype, shape, content[: width * shape[0] * shape[1]]]

    return edit


def set_table_value(place, value):
    def edit(tensors):
        values = [0.0] * (128 * 21)
        values[place] = value
        tensors[TABLE] = ["F32", [128, 21], struct.pack(f"<{len(values)}f", *values)]

    return edit


def nested(depth):
    return b'{"a":' * depth + b"1" + b"}" * depth


def json_cases():
    config = ("config.json",)
    yield text_case("config empty", "config.json", (*config, "not valid JSON"), lambda text: b"")
    yield text_case("config truncated", "config.json", (*config, "not valid JSON"), lambda text: text[: len(text) // 2])
    yield text_case("config without its last brace", "config.json", (*config, "not valid JSON"), lambda text: text.rstrip()[:-1])
    yield text_case("config with a tail", "config.json", (*config, "not valid JSON"), lambda text: text + b"x")
    yield text_case("config an array", "config.json", (*config, "found", "expected an object"), lambda text: b"[1]")
    yield text_case("config a number", "config.json", (*config, "expected an object"), lambda text: b"7")
    yield text_case("config nested deeply", "config.json", (*config, "nested"), lambda text: nested(1000))
    yield text_case("config nested 1e5 deep", "config.json", (*config, "nested"), lambda text: nested(10**5))
    yield text_case("config arrays 1e6 deep", "config.json", (*config,), lambda text: b"[" * 10**6)
    yield text_case(
        "config with a key twice",
        "config.json",
        (*config, "vocab_size", "twice"),
        lambda text: text.replace(b'"vocab_size"', b'"vocab_size": 1, "vocab_size"'),
    )
    yield text_case("config with a NUL", "config.json", (*config, "NUL"), lambda text: text + b"\0")
    yield text_case("config with a byte order mark", "config.json", (*config,), lambda text: b"\xef\xbb\xbf" + text)
    yield text_case("config not UTF-8", "config.json", (*config,), lambda text: text.replace(b"silu", b"\xff\xfe"))
    yield text_case("config of zeros", "config.json", config, lambda text: bytes(1000))
    yield Case("config missing", "v3_groups", lambda folder: (folder / "config.json").unlink(), *config)

    def directory(folder):
        (folder / "config.json").unlink()
        (folder / "config.json").mkdir()

    def fifo(folder):
        (folder / "config.json").unlink()
        os.mkfifo(folder / "config.json")

    def sparse(folder):
        with open(folder / "config.json", "r+b") as file:
            file.truncate(1 << 40)

    yield Case("config a directory", "v3_groups", directory, *config)
    yield Case("config a pipe", "v3_groups", fifo, *config)
    yield Case("config of a terabyte", "v3_groups", sparse, *config)


LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:0123456789abcdef\nsize 130702\n"
NORM = "model.norm.weight"
EXPERT = "model.layers.1.mlp.experts.3.up_proj.weight"


def set_field(name, field, value):
    def edit(header, data):
        header[name][field] = value
        return header, data

    return edit


def drop_field(name, field):
    def edit(header, data):
        del header[name][field]
        return header, data

    return edit


def weight_file_cases():
    weights = (WEIGHTS,)
    yield text_case("weights empty", WEIGHTS, weights, lambda data: b"")
    yield text_case("weights of 7 bytes", WEIGHTS, weights, lambda data: data[:7])
    yield text_case("weights of 8 bytes", WEIGHTS, weights, lambda data: data[:8])
    yield text_case("weights cut in the header", WEIGHTS, (*weights, "truncated"), lambda data: data[:100])
    yield text_case("weights cut in the data", WEIGHTS, weights, lambda data: data[:-1000])
    yield text_case("weights cut by a byte", WEIGHTS, weights, lambda data: data[:-1])
    yield text_case("weights a byte longer", WEIGHTS, weights, lambda data: data + b"x")
    yield text_case("weights a Git LFS pointer", WEIGHTS, (*weights, "Git LFS"), lambda data: LFS)
    yield text_case("weights of zeros", WEIGHTS, weights, lambda data: bytes(10000))
    yield text_case("weights of ones", WEIGHTS, (*weights, "header length"), lambda data: b"\xff" * 10000)
    yield text_case("weights a zip", WEIGHTS, (*weights, "header length"), lambda data: b"PK\3\4" + data[4:])
    for length in (10**8 + 1, 2**32, 2**63, 2**64 - 1):
        yield text_case(
            f"header length {length}",
            WEIGHTS,
            (*weights, "header length", str(length), "expected"),
            lambda data, length=length: struct.pack("<Q", length) + data[8:],
        )
    yield text_case(
        "header not JSON", WEIGHTS, (*weights, "not valid JSON"), lambda data: data[:8] + b"{" * 100 + data[108:]
    )
    yield text_case("header with a NUL", WEIGHTS, (*weights, "NUL"), lambda data: data[:9] + b"\0" + data[10:])

    def replace_by(make):
        def change(folder):
            (folder / WEIGHTS).unlink()
            make(folder / WEIGHTS)

        return change

    yield Case("weights missing", "v3_groups", lambda folder: (folder / WEIGHTS).unlink(), WEIGHTS, "found neither")
    yield Case("weights a directory", "v3_groups", replace_by(lambda path: path.mkdir()), WEIGHTS)
    yield Case("weights a pipe", "v3_groups", replace_by(os.mkfifo), WEIGHTS)
    yield Case("weights a dangling link", "v3_groups", replace_by(lambda path: path.symlink_to("nowhere")), WEIGHTS)
    yield Case("weights a link to itself", "v3_groups", replace_by(lambda path: path.symlink_to(WEIGHTS)), WEIGHTS)


def header_cases():
    for dtype in ("F128", "bf16", "", "BF16\n"):
        yield header_case(f"dtype {dtype!r}", (WEIGHTS, NORM, "dtype"), set_field(NORM, "dtype", dtype))
    for dtype in ("I16", "U16"):  # As large, but nothing to compute with.
        yield header_case(f"dtype {dtype}", (WEIGHTS, NORM, dtype, "expected"), set_field(NORM, "dtype", dtype))
    for dtype in ("F32", "F64", "F8_E4M3", "F4"):
        yield header_case(f"dtype {dtype} of another size", (WEIGHTS, NORM), set_field(NORM, "dtype", dtype))
    for field in ("dtype", "shape", "data_offsets"):
        yield header_case(f"{field} missing", (WEIGHTS, f"{NORM}.{field}", "missing"), drop_field(NORM, field))
        for value in (None, {}, 1.5, -1, "x", [None], [-1, 2], [1.5, 2]):
            yield header_case(f"{field} {value!r}", (WEIGHTS, NORM), set_field(NORM, field, value))
    for shape in ([], [0], [1], [54], [53, 1, 2], [2**32, 2**32], [2**63, 2], [2**64 - 1], [2**70]):
        yield header_case(f"shape {shape}", (WEIGHTS, NORM), set_field(NORM, "shape", shape))
    for offsets in ([0, 106], [106, 0], [0, 2**63], [2**63, 2**63 + 106], [2**64 - 106, 2**64 - 1], [0], [0, 1, 2]):
        yield header_case(f"offsets {offsets}", (WEIGHTS,), set_field(NORM, "data_offsets", offsets))
    yield header_case("entry a number", (WEIGHTS, NORM), lambda header, data: ({**header, NORM: 1}, data))
    yield header_case("metadata a number", (WEIGHTS, "__metadata__"), lambda header, data: ({**header, "__metadata__": 1}, data))
    yield header_case(
        "metadata of numbers", (WEIGHTS, "__metadata__"), lambda header, data: ({**header, "__metadata__": {"a": 1}}, data)
    )
    yield header_case("header an array", (WEIGHTS,), lambda header, data: (b"[]", data))
    yield header_case("header empty", (WEIGHTS,), lambda header, data: (b"", data))
    yield header_case("no tensors", (), lambda header, data: (b"{}", b""))
    yield header_case("no tensors but data", (WEIGHTS,), lambda header, data: (b"{}", data))
    yield header_case("header nested deeply", (WEIGHTS,), lambda header, data: (nested(10**5), data))
    yield text_case(
        "a tensor twice",
        WEIGHTS,
        (WEIGHTS,),
        lambda data: struct.pack("<Q", int.from_bytes(data[:8], "little") + 67)
        + b'{"model.norm.weight":{"dtype":"I8","shape":[0],"data_offsets":[0,0]},'[:68]
        + data[9:],
    )


def set_shape(name, dtype, shape):
    width = {"F32": 4, "BF16": 2, "F16": 2, "F8_E4M3": 1}[dtype]
    count = 1
    for size in shape:
        count *= size

    def edit(tensors):
        tensors[name] = [dtype, shape, bytes(width * count)]

    return edit


def tensor_cases():
    for name in (
        "model.embed_tokens.weight",
        "lm_head.weight",
        NORM,
        EXPERT,
        "model.layers.0.input_layernorm.weight",
        "model.layers.0.self_attn.q_a_proj.weight",
        "model.layers.0.self_attn.kv_a_layernorm.weight",
        "model.layers.1.self_attn.kv_b_proj.weight",
        "model.layers.1.mlp.gate.weight",
        "model.layers.1.mlp.gate.e_score_correction_bias",
        "model.layers.1.mlp.shared_experts.down_proj.weight",
    ):
        yield tensor_case(f"{name} missing", (name,), lambda tensors, name=name: tensors.pop(name))

        def transpose(tensors, name=name):
            tensors[name][1] = tensors[name][1][::-1] if len(tensors[name][1]) == 2 else [*tensors[name][1], 1]

        yield tensor_case(f"{name} of another shape", (WEIGHTS, name, "found shape", "expected"), transpose)
    yield tensor_case("norm too long", (WEIGHTS, NORM, "[54]", "[53]"), set_shape(NORM, "BF16", [54]))
    yield tensor_case("norm too short", (WEIGHTS, NORM, "[52]", "[53]"), set_shape(NORM, "BF16", [52]))
    yield tensor_case("norm empty", (WEIGHTS, NORM, "[53]"), set_shape(NORM, "BF16", [0]))
    yield tensor_case("norm of nine dimensions", (WEIGHTS, NORM, "dimensions"), set_shape(NORM, "BF16", [53] + [1] * 8))
    for name in ("model.layers.0.mlp.extra.weight", "surprise", "model.layers.1.mlp.experts.12.up_proj.weight"):
        yield tensor_case(f"extra tensor {name}", (WEIGHTS, name), set_shape(name, "BF16", [2]))
    yield tensor_case(
        "extra tensor with a line break in its name", (WEIGHTS, "sur\\x0aprise"), set_shape("sur\nprise", "BF16", [2])
    )
    yield tensor_case("an expert FP8 without its scales", (f"{EXPERT}_scale_inv",), set_shape(EXPERT, "F8_E4M3", [12, 53]))
    projection = "model.layers.0.self_attn.kv_b_proj.weight"

    def scale_of_shape(shape):
        return set_shape(f"{projection}_scale_inv", "F32", shape)

    for shape in ([1], [1, 1], [9, 9], [0, 0]):
        yield tensor_case(f"scales {shape}", (WEIGHTS, f"{projection}_scale_inv"), scale_of_shape(shape), base="v3_fp8")
    fused = "model.layers.1.mlp.experts.gate_up_proj"
    yield tensor_case("fused experts of another shape", (WEIGHTS, fused), set_shape(fused, "BF16", [2, 3, 4]), base="v3_fused_experts")
    down = "model.layers.1.mlp.experts.down_proj"
    yield tensor_case("fused experts by half", (down,), lambda tensors: tensors.pop(down), base="v3_fused_experts")


def index_case(name, expected, edit):
    def change(folder):
        index = read_json(folder / INDEX)
        write_json(folder / INDEX, edit(index) or index)

    return Case(name, "v3_sharded", change, INDEX, *expected)


def set_shard(value):
    def edit(index):
        index["weight_map"][NORM] = value

    return edit


def index_cases():
    def shard_files(folder):
        return sorted(folder.glob("*.safetensors"))

    yield Case("shard missing", "v3_sharded", lambda folder: shard_files(folder)[0].unlink(), "model-00001-of")
    yield Case("shard empty", "v3_sharded", lambda folder: shard_files(folder)[1].write_bytes(b""), "model-00002-of")
    yield Case("shard a Git LFS pointer", "v3_sharded", lambda folder: shard_files(folder)[1].write_bytes(LFS), "model-00002-of", "LFS")

    def swap(folder):
        first, second = shard_files(folder)[:2]
        content = first.read_bytes()
        first.write_bytes(second.read_bytes())
        second.write_bytes(content)

    yield Case("shards swapped", "v3_sharded", swap, INDEX, "weight_map.")

    def twice(folder):
        first, second = shard_files(folder)[:2]
        name = next(name for name in read_safetensors(first)[0] if name != "__metadata__")
        rebuild(second, lambda tensors: tensors.update({name: ["F32", [1], bytes(4)]}))

    yield Case("a tensor in two shards", "v3_sharded", twice, ".safetensors", "also in")
    for shard in ("../elsewhere.safetensors", "/etc/passwd", "..", ".", "", "a/b.safetensors", "model.safetensors\0", 7, None, []):
        yield index_case(f"shard named {shard!r}", (f"weight_map.{NORM}", "found", "expected"), set_shard(shard))
    yield index_case("weight_map missing", ("weight_map", "missing"), lambda index: index.pop("weight_map") and None)
    yield index_case("weight_map a list", ("weight_map", "found", "expected"), lambda index: {"weight_map": []})
    yield index_case("weight_map empty", ("weight_map",), lambda index: {"weight_map": {}})
    yield index_case(
        "weight_map with a tensor there is not",
        ("weight_map.surprise",),
        lambda index: index["weight_map"].update(surprise=index["weight_map"][NORM]),
    )
    for kind, content in {"empty": b"", "a list": b"[]", "truncated": b'{"weight_map": {', "an LFS pointer": LFS}.items():
        yield Case(
            f"index {kind}", "v3_sharded", lambda folder, content=content: (folder / INDEX).write_bytes(content), INDEX
        )


def generation_case(name, expected, text):
    file = "generation_config.json"
    return Case(name, "v3_groups", lambda folder: (folder / file).write_text(text), file, *expected)


def generation_cases():
    for key, wrong in {
        "temperature": ('"hot"', "-1", "null1", "[1]", "true", "1e9"),
        "top_k": ("-1", "1.5", '"5"', "4294967296"),
        "top_p": ("-0.1", "1.1", '"0.9"'),
        "min_p": ("-0.1", "1.1", "{}"),
        "typical_p": ("2", "false"),
        "repetition_penalty": ("0", "-1", '"1"'),
        "do_sample": ("1", '"true"', "[]"),
        "eos_token_id": ("2147483648", "-1", '"102"', "1.5", "[1, 2147483648]", '[1, "x"]', "[[1]]", "{}", "true"),
        "bos_token_id": ("2147483648", "-1", '"1"', "[1]"),
    }.items():
        for value in wrong:
            expected = ("not valid JSON",) if value == "null1" else (key, "found", "expected")
            yield generation_case(f"generation {key} {value}", expected, f'{{"{key}": {value}}}')
    yield generation_case("generation a list", ("expected an object",), "[]")
    yield generation_case("generation empty", ("not valid JSON",), "")
    yield generation_case("generation with a key twice", ("top_k", "twice"), '{"top_k": 1, "top_k": 2}')
    yield Case(
        "generation a directory",
        "v3_groups",
        lambda folder: (folder / "generation_config.json").mkdir(),
        "generation_config.json",
    )


class MalformedCheckpoints(TestCase):
    SOON = 30.0  # Seconds; a hundredth of a second on an idle machine.

    def check(self, cases, at_least):
        names = set()
        for number, case in enumerate(cases):
            self.assertNotIn(case.name, names)
            names.add(case.name)
            with self.subTest(case.name):
                folder = copy_checkpoint(case.base, self.folder / f"case{number}")
                case.change(folder)
                begin = time.monotonic()
                result = mla(
                    "generate", "-m", folder, "--ids", "1,2,3", "-n", "1", "-t", "2", "--print-ids", bounded=True
                )
                self.assertLess(time.monotonic() - begin, self.SOON)
                self.assert_one_error_line(result, *case.expected)
                self.assertIn(str(folder), result.err)
                self.assertLess(len(result.err), 1000)
                shutil.rmtree(folder)
        self.assertGreaterEqual(len(names), at_least)

    def test_sizes_in_config(self):
        self.check(size_cases(), 200)

    def test_values_in_config(self):
        self.check(config_cases(), 60)

    def test_rope_parameters(self):
        self.check(rope_cases(), 30)

    def test_position_encodings(self):
        self.check(encoding_cases(), 45)

    def test_config_file(self):
        self.check(json_cases(), 15)

    def test_weight_file(self):
        self.check(weight_file_cases(), 20)

    def test_weight_header(self):
        self.check(header_cases(), 50)

    def test_tensors(self):
        self.check(tensor_cases(), 30)

    def test_index(self):
        self.check(index_cases(), 20)

    def test_generation_config(self):
        self.check(generation_cases(), 30)

    def test_unchanged_copies_are_accepted(self):
        """The cases above fail for what was changed, not for the copying."""
        for number, base in enumerate(
            ("v3_groups", "v3_r1_yarn", "v3_linear", "v3_dynamic", "v3_llama3", "v3_longrope", "v3_fp8", "v3_sharded",
             "v3_fused_experts", "v2_group_limited", "positions_none", "positions_learned", "positions_sinusoidal",
             "simplified_none", "simplified_learned", "simplified_rope")
        ):
            with self.subTest(base):
                folder = copy_checkpoint(base, self.folder / f"copy{number}")
                if (folder / WEIGHTS).exists():
                    rebuild(folder / WEIGHTS, lambda tensors: None)
                write_json(folder / "config.json", read_json(folder / "config.json"))
                self.succeed("generate", "-m", folder, "--ids", "1,2,3", "-n", "1", "-t", "2", "--print-ids", bounded=True)

    def test_harmless_oddities_are_accepted(self):
        folder = self.copy("v3_groups")
        config = read_json(folder / "config.json")
        config.update(surprise={"deep": [1, 2]}, num_nextn_predict_layers=None, rope_scaling={})
        write_json(folder / "config.json", config)
        rebuild(
            folder / WEIGHTS,
            lambda tensors: tensors.update(
                {
                    "model.layers.2.enorm.weight": ["F32", [3], bytes(12)],
                    "model.layers.2.anything": ["I64", [1], bytes(8)],
                    "model.layers.0.self_attn.rotary_emb.inv_freq": ["F32", [4], bytes(16)],
                    "empty": ["F32", [0, 7], b""],
                }
            ),
        )
        (folder / "generation_config.json").write_text('{"surprise": 1, "temperature": null, "eos_token_id": []}')
        self.succeed("generate", "-m", folder, "--ids", "1,2,3", "-n", "1", "--print-ids", bounded=True)


class WrongFolders(TestCase):
    def test_what_is_not_a_model_folder(self):
        file = self.folder / "file"
        file.write_text("text")
        empty = self.folder / "empty"
        empty.mkdir()
        for command in (["generate", "--ids", "1", "--print-ids"], ["inspect"], ["logits", "--ids", "1", "-o", self.folder / "o"]):
            for place in (self.folder / "nowhere", file, empty, "/dev/null", self.folder / "a\nb"):
                with self.subTest(command=command[0], place=str(place)):
                    self.assert_one_error_line(mla(*command, "-m", place, bounded=True),
                                               "expected a GGUF file or a model folder" if place == file else "config.json")
        self.assertFalse((self.folder / "o").exists())


class WrongIds(TestCase):
    MODEL = CHECKPOINTS / "v3_groups"  # 103 tokens, 1024 positions.

    def check(self, ids, *expected):
        for command in (["generate", "--print-ids", "-n", "1"], ["logits", "-o", self.folder / "logits.npy"]):
            with self.subTest(command=command[0], ids=ids[:40]):
                result = mla(*command, "-m", self.MODEL, f"--ids={ids}", bounded=True)
                self.assert_one_error_line(result, *expected)
                self.assertEqual(list(self.folder.iterdir()), [])

    def test_ids_out_of_the_vocabulary(self):
        self.check("1,103", "found token 103", "expected 0 to 102")
        self.check("2147483647", "found token 2147483647")

    def test_what_is_not_an_id(self):
        for ids in ("1,-2", "-1", "x", "1,x", "1;2", "1.5", "0x10", "2147483648", "99999999999999999999", "1,2a", "+1", "1é"):
            self.check(ids, "ids", "found", "expected token ids")

    def test_no_ids(self):
        for ids in (",", " , "):
            self.check(ids, "ids", "expected at least one")

    def test_prompt_longer_than_the_context(self):
        self.check(",".join(["1"] * 1025), "context", "1025", "at most 1024")
        self.check(",".join(["1"] * 60000), "context", "60000", "at most 1024")

    def test_prompt_longer_than_the_context_asked_for(self):
        for command in (["generate", "--print-ids", "-n", "1"], ["logits", "-o", self.folder / "logits.npy"]):
            result = mla(*command, "-m", self.MODEL, "--ids", "1,2,3,4", "-c", "3")
            self.assert_one_error_line(result, "context", "found 4 tokens", "at most 3")


class WrongTokenizers(TestCase):
    """tokenizer.json of the shipped model, spoilt."""

    def check(self, change, *expected):
        folder = self.folder / "model"
        shutil.copytree(STORIES, folder)
        change(folder / "tokenizer.json")
        text = self.folder / "text"
        text.write_text("Once upon a time there was a dog.")
        for command in (
            ["generate", "-p", "Once", "-n", "1"],
            ["logits", "-p", "Once", "-o", self.folder / "logits.npy"],
            ["tokenize", "Once"],
            ["perplexity", "-f", text],
        ):
            with self.subTest(command=command[0]):
                self.assert_one_error_line(mla(*command, "-m", folder, bounded=True), "tokenizer.json", *expected)
        shutil.rmtree(folder)

    def test_files(self):
        self.check(lambda file: file.unlink())
        self.check(lambda file: file.write_bytes(b""))
        self.check(lambda file: file.write_bytes(LFS))
        self.check(lambda file: file.write_bytes(file.read_bytes()[:5000]))
        self.check(lambda file: file.write_bytes(b"[]"))
        self.check(lambda file: file.write_bytes(b"{}"))
        self.check(lambda file: (file.unlink(), file.mkdir()))

    def test_fields(self):
        def edit(change):
            def apply(file):
                tokenizer = read_json(file)
                change(tokenizer)
                write_json(file, tokenizer)

            return apply

        self.check(edit(lambda json: json.pop("model")), "model")
        self.check(edit(lambda json: json["model"].update(type="Unigram")), "model.type", "Unigram")
        self.check(edit(lambda json: json["model"].pop("vocab")), "vocab")
        self.check(edit(lambda json: json["model"].update(vocab={"a": -1})), "vocab")
        self.check(edit(lambda json: json["model"].update(vocab={"a": 2**40})), "vocab")
        self.check(edit(lambda json: json["model"].update(merges=["a"])), "merges")
        self.check(edit(lambda json: json["model"].update(merges=[["no such", "pair"]])), "merges")
        self.check(edit(lambda json: json.update(pre_tokenizer={"type": "Mystery"})), "pre_tokenizer", "Mystery")
        self.check(edit(lambda json: json.update(added_tokens=[{"id": 1}])), "added_tokens")

    def test_ids_need_no_tokenizer(self):
        folder = self.folder / "model"
        shutil.copytree(STORIES, folder)
        (folder / "tokenizer.json").write_bytes(b"spoilt")
        self.succeed("generate", "-m", folder, "--ids", "5,6", "-n", "2", "--print-ids", "--ignore-eos")
        self.succeed("logits", "-m", folder, "--ids", "5,6", "-o", self.folder / "logits.npy")
        self.assert_one_error_line(mla("generate", "-m", folder, "--ids", "5,6", "-n", "2"), "tokenizer.json")


if __name__ == "__main__":
    unittest.main()
