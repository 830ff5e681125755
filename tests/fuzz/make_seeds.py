#!/usr/bin/env python3
"""Writes the seeds and the dictionaries of the fuzz targets: python3 tests/fuzz/make_seeds.py

They are small: what a target starts from is to be read in microseconds. Files named found-* are inputs that once were
findings; they are left alone.
"""
import json
import pathlib
import struct

HERE = pathlib.Path(__file__).resolve().parent
GOLDEN = HERE.parent / "golden"
CORPUS = HERE / "corpus"
DICTIONARIES = HERE / "dictionaries"

written = {}


def write(target, name, content):
    if isinstance(content, str):
        content = content.encode()
    written.setdefault(target, []).append(content)
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)


def compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


# safetensors

def safetensors(header, data=b""):
    text = header if isinstance(header, str) else compact(header)
    return struct.pack("<Q", len(text.encode())) + text.encode() + data


def tensor(dtype, shape, begin, end):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def write_safetensors():
    values = struct.pack("<6f", 0.5, -1, 2, 3, 4, 5)
    write("safetensors", "empty", safetensors({}))
    write("safetensors", "metadata", safetensors({"__metadata__": {"format": "pt", "a": "\u00e9"}}))
    write("safetensors", "floats", safetensors(
        {"a.weight": tensor("F32", [2, 2], 0, 16), "b": tensor("F32", [], 16, 20), "c": tensor("F32", [1], 20, 24)},
        values))
    write("safetensors", "kinds", safetensors(
        {"a": tensor("BF16", [2, 1], 0, 4), "b": tensor("F16", [1], 4, 6), "c": tensor("F8_E4M3", [3], 6, 9),
         "d": tensor("I8", [1], 9, 10), "e": tensor("U64", [0, 7], 10, 10), "f": tensor("F4", [4], 10, 12)},
        values[:12]))
    write("safetensors", "unknown-field", safetensors(
        {"a": {"more": [{"b": [1, 2.5, "x", None, True]}], **tensor("I64", [1, 1], 0, 8)}}, values[:8]))
    write("safetensors", "lfs", "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n")


def write_index():
    shards = {"a": "1.safetensors", "b": "1.safetensors", "c": "2.safetensors"}
    write("index", "whole", compact({"metadata": {"total_size": 10}, "weight_map": shards}))
    write("index", "missing-shard", compact({"weight_map": {"a": "3.safetensors"}}))
    write("index", "outside", compact({"weight_map": {"a": "../1.safetensors"}}))


def write_npy():
    for name, shape, count in (("rows", "(2, 3), }", 6), ("row", "(3,), }", 3), ("none", "(0, 2), }", 0)):
        text = "{'descr': '<f4', 'fortran_order': False, 'shape': " + shape
        text += " " * ((64 - (10 + len(text) + 1) % 64) % 64) + "\n"
        write("npy", name, b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode() + bytes(4 * count))


# config.json and what stands beside it

NOT_READ = {"architectures", "initializer_range", "use_cache", "pretraining_tp", "transformers_version",
            "attention_dropout", "aux_loss_alpha", "seq_aux", "ep_size", "attn_pdrop", "embd_pdrop", "resid_pdrop",
            "summary_type", "summary_use_proj", "id2label", "label2id", "return_dict", "output_attentions"}


def form(value):
    """What is left of a config without its numbers."""
    if isinstance(value, dict):
        return tuple((key, form(one)) for key, one in sorted(value.items()))
    if isinstance(value, (list, float)) or type(value) is int:
        return type(value).__name__
    return value


def write_configs():
    seen, words = set(), set()
    for folder in sorted((GOLDEN / "checkpoints").iterdir()):
        config = json.loads((folder / "config.json").read_text())
        if "quantization_config" in config:  # The target's weights are not FP8.
            continue
        kept = {key: value for key, value in config.items() if key not in NOT_READ}
        # Of each family one, and those that have a key or a word no other has.
        new = {f"{kept['model_type']} {key} {value}" for key, value in form(kept)} - words
        if len(new) > 1 and form(kept) not in seen:
            write("config", folder.name, compact(kept))
            seen.add(form(kept))
            words |= new


