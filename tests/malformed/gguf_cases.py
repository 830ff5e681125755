"""GGUF files."""

import struct

from case import GENERATE, IDS, INSPECT, TOKENIZE, Case
from models import (
    ARRAY, BOOL, F32, F64, GGML_F32, GGML_Q8_0, I8, I16, I32, I64, STRING, U8, U16, U32, U64,
    array, floats, gguf_deepseek, gguf_llama, gguf_scored_tokenizer, scalar, text,
)  # fmt: skip

EMBEDDING = "token_embd.weight"
NORM = "output_norm.weight"


def gguf_case(name, edit, *says, base=gguf_llama, commands=(INSPECT, GENERATE), file="model.gguf"):
    """`edit`(gguf) changes the file in the making, or gives the bytes that are written."""

    def make(folder):
        made = base()
        content = edit(made)
        (folder / file).write_bytes(content if isinstance(content, bytes) else made.bytes())
        return folder / file

    return Case("GGUF: " + name, make, *((file,) if says else ()), *says, commands=commands)


def put(**values):
    def edit(made):
        for name, value in values.items():
            setattr(made, name, value)

    return edit


def replaced(offset, content):
    def edit(made):
        right = made.bytes()
        return right[:offset] + content + right[offset + len(content) :]

    return edit


def files():
    for name, content in {
        "only its magic": b"GGUF",
        "magic and version": b"GGUF" + struct.pack("<I", 3),
        "23 bytes": b"GGUF" + struct.pack("<IQ", 3, 0) + bytes(7),
        "no keys and no tensors": b"GGUF" + struct.pack("<IQQ", 3, 0, 0),
    }.items():
        yield gguf_case(name, lambda made, c=content: c, ".gguf")
    for name, content in {"empty": b"", "of zeros": bytes(1000), "GGML": b"lmgg" + bytes(100), "GGJT": b"tjgg" + bytes(100), "big-endian magic": b"FUGG" + bytes(100),
                          "an HTML page": b"<!DOCTYPE html><html></html>", "a ZIP file": b"PK\x03\x04" + bytes(100), "an LFS pointer": b"version https://git-lfs.github.com/spec/v1\n"}.items():
        yield gguf_case(name, lambda made, c=content: c, "found")
    for version in (0, 1, 4, 99, 2**31, 2**32 - 1):
        yield gguf_case(f"version {version}", put(version=version), "version", "expected")
    yield gguf_case("big-endian", put(version=3 << 24), "version", "big-endian")
    for number in (2**64 - 1, 2**63, 2**63 - 1, 2**32, 10**9, 10**6, 1000):
        yield gguf_case(f"tensor count {number}", put(tensor_count=number), "" if number < 10**6 else "tensor count")
        yield gguf_case(f"metadata count {number}", put(key_count=number), "" if number < 10**6 else "metadata count")
    yield gguf_case("tensor count one short", lambda made: setattr(made, "tensor_count", len(made.tensors) - 1), "blk.0.attn_norm.weight")
    yield gguf_case("tensor count 0", put(tensor_count=0), EMBEDDING)
    yield gguf_case("metadata count one short", lambda made: setattr(made, "key_count", len(made.keys) - 1), "dimensions")
    yield gguf_case("metadata count 0", put(key_count=0), "dimensions")
    for share in (10, 50, 90, 99):
        yield gguf_case(f"{share}% of the file", lambda made, s=share: made.bytes()[: len(made.bytes()) * s // 100], "truncated")
    yield gguf_case("without its last byte", lambda made: made.bytes()[:-1], "truncated")
    yield gguf_case("without its data", lambda made: made.bytes()[:-8000], "truncated")


def entry(key, kind, content):
    return text(key) + struct.pack("<I", kind) + content


def entry_case(name, content, *says, **more):
    def edit(made):
        made.more_keys = content
        made.more_key_count = 1

    return gguf_case("an entry " + name, edit, *says, **more)


def entries():
    for length in (2**64 - 1, 2**63, 2**63 - 1, 2**32, 10**8, 100_000):
        yield entry_case(f"whose key is {length} bytes long", struct.pack("<Q", length) + b"key", "metadata key")
        yield entry_case(f"whose string is {length} bytes long", entry("a.b", STRING, struct.pack("<Q", length) + b"x"), "a.b")
        yield entry_case(f"with an array of {length} strings", entry("a.b", ARRAY, struct.pack("<IQ", STRING, length)), "a.b")
        yield entry_case(f"with an array of {length} bytes", entry("a.b", ARRAY, struct.pack("<IQ", U8, length)), "a.b")
    yield entry_case("with an array of 2^61 + 1 numbers", entry("a.b", ARRAY, struct.pack("<IQ", F64, 2**61 + 1)), "a.b")
    yield entry_case("with an array of 2^62 + 1 numbers", entry("a.b", ARRAY, struct.pack("<IQ", U32, 2**62 + 1)), "a.b")
    yield entry_case("without a key", entry("", U32, bytes(4)), "metadata key")
    yield entry_case("whose key is bad UTF-8", entry(b"a\xff\xfe", U32, bytes(4)), "metadata key")
    yield entry_case("whose key is an overlong NUL", entry(b"a\xc0\x80", U32, bytes(4)), "metadata key")
    for kind in (13, 14, 99, 2**31, 2**32 - 1):
        yield entry_case(f"of type {kind}", entry("a.b", kind, bytes(64)), "a.b", "type")
        yield entry_case(f"with an array of type {kind}", entry("a.b", ARRAY, struct.pack("<IQ", kind, 1) + bytes(64)), "a.b", "type")
    yield entry_case("with an array of arrays", entry("a.b", ARRAY, struct.pack("<IQ", ARRAY, 1) + array(U8, [1])), "a.b", "array")
    yield entry_case("with arrays in arrays, 10,000 deep", entry("a.b", ARRAY, struct.pack("<IQ", ARRAY, 1) * 10_000), "a.b", "array")
    for value in (2, 255):
        yield entry_case(f"with a bool of {value}", entry("a.b", BOOL, bytes([value])), "a.b", "bool")
        yield entry_case(f"with an array with a bool of {value}", entry("a.b", ARRAY, struct.pack("<IQ", BOOL, 2) + bytes([1, value])), "a.b", "bool")
    yield entry_case("of 2^63", entry("a.b", U64, struct.pack("<Q", 2**63)), "a.b", "2^63")
    yield entry_case("that stands twice", entry("llama.block_count", U32, struct.pack("<I", 1)), "llama.block_count", "second")
    yield entry_case("with an array of 6,000,001 bytes", entry("a.b", ARRAY, struct.pack("<IQ", U8, 6_000_001) + bytes(6_000_001)), "a.b", "at most")


def key_case(name, key, kind, value, *says, **more):
    return gguf_case(name, lambda made: made.set(key, kind, value) and None, *(says or (key,)), **more)


KEYS = {
    "llama.block_count": 1, "llama.context_length": 64, "llama.embedding_length": 32, "llama.feed_forward_length": 32,
    "llama.attention.head_count": 2, "llama.attention.head_count_kv": 1,
}  # fmt: skip


def keys():
    for key in ("general.architecture", *KEYS, "llama.attention.layer_norm_rms_epsilon", "tokenizer.ggml.tokens", "tokenizer.ggml.merges"):
        if key != "llama.attention.head_count_kv":
            commands = (INSPECT, GENERATE)
            yield gguf_case(f"{key} missing", lambda made, k=key: made.keys.pop(k) and None, key, commands=commands)
        for kind, value in ((STRING, "1"), (F32, 1.0), (BOOL, True), (U32, 1)):
            if kind == U32 and key in KEYS or kind == F32 and key.endswith("epsilon") or kind == STRING and key == "general.architecture":
                continue
            yield key_case(f"{key} of type {kind}", key, kind, value)
        if key not in ("tokenizer.ggml.tokens", "tokenizer.ggml.merges"):
            yield gguf_case(f"{key} an array of strings", lambda made, k=key: made.set_array(k, STRING, ["1"]) and None, key)
    for key in KEYS:
        for kind, value in ((U32, 0), (I32, -1), (I64, -(2**63)), (U32, 2**31), (U64, 2**32 + 1), (U64, 2**63)):
            yield key_case(f"{key} {value}", key, kind, value)
        for values in ([], [1, 1, 1], [-1], [0]):
            if key not in ("llama.block_count", "llama.context_length", "llama.embedding_length"):
                yield gguf_case(f"{key} an array {values}", lambda made, k=key, v=values: made.set_array(k, I32, v) and None, key)
    yield key_case("llama.block_count 2", "llama.block_count", U32, 2, "blk.1.")
    yield key_case("llama.block_count 10^9", "llama.block_count", U32, 10**9, "blk.1.")
    yield key_case("llama.block_count 2^31 - 1", "llama.block_count", U32, 2**31 - 1, "blk.1.")
    yield key_case("llama.embedding_length 64", "llama.embedding_length", U32, 64, EMBEDDING)
    yield key_case("llama.attention.head_count 3", "llama.attention.head_count", U32, 3)
    yield key_case("llama.attention.head_count 2^31 - 1", "llama.attention.head_count", U32, 2**31 - 1)
    yield key_case("llama.attention.head_count_kv 3", "llama.attention.head_count_kv", U32, 3)
    yield key_case("llama.vocab_size 17", "llama.vocab_size", U32, 17, EMBEDDING)
    yield key_case("llama.vocab_size 0", "llama.vocab_size", U32, 0)
    for value in (0, 15, 2**31, 7):
        yield key_case(f"llama.rope.dimension_count {value}", "llama.rope.dimension_count", U32, value)
        yield key_case(f"llama.attention.key_length {value}", "llama.attention.key_length", U32, value, "llama.attention.key_length" if value != 7 else "llama.")
        yield key_case(f"llama.attention.value_length {value}", "llama.attention.value_length", U32, value)
    for value in (0.0, -1.0, float("nan"), float("inf"), 1e-30, 3e38):
        yield key_case(f"llama.rope.freq_base {value}", "llama.rope.freq_base", F32, value)
    for value in (float("nan"), float("inf"), -1.0, 2.0):
        yield key_case(f"llama.attention.layer_norm_rms_epsilon {value}", "llama.attention.layer_norm_rms_epsilon", F32, value)
    for kind in ("su", "", "YARN", "dynamic"):
        yield key_case(f"llama.rope.scaling.type {kind!r}", "llama.rope.scaling.type", STRING, kind)
    for value in (-1.0, float("nan"), float("inf"), 1e-30, 3e38):
        yield key_case(f"llama.rope.scaling.factor {value}", "llama.rope.scaling.factor", F32, value)
    yield gguf_case("yarn with an original length of 0", lambda made: made.set("llama.rope.scaling.type", STRING, "yarn").set("llama.rope.scaling.factor", F32, 4.0).set("llama.rope.scaling.original_context_length", U32, 0) and None, "llama.rope.scaling.original_context_length")
    yield key_case("longrope without factors", "llama.rope.scaling.type", STRING, "longrope")
    for value in (3, 8, 99):
        yield key_case(f"llama.expert_count {value}", "llama.expert_count", U32, value)
    for value in (5, 33, 1023, 2**31, 99):
        yield key_case(f"general.file_type {value}", "general.file_type", U32, value)
    yield key_case("general.file_type a string", "general.file_type", STRING, "F32")
    for value in (0, 1, 3):
        yield key_case(f"general.quantization_version {value}", "general.quantization_version", U32, value)
    for name in ("bert", "", "LLAMA", "llama\0", "../llama", "l" * 10_000):
        yield key_case(f"general.architecture {name[:20]!r}", "general.architecture", STRING, name)
    for value in (0, 3, 24, 2**31 + 1, 2**32 - 1):
        yield key_case(f"general.alignment {value}", "general.alignment", U32, value)
    yield key_case("general.alignment 2^31", "general.alignment", U32, 2**31, EMBEDDING)
    yield key_case("general.alignment 2^20 where it was 32", "general.alignment", U32, 2**20, "")
    for kind, value in ((I32, -32), (STRING, "32"), (F32, 32.0), (U64, 2**63), (BOOL, True)):
        yield key_case(f"general.alignment {value!r} of type {kind}", "general.alignment", kind, value)
    for key in ("general.sampling.temp", "general.sampling.top_p", "general.sampling.min_p", "general.sampling.penalty_repeat"):
        for value in (-1.0, float("nan"), 1e30):
            yield key_case(f"{key} {value}", key, F32, value, commands=(GENERATE, INSPECT))
    yield key_case("general.sampling.top_k -1", "general.sampling.top_k", I32, -1)


def experts():
    for key, values in {
        "expert_count": (0, 1, 3, 5, 2**31),
        "expert_used_count": (0, 5, 3, 2**31),
        "expert_group_count": (3, 5, 4),
        "expert_group_used_count": (3, 2**31),
        "expert_feed_forward_length": (0, 5, 2**31),
        "expert_shared_count": (2, 2**31),
        "expert_gating_func": (3, 99),
        "leading_dense_block_count": (2**31,),
        "attention.kv_lora_rank": (0, 5, 2**31),
        "attention.key_length": (0, 1, 2, 7),
        "attention.value_length": (0, 5),
        "rope.dimension_count": (1, 3, 7, 2**31),
        "nextn_predict_layers": (1, 2, 2**31),
        "attention.head_count_kv": (3,),
    }.items():
        for value in values:
            yield key_case(f"deepseek2.{key} {value}", "deepseek2." + key, U32, value, "deepseek2." + key if value in (0, 2**31) and key != "expert_count" else ": ", base=gguf_deepseek)
    for value in (float("nan"), float("inf"), 1e30):
        yield key_case(f"deepseek2.expert_weights_scale {value}", "deepseek2.expert_weights_scale", F32, value, base=gguf_deepseek)
    for name in ("blk.0.ffn_gate_exps.weight", "blk.0.ffn_gate_inp.weight", "blk.0.attn_kv_b.weight", "blk.0.exp_probs_b.bias"):
        yield gguf_case(f"deepseek2 without {name}", lambda made, n=name: made.tensors.pop(n) and None, name, base=gguf_deepseek)


def tensor_case(name, *info, says=(), base=gguf_llama):
    def edit(made):
        made.more_tensors.append(info)

    return gguf_case(name, edit, *says, base=base)


def set_tensor(name, **values):
    def edit(made):
        dims, kind, content = made.tensors[name]
        made.tensors[name] = [values.get("dims", dims), values.get("kind", kind), values.get("content", content)]

    return edit


def tensors():
    count = len(gguf_llama().tensors)
    for name, label in (("", "empty"), ("n" * 65, "65 characters"), ("n" * 100_000, "100,000 characters"), (b"a\xff", "bad UTF-8")):
        yield tensor_case(f"a tensor's name {label}", name, [1], GGML_F32, 0, says=(f"tensor {count}",))
    yield tensor_case("a tensor's name with NUL", "a\0b", [], GGML_F32, 2**40, says=("a\\x00b",))
    yield tensor_case("a tensor twice", NORM, [32], GGML_F32, 0, says=(NORM,))
    for kind in (4, 5, 31, 32, 33, 36, 37, 38, 42, 99, 2**31, 2**32 - 1):
        yield gguf_case(f"a tensor of type {kind}", set_tensor(EMBEDDING, kind=kind), EMBEDDING, "type")
    for kind in (9, 15, 16, 24, 26, 28, 34):
        yield gguf_case(f"a matrix of type {kind}", set_tensor(EMBEDDING, kind=kind), EMBEDDING)
    for rank in (5, 9, 2**31, 2**32 - 1):
        yield gguf_case(f"a tensor of rank {rank}", replaced_rank(rank), EMBEDDING, "dimensions")
    yield gguf_case("a tensor of rank 0", set_tensor(EMBEDDING, dims=[]), EMBEDDING)
    for dims in ([0, 16], [32, 0], [2**63, 2], [2**32, 2**32], [2**64 - 1, 1], [2**62, 4], [2**16] * 4, [2**40, 2**40], [32, 17], [31, 16], [16, 32], [512], [32, 16, 1, 2]):
        yield gguf_case(f"a tensor of dimensions {dims}", set_tensor(EMBEDDING, dims=dims), EMBEDDING)
    for dims in ([31, 32], [33, 32], [0, 32], [16, 32], [1, 1024], [1024, 1]):
        yield gguf_case(f"a quantized tensor of dimensions {dims}", set_tensor("blk.0.attn_q.weight", dims=dims), "blk.0.attn_q.weight")
    for offset in (1, 31, 16, 2**64 - 32, 2**63, 2**64 - 1, 2**40, 2**32):
        yield gguf_case(f"a tensor at offset {offset}", lambda made, o=offset: made.offsets.update({NORM: o}), NORM)
    yield gguf_case("two tensors at one offset", lambda made: made.offsets.update({NORM: 0}), "within those of")
    yield gguf_case("a tensor that begins within another", lambda made: made.offsets.update({NORM: 32}), "within those of")
    yield gguf_case("a tensor that ends beyond the file", lambda made: made.offsets.update({NORM: sum((len(t[2]) + 31) // 32 * 32 for t in made.tensors.values()) - 64}), NORM)
    for name in (EMBEDDING, "blk.0.attn_q.weight", "blk.0.ffn_norm.weight", NORM):
        yield gguf_case(f"without {name}", lambda made, n=name: made.tensors.pop(n) and None, name)
    yield gguf_case("a tensor more", lambda made: made.tensors.update(surprise=[[1], GGML_F32, bytes(4)]), "surprise")
    yield gguf_case("a block more", lambda made: made.tensors.update({"blk.1.attn_norm.weight": [[32], GGML_F32, bytes(128)]}), "blk.1.attn_norm.weight")
    for label, number in (("NaN", float("nan")), ("inf", float("inf"))):
        yield gguf_case(f"a norm with {label}", set_tensor(NORM, content=struct.pack("<f", number) * 32), NORM, "not finite")
        for precision in ("f32", "fast"):
            yield gguf_case(f"embeddings of {label}, {precision}", set_tensor(EMBEDDING, content=struct.pack("<f", number) * 512), "non-finite logits", commands=[(*IDS, "--precision", precision)])
            scale = struct.pack("<e", number) + bytes([1] * 32)
            yield gguf_case(f"Q8_0 blocks with scales of {label}, {precision}", set_tensor("blk.0.ffn_up.weight", content=scale * 32), "non-finite logits", commands=[(*IDS, "--precision", precision)])


def replaced_rank(rank):
    """Of the first tensor, whose name stands where the metadata end."""

    def edit(made):
        right = made.bytes()
        at = right.index(text(EMBEDDING)) + len(text(EMBEDDING))
        return right[:at] + struct.pack("<I", rank) + right[at + 4 :]

    return edit


BOTH = (TOKENIZE, GENERATE)
ALL = (TOKENIZE, GENERATE, INSPECT)


def scored():
    made = gguf_llama(vocabulary=260)
    gguf_scored_tokenizer(made)
    return made


def tokenizers():
    tokens = ["a", "b"] * 8
    ggml = "tokenizer.ggml."
    for name in ("bert", "t5", "rwkv", "", "GPT2", "gpt2\0"):
        yield key_case(f"{ggml}model {name!r}", ggml + "model", STRING, name, commands=BOTH)
    yield key_case(f"{ggml}model a number", ggml + "model", U32, 1, commands=ALL)
    for name in ("mystery", "", "GPT-2"):
        yield key_case(f"{ggml}pre {name!r}", ggml + "pre", STRING, name, commands=BOTH)
    yield key_case(f"{ggml}pre a number", ggml + "pre", U32, 1, commands=ALL)

    def arrays(name, key, kind, values, *says, base=gguf_llama):
        return gguf_case(name, lambda made: made.set_array(ggml + key, kind, values) and None, *(says or (ggml + key,)), base=base, commands=BOTH)

    right = [*"abcdefgh", "ab", "cd", "\u0120", "\u0120a", "<s>", "</s>", "<pad>", "<more>"]
    yield arrays("a token twice", "tokens", STRING, right[:15] + ["a"])
    yield arrays("a token of bad UTF-8", "tokens", STRING, right[:15] + [b"\xff"])
    yield arrays("tokens of numbers", "tokens", U32, list(range(16)))
    yield arrays("no tokens", "tokens", STRING, [])
    yield arrays("fewer tokens than rows", "tokens", STRING, right[:15], ggml + "token")
    yield arrays("more tokens than rows", "tokens", STRING, right + ["x"], ggml + "token")
    yield gguf_case("more tokens and types than rows", lambda made: made.set_array(ggml + "tokens", STRING, right + ["x"]).set_array(ggml + "token_type", I32, [1] * 17).set("llama.vocab_size", U32, 16) and None, "vocab_size", commands=(GENERATE, INSPECT))
    yield arrays("types of strings", "token_type", STRING, ["1"] * 16)
    yield arrays("types too few", "token_type", I32, [1] * 15)
    yield arrays("types too many", "token_type", I32, [1] * 17)
    for number in (0, 7, -1, 2**31 - 1):
        yield arrays(f"a type {number}", "token_type", I32, [1] * 15 + [number])
    for merge in ("a", "", "a b c", "a  b", "x a", "a c", " ", "a x", b"\xff a", "a\0 b"):
        yield arrays(f"a merge {merge!r}", "merges", STRING, ["a b", merge], ggml + "merges[1]")
    yield arrays("merges of numbers", "merges", I32, [1])
    for key in ("bos_token_id", "eos_token_id"):
        for kind, value in ((U32, 16), (I32, -2), (U32, 2**31), (STRING, "12"), (F32, 12.0), (U64, 2**63)):
            yield key_case(f"{ggml}{key} {value!r}", ggml + key, kind, value, commands=ALL)
    for key in ("add_bos_token", "add_eos_token", "add_space_prefix"):
        for kind, value in ((U32, 1), (STRING, "true"), (U8, 1)):
            yield key_case(f"{ggml}{key} {value!r} of type {kind}", ggml + key, kind, value, commands=BOTH, base=scored if key == "add_space_prefix" else gguf_llama)
    yield gguf_case("add_bos_token without a bos_token_id", lambda made: made.keys.pop(ggml + "bos_token_id") and None, ggml + "bos_token_id", commands=BOTH)
    yield arrays("scores of integers", "scores", I32, [0] * 260, base=scored)
    yield arrays("scores too few", "scores", F32, [0.0] * 259, base=scored)
    for number in (float("nan"), float("inf"), -float("inf")):
        yield arrays(f"a score of {number}", "scores", F32, [0.0] * 259 + [number], base=scored)
    yield gguf_case("scores missing", lambda made: made.keys.pop(ggml + "scores") and None, ggml + "scores", base=scored, commands=BOTH)
    byte_tokens = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)] + ["a"]
    yield arrays("a vocabulary without the byte 0x41", "tokens", STRING, [t.replace("<0x41>", "A") for t in byte_tokens], base=scored)
    yield arrays("a token of 100 KB in a scored vocabulary", "tokens", STRING, byte_tokens[:-1] + ["a" * 100_000], base=scored)
    yield gguf_case("no tokenizer", lambda made: [made.keys.pop(key) for key in list(made.keys) if key.startswith(ggml)] and None, ggml + "model", commands=(TOKENIZE, GENERATE))
    yield key_case("a chat template of a number", "tokenizer.chat_template", U32, 7, commands=(INSPECT, GENERATE))


def split_case(name, edit, *says, count=2):
    """`edit`({file name: Gguf}) spoils the parts of a model of which the first is given."""

    def make(folder):
        names = [f"model-{number + 1:05}-of-{count:05}.gguf" for number in range(count)]
        whole = gguf_llama()
        parts = {name: type(whole)() for name in names}
        for number, name in enumerate(names):
            part = parts[name]
            part.keys = dict(whole.keys) if number == 0 else {}
            part.tensors = dict(list(whole.tensors.items())[number::count])
            part.set("split.no", U16, number).set("split.count", U16, count).set("split.tensors.count", I32, len(whole.tensors))
        edit(parts, names)
        for file, part in parts.items():
            (folder / file).write_bytes(part if isinstance(part, bytes) else part.bytes())
        return folder / names[0]

    return Case("GGUF in parts: " + name, make, *says)


def parts():
    second = "model-00002-of-00002.gguf"
    yield split_case("one missing", lambda parts, names: parts.pop(names[1]), second)
    yield split_case("one empty", lambda parts, names: parts.update({names[1]: b""}), second)
    yield split_case("one truncated", lambda parts, names: parts.update({names[1]: parts[names[1]].bytes()[:-100]}), second, "truncated")
    yield split_case("both the same", lambda parts, names: parts.update({names[1]: parts[names[0]]}), second, "split.no")
    yield split_case("a tensor in both", lambda parts, names: parts[names[1]].tensors.update({EMBEDDING: parts[names[0]].tensors[EMBEDDING]}), "split.tensors.count")
    yield split_case("a tensor in both, counted", tensor_in_both, EMBEDDING, "also in")
    for key, values in {"split.no": (1, 2, 65535), "split.count": (3, 65535), "split.tensors.count": (0, 10, 13)}.items():
        for value in values:
            yield split_case(f"{key} {value}", lambda parts, names, k=key, v=value: parts[names[0]].set(k, U16, v), "model-00001-of-00002.gguf", "split.")
            if (key, value) != ("split.no", 1):  # It is that.
                yield split_case(f"{key} {value} in the second", lambda parts, names, k=key, v=value: parts[names[1]].set(k, U16, v), second, key)
    yield split_case("split.no 0 in the second", lambda parts, names: parts[names[1]].set("split.no", U16, 0), second, "split.no")
    for kind, value in ((STRING, "2"), (I32, -2), (U64, 2**63), (U32, 65536)):
        yield split_case(f"split.count {value!r}", lambda parts, names, k=kind, v=value: parts[names[0]].set("split.count", k, v), "split.count")
    for key in ("split.no", "split.tensors.count"):
        yield split_case(f"{key} missing", lambda parts, names, k=key: parts[names[0]].keys.pop(k), key)
        yield split_case(f"{key} missing in the second", lambda parts, names, k=key: parts[names[1]].keys.pop(k), second, key)
    yield gguf_case("a part under another name", lambda made: made.set("split.no", U16, 0).set("split.count", U16, 2).set("split.tensors.count", I32, 11) and None, "split.no", "-00001-of-00002.gguf")


def tensor_in_both(parts, names):
    parts[names[1]].tensors[EMBEDDING] = parts[names[0]].tensors[EMBEDDING]
    total = sum(len(part.tensors) for part in parts.values())
    for part in parts.values():
        part.set("split.tensors.count", I32, total)


def cases():
    yield from files()
    yield from entries()
    yield from keys()
    yield from experts()
    yield from tensors()
    yield from tokenizers()
    yield from parts()
