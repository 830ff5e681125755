"""Small well-formed models in memory, to be spoilt and written: a folder of safetensors and a GGUF file."""

import json
import random
import struct

CONFIG = "config.json"
WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"
TOKENIZER = "tokenizer.json"
VOCABULARY = 16


def floats(count, seed):
    source = random.Random(seed)
    return struct.pack(f"<{count}f", *(source.uniform(-0.5, 0.5) for _ in range(count)))


def safetensors(header, data):
    """`header`: a dictionary, or the bytes of whatever stands in its place."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def pack_tensors(tensors):
    """{name: [dtype, shape, bytes]} as (header, data)."""
    header, data = {}, b""
    for name, (dtype, shape, content) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    return header, data


class Folder:
    """A model folder: its config, tensors and tokenizer as Python values, and other files as bytes. A file of that name in
    `files` is written in the place of what would be made of the values."""

    def __init__(self, config, shapes):
        self.config = config
        self.tensors = {
            name: ["F32", shape, floats(product(shape), name)] for name, shape in shapes.items()
        }
        self.tokenizer = tokenizer()
        self.files = {}

    def header(self):
        return pack_tensors(self.tensors)

    def set_header(self, change):
        """Puts what `change`(header, data) gives in the place of the weights' header and data."""
        self.files[WEIGHTS] = safetensors(*change(*self.header()))

    def shard(self, count=2):
        """Lays the tensors out in several files with an index, which is returned; `files` has all of them."""
        names = sorted(self.tensors)
        index = {"metadata": {}, "weight_map": {}}
        for number in range(count):
            file = f"model-{number + 1:05}-of-{count:05}.safetensors"
            part = {name: self.tensors[name] for name in names[number::count]}
            self.files[file] = safetensors(*pack_tensors(part))
            index["weight_map"].update({name: file for name in part})
        self.files[WEIGHTS] = None
        self.set_index(index)
        return index

    def set_index(self, index):
        self.files[INDEX] = json.dumps(index).encode()

    def write(self, folder):
        folder.mkdir()
        files = {CONFIG: json.dumps(self.config).encode(), TOKENIZER: json.dumps(self.tokenizer).encode()}
        if WEIGHTS not in self.files:
            files[WEIGHTS] = safetensors(*self.header())
        files.update(self.files)
        for name, content in files.items():
            if content is not None:
                (folder / name).write_bytes(content)
        return folder


def product(numbers):
    result = 1
    for number in numbers:
        result *= number
    return result


def tokenizer():
    tokens = [*"abcdefgh", "ab", "cd", "\u0120", "\u0120a"]
    return {
        "version": "1.0",
        "added_tokens": [
            {"id": 12, "content": "<s>", "special": True, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False},
            {"id": 13, "content": "</s>", "special": True, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False},
        ],
        "normalizer": {"type": "NFC"},
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [
                {"type": "Split", "pattern": {"Regex": "\\w+|\\s+"}, "behavior": "Isolated", "invert": False},
                {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False},
            ],
        },
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
            "pair": [],
            "special_tokens": {"<s>": {"id": "<s>", "ids": [12], "tokens": ["<s>"]}},
        },
        "decoder": {"type": "ByteLevel"},
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "vocab": {token: number for number, token in enumerate(tokens)},
            "merges": ["a b", "c d", "\u0120 a"],
        },
    }