def write_generation_configs():
    write("generation_config", "all", compact(
        {"bos_token_id": 1, "eos_token_id": [2, 3], "do_sample": True, "temperature": 0.6, "top_k": 40, "top_p": 0.95,
         "min_p": 0.05, "typical_p": 0.9, "repetition_penalty": 1.1}))
    write("generation_config", "few", compact({"bos_token_id": None, "eos_token_id": 2}))


# Tokenizers

KEPT = set("abcdes") | {"\u0120", "\u2581", "\u010a", "<unk>", "<s>", "</s>", "<0x41>", "<0xC3>", "<0xA9>", "12", "1"}
MOST_MERGED = 6


def shrink(tokenizer):
    model = tokenizer["model"]
    kept = {token for token in model["vocab"] if token in KEPT or token.rstrip("</w>") in KEPT}
    unknown = model.get("unk_token")
    if unknown in model["vocab"]:
        kept.add(unknown)
    merges = []
    for merge in model["merges"]:
        left, right = merge if isinstance(merge, list) else merge.split(" ")
        prefix = model.get("continuing_subword_prefix") or ""
        merged = left + right[len(prefix):]
        if len(merges) < MOST_MERGED and left in kept and right in kept and merged in model["vocab"]:
            merges.append(merge)
            kept.add(merged)
    added = {token["content"] for token in tokenizer.get("added_tokens", [])}
    model["vocab"] = {token: index for token, index in model["vocab"].items() if token in kept | added}
    model["merges"] = merges
    return tokenizer


def write_tokenizers():
    for file in sorted((GOLDEN / "tokenizer").glob("*.json")):
        tokenizer = shrink(json.loads(file.read_text()))
        write("tokenizer", file.stem, compact(tokenizer))
    write("tokenizer", "text", compact(tokenizer).encode() + b"\xffab <s>\xc3\xa9 \xff\xc3")
    template = "{% for m in messages %}{{ m['content'] }}{% endfor %}"
    write("tokenizer_config", "plain", compact(
        {"add_bos_token": True, "bos_token": "<s>", "eos_token": {"content": "</s>", "lstrip": False},
         "unk_token": None, "pad_token": "a", "chat_template": template}))
    write("tokenizer_config", "templates", compact(
        {"add_bos_token": False, "chat_template": [{"name": "tool", "template": "x"},
                                                   {"name": "default", "template": template}]}))


def write_lines():
    write("lines", "texts", '"ab <s>c"\n"\\u00e9 \\ud83d\\ude00 ca x"\n""\n')
    write("lines", "ids", "[0,3,4,5]\n[]\n[8]\n[99]\n")
    choices = {"task": "word_order", "length": 4, "prompt": "a", "choices": ["b", " c"], "answer": 1}
    write("probes", "choices", compact(choices) + "\n" + compact({**choices, "task": "coreference", "answer": 0}))
    write("probes", "copy", compact({"task": "copy", "length": 2, "prompt": "a", "continuation": "c"}) + "\n")
    write("ids", "few", "1,2,3")
    write("ids", "spaces", " 0 \n2147483647,\t7")
    write("ids", "beyond", "2147483648")


def write_statistics():
    lengths = {"1": 4.5, "2": 4.25, "4": 8.5}
    measures = {"encoding": "rope-decoupled", "perplexity": lengths, "copy": lengths,
                "word_order": lengths, "coreference": lengths, "phase_shift": {"0": 4.5, "16": 4.5},
                "perplexity_at": [[1, 32, 4.5]]}
    seeds = [{"seed": seed, "trained": [measures]} for seed in (1, 2)]
    write("statistics", "shape", compact(seeds))
    real = json.loads((HERE.parents[1] / "models/encodings/statistics.json").read_text())[:2]
    for seed in real:
        seed["trained"] = [one for one in seed["trained"] if one["encoding"] in ("none", "learned")]
        for one in seed["trained"]:
            one.pop("perplexity_at", None)
    write("statistics", "real", compact(real))


