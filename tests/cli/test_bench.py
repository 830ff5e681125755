"""mla bench: what is run and said, not how fast it is."""

import json
import unittest

from _support import CHECKPOINTS, TestCase, mla


def small(prefill="8", decode="3", threads="1"):
    """Arguments for a quick run."""
    where = ("-m", CHECKPOINTS / "v3_dense_only", "--precision", "f32")
    return (*where, "-p", prefill, "-n", decode, "-t", threads, "-r", "2")


class Bench(TestCase):
    def report(self, *arguments, **options):
        result = self.succeed("bench", *arguments, "--json", **options)
        return json.loads(result.text), result.err

    def usage_error(self, expected, *arguments):
        result = self.fail_with(2, "bench", *arguments)
        self.assertEqual(result.out, b"")
        self.assertIn(expected, result.err)

    def test_json(self):
        report, err = self.report(*small(threads="1,2"), "-d", "0,4", "--batch", 5)
        self.assertEqual(err, "")
        tests = [(r["test"], r["tokens"], r["depth"], r["threads"]) for r in report["results"]]
        at = [(0, 1), (4, 1), (0, 2), (4, 2)]
        self.assertEqual(tests, [(*test, *place) for place in at for test in (("prefill", 8), ("decode", 3))])
        for result in report["results"]:
            self.assertEqual(len(result["seconds"]), 2)
            speed = result["tokens_per_second"]
            rates = sorted(result["tokens"] / seconds for seconds in result["seconds"])
            self.assertAlmostEqual(speed["min"], rates[0], delta=1e-6 * rates[0])
            self.assertAlmostEqual(speed["max"], rates[1], delta=1e-6 * rates[1])
            self.assertAlmostEqual(speed["median"], sum(rates) / 2, delta=1e-6 * rates[1])
            self.assertEqual(result["share_of"], "fp32 peak" if result["test"] == "prefill" else "read bandwidth")
            self.assertEqual("bytes" in result, result["test"] == "decode")
            self.assertGreater(result["operations"]["fp32"], 0)
        machine = report["machine"]
        self.assertEqual([read["threads"] for read in machine["read_bandwidth"]], [1, 2])
        self.assertTrue(all(read["bytes_per_second"] > 0 for read in machine["read_bandwidth"]))
        self.assertEqual({peak["unit"] for peak in machine["multiply_peaks"]} - {"fp32"}, set())
        self.assertEqual(report["precision"], "f32")
        self.assertEqual(report["batch"], 5)
        self.assertIn("seed 1", report["tokens"])
        self.assertTrue(report["command"].startswith("mla bench -m "), report["command"])
        self.assertGreater(report["load_seconds"], 0)
        self.assertGreater(report["first_token"]["seconds"], report["load_seconds"])
        self.assertGreater(report["memory"]["peak_bytes"], report["memory"]["anonymous_bytes"])
        self.assertEqual(report["skipped"], [])

    def test_bytes_and_operations(self):
        """Of a model whose sizes its config and `mla inspect` tell."""
        report, _ = self.report(*small(), "-d", 5)
        model = report["model"]
        active = sum(weights["bytes"] for weights in model["active_weights"].values())
        decode = next(result for result in report["results"] if result["test"] == "decode")
        self.assertEqual(decode["bytes"], 3 * active + (6 + 7 + 8) * model["cache_bytes_per_token"])
        elements = sum(weights["elements"] for weights in model["active_weights"].values())
        self.assertEqual(elements, model["parameters"]["active"])
        self.assertGreater(decode["operations"]["fp32"], 3 * 1.9 * elements)

    def test_fast(self):
        """Counted by the units of the types that the weights are repacked to."""
        arguments = ("-p", 8, "-n", 2, "-r", 1, "-t", 1, "--precision", "fast")
        report, _ = self.report(*arguments)
        self.assertEqual(report["precision"], "fast")
        prefill = report["results"][0]
        self.assertGreater(prefill["operations"]["bf16"], 0.9 * sum(prefill["operations"].values()))
        self.assertRegex(prefill["share_of"], "% bf16, .*% fp32 peak$")
        quantized, _ = self.report(*arguments, "--quantize", "q8_0")
        prefill = quantized["results"][0]
        self.assertGreater(prefill["operations"]["int8"], 0.7 * sum(prefill["operations"].values()))
        self.assertLess(quantized["results"][1]["bytes"], 0.6 * report["results"][1]["bytes"])
        self.assertIn("Q8_0", quantized["model"]["active_weights"])

    def test_instruction_set(self):
        report, _ = self.report(*small(), MLA_ISA="scalar")
        self.assertEqual(report["isa"], "scalar")
        self.assertEqual(report["machine"]["multiply_peaks"], [])
        shares = {result["test"]: result["share"] for result in report["results"]}
        self.assertIsNone(shares["prefill"])
        self.assertGreater(shares["decode"], 0)

    def test_text_and_markdown(self):
        text = self.succeed("bench", *small()).text
        for word in ("first token", "memory", "load", "prefill 8", "decode 3", "fp32 peak", "read bandwidth"):
            self.assertIn(word, text)
        markdown = self.succeed("bench", *small(), "--markdown").text
        self.assertIn("| test | depth | threads | tokens/s |", markdown)
        self.assertRegex(markdown, r"\n\| prefill 8 \| 0 \| 1 \| [0-9.]+ \| [0-9.]+ \| [0-9.]+ \|")
        self.assertIn("- command: `mla bench -m ", markdown)

    def test_skipped(self):
        report, err = self.report(*small(), "-d", "0,7", "-c", 10)
        self.assertEqual(report["skipped"], [{"test": "prefill", "tokens": 8, "depth": 7, "threads": 1}])
        self.assertEqual(err, "mla: skipped prefill of 8 tokens at depth 7: the context holds 10 tokens\n")
        self.assertEqual([r["depth"] for r in report["results"]], [0, 0, 7])
        self.assert_one_error_line(mla("bench", *small(), "-d", 8, "-c", 10), "context", "found tests of 11 tokens", "10")

    def test_nothing_of_a_kind(self):
        report, _ = self.report(*small(prefill=0))
        self.assertEqual([result["test"] for result in report["results"]], ["decode"])
        self.assertEqual(report["machine"]["multiply_peaks"], [])
        report, _ = self.report(*small(decode=0))
        self.assertEqual([result["test"] for result in report["results"]], ["prefill"])
        self.assertEqual(report["machine"]["read_bandwidth"], [])
        self.assert_one_error_line(mla("bench", *small(prefill=0, decode=0)), "tests", "found none")

    def test_text_file(self):
        file = self.folder / "text"
        file.write_text("The dog chased another dog. ")
        report, _ = self.report("--text", file, "-p", 40, "-n", 2, "-r", 1, "-t", 1)
        self.assertIn(str(file), report["tokens"])
        self.assert_one_error_line(mla("bench", "--text", self.folder / "nowhere", "-r", 1), "nowhere")

    def test_errors(self):
        self.assert_one_error_line(mla("bench", "-m", self.folder / "nowhere"), "nowhere")
        self.assert_one_error_line(mla("bench", "-m", CHECKPOINTS / "v3_dense_only", "--text", "-"), "tokenizer")
        for option in ("-p", "-n", "-d", "-r", "-t"):
            for value in ("x", "-1", "1.5", "4294967296"):
                self.usage_error(f'found "{value}"', option, value)
        for option in ("-p", "-n", "-d", "-t"):
            self.usage_error('found "x"', option, "1,x")
        self.usage_error("expected a whole number from 1", "-r", 0)
        self.usage_error("expected a whole number from 1", "-t", "1,0")
        self.usage_error("excludes", "--json", "--markdown")
        self.usage_error("excludes", "--machine", "-m", CHECKPOINTS / "v3_dense_only")
        self.usage_error("excludes", "--machine", "-r", 3)


class Machine(TestCase):
    def test_json(self):
        result = self.succeed("bench", "--machine", "-t", 1, "--json")
        self.assertEqual(result.err, "")
        report = json.loads(result.text)
        machine = report["machine"]
        self.assertEqual([read["threads"] for read in machine["read_bandwidth"]], [1])
        for peak in machine["multiply_peaks"]:
            self.assertIn(peak["unit"], ("fp32", "bf16", "int8"))
            self.assertGreater(peak["operations_per_second"], 0)
        pairs = [(peak["unit"], peak["isa"]) for peak in machine["multiply_peaks"]]
        self.assertEqual(len(pairs), len(set(pairs)))
        self.assertGreater(machine["read_buffer_bytes"], 0)
        self.assertTrue(machine["processor"])


if __name__ == "__main__":
    unittest.main()