def deepseek():
    """Latent attention; a dense layer and one of four experts in two groups."""
    hidden, heads, latent, nope, rope, value = 8, 2, 4, 4, 2, 4
    config = {
        "model_type": "deepseek_v3",
        "vocab_size": VOCABULARY,
        "hidden_size": hidden,
        "intermediate_size": 8,
        "moe_intermediate_size": 4,
        "num_hidden_layers": 2,
        "num_attention_heads": heads,
        "n_shared_experts": 1,
        "n_routed_experts": 4,
        "routed_scaling_factor": 1.5,
        "kv_lora_rank": latent,
        "q_lora_rank": 6,
        "qk_rope_head_dim": rope,
        "v_head_dim": value,
        "qk_nope_head_dim": nope,
        "topk_method": "noaux_tc",
        "n_group": 2,
        "topk_group": 1,
        "num_experts_per_tok": 2,
        "moe_layer_freq": 1,
        "first_k_dense_replace": 1,
        "norm_topk_prob": True,
        "scoring_func": "sigmoid",
        "hidden_act": "silu",
        "max_position_embeddings": 64,
        "rms_norm_eps": 1e-6,
        "rope_theta": 10000.0,
        "rope_scaling": {
            "type": "yarn",
            "factor": 4.0,
            "original_max_position_embeddings": 16,
            "beta_fast": 32,
            "beta_slow": 1,
            "mscale": 1.0,
            "mscale_all_dim": 1.0,
        },
        "bos_token_id": 12,
        "eos_token_id": 13,
        "torch_dtype": "float32",
    }
    shapes = {"model.embed_tokens.weight": [VOCABULARY, hidden]}
    for layer in range(2):
        prefix = f"model.layers.{layer}."
        attention = prefix + "self_attn."
        shapes |= {
            prefix + "input_layernorm.weight": [hidden],
            prefix + "post_attention_layernorm.weight": [hidden],
            attention + "q_a_proj.weight": [6, hidden],
            attention + "q_a_layernorm.weight": [6],
            attention + "q_b_proj.weight": [heads * (nope + rope), 6],
            attention + "kv_a_proj_with_mqa.weight": [latent + rope, hidden],
            attention + "kv_a_layernorm.weight": [latent],
            attention + "kv_b_proj.weight": [heads * (nope + value), latent],
            attention + "o_proj.weight": [hidden, heads * value],
        }

    def swiglu(prefix, width):
        return {
            prefix + "gate_proj.weight": [width, hidden],
            prefix + "up_proj.weight": [width, hidden],
            prefix + "down_proj.weight": [hidden, width],
        }

    shapes |= swiglu("model.layers.0.mlp.", 8)
    shapes |= {"model.layers.1.mlp.gate.weight": [4, hidden], "model.layers.1.mlp.gate.e_score_correction_bias": [4]}
    for expert in range(4):
        shapes |= swiglu(f"model.layers.1.mlp.experts.{expert}.", 4)
    shapes |= swiglu("model.layers.1.mlp.shared_experts.", 4)
    shapes |= {"model.norm.weight": [hidden], "lm_head.weight": [VOCABULARY, hidden]}
    return Folder(config, shapes)


def llama():
    hidden, width = 8, 4
    config = {
        "model_type": "llama",
        "vocab_size": VOCABULARY,
        "hidden_size": hidden,
        "intermediate_size": 8,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "max_position_embeddings": 64,
        "rms_norm_eps": 1e-6,
        "rope_theta": 10000.0,
        "hidden_act": "silu",
        "bos_token_id": 12,
        "eos_token_id": 13,
        "torch_dtype": "float32",
    }
    prefix = "model.layers.0."
    return Folder(
        config,
        {
            "model.embed_tokens.weight": [VOCABULARY, hidden],
            prefix + "input_layernorm.weight": [hidden],
            prefix + "self_attn.q_proj.weight": [hidden, hidden],
            prefix + "self_attn.k_proj.weight": [width, hidden],
            prefix + "self_attn.v_proj.weight": [width, hidden],
            prefix + "self_attn.o_proj.weight": [hidden, hidden],
            prefix + "post_attention_layernorm.weight": [hidden],
            prefix + "mlp.gate_proj.weight": [8, hidden],
            prefix + "mlp.up_proj.weight": [8, hidden],
            prefix + "mlp.down_proj.weight": [hidden, 8],
            "model.norm.weight": [hidden],
            "lm_head.weight": [VOCABULARY, hidden],
        },
    )


# GGUF's metadata types, by their numbers.
U8, I8, U16, I16, U32, I32, F32, BOOL, STRING, ARRAY, U64, I64, F64 = range(13)
FORMATS = {U8: "B", I8: "b", U16: "H", I16: "h", U32: "I", I32: "i", F32: "f", BOOL: "?", U64: "Q", I64: "q", F64: "d"}
GGML_F32, GGML_Q8_0 = 0, 8


