"""Weights of a folder: the file, its header, its tensors, and the index of several files."""

import struct

from case import GENERATE, IDS, INSPECT, Case
from models import INDEX, WEIGHTS, deepseek, llama, pack_tensors, safetensors

NORM = "model.norm.weight"
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 123456\n"
HTML = b"<!DOCTYPE html>\n<html><head><title>404 Not Found</title></head><body>Not Found</body></html>\n"


def file_case(name, content, *says):
    """`content`: the weights, or a function that makes them of the right ones."""

    def make(folder):
        model = llama()
        right = safetensors(*model.header())
        model.files[WEIGHTS] = content(right) if callable(content) else content
        return model.write(folder / "model")

    return Case(name, make, WEIGHTS, *says)


def length_is(number):
    return lambda right: struct.pack("<Q", number) + right[8:]


def files():
    yield file_case("weights empty", b"", "header length")
    yield file_case("weights of 7 bytes", b"\x01" * 7, "header length", "7 bytes")
    yield file_case("weights of 8 zeros", bytes(8), "'{'")
    yield file_case("weights an LFS pointer", LFS, "LFS")
    yield file_case("weights an HTML page", HTML, "header length")
    yield file_case("weights a gzip file", b"\x1f\x8b\x08" + bytes(100), "header length")
    yield file_case("weights a zip file (a PyTorch pickle)", b"PK\x03\x04" + b"archive/data.pkl" * 10, "header length")
    yield file_case("weights a pickle", b"\x80\x02}q\x00(X\x05\x00\x00\x00modelq\x01" + b"." * 100, "header length")
    yield file_case("weights a GGUF file", b"GGUF" + struct.pack("<IQQ", 3, 1, 1) + bytes(100), "header length")
    yield file_case("header length 0", length_is(0), "'{'")
    yield file_case("header length 1", length_is(1), "JSON")
    yield file_case("header length one short", lambda r: length_is(int.from_bytes(r[:8], "little") - 1)(r), "JSON")
    yield file_case("header length one long", lambda r: length_is(int.from_bytes(r[:8], "little") + 1)(r))
    yield file_case("header length the whole file", lambda r: length_is(len(r) - 8)(r))
    yield file_case("header length one beyond the file", lambda r: length_is(len(r) - 7)(r), "header length", "truncated")
    for power in (27, 31, 32, 63):
        yield file_case(f"header length 2^{power}", length_is(2**power), "header length")
    yield file_case("header length 2^64 - 1", length_is(2**64 - 1), "header length")
    yield file_case("header length 2^64 - 8", length_is(2**64 - 8), "header length")
    yield file_case("header length big-endian", lambda r: r[7::-1] + r[8:], "header length")
    yield file_case("one byte more behind the data", lambda r: r + b"\0", "bytes of data")
    yield file_case("one byte of data missing", lambda r: r[:-1], "data_offsets")
    yield file_case("half of the data missing", lambda r: r[: -len(r) // 4], "data_offsets")
    yield file_case("a second file behind the first", lambda r: r + r, "bytes of data")


def text_case(name, text, *says, data=b""):
    return file_case("header " + name, safetensors(text, data), *says)


def entry(dtype='"F32"', shape="[2]", offsets="[0,8]"):
    return f'{{"a":{{"dtype":{dtype},"shape":{shape},"data_offsets":{offsets}}}}}'.encode()


def headers():
    eight = bytes(8)
    for name, text in {
        "empty": b"",
        "one space": b" ",
        "a list": b"[]",
        "null": b"null",
        "a string": b'"a"',
        "with a byte order mark": b"\xef\xbb\xbf{}",
        "UTF-16": '{"a":1}'.encode("utf-16"),
    }.items():
        yield text_case(name, text, "'{'")
    yield text_case("truncated", b'{"a":{"dtype":"F32","shape":[2],', "JSON")
    yield text_case("with text behind it", b"{} x", "JSON")
    yield text_case("with two objects", b"{}{}", "JSON")
    yield text_case("with NUL behind it", b"{}\0\0", "NUL")
    yield text_case("with single quotes", b"{'a':1}", "JSON")
    yield text_case("with a trailing comma", entry()[:-1] + b",}", "JSON", data=eight)
    yield text_case("with a comment", b"/* */ {}", "'{'")
    yield text_case("with bad UTF-8 in a name", b'{"a\xff":1}', "JSON")
    yield text_case("with an overlong NUL in a name", b'{"a\xc0\x80":1}', "JSON")
    yield text_case("with a surrogate in UTF-8", b'{"a\xed\xa0\x80":1}', "JSON")
    yield text_case("with half a surrogate pair", b'{"a\\ud800":1}', "JSON")
    yield text_case("with a line break in a string", b'{"a\n":1}', "JSON")
    yield text_case("nested 100,000 deep", b'{"a":' * 100_000, "a", "nested")
    yield text_case("with 100,000 open brackets", b'{"a":{"dtype":' + b"[" * 100_000, "a.dtype")
    yield text_case("with a deep field of no meaning", b'{"a":{"x":' + b"[" * 100_000, "a", "nested")
    yield text_case("with a number for a tensor", b'{"a":1}', "a", "object")
    yield text_case("with a list for a tensor", b'{"a":[]}', "a", "object")
    yield text_case("with a null for a tensor", b'{"a":null}', "a", "object")
    yield text_case("with an empty object for a tensor", b'{"a":{}}', "a.dtype", "missing")
    yield text_case("without a shape", b'{"a":{"dtype":"F32","data_offsets":[0,8]}}', "a.shape", "missing", data=eight)
    yield text_case("without offsets", b'{"a":{"dtype":"F32","shape":[2]}}', "a.data_offsets", "missing", data=eight)
    yield text_case("with a tensor twice", entry()[:-1] + b"," + entry("\"F32\"", "[2]", "[8,16]")[1:], "a", "twice", data=bytes(16))
    yield text_case("with a tensor twice, once escaped", entry()[:-1] + b"," + entry(offsets="[8,16]")[1:].replace(b'"a"', b'"\\u0061"'), "a", "twice", data=bytes(16))
    yield text_case("with a dtype twice", entry('"F32","dtype":"F64"'), "a.dtype", "twice", data=eight)
    yield text_case("with offsets twice", entry(offsets='[0,8],"data_offsets":[0,8]'), "a.data_offsets", "twice", data=eight)
    for kind in ("F7", "", "f32", "float32", "INT4", "F32\\u0000", "Q4_0", "F128"):
        yield text_case(f"with dtype {kind!r}", entry(f'"{kind}"'), "a.dtype", "found", data=eight)
    for kind in ("7", "null", "[]", "true", "{}"):
        yield text_case(f"with dtype {kind}", entry(kind), "a.dtype", "string", data=eight)
    for shape in ("7", "null", '"2"', "{}"):
        yield text_case(f"with shape {shape}", entry(shape=shape), "a.shape", data=eight)
    for shape in ("[-2]", "[2.0]", "[1.5]", "[2e0]", "[-0]", "[null]", '["2"]', "[[2]]", "[true]", "[1e400]", "[18446744073709551616]", "[{}]"):
        says = ("JSON",) if shape == "[1e400]" else ("a.shape",)
        yield text_case(f"with shape {shape}", entry(shape=shape), *says, data=eight)
    for shape in ("[3]", "[2,2]", "[0]", "[1]", "[]", "[4294967298]", "[2,1,1,1,2]"):
        yield text_case(f"with shape {shape} for 8 bytes", entry(shape=shape), "a.data_offsets", "expected", data=eight)
    for shape in ("[4611686018427387906]", "[2147483648,2147483648,2147483648]", "[18446744073709551615]", "[9223372036854775808,2]", "[4294967296,4294967296,2]"):
        yield text_case(f"with shape {shape}, wrapping", entry(shape=shape), "a.shape", "64 bits", data=eight)
    yield text_case("with a shape of zero and wrapping", entry(shape="[4294967296,4294967296,0]"), "a", data=eight)
    for offsets in ("8", "null", "[]", "[0]", "[0,8,8]", '["0","8"]', "[0.0,8.0]", "[-8,0]", "{}", "[[0,8]]"):
        yield text_case(f"with offsets {offsets}", entry(offsets=offsets), "a.data_offsets", data=eight)
    yield text_case("with reversed offsets", entry(offsets="[8,0]"), "a.data_offsets", "before", data=eight)
    yield text_case("with offsets shifted by 1", entry(offsets="[1,9]"), "a.data_offsets", data=bytes(9))
    yield text_case("with offsets beyond the file", entry(offsets="[0,8]"), "a.data_offsets", "truncated", data=bytes(7))
    yield text_case("with offsets at 2^63", entry(offsets="[9223372036854775808,9223372036854775816]"), "a.data_offsets", data=eight)
    yield text_case("with offsets that wrap", entry(offsets="[18446744073709551608,18446744073709551615]"), "a.data_offsets", data=eight)
    two = '{{"a":{{"dtype":"F32","shape":[2],"data_offsets":[0,8]}},"b":{{"dtype":"F32","shape":[2],"data_offsets":{}}}}}'
    yield text_case("with overlapping tensors", two.format("[4,12]").encode(), "b.data_offsets", "overlap", data=bytes(12))
    yield text_case("with a tensor over another", two.format("[0,8]").encode(), "data_offsets", "overlap", data=eight)
    yield text_case("with a hole", two.format("[12,20]").encode(), "b.data_offsets", "hole", data=bytes(20))
    yield text_case("with half a byte", b'{"a":{"dtype":"F4","shape":[3],"data_offsets":[0,2]}}', "a.shape", "whole bytes", data=bytes(2))
    yield text_case("with metadata of numbers", b'{"__metadata__":{"a":1}}', "__metadata__.a", "string")
    yield text_case("with a list for metadata", b'{"__metadata__":[]}', "__metadata__")
    yield text_case("with metadata twice", b'{"__metadata__":{},"__metadata__":{}}', "__metadata__", "twice")
    yield text_case("with a key of the metadata twice", b'{"__metadata__":{"a":"1","a":"2"}}', "__metadata__.a", "twice")
    yield text_case("without tensors", b"{}", "model.embed_tokens.weight", "missing")
    long = b'{"' + b"n" * 1_000_000 + b'":1}'
    yield text_case("with a name of a megabyte", long, "nnn")
    yield text_case("with control characters in a name", b'{"a\\u001b[31m\\u0000\\n":1}', "a\\x1b[31m\\x00\\x0a")
    many = ",".join(f'"t{i}":{{"dtype":"F32","shape":[],"data_offsets":[{4 * i},{4 * i + 4}]}}' for i in range(50_000))
    yield text_case("with 50,000 tensors that no model has", b"{" + many.encode() + b"}", "missing", data=bytes(200_000))


def tensor_case(name, edit, *says, base=deepseek, commands=(INSPECT, GENERATE)):
    def make(folder):
        model = base()
        edit(model.tensors)
        return model.write(folder / "model")

    return Case(name, make, *says, commands=commands)


def set_value(name, place, number):
    def edit(tensors):
        content = bytearray(tensors[name][2])
        content[4 * place : 4 * place + 4] = struct.pack("<f", number)
        tensors[name][2] = bytes(content)

    return edit


def tensors():
    for name in (
        "model.embed_tokens.weight",
        "lm_head.weight",
        NORM,
        "model.layers.1.input_layernorm.weight",
        "model.layers.0.self_attn.q_a_layernorm.weight",
        "model.layers.1.self_attn.kv_b_proj.weight",
        "model.layers.1.mlp.gate.weight",
        "model.layers.1.mlp.gate.e_score_correction_bias",
        "model.layers.1.mlp.experts.3.down_proj.weight",
        "model.layers.1.mlp.shared_experts.up_proj.weight",
    ):
        yield tensor_case(f"{name} missing", lambda t, name=name: t.pop(name), name, "missing")

        def flatten(tensors, name=name):
            tensors[name][1] = [len(tensors[name][2]) // 4] if len(tensors[name][1]) > 1 else tensors[name][1] + [1]

        yield tensor_case(f"{name} of another rank", flatten, WEIGHTS, name, "shape")
    for extra in ("surprise", "model.layers.2.input_layernorm.weight", "model.layers.1.mlp.experts.4.up_proj.weight", "lm_head.bias"):
        yield tensor_case(f"a tensor {extra} more", lambda t, extra=extra: t.update({extra: ["F32", [1], bytes(4)]}), WEIGHTS, extra, base=llama if extra != "model.layers.1.mlp.experts.4.up_proj.weight" else deepseek)
    for dtype, width in (("I32", 4), ("F64", 8), ("U8", 1), ("BOOL", 1), ("F8_E5M2", 1), ("I64", 8)):
        yield tensor_case(f"a matrix of {dtype}", lambda t, d=dtype, w=width: t.update({"lm_head.weight": [d, [16, 8], bytes(128 * w)]}), WEIGHTS, "lm_head.weight", dtype)
    yield tensor_case("a matrix of F8_E4M3 without scales", lambda t: t.update({"lm_head.weight": ["F8_E4M3", [16, 8], bytes(128)]}), "lm_head.weight_scale_inv")
    yield tensor_case("a norm of F8_E4M3", lambda t: t.update({NORM: ["F8_E4M3", [8], bytes(8)]}), WEIGHTS, NORM, "F8_E4M3")
    yield tensor_case("a norm of nine dimensions", lambda t: t.update({NORM: ["F32", [8] + [1] * 8, bytes(32)]}), WEIGHTS, NORM, "dimensions")
    yield tensor_case("a name with NUL", lambda t: t.update({"a\0b": ["F32", [1], bytes(4)]}), WEIGHTS, "a\\x00b")
    yield tensor_case("a name with a path", lambda t: t.update({"../../etc/passwd": ["F32", [1], bytes(4)]}), WEIGHTS, "../../etc/passwd")
    yield tensor_case("a name with a terminal's commands", lambda t: t.update({"\x1b[2J\x9b1m": ["F32", [1], bytes(4)]}), WEIGHTS, "\\x1b[2J")
    for label, number in (("NaN", float("nan")), ("inf", float("inf")), ("-inf", -float("inf"))):
        yield tensor_case(f"a norm with {label}", set_value(NORM, 3, number), WEIGHTS, NORM, "not finite")
        yield tensor_case(f"the router's bias with {label}", set_value("model.layers.1.mlp.gate.e_score_correction_bias", 1, number), WEIGHTS, "e_score_correction_bias", "not finite")
    for name in ("lm_head.weight", "model.layers.0.self_attn.kv_b_proj.weight", "model.layers.1.mlp.shared_experts.up_proj.weight"):
        for precision in ("f32", "fast"):
            # What is packed in another type than the file's is looked at there.
            says = "not finite" if "kv_b" in name and precision == "fast" else "non-finite logits"
            yield tensor_case(
                f"{name} all NaN, {precision}",
                lambda t, name=name: t[name].__setitem__(2, struct.pack("<f", float("nan")) * (len(t[name][2]) // 4)),
                "model: ",
                says,
                commands=[(*IDS, "--precision", precision)],
            )


def fp8_case(name, scale, *says, commands=(INSPECT, IDS), config=None):
    def make(folder):
        model = llama()
        model.config["quantization_config"] = config or {"quant_method": "fp8", "weight_block_size": [4, 4]}
        model.tensors["lm_head.weight"] = ["F8_E4M3", [16, 8], bytes([0x38] * 128)]
        model.tensors["lm_head.weight_scale_inv"] = scale
        return model.write(folder / "model")

    return Case(name, make, *says, commands=commands)


def fp8():
    name = "lm_head.weight_scale_inv"
    for shape in ([2, 4], [4], [8], [1, 1], [4, 2, 1]):
        count = 1
        for size in shape:
            count *= size
        yield fp8_case(f"FP8 scales of shape {shape}", ["F32", shape, struct.pack("<f", 1) * count], WEIGHTS, name)
    yield fp8_case("FP8 scales of I32", ["I32", [4, 2], bytes(32)], WEIGHTS, name)
    for label, number in (("NaN", float("nan")), ("inf", float("inf"))):
        yield fp8_case(f"FP8 scales of {label}", ["F32", [4, 2], struct.pack("<f", number) * 8], "non-finite logits", commands=[IDS])


def index_case(name, edit, *says):
    """`edit`(model, index) changes the model's files, or the index, which is then written."""

    def make(folder):
        model = deepseek()
        index = model.shard()
        changed = edit(model, index)
        if INDEX in model.files and changed is not KEEP:
            model.set_index(index if changed is None else changed)
        return model.write(folder / "model")

    return Case("index: " + name, make, *says)


KEEP = object()
FIRST, SECOND = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"


def with_file(name, content):
    def edit(model, index):
        model.files[name] = content
        return KEEP

    return edit


def named(value):
    return lambda model, index: index["weight_map"].update({NORM: value})


def indexes():
    for name, content in {
        "empty": b"",
        "a list": b"[]",
        "null": b"null",
        "truncated": b'{"weight_map": {"a": "b"',
        "an LFS pointer": LFS,
        "an HTML page": HTML,
        "UTF-16": "{}".encode("utf-16"),
        "with a byte order mark": b"\xef\xbb\xbf{}",
        "nested 100,000 deep": b'{"a":' * 100_000,
        "bad UTF-8": b'{"weight_map": {"a\xff": "b"}}',
    }.items():
        yield index_case(name, with_file(INDEX, content), INDEX)
    yield index_case("with a key twice", with_file(INDEX, b'{"weight_map": {"a": "b"}, "weight_map": {}}'), INDEX, "weight_map", "twice")
    yield index_case("with a tensor twice", with_file(INDEX, b'{"weight_map": {"a": "b", "a": "c"}}'), INDEX, "twice")
    yield index_case("with 100,000 objects for tensors", with_file(INDEX, b'{"weight_map": [' + b"{}," * 100_000 + b"{}]}"), INDEX, "weight_map")
    yield index_case("without weight_map", lambda model, index: {"metadata": {}}, INDEX, "weight_map", "missing")
    for value in (None, [], "model.safetensors", 3, {}):
        yield index_case(f"weight_map {value!r}", lambda model, index, v=value: {"weight_map": v}, INDEX, "weight_map")
    for shard in (
        "../elsewhere.safetensors", "/etc/passwd", "/dev/zero", "..", ".", "", "a/b.safetensors", "./" + FIRST,
        "model.safetensors\0", "model\0/../x", 7, None, [], {}, True,
    ):
        yield index_case(f"a shard named {shard!r}", named(shard), INDEX, f"weight_map.{NORM}", "found", "expected")
    yield index_case("a shard named \"a\\nb\"", named("a\nb"), "a\\x0ab")
    yield index_case("a shard named by 300 characters", named("n" * 300), "nnn", "cannot open")
    yield index_case("a shard missing", with_file(SECOND, None), SECOND, "cannot open")
    yield index_case("a shard empty", with_file(SECOND, b""), SECOND, "header length")
    yield index_case("a shard an LFS pointer", with_file(SECOND, LFS), SECOND, "LFS")
    yield index_case("a shard an HTML page", with_file(SECOND, HTML), SECOND, "header length")
    yield index_case("a shard that is its own index", named(INDEX), INDEX)
    yield index_case("a shard that is the config", named("config.json"), "config.json", "header length")

    def same_file(model, index):
        model.files[SECOND] = model.files[FIRST]

    yield index_case("two shards with the same content", same_file, ".safetensors")

    def swap(model, index):
        model.files[FIRST], model.files[SECOND] = model.files[SECOND], model.files[FIRST]

    yield index_case("two shards swapped", swap, INDEX, "weight_map.", "is not in")

    def twice(model, index):
        tensors = {name: model.tensors[name] for name, file in index["weight_map"].items() if file == SECOND}
        first = next(name for name, file in index["weight_map"].items() if file == FIRST)
        model.files[SECOND] = safetensors(*pack_tensors(tensors | {first: model.tensors[first]}))

    yield index_case("a tensor in two shards", twice, ".safetensors", "also in")

    def moved(model, index):
        index["weight_map"][NORM] = FIRST if index["weight_map"][NORM] == SECOND else SECOND

    yield index_case("a tensor in the other shard", moved, INDEX, f"weight_map.{NORM}", "is not in")
    yield index_case("a tensor that no shard has", lambda model, index: index["weight_map"].update(surprise=FIRST), INDEX, "weight_map.surprise")
    yield index_case("all tensors in one shard", lambda model, index: {"weight_map": dict.fromkeys(index["weight_map"], FIRST)}, INDEX, "weight_map.")
    yield index_case("neither weights nor index", with_file(INDEX, None), "model.safetensors")


def linked(folder):
    """Both names of the index lead to one file."""
    model = deepseek()
    model.shard()
    model.write(folder / "model")
    (folder / "model" / SECOND).unlink()
    (folder / "model" / SECOND).symlink_to(FIRST)
    return folder / "model"


def cases():
    yield from files()
    yield from headers()
    yield from tensors()
    yield from fp8()
    yield from indexes()
    yield Case("index: two shards that are one file", linked, ".safetensors")