def write_sampler():
    def options(repetition=1.0, presence=0.0, frequency=0.0, temperature=0.8, top_p=1.0, min_p=0.0, typical_p=1.0,
                top_k=0, seed=1):
        return struct.pack("<7dqQ", repetition, presence, frequency, temperature, top_p, min_p, typical_p, top_k, seed)

    logits = struct.pack("<8f", 0.5, -1, 2, 2, -8, 30, 0, 1e-3)
    write("sampler", "plain", options() + logits)
    write("sampler", "greedy", options(temperature=0.0, repetition=1.3) + logits)
    write("sampler", "all", options(1.1, 0.5, -0.5, 1.5, 0.9, 0.01, 0.8, 5, 7) + logits)
    write("sampler", "edges", options(1e6, -1e6, 1e6, 1e-300, 0.0, 1.0, 0.0, 2**62) + logits)


# GGUF

UINT8, UINT32, INT32, FLOAT32, BOOL, STRING, ARRAY, UINT64 = 0, 4, 5, 6, 7, 8, 9, 10
F32, F16, Q4_0, Q8_0, Q6_K, BF16 = 0, 1, 2, 8, 14, 30
BLOCKS = {F32: (1, 4), F16: (1, 2), BF16: (1, 2), Q4_0: (32, 18), Q8_0: (32, 34), Q6_K: (256, 210)}


def text(value):
    raw = value.encode()
    return struct.pack("<Q", len(raw)) + raw


