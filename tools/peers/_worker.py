"""What the workers of bench.py share: arguments, the clock around a test, and llama-bench's JSON."""

import argparse
import json
import random
import time


def parse(description, with_repack=False):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("-m", "--model", required=True)
    parser.add_argument("-t", "--threads", type=int, required=True)
    if with_repack:
        parser.add_argument("--repack", type=int, choices=(0, 1), required=True)
    parser.add_argument("tests", nargs="+", metavar="PROMPT:GENERATED:DEPTH")
    options = parser.parse_args()
    options.tests = [tuple(map(int, test.split(":"))) for test in options.tests]
    return options


def random_tokens(count, vocabulary):
    generator = random.Random(1)
    return [generator.randrange(vocabulary) for _ in range(count)]


def seconds(run):
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def print_results(times):
    """`times`: {(prompt, generated, depth): seconds}"""
    rows = []
    for (prompt, generated, depth), elapsed in times.items():
        row = {"n_prompt": prompt, "n_gen": generated, "n_depth": depth}
        rows.append(row | {"avg_ts": (prompt + generated) / elapsed})
    print(json.dumps(rows))
