"""config.json and generation_config.json."""

import json

from case import GENERATE, IDS, INSPECT, Case
from models import CONFIG, deepseek, llama
from safetensors_cases import HTML, LFS

MISSING = object()
GENERATION = "generation_config.json"


def config_case(name, values, *says, base=deepseek, file=CONFIG, commands=(INSPECT, GENERATE)):
    def make(folder):
        model = base()
        for key, value in values.items():
            if value is MISSING:
                model.config.pop(key, None)
            else:
                model.config[key] = value
        return model.write(folder / "model")

    return Case(name, make, *((file,) if file else ()), *says, commands=commands)


def text_case(name, content, *says, file=CONFIG):
    """`content`: the file's bytes, or a function that makes them of the right ones."""

    def make(folder):
        model = deepseek()
        right = json.dumps(model.config).encode()
        model.files[file] = content(right) if callable(content) else content
        return model.write(folder / "model")

    return Case(name, make, file, *says)


def raw_number(key, number):
    """Puts text in the place of a number that Python would not write."""
    return lambda right: json.dumps(json.loads(right) | {key: "@"}).replace('"@"', number).encode()


WRONG = {
    "missing": MISSING,
    "0": 0,
    "-1": -1,
    "a string": "8",
    "null": None,
    "a fraction": 8.5,
    "8.0": 8.0,
    "true": True,
    "a list": [8],
    "an object": {"a": 8},
    "2^31": 2**31,
    "2^32 + 8": 2**32 + 8,
    "2^63": 2**63,
    "2^64 + 8": 2**64 + 8,
    "-2^63": -(2**63),
}

SIZES = (
    "vocab_size", "hidden_size", "intermediate_size", "moe_intermediate_size", "num_hidden_layers", "num_attention_heads",
    "kv_lora_rank", "qk_nope_head_dim", "v_head_dim", "n_group", "topk_group", "num_experts_per_tok", "max_position_embeddings",
    "n_routed_experts", "q_lora_rank", "qk_rope_head_dim",
)


def sizes():
    for key in SIZES:
        for kind, value in WRONG.items():
            if key == "n_routed_experts" and kind == "null":
                continue  # A model without experts says so.
            if key == "q_lora_rank" and kind == "null":
                continue  # A model whose queries are not compressed says so.
            yield config_case(f"{key} {kind}", {key: value}, key)
        for number in ("NaN", "Infinity", "-Infinity", "1e400", "0x10", "+8", "08", "8.", "8e"):
            yield text_case(f"{key} {number}", raw_number(key, number), "JSON")
    for key in ("num_key_value_heads", "head_dim", "num_attention_heads"):
        for value in (0, -1, 2**31, "2", 1.5):
            yield config_case(f"llama: {key} {value!r}", {key: value}, key, base=llama)
    yield config_case("llama: num_key_value_heads 3", {"num_key_value_heads": 3}, "num_key_value_heads", base=llama)
    yield config_case("llama: num_attention_heads 3", {"num_attention_heads": 3}, "hidden_size", "num_attention_heads", base=llama)
    yield config_case("llama: head_dim 3", {"head_dim": 3}, "head_dim", "even", base=llama)
    yield config_case("llama: head_dim 6", {"head_dim": 6}, "q_proj", "[12, 8]", base=llama, file="")


