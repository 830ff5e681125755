"""mla encodings: the list, the numbers against formulas written here, files, and bad input."""

import csv
import io
import json
import math
import os
import pty
import struct
import unittest
import xml.dom.minidom

import _support
from _support import TestCase, mla

NAMES = ["none", "integer", "binary", "sinusoidal", "learned", "rope", "rope-decoupled", "alibi"]
LEARNED = _support.MODELS / "encodings" / "learned"


class Encodings(TestCase):
    def study(self, *arguments):
        return json.loads(self.succeed("encodings", *arguments, "--json", "-").text)

    def test_names_given_twice_or_with_all(self):
        once = self.succeed("encodings", "--name", "rope", "--json", "-").text
        twice = self.succeed("encodings", "--name", "rope", "--name", "rope").text
        self.assertEqual(twice, self.succeed("encodings", "--name", "rope").text)
        self.assertIn('"rope"', once)
        self.assertEqual(
            self.succeed("encodings", "--name", "all", "--name", "rope", "--json", "-").text,
            self.succeed("encodings", "--name", "all", "--json", "-").text,
        )

    def test_a_model_without_something_to_look_at(self):
        self.fail_with(2, "encodings", "-m", self.folder)

    def test_lists_all_with_formula_source_and_stage(self):
        lines = self.succeed("encodings").text.splitlines()
        self.assertEqual([line.split()[0] for line in lines], ["name", *NAMES])
        self.assertTrue(all(len(line) <= 100 for line in lines))
        text = "\n".join(lines)
        for part in ("embedding", "rotation", "scores", "nowhere", "Su et al. 2021", "score - slope_h |m - n|"):
            self.assertIn(part, text)

    def test_binary_digits(self):
        result = self.study("--name", "binary", "--positions", "0..255", "--dims", "8")
        self.assertEqual(list(result)[:4], ["name", "positions", "values", "stage"])
        self.assertEqual(result["positions"], [0, 255])
        self.assertEqual(result["values"], [[(p >> k) & 1 for k in range(8)] for p in range(256)])
        self.assertEqual(result["periods"], [2 ** (k + 1) for k in range(8)])
        self.assertEqual(result["changes_every"], [2**k for k in range(7)] + [None])
        self.assertAlmostEqual(result["largest_jump"], math.sqrt(8))

    def test_sinusoidal_values_and_positions_that_do_not_begin_at_0(self):
        result = self.study("--name", "sinusoidal", "--positions", "10..20", "--dims", "6")
        for p, row in zip(range(10, 21), result["values"]):
            for i, value in enumerate(row):
                angle = p / 10000 ** (i // 2 * 2 / 6)
                self.assertAlmostEqual(value, math.cos(angle) if i % 2 else math.sin(angle), places=6)
        self.assertAlmostEqual(result["translation_invariance"], 1.0, places=6)
        self.assertEqual(result["symmetry"], 1.0)

    def test_rope_wavelengths_and_options(self):
        result = self.study("--name", "rope", "--dims", "8", "--theta", "500", "--rope-type", "linear", "--factor", "4")
        for i, wavelength in enumerate(result["wavelengths"]):
            self.assertAlmostEqual(wavelength / (4 * 2 * math.pi * 500 ** (2 * i / 8)), 1.0, places=5)
        self.assertEqual(result["bands"], ["interpolated"] * 4)
        self.assertEqual(result["trained_context"], 128)

    def test_alibi_is_the_bias_at_each_distance(self):
        result = self.study("--name", "alibi", "--dims", "4", "--positions", "0..9")
        slopes = [2.0 ** (-2 * (h + 1)) for h in range(4)]
        self.assertEqual(result["values"], [[-s * d for s in slopes] for d in range(10)])
        self.assertEqual(result["monotonicity"], 1.0)

    def test_several_names_and_none_give_a_list(self):
        results = self.study("--name", "rope", "--name", "binary", "--dims", "4")
        self.assertEqual([result["name"] for result in results], ["rope", "binary"])
        self.assertIsInstance(self.study("--name", "none"), dict)
        names = [result["name"] for result in self.study()]
        self.assertEqual([name for name in names if name != "learned"], [n for n in NAMES if n != "learned"])

    def test_csv_has_the_values(self):
        out = self.succeed("encodings", "--name", "binary", "--positions", "3..5", "--dims", "3", "--csv", "-").text
        rows = list(csv.reader(io.StringIO(out)))
        self.assertEqual(rows[0], ["position", "0", "1", "2"])
        self.assertEqual(rows[1:], [["3", "1", "1", "0"], ["4", "0", "0", "1"], ["5", "1", "0", "1"]])

    def test_pictures_are_xml_files_of_their_own(self):
        folder = self.folder / "new" / "pictures"
        result = self.succeed("encodings", "--name", "rope", "--name", "none", "--svg", folder)
        self.assertEqual(result.out, b"")
        expected = {f"none-{kind}.svg" for kind in ("values", "distance", "norms")}
        expected |= {f"rope-{kind}.svg" for kind in ("values", "distance", "norms", "wavelengths")}
        self.assertEqual({file.name for file in folder.iterdir()}, expected)
        for file in folder.iterdir():
            root = xml.dom.minidom.parse(str(file)).documentElement
            self.assertEqual(root.namespaceURI, "http://www.w3.org/2000/svg")
            self.assertEqual(root.getAttribute("role"), "img")

    def test_a_pipe_gets_no_escape_codes(self):
        result = self.succeed("encodings", "--name", "binary", COLORTERM="truecolor")
        self.assertNotIn("\x1b", result.text)
        self.assertIn("█", result.text)

    def on_terminal(self, **variables):
        leader, follower = pty.openpty()
        process = _support.start(
            "encodings", "--name", "binary", "--dims", "4", stdout=follower, env=_support.environment(**variables)
        )
        os.close(follower)
        out = b""
        while True:
            try:
                part = os.read(leader, 65536)
            except OSError:  # The other end is closed.
                break
            if not part:
                break
            out += part
        os.close(leader)
        self.assertEqual(process.wait(_support.TIMEOUT), 0)
        return out.decode()

    def test_a_terminal_gets_its_colours_unless_told_not_to(self):
        plain = {"NO_COLOR": "", "TERM": "xterm", "COLORTERM": ""}
        self.assertIn("\x1b[38;5;", self.on_terminal(**plain))
        self.assertIn("\x1b[38;2;", self.on_terminal(**{**plain, "COLORTERM": "truecolor"}))
        self.assertNotIn("\x1b", self.on_terminal(**{**plain, "NO_COLOR": "1"}))
        self.assertNotIn("\x1b", self.on_terminal(**{**plain, "TERM": "dumb"}))


class Models(TestCase):
    """With -m: sizes, RoPE's settings and the learned table are the model's."""

    def test_yarn_of_a_checkpoint(self):
        folder = _support.CHECKPOINTS / "v2_lite_yarn"
        config = json.loads((folder / "config.json").read_text())
        rope = config["rope_scaling"]
        out = self.succeed("encodings", "--name", "rope-decoupled", "-m", folder, "--json", "-").text
        result = json.loads(out)
        self.assertEqual(result["dims"], config["qk_rope_head_dim"])
        self.assertEqual(result["trained_context"], rope["original_max_position_embeddings"])
        self.assertIn("yarn", result["description"])

    @unittest.skipUnless(LEARNED.is_dir(), "models/encodings/learned is not there")
    def test_learned_takes_the_shipped_table_and_ends_with_it(self):
        config = json.loads((LEARNED / "config.json").read_text())
        end = config["max_position_embeddings"]
        header, data = _support.read_safetensors(LEARNED / "model.safetensors")
        table = header["model.embed_positions.weight"]
        self.assertEqual(table["dtype"], "BF16")
        start, _ = table["data_offsets"]
        first = [
            struct.unpack("<f", b"\0\0" + data[start + 2 * i : start + 2 * i + 2])[0] for i in range(table["shape"][1])
        ]
        out = self.succeed("encodings", "--name", "learned", "--positions", f"0..{end - 1}", "--json", "-").text
        result = json.loads(out)
        self.assertEqual([struct.unpack("<f", struct.pack("<f", v))[0] for v in result["values"][0]], first)
        self.assertEqual(len(result["values"]), end)
        result = mla("encodings", "--name", "learned", "--positions", f"0..{end}")
        self.assert_one_error_line(result, f"position {end}", f"at most {end - 1}")

    def test_a_model_without_a_table_has_none_to_show(self):
        result = mla("encodings", "--name", "learned", "-m", _support.STORIES)
        self.assert_one_error_line(result, "learned", "embed_positions")
        result = self.succeed("encodings", "--name", "all", "-m", _support.STORIES, "--json", "-")
        self.assertEqual([study["name"] for study in json.loads(result.text)], [n for n in NAMES if n != "learned"])
        self.assertIn("left out learned", result.err)


class BadInput(TestCase):
    def refuse(self, *arguments, parts=()):
        result = self.fail_with(2, "encodings", *arguments)
        self.assertEqual(result.out, b"")
        for part in parts:
            self.assertIn(part, result.err)

    def test_unknown_name_lists_the_names(self):
        self.refuse("--name", "fourier", parts=["fourier", *NAMES])

    def test_positions(self):
        for text in ("5..2", "5", "..5", "-1..5", "0..x", "0..99999999999999999999", "1...3", ""):
            self.refuse("--name", "binary", "--positions", text, parts=["0..63"])

    def test_numbers_out_of_range(self):
        for option, text in (("--dims", "0"), ("--dims", "1e9"), ("--theta", "nan"), ("--theta", "-1")):
            self.refuse("--name", "rope", option, text, parts=[text])
        for text in ("0.5", "inf", "x"):
            self.refuse("--name", "rope", "--rope-type", "yarn", "--factor", text, parts=[text])
        self.refuse("--name", "rope", "--rope-type", "longrope", parts=["-m"])
        self.refuse("--name", "rope", "--rope-type", "fourier", parts=["yarn"])

    def test_options_that_contradict_each_other(self):
        self.refuse("--name", "rope", "--theta", "5", "-m", _support.STORIES, parts=["--theta"])
        self.refuse("--csv", "-", parts=["--name"])
        self.refuse("--name", "rope", "--name", "binary", "--csv", "-", parts=["--name"])
        self.refuse("--name", "rope", "--csv", "-", "--json", "-", parts=["--json"])

    def test_absurd_sizes_cost_an_error_message(self):
        result = mla("encodings", "--name", "binary", "--positions", "0..2000000000", bounded=True)
        self.assert_one_error_line(result, "0..2000000000", "at most 4194304 values")

    def test_odd_rope(self):
        self.assert_one_error_line(mla("encodings", "--name", "rope", "--dims", "7"), "7 values", "even number")
        result = mla("encodings", "--name", "rope", "--rope-type", "yarn", "--factor", "2", "--theta", "1")
        self.assert_one_error_line(result, "rope_theta 1")

    def test_files_that_cannot_be_written(self):
        file = self.folder / "file"
        file.write_text("")
        self.assert_one_error_line(mla("encodings", "--name", "none", "--svg", file), "file")
        self.assert_one_error_line(mla("encodings", "--name", "none", "--json", file / "below"), "file")


if __name__ == "__main__":
    unittest.main()
