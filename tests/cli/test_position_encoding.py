"""--position-encoding, --first-position and --extrapolate, where they stand in every subcommand."""

import json
import unittest

from _support import CHECKPOINTS, STORIES, TestCase, join, mla, read_json, read_npy, reference, write_json

GOLDEN = CHECKPOINTS / "positions_rope_decoupled"  # 31 tokens, 160 positions.
LEARNED = CHECKPOINTS / "positions_learned"  # A table of 128 positions.
NAMES = ("none", "integer", "binary", "sinusoidal", "learned", "rope", "rope-decoupled", "alibi")
TEXT = b"Once upon a time there was a little dog. The dog ran to the house. " * 6


def notice(encoding, own, model):
    return f"mla: position encoding exchanged: {encoding} instead of {own}, with which {model} was trained\n"


def largest_difference(a, b):
    return max(abs(x - y) for x, y in zip(a, b, strict=True))


class EncodingTestCase(TestCase):
    def logits(self, model, ids, *arguments):
        """(rows of logits, stderr)"""
        file = self.folder / "logits.npy"
        result = self.succeed("logits", "-m", model, "--ids", join(ids), "-o", file, "--precision", "f32", *arguments)
        self.assertEqual(result.out, b"")
        (tokens, width), values = read_npy(file)
        self.assertEqual(tokens, len(ids))
        return [values[row * width : (row + 1) * width] for row in range(tokens)], result.err


class Exchange(EncodingTestCase):
    def test_logits_are_the_references(self):
        ids = reference(GOLDEN.name)["prompt_ids"]
        for encoding in ("none", "integer", "binary", "sinusoidal", "rope", "alibi"):
            with self.subTest(encoding):
                rows, err = self.logits(GOLDEN, ids, "--position-encoding", encoding)
                expected = read_npy(GOLDEN / f"logits_as_{encoding}.npy")[1]
                self.assertLess(largest_difference(sum(rows, ()), expected), 1e-4)
                # With a rotary part, rope is the checkpoint's own encoding by its other name.
                self.assertEqual(err, "" if encoding == "rope" else notice(encoding, "rope-decoupled", GOLDEN))

    def test_the_models_own_encoding_changes_nothing_and_says_nothing(self):
        ids = reference(GOLDEN.name)["prompt_ids"]
        plain, plain_err = self.logits(GOLDEN, ids)
        named, named_err = self.logits(GOLDEN, ids, "--position-encoding", "rope-decoupled")
        self.assertEqual(named, plain)
        self.assertEqual((named_err, plain_err), ("", ""))

    def test_generate(self):
        arguments = ["generate", "-m", GOLDEN, "--ids", join(reference(GOLDEN.name)["prompt_ids"]), "-n", 8, "--temp", 0,
                     "--print-ids", "--ignore-eos"]
        own = self.succeed(*arguments)
        other = self.succeed(*arguments, "--position-encoding", "alibi")
        self.assertNotEqual(other.out, own.out)
        self.assertEqual(len(other.text.split()), 8)
        self.assertTrue(other.err.startswith(notice("alibi", "rope-decoupled", GOLDEN)), other.err)
        self.assertNotIn("exchanged", own.err)

    def test_perplexity(self):
        arguments = ["perplexity", "-f", "-", "-c", 64]
        own = self.succeed(*arguments, stdin=TEXT)
        other = self.succeed(*arguments, "--position-encoding", "none", stdin=TEXT)
        self.assertEqual(other.err, notice("none", "rope-decoupled", STORIES))
        self.assertEqual(own.err, "")

        def perplexity(result):
            return float(result.text.split("ppl = ")[1].split()[0])

        self.assertGreater(perplexity(other), 1.5 * perplexity(own))  # It lost the order of the words.

    def test_inspect(self):
        result = self.succeed("inspect", "-m", GOLDEN, "--position-encoding", "sinusoidal")
        self.assertRegex(result.text, r"(?m)^position +sinusoidal \(exchanged: trained with rope-decoupled\)$")
        self.assertEqual(result.err, notice("sinusoidal", "rope-decoupled", GOLDEN))
        own = self.succeed("inspect", "-m", LEARNED, "--json")
        self.assertEqual(json.loads(own.text)["features"]["position"], "learned table of 128 positions")
        self.assertEqual(own.err, "")