def numbers():
    for layers in (3, 10**9, 2**31 - 1):
        yield config_case(f"num_hidden_layers {layers}", {"num_hidden_layers": layers}, "model.layers.2.input_layernorm.weight", "missing", file="")
    yield config_case("num_hidden_layers 1", {"num_hidden_layers": 1}, "model.layers.1.", file="")
    yield config_case("n_routed_experts 10^9", {"n_routed_experts": 10**9}, "gate", "[1000000000, 8]", file="")
    yield config_case("n_routed_experts 2", {"n_routed_experts": 2, "n_group": 1, "topk_group": 1}, "gate", "[2, 8]", file="")
    yield config_case("vocab_size 17", {"vocab_size": 17}, "model.embed_tokens.weight", "[17, 8]", file="")
    yield config_case("vocab_size 2^31 - 1", {"vocab_size": 2**31 - 1}, "model.embed_tokens.weight", "2147483647", file="")
    yield config_case("all sizes 2^31 - 1", dict.fromkeys(("hidden_size", "vocab_size", "intermediate_size"), 2**31 - 1), "model.embed_tokens.weight", file="")
    yield config_case("more groups than experts", {"n_group": 8, "topk_group": 1}, "n_group")
    yield config_case("groups that do not divide the experts", {"n_group": 3}, "n_group")
    yield config_case("groups of one expert", {"n_group": 4}, "n_group")
    yield config_case("more groups used than there are", {"topk_group": 3}, "topk_group")
    yield config_case("top-k above the experts", {"num_experts_per_tok": 5}, "num_experts_per_tok")
    yield config_case("top-k above the experts of the groups", {"num_experts_per_tok": 3}, "num_experts_per_tok")
    yield config_case("first_k_dense_replace -1", {"first_k_dense_replace": -1}, "first_k_dense_replace")
    yield config_case("first_k_dense_replace 2^31", {"first_k_dense_replace": 2**31}, "first_k_dense_replace")
    yield config_case("first_k_dense_replace 2", {"first_k_dense_replace": 2}, "model.layers.1.mlp", file="")
    yield config_case("n_shared_experts -1", {"n_shared_experts": -1}, "n_shared_experts")
    yield config_case("n_shared_experts 2^31", {"n_shared_experts": 2**31}, "n_shared_experts")
    yield config_case("n_shared_experts and their width 2^30", {"n_shared_experts": 2**30, "moe_intermediate_size": 2**30}, "model.layers.1.mlp", file="")
    for key in ("num_key_value_heads", "num_nextn_predict_layers", "pretraining_tp", "ep_size", "head_dim", "sliding_window"):  # Nobody reads them here.
        for value in (-1, "1", 1.5, 2**31, [1], True):
            yield config_case(f"{key} {value!r}", {key: value}, key)
    for key in ("attention_dropout", "initializer_range", "aux_loss_alpha"):
        for value in ("0", [], True):
            yield config_case(f"{key} {value!r}", {key: value}, key)
    yield config_case("an odd rotary dimension", {"qk_rope_head_dim": 3}, "qk_rope_head_dim", "even")
    yield config_case("heads and dimensions whose product wraps", {"num_attention_heads": 2**30, "qk_nope_head_dim": 2**30, "v_head_dim": 2**30}, "self_attn", file="")
    for key in ("rms_norm_eps", "routed_scaling_factor", "rope_theta"):
        for value in ("1", [], {}, True, 1e300, -1e300):
            yield config_case(f"{key} {value!r}", {key: value}, key)
        for number in ("NaN", "1e400", "-Infinity"):
            yield text_case(f"{key} {number}", raw_number(key, number), "JSON")
    yield config_case("rms_norm_eps -1e-6", {"rms_norm_eps": -1e-6}, "rms_norm_eps")
    yield config_case("rms_norm_eps 2", {"rms_norm_eps": 2}, "rms_norm_eps")
    for value in (0, -10000, 1e-300):
        yield config_case(f"rope_theta {value}", {"rope_theta": value}, "rope_theta")


