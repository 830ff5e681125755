#!/usr/bin/env python3
"""Times mla beside other engines on the same weights: prefill, decoding at depth, peak memory, and the ratios.

    pip install llama-cpp-python numpy torch transformers
    python tools/peers/bench.py -m model.gguf -p 512 -n 64 -d 0,4096 -t 1,2 -r 5 --llama-cpp plain,repack
    python tools/peers/bench.py -m model.gguf --llama-bench "ik=/opt/ik_llama.cpp/build/bin/llama-bench -fa 1"
    python tools/peers/bench.py --folder models/stories --transformers

Each round runs every engine once, in a process of its own, one engine after the other (A B A B), so that a machine
that is slower for a while is so for all. Figures are medians of the rounds; a ratio is the median of the ratios of each
round, mla's tokens a second through the other's. Memory is the largest resident set (VmHWM): pages of mapped files
count as well.

ppN is a prefill of N tokens into an empty cache, tgN decoding of N tokens one by one; @D: behind D tokens. Tokens are
random. Engines: `mla bench`, which also tells its share of what the machine can do; llama.cpp by llama-cpp-python,
`plain` on the weights as they lie and `repack` with its repacking (LLAMA_CPP_LIB_PATH chooses another build of its
libraries); any program with the options and the JSON of llama.cpp's llama-bench; transformers on the folder.
"""

import argparse
import json
import os
import shlex
import statistics
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
POLL_SECONDS = 0.02


class Failure(Exception):
    pass


def numbers(text):
    try:
        values = [int(part) for part in text.split(",") if part]
    except ValueError:
        raise argparse.ArgumentTypeError(f"found {text!r}, expected whole numbers with commas between") from None
    if any(value < 0 for value in values):
        raise argparse.ArgumentTypeError(f"found {text!r}, expected no negative numbers")
    return values


def named_command(text):
    name, found, command = text.partition("=")
    if not found or not name or not shlex.split(command):
        raise argparse.ArgumentTypeError(f"found {text!r}, expected NAME=COMMAND")
    return name, shlex.split(command)


def test_name(prompt, generated, depth):
    return (f"pp{prompt}" if prompt else f"tg{generated}") + (f"@{depth}" if depth else "")


class PeakMemory(threading.Thread):
    """Reads a process' VmHWM until it ends. (What wait4 tells would begin with the memory of the parent.)"""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.path = f"/proc/{pid}/status"
        self.kibibytes = 0
        self.start()

    def run(self):
        while True:
            try:
                with open(self.path) as file:
                    line = next((line for line in file if line.startswith("VmHWM:")), None)
            except OSError:
                return
            if line is None:  # Only its exit status is left.
                return
            self.kibibytes = int(line.split()[1])
            time.sleep(POLL_SECONDS)


def run_measured(command):
    """(standard output, peak resident bytes) of a process."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    memory = PeakMemory(process.pid)
    out, err = process.communicate()
    memory.join()
    if process.returncode != 0:
        last = err.strip().splitlines()[-1:] or [""]
        raise Failure(f"{shlex.join(command)}: exit status {process.returncode}: {last[0]}")
    return out, memory.kibibytes * 1024


def parse_json(out, command):
    try:
        return json.loads(out)
    except json.JSONDecodeError as error:
        raise Failure(f"{shlex.join(command)}: the output is no JSON: {error}") from None


@dataclass
class Round:
    """What one engine did in one round, by the test's name."""

    speeds: dict = field(default_factory=dict)  # Tokens a second.
    shares: dict = field(default_factory=dict)  # Of the machine's limit, where the engine tells.
    memory: int = 0  # Peak, in bytes.

    def add(self, other):
        self.speeds |= other.speeds
        self.shares |= other.shares
        self.memory = max(self.memory, other.memory)


class Engine:
    """`measure` runs one round."""

    def __init__(self, name, options):
        self.name = name
        self.options = options

    def run_json(self, command):
        out, memory = run_measured(command)
        return parse_json(out, command), memory


