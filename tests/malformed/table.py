#!/usr/bin/env python3
"""Runs the program on malformed inputs, each of which must end with exit code 1 (2 for options), one line on stderr that
names what is wrong and where, nothing on stdout, within a second and 64 MB.

    table.py              what falls short, and how many cases there are
    table.py --table      every case with what the program said, as Markdown
    table.py GROUP ...    only these groups; -k TEXT only the cases whose names have TEXT
"""

import argparse
import sys

import config_cases
import gguf_cases
import input_cases
import place_cases
import safetensors_cases
import tokenizer_cases
from case import GENERATE, IDS, INSPECT, TOKENIZE, Case, run_case
from models import deepseek, gguf_deepseek, gguf_llama, llama

GROUPS = {
    "safetensors": safetensors_cases.cases,
    "config": config_cases.cases,
    "tokenizer": tokenizer_cases.cases,
    "gguf": gguf_cases.cases,
    "places": place_cases.cases,
    "inputs": input_cases.cases,
}

def written(make):
    """A case that is none: `make` gives a model as it is."""

    def write(folder):
        model = make()
        if hasattr(model, "write"):
            return model.write(folder / "model")
        (folder / "model.gguf").write_bytes(model.bytes())
        return folder / "model.gguf"

    return write


def sharded():
    model = deepseek()
    model.shard()
    return model


RIGHT = {
    "llama": written(llama),
    "deepseek": written(deepseek),
    "deepseek in shards": written(sharded),
    "mistral": written(config_cases.mistral),
    "GGUF llama": written(gguf_llama),
    "GGUF llama with scores": written(gguf_cases.scored),
    "GGUF deepseek": written(gguf_deepseek),
}


def run_right(make):
    return run_case(Case("right", make, commands=(INSPECT, GENERATE, IDS, TOKENIZE), code=0))


def escaped(text):
    return "".join(c if c.isprintable() and c != "|" else f"\\x{ord(c):02x}" for c in text)


def show(case, runs):
    for result in runs:
        said = escaped(result.err.strip().removeprefix("mla: error: "))
        said = said if len(said) < 200 else said[:200] + "..."
        print(f"| {escaped(case.name)} | {result.command.split()[0] if result.command else ''} | {said} | {result.seconds:.2f} | {result.kib // 1024} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=", ".join(GROUPS))
    parser.add_argument("--table", action="store_true")
    parser.add_argument("-k", default="", metavar="TEXT")
    options = parser.parse_args()
    unknown = set(options.groups) - set(GROUPS)
    if unknown:
        parser.error(f"unknown group {', '.join(unknown)}")
    names, runs_made, short, slowest, largest = set(), 0, 0, 0.0, 0
    if options.table:
        print("| case | command | what it says | s | MB |\n|---|---|---|---|---|")
    for group in options.groups or GROUPS:
        for case in GROUPS[group]():
            if options.k not in case.name:
                continue
            if case.name in names:
                sys.exit(f"two cases are called {case.name!r}")
            names.add(case.name)
            runs = run_case(case)
            if options.table:
                show(case, runs)
            for result in runs:
                runs_made += 1
                slowest, largest = max(slowest, result.seconds), max(largest, result.kib)
                if result.faults:
                    short += 1
                    print(f"{group}: {escaped(case.name)}: {result.command[:60]}\n    {result.err.strip()[:300]!r}\n    {'; '.join(result.faults)}", file=sys.stderr)
    print(f"{len(names)} cases, {runs_made} runs, {short} fall short; slowest {slowest:.2f} s, largest {largest / 1024:.1f} MiB")
    sys.exit(1 if short else 0)


if __name__ == "__main__":
    main()