def kinds():
    for key, values in {
        "model_type": ("bert", "", "DEEPSEEK_V3", "deepseek_v3\0", 7, None, [], {}, MISSING),
        "hidden_act": ("gelu", "", 7, []),
        "scoring_func": ("softmax", 7),
        "topk_method": ("greedy", 7),
        "torch_dtype": ("int4", "float64", 7),
        "dtype": ("int8", {}),
        "moe_layer_freq": (2, "1"),
        "attention_bias": (1, "false", []),
        "norm_topk_prob": (1, "true"),
        "tie_word_embeddings": ("yes", 0),
        "rope_interleave": (1, "true"),
        "is_causal": (False, "true"),
        "position_encoding": ("rotary", "", 7, ["rope"], {}),
        "quantization_config": ("fp8", [], 8, {"quant_method": "gptq"}, {"quant_method": "awq", "bits": 4}, {"quant_method": "bitsandbytes"}, {"quant_method": "fp8", "fmt": "e5m2"},
                                {"quant_method": "fp8", "weight_block_size": [0, 128]}, {"quant_method": "fp8", "weight_block_size": [128]}, {"quant_method": "fp8", "weight_block_size": "128"},
                                {"quant_method": "fp8", "weight_block_size": [2**40, -1]}, {"quant_method": 8}, {"bits": 4, "group_size": 128}, {"quant_method": None}, {"quant_method": "fp8", "activation_scheme": "static"}, {"quant_method": "fp8", "activation_scheme": 7}),
        "partial_rotary_factor": ("x", True, []),
        "eos_token_id": (-1, 2**31, "2", 1.5, [1, "2"], [[1]], {}, True, [-1]),
        "bos_token_id": (-1, 2**31, "1", 0.5, [1], True),
        "rope_scaling": ("yarn", [], 4, True),
        "rope_parameters": ("yarn", [1]),
    }.items():
        for value in values:
            values = {key: value, "rope_scaling": None} if key == "rope_parameters" else {key: value}
            place = "quantization_config" if key == "quantization_config" and not isinstance(value, dict) else key
            shown = "missing" if value is MISSING else repr(value)
            yield config_case(f"{key} {shown}", values, place)
    for key, value in (("hidden_act", "gelu_new"), ("sliding_window", "8"), ("attention_bias", 1), ("mlp_bias", "no")):
        yield config_case(f"llama: {key} {value!r}", {key: value}, key, base=llama if key != "sliding_window" else mistral)
    for value in (0, -1, 2**31, 1.5):
        yield config_case(f"mistral: sliding_window {value}", {"sliding_window": value}, "sliding_window", base=mistral)


def mistral():
    model = llama()
    model.config |= {"model_type": "mistral", "sliding_window": 16}
    return model