class Refusals(EncodingTestCase):
    COMMANDS = (
        ["generate", "--ids", "1,2", "-n", 1, "--print-ids"],
        ["logits", "--ids", "1,2", "-o", "/dev/null"],
        ["perplexity", "-f", "-"],
        ["inspect"],
    )

    def test_unknown_names_are_a_wrong_command_line(self):
        for command in self.COMMANDS:
            for name in ("rotary", "ROPE", "rope,none", ""):
                with self.subTest(command=command[0], name=name):
                    result = self.fail_with(2, *command, "-m", STORIES, "--position-encoding", name, stdin=TEXT)
                    self.assertEqual(result.out, b"")
                    self.assertIn("--position-encoding", result.err)
                    for known in NAMES:
                        self.assertIn(known, result.err)

    def test_learned_needs_a_table(self):
        for command in self.COMMANDS:
            with self.subTest(command[0]):
                result = mla(*command, "-m", STORIES, "--position-encoding", "learned", stdin=TEXT)
                self.assert_one_error_line(result, str(STORIES), "learned", "table of positions", "expected")

    def test_decoupled_needs_a_rotary_part(self):
        model = CHECKPOINTS / "simplified_none"
        arguments = ["generate", "-m", model, "--ids", "1,2", "-n", 1, "--print-ids", "--position-encoding"]
        self.assert_one_error_line(mla(*arguments, "rope-decoupled"), str(model), "qk_rope_head_dim is 0", "expected")
        self.succeed(*arguments, "rope")

    def test_rope_needs_pairs(self):
        model = self.copy("simplified_none")
        config = read_json(model / "config.json")
        write_json(model / "config.json", {**config, "qk_nope_head_dim": 7, "position_encoding": "rope"})
        self.assert_one_error_line(mla("inspect", "-m", model), "config.json", "qk_nope_head_dim", "found 7", "even")


class Positions(EncodingTestCase):
    IDS = [7, 3, 18, 11, 24, 5]

    def test_first_position_shifts_what_is_added(self):
        for encoding, shift_matters in {"none": False, "sinusoidal": True, "alibi": False, "rope-decoupled": False}.items():
            with self.subTest(encoding):
                arguments = ["--position-encoding", encoding]
                plain = sum(self.logits(GOLDEN, self.IDS, *arguments)[0], ())
                shifted = sum(self.logits(GOLDEN, self.IDS, *arguments, "--first-position", 16)[0], ())
                difference = largest_difference(plain, shifted)
                self.assertEqual(difference > 1e-2, shift_matters, difference)
                if not shift_matters:
                    self.assertLess(difference, 1e-4)

    def test_first_position_beyond_the_last(self):
        for model, end in ((GOLDEN, 160), (LEARNED, 128)):
            for first in (end, end + 1, 2**31):
                result = mla("logits", "-m", model, "--ids", "1", "-o", self.folder / "x.npy", "--first-position", first)
                self.assert_one_error_line(result, str(model), "first position", f"found {first}", f"less than the {end}")
            self.logits(model, [1], "--first-position", end - 1)
            result = mla("logits", "-m", model, "--ids", "1,2", "-o", self.folder / "x.npy", "--first-position", end - 1)
            self.assert_one_error_line(result, str(model), "found 2 tokens", "at most 1")
        for wrong in ("-1", "x", "1.5", str(2**31 + 1), ""):
            self.fail_with(2, "logits", "-m", GOLDEN, "--ids", "1", "-o", self.folder / "x.npy", "--first-position", wrong)

    def test_a_text_longer_than_the_learned_table(self):
        ids = [index % 29 for index in range(129)]
        self.logits(LEARNED, ids[:128])
        for more in ([], ["--extrapolate"], ["-c", 1000], ["--extrapolate", "-c", 1000]):
            with self.subTest(more):
                result = mla("logits", "-m", LEARNED, "--ids", join(ids), "-o", self.folder / "x.npy", *more)
                self.assert_one_error_line(result, str(LEARNED), "found 129 tokens", "at most 128")
        self.assertFalse((self.folder / "x.npy").exists())

    def test_generation_ends_where_the_positions_do(self):
        ids = join(index % 29 for index in range(120))
        arguments = ["--ids", ids, "-n", 50, "--temp", 0, "--print-ids", "--ignore-eos"]
        for more in ([], ["--extrapolate"]):
            result = self.succeed("generate", "-m", LEARNED, *arguments, *more)
            self.assertEqual(len(result.text.split()), 9)  # Eight fill the table; the last needs no position.
            self.assertIn("the context is full", result.err)
        self.assertEqual(len(self.succeed("generate", "-m", GOLDEN, *arguments).text.split()), 41)
        self.assertEqual(len(self.succeed("generate", "-m", GOLDEN, *arguments, "--extrapolate").text.split()), 50)

    def test_extrapolation(self):
        """The positions that there are keep their logits, and the others are like any other."""
        ids = [index * 7 % 29 for index in range(200)]
        for encoding in ("none", "integer", "binary", "sinusoidal", "rope-decoupled", "alibi"):
            with self.subTest(encoding):
                arguments = ["--position-encoding", encoding]
                result = mla("logits", "-m", GOLDEN, "--ids", join(ids), "-o", self.folder / "x.npy", *arguments)
                self.assertEqual(result.code, 1)
                self.assertIn("found 200 tokens, expected at most 160", result.err)
                within = self.logits(GOLDEN, ids[:160], *arguments)[0]
                beyond = self.logits(GOLDEN, ids, *arguments, "--extrapolate")[0]
                self.assertEqual(len(beyond), 200)
                self.assertLess(largest_difference(sum(within, ()), sum(beyond[:160], ())), 1e-4)

    def test_extrapolation_needs_no_memory_of_its_own(self):
        self.succeed("generate", "-m", GOLDEN, "--ids", "1,2", "-n", 2, "-t", 2, "--print-ids", "--extrapolate", bounded=True)


if __name__ == "__main__":
    unittest.main()