class Gguf:
    def __init__(self, version=3):
        self.version, self.keys, self.count = version, b"", 0
        self.infos, self.tensors, self.data = b"", 0, b""

    def entry(self, key, kind, raw):
        self.keys += text(key) + struct.pack("<I", kind) + raw
        self.count += 1
        return self

    def add(self, key, value):
        if isinstance(value, bool):
            return self.entry(key, BOOL, struct.pack("<B", value))
        if isinstance(value, int):
            return self.entry(key, UINT32, struct.pack("<I", value))
        if isinstance(value, float):
            return self.entry(key, FLOAT32, struct.pack("<f", value))
        if isinstance(value, str):
            return self.entry(key, STRING, text(value))
        kind, pack = {str: (STRING, text), float: (FLOAT32, lambda x: struct.pack("<f", x)),
                      int: (UINT8, lambda x: struct.pack("<B", x))}[type(value[0])]
        return self.entry(key, ARRAY, struct.pack("<IQ", kind, len(value)) + b"".join(map(pack, value)))

    def all(self, prefix, values):
        for key, value in values.items():
            self.add(prefix + key, value)
        return self

    def tensor(self, name, shape, kind=F32, value=None):
        """`shape` has the outermost dimension first."""
        elements, size = BLOCKS[kind]
        count = 1
        for length in shape:
            count *= length
        self.data += bytes(-len(self.data) % 32)
        self.infos += text(name) + struct.pack("<I", len(shape)) + struct.pack(f"<{len(shape)}Q", *reversed(shape))
        self.infos += struct.pack("<IQ", kind, len(self.data))
        self.tensors += 1
        if kind == F32:
            self.data += b"".join(struct.pack("<f", value or (index * 5 % 7 - 3) / 4) for index in range(count))
        else:
            self.data += bytes(index * 29 % 61 for index in range(count // elements * size))
        return self

    def bytes(self):
        head = b"GGUF" + struct.pack("<IQQ", self.version, self.tensors, self.count) + self.keys + self.infos
        return head + bytes(-len(head) % 32) + self.data


def common(architecture, **keys):
    return Gguf().add("general.architecture", architecture).all(architecture + ".", {
        "block_count": 1, "context_length": 8, "embedding_length": 4, "feed_forward_length": 3,
        "attention.head_count": 2, "attention.layer_norm_rms_epsilon": 1e-5, **keys})


def swiglu(file, width, hidden=4, kind=F32):
    return (file.tensor("blk.0.attn_norm.weight", [hidden]).tensor("blk.0.ffn_norm.weight", [hidden])
            .tensor("blk.0.ffn_gate.weight", [width, hidden], kind).tensor("blk.0.ffn_up.weight", [width, hidden], kind)
            .tensor("blk.0.ffn_down.weight", [hidden, width], kind))


def byte_level(file, tokens=("a", "b", "ab", "\u0120", "<s>"), pre="gpt-2"):
    return (file.add("tokenizer.ggml.model", "gpt2").add("tokenizer.ggml.pre", pre)
            .add("tokenizer.ggml.tokens", list(tokens)).add("tokenizer.ggml.token_type", [1, 1, 1, 1, 3])
            .add("tokenizer.ggml.merges", ["a b"]).add("tokenizer.ggml.bos_token_id", 4)
            .add("tokenizer.ggml.eos_token_id", 4))


def grouped(architecture, hidden=4, width=3, kind=F32, vocab=5, tokenizer=True, norms=False, bias=False, **keys):
    head = hidden // 2
    file = common(architecture, **{"embedding_length": hidden, "feed_forward_length": width,
                                   "attention.head_count_kv": 1, **keys})
    if tokenizer:
        byte_level(file)
    file.tensor("token_embd.weight", [vocab, hidden], kind).tensor("output_norm.weight", [hidden])
    for name, rows in (("q", hidden), ("k", head), ("v", head)):
        file.tensor(f"blk.0.attn_{name}.weight", [rows, hidden], kind)
        if bias:
            file.tensor(f"blk.0.attn_{name}.bias", [rows])
        if norms and name != "v":
            file.tensor(f"blk.0.attn_{name}_norm.weight", [head])
    file.tensor("blk.0.attn_output.weight", [hidden, hidden], kind)
    return swiglu(file, width, hidden, kind)


def latent(architecture, experts=False, q_rank=0, joined=True):
    keys = {"attention.kv_lora_rank": 3, "rope.dimension_count": 2, "vocab_size": 5}
    names = ("attention.key_length", "attention.value_length")
    if not joined:
        keys.update({"attention.head_count_kv": 1, names[0]: 5, names[1]: 3})
        names = tuple(name + "_mla" for name in names)
    keys.update({names[0]: 4, names[1]: 2})
    if q_rank:
        keys["attention.q_lora_rank"] = q_rank
    if experts:
        keys.update({"expert_count": 4, "expert_used_count": 2, "expert_shared_count": 1,
                     "expert_feed_forward_length": 2, "expert_weights_scale": 1.5, "expert_weights_norm": True,
                     "expert_gating_func": 2, "expert_group_count": 2, "expert_group_used_count": 1})
    file = common(architecture, **keys)
    file.tensor("token_embd.weight", [5, 4]).tensor("output_norm.weight", [4]).tensor("output.weight", [5, 4])
    if q_rank:
        (file.tensor("blk.0.attn_q_a.weight", [q_rank, 4]).tensor("blk.0.attn_q_a_norm.weight", [q_rank])
         .tensor("blk.0.attn_q_b.weight", [8, q_rank]))
    else:
        file.tensor("blk.0.attn_q.weight", [8, 4])
    file.tensor("blk.0.attn_kv_a_mqa.weight", [5, 4]).tensor("blk.0.attn_kv_a_norm.weight", [3])
    if joined:
        file.tensor("blk.0.attn_kv_b.weight", [8, 3])
    else:
        file.tensor("blk.0.attn_k_b.weight", [2, 3, 2]).tensor("blk.0.attn_v_b.weight", [2, 2, 3])
    file.tensor("blk.0.attn_output.weight", [4, 4])
    if not experts:
        return swiglu(file, 3)
    file.tensor("blk.0.attn_norm.weight", [4]).tensor("blk.0.ffn_norm.weight", [4])
    file.tensor("blk.0.ffn_gate_inp.weight", [4, 4]).tensor("blk.0.exp_probs_b.bias", [4])
    for name, shape in (("gate", [2, 4]), ("up", [2, 4]), ("down", [4, 2])):
        file.tensor(f"blk.0.ffn_{name}_exps.weight", [4, *shape]).tensor(f"blk.0.ffn_{name}_shexp.weight", shape)
    return file


def gpt2():
    file = Gguf().add("general.architecture", "gpt2").all("gpt2.", {
        "block_count": 1, "context_length": 4, "embedding_length": 4, "feed_forward_length": 3,
        "attention.head_count": 2, "attention.layer_norm_epsilon": 1e-5})
    byte_level(file)
    file.tensor("token_embd.weight", [5, 4]).tensor("position_embd.weight", [4, 4])
    for name, out, into in (("attn_qkv", 12, 4), ("attn_output", 4, 4), ("ffn_up", 3, 4), ("ffn_down", 4, 3)):
        file.tensor(f"blk.0.{name}.weight", [out, into]).tensor(f"blk.0.{name}.bias", [out])
    for name in ("blk.0.attn_norm", "blk.0.ffn_norm", "output_norm"):
        file.tensor(name + ".weight", [4]).tensor(name + ".bias", [4])
    return file


def scored():
    tokens = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)] + ["\u2581", "a", "b", "ab", "\u2581ab"]
    types = [2, 3, 3] + [6] * 256 + [1] * 5
    scores = [0.0] * 259 + [-1.0, -2.0, -3.0, -0.5, -0.25]
    return (Gguf().add("general.architecture", "llama").add("tokenizer.ggml.model", "llama")
            .add("tokenizer.ggml.tokens", tokens).add("tokenizer.ggml.scores", scores)
            .add("tokenizer.ggml.token_type", types).add("tokenizer.ggml.add_space_prefix", True)
            .add("tokenizer.ggml.bos_token_id", 1).add("tokenizer.ggml.eos_token_id", 2))