def rope_case(name, values, *says, base=deepseek):
    scaling = {"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16}
    scaling = {key: value for key, value in (scaling | values).items() if value is not MISSING}
    return config_case("rope: " + name, {"rope_scaling": scaling}, *says, base=base)


def rope():
    for value in (0, -1, -0.5, "4", [], True, 1e300, 1e-300, {}):
        yield rope_case(f"factor {value!r}", {"factor": value}, "rope_scaling.factor")
    for number in ("NaN", "Infinity", "1e999"):
        yield text_case(f"rope: factor {number}", lambda right, n=number: json.dumps(json.loads(right) | {"rope_scaling": {"type": "linear", "factor": "@"}}).replace('"@"', n).encode(), "JSON")
    for value in ("su", "", "YARN", "mrope", "ntk", 1, [], True):
        yield rope_case(f"type {value!r}", {"type": value}, "rope_scaling.type")
    for kind in ("linear", "dynamic", "llama3"):
        yield rope_case(f"{kind} without a factor", {"type": kind, "factor": MISSING}, "rope_scaling.factor", "missing")
        yield rope_case(f"{kind} factor 0", {"type": kind, "factor": 0}, "rope_scaling.factor")
    for key in ("low_freq_factor", "high_freq_factor"):
        yield rope_case(f"llama3 without {key}", {"type": "llama3", "low_freq_factor": 1, "high_freq_factor": 4, key: MISSING}, f"rope_scaling.{key}", "missing")
        yield rope_case(f"llama3 {key} 0", {"type": "llama3", "low_freq_factor": 1, "high_freq_factor": 4, key: 0}, f"rope_scaling.{key}")
    yield rope_case("llama3 factors equal", {"type": "llama3", "low_freq_factor": 4, "high_freq_factor": 4}, "rope_scaling.high_freq_factor")
    for value in (0, -1, "16", 1.5, 2**31, [], True):
        yield rope_case(f"original length {value!r}", {"original_max_position_embeddings": value}, "rope_scaling.original_max_position_embeddings")
    for key in ("beta_fast", "beta_slow", "mscale", "mscale_all_dim", "attention_factor"):
        for value in ("32", -1, 1e300, []):
            yield rope_case(f"{key} {value!r}", {key: value}, f"rope_scaling.{key}")
    yield rope_case("truncate 1", {"truncate": 1}, "rope_scaling.truncate")
    for key in ("short_factor", "long_factor"):
        right = {"type": "longrope", "short_factor": [1.0], "long_factor": [1.0]}
        for value in (MISSING, [], [1.0, 1.0], [0], [-1], ["1"], "1", None, [None], [1e300]):
            yield rope_case(f"longrope {key} {'missing' if value is MISSING else repr(value)}", right | {key: value}, f"rope_scaling.{key}")
    yield rope_case("partial_rotary_factor 0.5", {"partial_rotary_factor": 0.5}, "partial_rotary_factor")


def texts():
    for file in (CONFIG, GENERATION):
        for name, content in {
            "empty": b"",
            "white space": b" \n\t",
            "a list": b"[]",
            "null": b"null",
            "a string": b'"config"',
            "a number": b"1",
            "an LFS pointer": LFS,
            "an HTML page": HTML,
            "UTF-16": '{"model_type": "llama"}'.encode("utf-16"),
            "UTF-32": "{}".encode("utf-32"),
            "with a byte order mark": b"\xef\xbb\xbf{}",
            "gzipped": b"\x1f\x8b\x08\x00" + b"abc" * 20,
            "nested 100,000 deep": b'{"a":' * 100_000,
            "100,000 brackets": b"[" * 100_000,
            "truncated": b'{"model_type": "deepseek_v3", "vocab_',
            "with NUL": b'{"model_type": "deepseek_v3"}\0',
            "with bad UTF-8": b'{"model_type": "\xff"}',
            "with half a surrogate pair": b'{"model_type": "\\udc00"}',
            "with a comment": b'// a comment\n{}',
            "with a trailing comma": b'{"model_type": "deepseek_v3",}',
            "with two documents": b"{}{}",
            "with single quotes": b"{'a': 1}",
            "Python's": b"{'a': None, 'b': True}",
            "YAML": b"model_type: deepseek_v3\nvocab_size: 16\n",
            "with a key twice": b'{"eos_token_id": 1, "eos_token_id": 2}',
            "with a number of 100,000 digits": b'{"eos_token_id": ' + b"9" * 100_000 + b"}",
            "of 100 MB of zeros": None,
        }.items():
            if content is not None:
                yield text_case(f"{file} {name}", content, file=file)
            else:
                yield Case(f"{file} of 100 MB of zeros", sparse(file), file)
    yield text_case("a config of no keys", b"{}", "model_type", "missing")
    yield text_case("a config with 300,000 keys", lambda right: b"{" + b",".join(b'"k%d":[]' % i for i in range(300_000)) + b"}", CONFIG)
    yield text_case("a config with 60,000 objects in an object", lambda right: right[:-1] + b',"x":{' + b",".join(b'"k%d":{}' % i for i in range(60_000)) + b'},"vocab_size2":"8"', CONFIG, "JSON")
    yield text_case("a config with 300,000 objects in a list", lambda right: right[:-1] + b',"x":[' + b"{}," * 300_000 + b"{}]", CONFIG, "JSON")
    yield text_case("a config with a list of a million numbers", lambda right: right[:-1] + b',"eos_token_id2":[' + b"1," * 1_000_000 + b'1],"vocab_size":16}', CONFIG)


def sparse(file):
    def make(folder):
        path = deepseek().write(folder / "model")
        with open(path / file, "wb") as out:
            out.truncate(100_000_000)
        return path

    return make


def generation_case(name, content, *says):
    return text_case("generation: " + name, content.encode(), *says, file=GENERATION)


def generation():
    for key, values in {
        "temperature": ('"hot"', "-1", "[1]", "true", "1e9", "{}"),
        "top_k": ("-1", "1.5", '"5"', "4294967296", "true"),
        "top_p": ("-0.1", "1.1", '"0.9"'),
        "min_p": ("-0.1", "1.1"),
        "typical_p": ("2", "false"),
        "repetition_penalty": ("0", "-1", '"1"', "1e30"),
        "do_sample": ("1", '"true"', "[]"),
        "eos_token_id": ("2147483648", "-1", '"13"', "1.5", "[1, 2147483648]", '[1, "x"]', "[[1]]", "{}", "true"),
        "bos_token_id": ("2147483648", "-1", '"1"', "[1]"),
    }.items():
        for value in values:
            yield generation_case(f"{key} {value}", f'{{"{key}": {value}}}', key, "found", "expected")
    for number in ("NaN", "1e400", "Infinity"):
        yield generation_case(f"temperature {number}", f'{{"temperature": {number}}}', "JSON")


def cases():
    yield from sizes()
    yield from numbers()
    yield from kinds()
    yield from rope()
    yield from texts()
    yield from generation()