def text(content):
    content = content.encode() if isinstance(content, str) else content
    return struct.pack("<Q", len(content)) + content


def scalar(kind, value):
    return text(value) if kind == STRING else struct.pack("<" + FORMATS[kind], value)


def array(kind, values):
    return struct.pack("<IQ", kind, len(values)) + b"".join(scalar(kind, value) for value in values)


class Gguf:
    """A GGUF file in the making. `keys`: {key: (type, the value's bytes)}; `tensors`: {name: [dims, type, bytes]}, dims
    innermost first. What stands in `offsets` is written in the place of the right offset."""

    def __init__(self):
        self.magic = b"GGUF"
        self.version = 3
        self.keys = {}
        self.tensors = {}
        self.offsets = {}
        self.alignment = 32
        self.key_count = None
        self.tensor_count = None
        self.more_keys = b""  # Entries behind the others, as they lie in the file.
        self.more_key_count = 0
        self.more_tensors = []  # (name, dims, type, offset) behind the others.

    def set(self, key, kind, value):
        self.keys[key] = (kind, scalar(kind, value))
        return self

    def set_array(self, key, kind, values):
        self.keys[key] = (ARRAY, array(kind, values))
        return self

    def set_raw(self, key, kind, content):
        self.keys[key] = (kind, content)
        return self

    def bytes(self):
        keys = b"".join(text(key) + struct.pack("<I", kind) + content for key, (kind, content) in self.keys.items())
        infos, data = b"", b""
        for name, (dims, kind, content) in self.tensors.items():
            offset = self.offsets.get(name, len(data))
            infos += self.info(name, dims, kind, offset)
            data += content + bytes(-len(content) % self.alignment)
        for entry in self.more_tensors:
            infos += self.info(*entry)
        tensors = len(self.tensors) + len(self.more_tensors) if self.tensor_count is None else self.tensor_count
        count = len(self.keys) + self.more_key_count if self.key_count is None else self.key_count
        head = self.magic + struct.pack("<IQQ", self.version, tensors, count) + keys + self.more_keys + infos
        return head + bytes(-len(head) % self.alignment) + data

    @staticmethod
    def info(name, dims, kind, offset):
        return text(name) + struct.pack(f"<I{len(dims)}QIQ", len(dims), *dims, kind, offset)


def q8_0(rows, cols, seed):
    source = random.Random(seed)
    block = lambda: struct.pack("<e", 0.01) + bytes(source.randrange(256) for _ in range(32))
    return b"".join(block() for _ in range(rows * cols // 32))


def gguf_tokenizer(file):
    tokens = [*"abcdefgh", "ab", "cd", "\u0120", "\u0120a", "<s>", "</s>", "<pad>", "<more>"]
    file.set("tokenizer.ggml.model", STRING, "gpt2")
    file.set("tokenizer.ggml.pre", STRING, "gpt-2")
    file.set_array("tokenizer.ggml.tokens", STRING, tokens)
    file.set_array("tokenizer.ggml.token_type", I32, [1] * 12 + [3, 3, 3, 4])
    file.set_array("tokenizer.ggml.merges", STRING, ["a b", "c d", "\u0120 a"])
    file.set("tokenizer.ggml.bos_token_id", U32, 12)
    file.set("tokenizer.ggml.eos_token_id", U32, 13)
    file.set("tokenizer.ggml.add_bos_token", BOOL, True)


def gguf_scored_tokenizer(file):
    """The vocabulary of 259 tokens that SentencePiece files have at least, and an "a" with it."""
    tokens = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)] + ["a"]
    file.set("tokenizer.ggml.model", STRING, "llama")
    del file.keys["tokenizer.ggml.pre"], file.keys["tokenizer.ggml.merges"]
    file.set_array("tokenizer.ggml.tokens", STRING, tokens)
    file.set_array("tokenizer.ggml.token_type", I32, [2, 3, 3] + [6] * 256 + [1])
    file.set_array("tokenizer.ggml.scores", F32, [0.0] * len(tokens))
    file.set("tokenizer.ggml.bos_token_id", U32, 1)
    file.set("tokenizer.ggml.eos_token_id", U32, 2)