def write_gguf():
    kinds = Gguf(2).add("general.alignment", 32)
    for kind in (UINT8, 1, 2, 3, UINT32, INT32, FLOAT32, BOOL, UINT64, 11, 12):
        size = {UINT8: 1, 1: 1, 2: 2, 3: 2, BOOL: 1, UINT64: 8, 11: 8, 12: 8}.get(kind, 4)
        kinds.entry(f"k{kind}", kind, b"\x01" + bytes(size - 1))
        kinds.entry(f"a{kind}", ARRAY, struct.pack("<IQ", kind, 2) + (b"\x01" + bytes(size - 1)) * 2)
    write("gguf", "kinds", kinds.add("s", "text").add("t", ["a", "", "\u00e9"]).bytes())
    write("gguf", "empty", Gguf().bytes())
    for name, kind, cols in (("f32", F32, 2), ("f16", F16, 2), ("bf16", BF16, 2), ("q4_0", Q4_0, 32),
                             ("q8_0", Q8_0, 32), ("q6_k", Q6_K, 256)):
        write("gguf", name, Gguf().tensor("a.weight", [2, cols], kind).tensor("b", [3]).bytes())
    for pre in ("gpt-2", "llama-bpe", "deepseek-llm", "deepseek-v3", "qwen2", "default"):
        write("gguf_tokenizer", pre, byte_level(Gguf().add("general.architecture", "gpt2"), pre=pre).bytes())
    write("gguf_tokenizer", "scored", scored().bytes())
    models = {
        "llama": grouped("llama"),
        "llama-old": grouped("llama", tokenizer=False, **{"rope.scale_linear": 2.0}),
        "llama-factors": grouped("llama", tokenizer=False).tensor("rope_freqs.weight", [1], value=2.0),
        "llama-window": grouped("llama", tokenizer=False, **{"attention.sliding_window": 2}),
        "llama-q8": grouped("llama", hidden=32, width=32, kind=Q8_0, tokenizer=False, vocab=2),
        "llama-bf16": grouped("llama", kind=BF16, tokenizer=False),
        "qwen2": grouped("qwen2", tokenizer=False, bias=True),
        "qwen3": grouped("qwen3", tokenizer=False, norms=True, **{"attention.key_length": 2,
                                                                 "attention.value_length": 2}),
        "gpt2": gpt2(),
        "deepseek-lite": latent("deepseek2"),
        "deepseek-experts": latent("deepseek2", experts=True, q_rank=2, joined=False),
        "minicpm3": latent("minicpm3", q_rank=2)}
    for name, file in models.items():
        write("gguf_model", name, file.bytes())


