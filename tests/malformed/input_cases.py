"""Everything else that the program is given: options, ids, text and lines on stdin, and where it is to write."""

import os

from case import PROJECT, Case
from models import deepseek, gguf_llama


def model(folder):
    return deepseek().write(folder / "model")


def gguf_file(folder):
    (folder / "model.gguf").write_bytes(gguf_llama().bytes())
    return folder / "model.gguf"


def usage(name, *command, says=()):
    return Case("usage: " + name, model, *says, commands=[command], code=2)


def input_case(name, *command, says=(), stdin=b"", make=model):
    return Case("input: " + name, make, *says, commands=[command], stdin=stdin)


M = ("-m", "{model}")
ONE = ("generate", *M, "--ids", "1", "-n", "1", "--print-ids")


def options():
    yield usage("no command", says=("mla",))
    yield usage("an unknown command", "frobnicate", says=("frobnicate",))
    yield usage("an unknown option", "generate", *M, "--frobnicate", says=("--frobnicate",))
    yield usage("an option without its value", "generate", "-m", says=("-m",))
    for option, values in {
        "--temp": ("-1", "nan", "inf", "1e400", "hot", ""),
        "--top-k": ("-1", "1.5", "99999999999999999999", "x"),
        "--top-p": ("-0.1", "1.1", "nan", "x"),
        "--min-p": ("-1", "2", "nan"),
        "--typical-p": ("-1", "2"),
        "--repetition-penalty": ("0", "-1", "nan", "inf"),
        "--presence-penalty": ("nan", "1e9"),
        "--frequency-penalty": ("inf", "x"),
        "--seed": ("-1", "x", "18446744073709551616"),
        "-n": ("-1", "1.5", "x", "99999999999999999999"),
        "-t": ("0", "-1", "100000", "x"),
        "-c": ("0", "-1", "x"),
        "--batch": ("0", "-1", "99999999999"),
        "--first-position": ("-1", "x"),
        "--precision": ("f16", ""),
        "--quantize": ("q2_k", "x"),
        "--position-encoding": ("rotary", ""),
    }.items():
        for value in values:
            yield usage(f"{option} {value!r}", *ONE, f"{option}={value}" if option.startswith("--") else f"{option}{value}" if value else option, says=("--max-tokens" if option == "-n" else option,))
    yield usage("an empty name for a model", "inspect", "-m", "", says=("--model", "empty"))
    yield usage("two prompts", "generate", *M, "-p", "a", "--ids", "1")
    yield usage("an unknown type", "quantize", *M, "-o", "{folder}/out.gguf", "--type", "q9_9", says=("q9_9",))
    yield usage("no output", "quantize", *M, "--type", "q8_0", says=("output",))


def ids():
    for text in ("16", "2147483647", "1,16"):
        yield input_case(f"ids {text}", "generate", *M, f"--ids={text}", "-n", "1", "--print-ids", says=("token",))
    for text in ("-1", "x", "1;2", "1.5", "2147483648", "99999999999999999999", "0x10", ",", "1,,x", "1\n-2", "\u0661"):
        yield input_case(f"ids {text!r}", "generate", *M, f"--ids={text}", "-n", "1", "--print-ids", says=("ids",))
    yield input_case("more ids than the context", "generate", *M, "--ids", ",".join(["1"] * 65), "-n", "1", "--print-ids", says=("context", "64"))
    yield input_case("a first position beyond all", *ONE, "--first-position", "1000", says=("first position",))
    yield input_case("q8_0 with f32", *ONE, "--quantize", "q8_0", "--precision", "f32", says=("quantize",))


def lines():
    tokenize = ("tokenize", *M, "--jsonl")
    for name, line in {
        "no string": b"1\n", "an object": b"{}\n", "null": b"null\n", "no JSON": b"abc\n", "an empty line": b"\n", "bad UTF-8": b'"\xff"\n',
        "NUL": b'"a"\0\n', "a truncated escape": b'"\\u12"\n', "half a surrogate pair": b'"\\ud800"\n', "a byte order mark": b'\xef\xbb\xbf"a"\n',
        "two values": b'"a" "b"\n', "100,000 brackets": b"[" * 100_000 + b"\n", "UTF-16": '"a"\n'.encode("utf-16"),
    }.items():  # fmt: skip
        yield input_case(f"a line with {name}", *tokenize, stdin=line, says=("stdin line 1",))
    for line in (b'["a"]', b"[-1]", b"[2147483648]", b"[1.5]", b"{}", b'"1"', b"[[1]]", b"[null]", b"[1e400]", b"[NaN]"):
        yield input_case(f"a line of ids {line.decode()}", *tokenize, "--decode", stdin=line + b"\n", says=("stdin line 1",))
    yield input_case("a line of an id beyond the vocabulary", *tokenize, "--decode", stdin=b"[99]\n", says=("token 99",))
    yield input_case("an id beyond the vocabulary to decode", "tokenize", *M, "--decode", "99", says=("token 99",))
    yield input_case("no id to decode", "tokenize", *M, "--decode", "abc", says=("ids",))


def texts():
    for name, place in {"nowhere": "{folder}/nothing", "a directory": "{folder}", "/dev/zero": "/dev/zero", "an empty name": ""}.items():
        if place:
            yield input_case(f"a prompt from {name}", "generate", *M, "-f", place, "-n", "1", says=(place.replace("{folder}/", ""),) if "folder" not in place or "/" in place else ())
        yield input_case(f"a text for perplexity from {name}", "perplexity", *M, "-f", place)
    yield input_case("an empty text for perplexity", "perplexity", *M, "-f", "-", stdin=b"")
    yield input_case("a text of one token for perplexity", "perplexity", *M, "-f", "-", "-c", "2", stdin=b"")
    yield input_case("a reference that is no model", "perplexity", *M, "-f", "-", "--reference", "{folder}/nothing", stdin=b"abcabcabc" * 20, says=("nothing",))
    yield input_case("a reference of another vocabulary", "perplexity", *M, "-f", "-", "--reference", str(PROJECT / "models" / "tiny-v2"), stdin=b"abcabcabc" * 20, says=("vocab_size",))


def outputs():
    logits = ("logits", *M, "--ids", "1,2", "-o")
    quantize = ("quantize", *M, "--type", "q8_0", "-o")
    for name, command in (("logits", logits), ("quantize", quantize)):
        for place, says in (("{folder}/nothing/out", "nothing/out"), ("{folder}", ""), ("/dev/zero", "/dev/zero"), ("/dev/full", "/dev/full"), ("", "empty file name"), ("{folder}/" + "n" * 300, "nnn"), ("/proc/out", "/proc/out")):
            if (name, place) == ("quantize", ""):
                continue
            yield input_case(f"{name} to {place or 'an empty name'}", *command, place, says=(says,) if says else (), make=gguf_file)
    yield input_case("quantize onto its own source", "quantize", *M, "--type", "q8_0", "--force", "-o", "{model}", make=gguf_file, says=("model.gguf", "source"))
    yield input_case("quantize onto the folder's weights", *quantize, "{model}/model.safetensors", "--force", says=("source",))
    yield input_case("quantize onto an existing file", *quantize, "/etc/hostname", says=("/etc/hostname", "exists"))


def cases():
    yield from options()
    yield from ids()
    yield from lines()
    yield from texts()
    yield from outputs()
