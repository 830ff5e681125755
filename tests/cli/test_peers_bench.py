"""tools/peers/bench.py with programs that stand for the engines: what it asks of them and makes of their answers."""

import json
import subprocess
import sys
import unittest

from _support import MLA, PROJECT, STORIES, TestCase, environment

BENCH = PROJECT / "tools" / "peers" / "bench.py"

# The n-th run gives speeds[n] tokens a second for prefills. Notes its arguments: who ran in which order.
PROGRAM = """#!{python}
import json, pathlib, sys
folder = pathlib.Path({folder!r})
arguments = sys.argv[1:]
if arguments == ["--help"]:
    print({help!r})
    sys.exit(0)
log = folder / "log"
with open(log, "a") as file:
    print({name!r}, *arguments, file=file)
counter = folder / {count!r}
number = int(counter.read_text()) if counter.exists() else 0
counter.write_text(str(number + 1))
speed = {speeds!r}[number]
if speed is None:
    sys.exit("no such luck")
hold = bytearray(b"x" * {memory})
value = lambda option: [int(x) for x in arguments[arguments.index(option) + 1].split(",")]
rows = []
for depth in value("-d") if "-d" in arguments else [0]:
    rows += [dict(n_prompt=p, n_gen=0, n_depth=depth, avg_ts=speed) for p in value("-p") if p]
    rows += [dict(n_prompt=0, n_gen=n, n_depth=depth, avg_ts=speed / 4) for n in value("-n") if n]
for at, word in enumerate(arguments):
    if word == "-gp":
        depth, n = map(int, arguments[at + 1].split(","))
        rows.append(dict(n_prompt=depth, n_gen=n, avg_ts=speed / 8))
if "-gp" in {help!r}:
    for row in rows:
        row.pop("n_depth", None)
print(json.dumps(rows))
"""

# What `mla bench --json` prints, without what is not read.
MLA_PROGRAM = """#!{python}
import json, sys
arguments = sys.argv[1:]
assert arguments[:2] == ["bench", "--fast"], arguments
value = lambda option: [int(x) for x in arguments[arguments.index(option) + 1].split(",")]
tests = [("prefill", n, d) for n in value("-p") for d in value("-d") if n]
tests += [("decode", n, d) for n in value("-n") for d in value("-d") if n]
results = [dict(test=kind, tokens=n, depth=d, threads=value("-t")[0], share=0.25 if kind == "decode" else None,
                tokens_per_second=dict(median=100.0 + n + d, min=1.0, max=1000.0)) for kind, n, d in tests]
print(json.dumps(dict(results=results, memory=dict(peak_bytes=5 << 20))))
"""