class Mla(Engine):
    """`mla bench --json`."""

    def __init__(self, name, command, options):
        super().__init__(name, options)
        self.command = [command[0], "bench", *command[1:]]

    def run(self, prompts, generated, depths, threads):
        model = self.options.model or self.options.folder
        found, _ = self.run_json([*self.command, "-m", model, "-p", join(prompts or [0]), "-n", str(generated), "-d", join(depths),
                                  "-t", str(threads), "-r", "1", "--json"])  # fmt: skip
        # Its own word, taken after the last test: measuring the machine's limits needs memory too.
        result = Round(memory=found["memory"]["peak_bytes"])
        for row in found["results"]:
            is_prefill = row["test"] == "prefill"
            name = test_name(row["tokens"] if is_prefill else 0, row["tokens"], row["depth"])
            result.speeds[name] = row["tokens_per_second"]["median"]
            result.shares[name] = row["share"]
        return result

    def measure(self, threads):
        return measure_by_kind(self.run, self.options, threads)


class LlamaBench(Engine):
    """A program with llama-bench's options. ik_llama.cpp's has -gp in place of -d."""

    def __init__(self, name, command, options):
        super().__init__(name, options)
        self.command = command
        help_text = subprocess.run([*command[:1], "--help"], capture_output=True, text=True, check=False).stdout
        self.knows_depth = "--n-depth" in help_text
        if not self.knows_depth and "-gp " not in help_text:
            raise Failure(f"{command[0]}: --help lists neither --n-depth nor -gp")

    def run(self, prompts, generated, depths, threads):
        arguments = ["-m", self.options.model, "-t", str(threads), "-r", "1", "-o", "json", "-p", join(prompts or [0])]
        if self.knows_depth:
            arguments += ["-n", str(generated), "-d", join(depths)]
        else:
            arguments += ["-n", str(generated if 0 in depths else 0)]
            for depth in depths:
                arguments += ["-gp", f"{depth},{generated}"] if depth and generated else []
        rows, memory = self.run_json([*self.command, *arguments])
        result = Round(memory=memory)
        for row in rows:
            prompt, count, depth = row["n_prompt"], row["n_gen"], row.get("n_depth", 0)
            if not self.knows_depth and prompt and count:
                prompt, depth = 0, prompt
            result.speeds[test_name(prompt, count, depth)] = row["avg_ts"]
        return result

    def measure(self, threads):
        if self.knows_depth:
            return measure_by_kind(self.run, self.options, threads)
        return self.run(self.options.prompts, self.options.generated, self.options.depths, threads)


class Worker(Engine):
    """A script beside this one, run by the interpreter that has its packages."""

    def __init__(self, name, script, arguments, options):
        super().__init__(name, options)
        self.command = [options.python, str(HERE / script), *arguments]

    def measure(self, threads):
        tests = tests_of(self.options)
        rows, memory = self.run_json([*self.command, "-t", str(threads), *(":".join(map(str, test)) for test in tests)])
        return Round(
            {test_name(row["n_prompt"], row["n_gen"], row["n_depth"]): row["avg_ts"] for row in rows}, memory=memory
        )


def measure_by_kind(run, options, threads):
    """Prefill without depth and decoding at all of them, where a program would else time every one with every other."""
    calls = []
    if options.depths == [0]:
        calls.append((options.prompts, options.generated, [0]))
    else:
        calls += [(options.prompts, 0, [0])] if options.prompts else []
        calls += [([], options.generated, options.depths)] if options.generated else []
    result = Round()
    for call in calls:
        result.add(run(*call, threads))
    return result


def join(values):
    return ",".join(map(str, values))


def tests_of(options):
    """(prompt, generated, depth) of each."""
    tests = [(prompt, 0, 0) for prompt in options.prompts]
    return tests + [(0, options.generated, depth) for depth in options.depths if options.generated]