def gguf_llama(vocabulary=VOCABULARY):
    hidden, width = 32, 16
    file = Gguf()
    file.set("general.architecture", STRING, "llama")
    file.set("llama.block_count", U32, 1)
    file.set("llama.context_length", U32, 64)
    file.set("llama.embedding_length", U32, hidden)
    file.set("llama.feed_forward_length", U32, 32)
    file.set("llama.attention.head_count", U32, 2)
    file.set("llama.attention.head_count_kv", U32, 1)
    file.set("llama.attention.layer_norm_rms_epsilon", F32, 1e-6)
    file.set("llama.rope.freq_base", F32, 10000.0)
    gguf_tokenizer(file)
    file.tensors = {"token_embd.weight": [[hidden, vocabulary], GGML_F32, floats(hidden * vocabulary, "embd")]}
    for stem, rows in (("attn_q", 32), ("attn_k", width), ("attn_v", width), ("attn_output", 32), ("ffn_gate", 32), ("ffn_up", 32), ("ffn_down", 32)):
        file.tensors[f"blk.0.{stem}.weight"] = [[hidden, rows], GGML_Q8_0, q8_0(rows, hidden, stem)]
    for name in ("blk.0.attn_norm.weight", "blk.0.ffn_norm.weight", "output_norm.weight"):
        file.tensors[name] = [[hidden], GGML_F32, floats(hidden, name)]
    return file


def gguf_deepseek():
    """Latent attention and a layer of four experts."""
    hidden, heads, latent, nope, rope, value = 8, 2, 4, 4, 2, 4
    file = Gguf()
    file.set("general.architecture", STRING, "deepseek2")
    for key, number in {
        "block_count": 1,
        "context_length": 64,
        "embedding_length": hidden,
        "feed_forward_length": 8,
        "attention.head_count": heads,
        "attention.head_count_kv": heads,
        "attention.kv_lora_rank": latent,
        "attention.key_length": nope + rope,
        "attention.value_length": value,
        "rope.dimension_count": rope,
        "leading_dense_block_count": 0,
        "expert_count": 4,
        "expert_used_count": 2,
        "expert_feed_forward_length": 4,
        "expert_shared_count": 1,
        "expert_gating_func": 2,
        "expert_group_count": 2,
        "expert_group_used_count": 1,
    }.items():
        file.set("deepseek2." + key, U32, number)
    file.set("deepseek2.attention.layer_norm_rms_epsilon", F32, 1e-6)
    file.set("deepseek2.expert_weights_scale", F32, 1.0)
    file.set("deepseek2.expert_weights_norm", BOOL, True)
    gguf_tokenizer(file)
    shapes = {
        "token_embd.weight": [hidden, VOCABULARY],
        "blk.0.attn_q.weight": [hidden, heads * (nope + rope)],
        "blk.0.attn_kv_a_mqa.weight": [hidden, latent + rope],
        "blk.0.attn_kv_a_norm.weight": [latent],
        "blk.0.attn_kv_b.weight": [latent, heads * (nope + value)],
        "blk.0.attn_output.weight": [heads * value, hidden],
        "blk.0.attn_norm.weight": [hidden],
        "blk.0.ffn_norm.weight": [hidden],
        "blk.0.ffn_gate_inp.weight": [hidden, 4],
        "blk.0.exp_probs_b.bias": [4],
        "blk.0.ffn_gate_exps.weight": [hidden, 4, 4],
        "blk.0.ffn_up_exps.weight": [hidden, 4, 4],
        "blk.0.ffn_down_exps.weight": [4, hidden, 4],
        "blk.0.ffn_gate_shexp.weight": [hidden, 4],
        "blk.0.ffn_up_shexp.weight": [hidden, 4],
        "blk.0.ffn_down_shexp.weight": [4, hidden],
        "output_norm.weight": [hidden],
        "output.weight": [hidden, VOCABULARY],
    }
    file.tensors = {name: [dims, GGML_F32, floats(product(dims), name)] for name, dims in shapes.items()}
    return file