class PeersBench(TestCase):
    def program(self, name, speeds, knows="-d, --n-depth <n>", memory=0):
        file = self.folder / name
        file.write_text(PROGRAM.format(python=sys.executable, folder=str(self.folder), name=name, count=name + ".count",
                                       help=knows, speeds=speeds, memory=memory))  # fmt: skip
        file.chmod(0o755)
        return f"{name}={file}"

    def bench(self, *arguments, model="model.gguf"):
        (self.folder / "model.gguf").write_bytes(b"weights")
        command = [sys.executable, BENCH, "-m", self.folder / model, "--json", self.folder / "report.json", *arguments]
        return subprocess.run(list(map(str, command)), capture_output=True, text=True, env=environment(), check=False)

    def report(self):
        return json.loads((self.folder / "report.json").read_text())

    def test_medians_ratios_and_order(self):
        a = self.program("a", [100.0, 100.0, 400.0, 400.0, 200.0, 200.0])
        b = self.program("b", [50.0, 50.0, 100.0, 100.0, 80.0, 80.0])
        result = self.bench(
            "--no-mla", "--llama-bench", a, "--llama-bench", b, "-p", "16", "-n", 4, "-d", "0,32", "-r", 3
        )
        self.assertEqual(result.returncode, 0, result.stderr)
        ran = [line.split()[0] for line in (self.folder / "log").read_text().splitlines()]
        self.assertEqual(ran, ["a", "a", "b", "b"] * 3)  # Prefill and decoding are two calls.
        report = self.report()
        figures = {entry["test"]: entry for entry in report["figures"]}
        self.assertEqual(list(figures), ["pp16", "tg4", "tg4@32"])
        self.assertEqual(figures["pp16"]["tokens_per_second"]["a"],
                         {"median": 200.0, "min": 100.0, "max": 400.0, "samples": [100.0, 400.0, 200.0]})  # fmt: skip
        self.assertEqual(figures["tg4@32"]["tokens_per_second"]["b"]["median"], 20.0)
        self.assertEqual(figures["pp16"]["ratio"], {"b": 2.5})  # Of 2, 4 and 2.5.
        self.assertEqual(report["model_bytes"], 7)
        self.assertIn("| pp16 | 1 | 200 (100-400) | 80 (50-100) | 2.5 |", result.stdout)

    def test_arguments_of_a_program_without_depth(self):
        program = self.program("ik", [80.0], knows="-gp <pp,tg>")
        result = self.bench(
            "--no-mla", "--llama-bench", program + " -fa 1", "-p", "16,24", "-n", 4, "-d", "0,32", "-t", 2, "-r", 1
        )
        self.assertEqual(result.returncode, 0, result.stderr)
        logged = (self.folder / "log").read_text().split()
        self.assertEqual(logged[:3], ["ik", "-fa", "1"])
        self.assertEqual(logged[logged.index("-t") + 1], "2")
        figures = {entry["test"]: entry["tokens_per_second"]["ik"]["median"] for entry in self.report()["figures"]}
        self.assertEqual(figures, {"pp16": 80.0, "pp24": 80.0, "tg4": 20.0, "tg4@32": 10.0})

    def test_mla_and_its_share_of_the_limits(self):
        mla = self.folder / "mla"
        mla.write_text(MLA_PROGRAM.format(python=sys.executable))
        mla.chmod(0o755)
        other = self.program("other", [53.0, 53.0])
        result = self.bench(
            "--mla", f"ours={mla} --fast", "--llama-bench", other, "-p", 6, "-n", 4, "-d", "0,32", "-r", 1
        )
        self.assertEqual(result.returncode, 0, result.stderr)
        report = self.report()
        figures = {entry["test"]: entry for entry in report["figures"]}
        self.assertEqual({name: entry["tokens_per_second"]["ours"]["median"] for name, entry in figures.items()},
                         {"pp6": 106.0, "tg4": 104.0, "tg4@32": 136.0})  # fmt: skip
        self.assertEqual(figures["pp6"]["ratio"], {"other": 2.0})
        self.assertEqual(figures["pp6"]["share_of_limit"], {})
        self.assertEqual(figures["tg4"]["share_of_limit"]["ours"]["median"], 0.25)
        self.assertIn("| tg4 | 1 | 104 (104-104), 25% |", result.stdout)
        self.assertEqual(report["memory"][0]["peak_bytes"]["ours"], 5 << 20)

    def test_the_program_itself(self):
        report = self.folder / "report.json"
        arguments = ["--mla", f"mla={MLA}", "--folder", STORIES, "-p", 8, "-n", 4, "-d", "0,16", "-r", 1, "--json", report]
        command = [sys.executable, BENCH, *map(str, arguments)]
        result = subprocess.run(command, capture_output=True, text=True, env=environment(), check=False)
        self.assertEqual(result.returncode, 0, result.stderr)
        entries = self.report()["figures"]
        self.assertEqual([entry["test"] for entry in entries], ["pp8", "tg4", "tg4@16"])
        for entry in entries:
            self.assertGreater(entry["tokens_per_second"]["mla"]["median"], 0)
            self.assertGreater(entry["share_of_limit"]["mla"]["median"], 0)
        self.assertGreater(self.report()["memory"][0]["peak_bytes"]["mla"], 1 << 20)

    def test_peak_memory_is_each_process_own(self):
        large = self.program("large", [1.0], memory=64 << 20)
        small = self.program("small", [1.0])
        result = self.bench("--no-mla", "--llama-bench", large, "--llama-bench", small, "-n", 0, "-r", 1)
        self.assertEqual(result.returncode, 0, result.stderr)
        peaks = self.report()["memory"][0]["peak_bytes"]
        self.assertGreater(peaks["small"], 1 << 20)
        self.assertGreater(peaks["large"], peaks["small"] + (48 << 20))

    def test_an_engine_that_fails_is_named_and_the_others_go_on(self):
        good = self.program("good", [10.0, 20.0])
        bad = self.program("bad", [None, 5.0])
        result = self.bench("--no-mla", "--llama-bench", good, "--llama-bench", bad, "-n", 0, "-p", 8, "-r", 2)
        self.assertEqual(result.returncode, 1)
        self.assertIn("exit status 1: no such luck", result.stderr)
        entry = self.report()["figures"][0]
        self.assertEqual(entry["tokens_per_second"]["bad"]["samples"], [None, 5.0])
        self.assertEqual(entry["ratio"], {"bad": 4.0})  # The first round has nothing to compare.

    def test_wrong_arguments(self):
        good = self.program("good", [1.0])
        strange = self.program("strange", [1.0], knows="no options")
        for arguments, message in (
            (("--no-mla",), "at least one engine"),
            (("--llama-cpp", "fast"), "found fast, expected plain"),
            (("--transformers",), "needs --folder"),
            (("--llama-bench", "nothing"), "NAME=COMMAND"),
            (("--llama-bench", strange), "neither --n-depth nor -gp"),
            (("--llama-bench", good, "--llama-bench", good), "different names"),
            (("-p", "1,x"), "whole numbers"),
            (("-p", "", "-n", "0"), "expected a test"),
        ):
            with self.subTest(arguments=arguments):
                result = self.bench(*arguments)
                self.assertEqual(result.returncode, 2, result.stderr)
                self.assertIn(message, result.stderr)


if __name__ == "__main__":
    unittest.main()