def engines_of(options):
    engines = [Mla(name, command, options) for name, command in options.mla]
    for setting in options.llama_cpp:
        arguments = ["-m", options.model, "--repack", "1" if setting == "repack" else "0"]
        engines.append(Worker(f"llama.cpp {setting}", "llama_cpp_bench.py", arguments, options))
    engines += [LlamaBench(name, command, options) for name, command in options.llama_bench]
    if options.transformers:
        engines.append(Worker("transformers", "transformers_bench.py", ["-m", options.folder], options))
    return engines


def run_round(engine, threads, names, record):
    try:
        found = engine.measure(threads)
        missing = [name for name in names if name not in found.speeds]
        if missing:
            raise Failure(f"{engine.name}: no figures for {join(missing)}, found {join(found.speeds)}")
    except Failure as failure:
        print(failure, file=sys.stderr)
        record["errors"].append(str(failure))
        found = Round()
    else:
        record["memory"].append(found.memory)
    for name in names:  # Also where there are none: rounds are compared with each other.
        record["speeds"][name].append(found.speeds.get(name))
        record["shares"][name].append(found.shares.get(name))


def measure_all(engines, options):
    """{engine: {threads: {"speeds": {test: [tokens a second, one a round]}, "shares": likewise, "memory": [bytes],
    "errors": [text]}}}"""
    names = [test_name(*test) for test in tests_of(options)]
    results = {engine.name: {count: {"speeds": {name: [] for name in names}, "shares": {name: [] for name in names},
                                     "memory": [], "errors": []}
                             for count in options.threads} for engine in engines}  # fmt: skip
    for number in range(options.rounds):
        for threads in options.threads:
            for engine in engines:
                print(
                    f"round {number + 1} of {options.rounds}, {threads} threads: {engine.name}",
                    file=sys.stderr,
                    flush=True,
                )
                run_round(engine, threads, names, results[engine.name][threads])
    return results


def summary(samples):
    known = [sample for sample in samples if sample is not None]
    if not known:
        return None
    return {"median": statistics.median(known), "min": min(known), "max": max(known), "samples": samples}


def ratio(ours, theirs):
    pairs = [a / b for a, b in zip(ours, theirs) if a is not None and b is not None]
    return statistics.median(pairs) if pairs else None


def figure(value):
    if value is None:
        return "-"
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def cell(entry, engine):
    found, share = entry["tokens_per_second"][engine], entry["share_of_limit"].get(engine)
    if found is None:
        return "failed"
    text = f"{figure(found['median'])} ({figure(found['min'])}-{figure(found['max'])})"
    return text + (f", {100 * share['median']:.0f}%" if share else "")


def processor():
    with open("/proc/cpuinfo") as file:
        name = next(
            (line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), "unknown processor"
        )
    return {"name": name, "processors": os.cpu_count()}


def report_of(results, options):
    first = next(iter(results))
    report = {"model": options.model, "folder": options.folder, "machine": processor(), "rounds": options.rounds, "figures": [],
              "memory": []}  # fmt: skip
    if options.model:
        report["model_bytes"] = os.path.getsize(options.model)
    for threads in options.threads:
        for name, ours in results[first][threads]["speeds"].items():
            entry = {"test": name, "threads": threads, "tokens_per_second": {}, "share_of_limit": {}, "ratio": {}}
            for engine, found in results.items():
                theirs = found[threads]["speeds"][name]
                entry["tokens_per_second"][engine] = summary(theirs)
                if share := summary(found[threads]["shares"][name]):
                    entry["share_of_limit"][engine] = share
                if engine != first:
                    entry["ratio"][engine] = ratio(ours, theirs)
            report["figures"].append(entry)
        peaks = {engine: max(found[threads]["memory"], default=None) for engine, found in results.items()}
        report["memory"].append({"threads": threads, "peak_bytes": peaks})
    report["errors"] = [error for found in results.values() for record in found.values() for error in record["errors"]]
    return report