# Dictionaries: the words of the seeds.

JSON_WORDS = ['{', '}', '[', ']', ':', ',', 'null', 'true', 'false', '-1', '0', '1e308', '0.5', '2147483647',
              '9223372036854775807', '18446744073709551615', '""', '\\u0000', '\\ud800', '{"', '":', '"}', ',"']


def strings_of(value, found):
    if isinstance(value, dict):
        for key, one in value.items():
            found.add(key)
            strings_of(one, found)
    elif isinstance(value, list):
        for one in value:
            strings_of(one, found)
    elif isinstance(value, str):
        found.add(value)


def escaped(raw):
    return "".join(chr(b) if 32 <= b < 127 and b not in b'"\\' else f"\\x{b:02X}" for b in raw)


def write_dictionary(target, words):
    words = sorted({word if isinstance(word, bytes) else word.encode() for word in words})
    lines = [f'"{escaped(word)}"' for word in words if 1 <= len(word) <= 64]
    (DICTIONARIES / f"{target}.dict").write_text("\n".join(lines) + "\n")


def write_dictionaries():
    DICTIONARIES.mkdir(exist_ok=True)
    for target in ("safetensors", "index", "config", "generation_config", "tokenizer", "tokenizer_config", "lines",
                   "probes", "statistics"):
        found = set()
        for content in written[target]:
            if target == "safetensors":
                content = content[8:content.rfind(b"}") + 1]
            for line in content.split(b"\xff")[0].split(b"\n"):
                try:
                    strings_of(json.loads(line), found)
                except ValueError:
                    continue
        write_dictionary(target, set(JSON_WORDS) | {f'"{word}"' for word in found if word.isprintable()})
    for target in ("gguf", "gguf_tokenizer", "gguf_model"):
        found = {b"GGUF", *(struct.pack("<I", kind) for kind in range(13)), struct.pack("<Q", 2**63),
                 struct.pack("<Q", 2**32), b"\xff" * 8}
        for content in written[target]:
            at = 24
            while at + 8 < len(content):  # Whatever looks like a length and as many printable characters.
                (length,) = struct.unpack_from("<Q", content, at)
                word = content[at + 8:at + 8 + length] if length < 64 else b""
                if len(word) > 2 and all(32 <= byte < 127 for byte in word) and not word.startswith(b"<0x"):
                    found.add(word)
                    at += 8 + length
                else:
                    at += 1
        write_dictionary(target, found)
    write_dictionary("npy", {b"\x93NUMPY\x01\x00", "'descr': ", "'<f4'", "'fortran_order': ", "False", "True",
                             "'shape': ", "(", ")", ", ", "}", "18446744073709551615", "4611686018427387904"})


def main():
    for make in (write_safetensors, write_index, write_npy, write_configs, write_generation_configs, write_tokenizers,
                 write_lines, write_statistics, write_sampler, write_gguf, write_dictionaries):
        make()
    total = sum(len(content) for contents in written.values() for content in contents)
    print(f"{sum(map(len, written.values()))} seeds, {total} bytes")


if __name__ == "__main__":
    main()