def markdown(report):
    engines = list(report["memory"][0]["peak_bytes"])
    first, others = engines[0], engines[1:]
    header = ["test", "threads", *engines, *(f"{first} / {other}" for other in others)]
    rows = [header, ["---"] * len(header)]
    for entry in report["figures"]:
        rows.append([entry["test"], str(entry["threads"]), *(cell(entry, engine) for engine in engines),
                     *(figure(entry["ratio"][other]) for other in others)])  # fmt: skip
    for entry in report["memory"]:
        peaks = entry["peak_bytes"]
        rows.append(["peak MiB", str(entry["threads"]), *(figure(peak and peak / 2**20) for peak in peaks.values()),
                     *(figure(peaks[first] / peaks[other] if peaks[first] and peaks[other] else None) for other in others)])  # fmt: skip
    machine = report["machine"]
    title = f"{report['model'] or report['folder']}, {machine['name']}, {machine['processors']} processors: tokens a second, " \
            f"median (min-max) of {report['rounds']}; %: of the machine's limit"  # fmt: skip
    return title + "\n\n" + "\n".join("| " + " | ".join(row) + " |" for row in rows)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-m", "--model", metavar="GGUF", help="for mla, llama.cpp and programs like llama-bench")
    parser.add_argument(
        "--folder", metavar="DIR", help="the same model for transformers; for mla too, where there is no -m"
    )
    parser.add_argument(
        "-p", "--prompts", type=numbers, default=[512], metavar="N,...", help="lengths of prefills (512)"
    )
    parser.add_argument("-n", "--generated", type=int, default=64, metavar="N", help="tokens decoded, 0 for none (64)")
    parser.add_argument(
        "-d", "--depths", type=numbers, default=[0], metavar="N,...", help="tokens before the decoded ones (0)"
    )
    parser.add_argument("-t", "--threads", type=numbers, default=[1], metavar="N,...", help="(1)")
    parser.add_argument("-r", "--rounds", type=int, default=3, metavar="N", help="(3)")
    parser.add_argument("--mla", type=named_command, action="append", metavar="NAME=COMMAND",
                        help="the program, with options of mla bench; or several (mla=build/mla); the first is compared")  # fmt: skip
    parser.add_argument("--no-mla", action="store_true", help="the other engines alone; the first is compared")
    parser.add_argument(
        "--llama-cpp", default="", metavar="plain,repack", help="llama.cpp by llama-cpp-python: one or both"
    )
    parser.add_argument("--llama-bench", type=named_command, action="append", default=[], metavar="NAME=COMMAND",
                        help="a program like llama-bench, with options of its own if need be")  # fmt: skip
    parser.add_argument("--transformers", action="store_true", help="transformers on --folder")
    parser.add_argument(
        "--python", default=sys.executable, help="the interpreter for llama-cpp-python and transformers"
    )
    parser.add_argument("--json", metavar="FILE", help="write all samples there too")
    options = parser.parse_args()
    options.mla = [] if options.no_mla else options.mla or [("mla", ["build/mla"])]
    options.llama_cpp = [part for part in options.llama_cpp.split(",") if part]
    if unknown := set(options.llama_cpp) - {"plain", "repack"}:
        parser.error(f"--llama-cpp: found {join(sorted(unknown))}, expected plain, repack or both")
    if (options.llama_cpp or options.llama_bench) and not options.model:
        parser.error("llama.cpp and programs like llama-bench need -m")
    if options.transformers and not options.folder:
        parser.error("--transformers needs --folder")
    if not options.model and not options.folder:
        parser.error("expected -m, --folder or both")
    if not tests_of(options) or not options.threads or min(options.threads) < 1 or options.rounds < 1:
        parser.error("expected a test (-p or -n), -t of at least 1 and -r of at least 1")
    return parser, options


def main():
    parser, options = parse_arguments()
    try:
        engines = engines_of(options)
    except (Failure, OSError) as error:
        parser.error(str(error))
    if not engines or len({engine.name for engine in engines}) != len(engines):
        parser.error("expected at least one engine, and engines with different names")
    report = report_of(measure_all(engines, options), options)
    print(markdown(report))
    if options.json:
        Path(options.json).write_text(json.dumps(report, indent=1) + "\n")
    sys.exit(1 if report["errors"] else 0)


if __name__ == "__main__":
    main()
