"""tools/random_checkpoint.py: what it writes is what the program reads, and what it would have written itself."""

import importlib.util
import os
import re
import subprocess
import sys
import unittest

from _support import PROJECT, TestCase
from test_quantize import Gguf

PROGRAM = PROJECT / "tools" / "random_checkpoint.py"


@unittest.skipUnless(importlib.util.find_spec("numpy"), "needs numpy")
class RandomCheckpoint(TestCase):
    def run_tool(self, *arguments):
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
        return subprocess.run([sys.executable, PROGRAM, *map(str, arguments)], capture_output=True, text=True,
                              env=environment, check=False)  # fmt: skip

    def make(self, name, shape, *arguments):
        output = self.folder / name
        result = self.run_tool(shape, output, "--vocab", 300, "--layers", 1, *arguments)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(os.listdir(self.folder).count(name + ".part"), 0)
        return output

    def assert_speaks(self, model):
        """Loads, generates a text, and scores it neither at random nor with certainty."""
        self.succeed("inspect", "-m", model)
        ids = self.succeed("generate", "-m", model, "--ids", "5,6,7", "-n", 4, "--temp", 0, "--print-ids").text
        self.assertRegex(ids, r"^\d+([, ]\d+)*\s*$")
        text = self.folder / "text"
        text.write_text("abcdefgh" * 20)
        printed = self.succeed("perplexity", "-m", model, "-f", text, "-c", 32).text
        perplexity = float(re.search(r"ppl = ([0-9.]+)", printed)[1])
        self.assertLess(20, perplexity)
        self.assertLess(perplexity, 300 * 50)

    def test_folders(self):
        for shape, dtype in (("smollm2-135m", "f16"), ("mla-toy", "f32"), ("mla-toy", "bf16")):
            with self.subTest(shape=shape, dtype=dtype):
                folder = self.make(f"{shape}-{dtype}", shape, "--dtype", dtype)
                self.assert_speaks(folder)
                self.assertIn(dtype, self.succeed("inspect", "-m", folder).text.lower())

    def test_gguf_files_are_as_quantize_writes_them(self):
        """Names, shapes, types and metadata; values are random in both."""
        for shape in ("smollm2-135m", "mla-toy"):
            folder = self.make(shape, shape)
            for kind in ("f32", "bf16", "q8_0", "q4_0", "q4_k_m"):
                with self.subTest(shape=shape, kind=kind):
                    ours = Gguf(self.make(f"{shape}-{kind}.gguf", shape, "--gguf", kind))
                    expected_file = self.folder / "expected.gguf"
                    self.succeed("quantize", "-m", folder, "-o", expected_file, "--type", kind, "--force")
                    expected = Gguf(expected_file)
                    self.assertEqual(ours.tensors, expected.tensors)
                    self.assertEqual(len(ours.content) - ours.data, len(expected.content) - expected.data)
                    self.assertEqual(ours.metadata, expected.metadata)

    def test_every_type_of_file(self):
        for kind in ("f32", "f16", "bf16", "q8_0", "q4_0", "q4_k_m"):
            with self.subTest(kind=kind):
                self.assert_speaks(self.make(kind, "mla-toy", "--gguf", kind))

    def test_the_seed_decides(self):
        files = [
            self.make(f"{i}.gguf", "mla-toy", "--gguf", "q4_k_m", "--seed", seed) for i, seed in enumerate((1, 1, 2))
        ]
        first, again, other = (file.read_bytes() for file in files)
        self.assertEqual(first, again)
        self.assertNotEqual(first, other)

    def test_wrong_arguments(self):
        existing = self.folder / "existing"
        existing.mkdir()
        for arguments, message in (
            (("mla-toy", self.folder / "a", "--layers", 5), "--layers: found 5, expected 1 to 4"),
            (("mla-toy", self.folder / "a", "--vocab", 257), "--vocab: found 257, expected at least 258"),
            (("mla-toy", self.folder / "a", "--gguf", "f32", "--dtype", "f32"), "--dtype"),
            (("mla-toy", existing), "exists; --force"),
            (("mla-toy", existing, "--force"), "no checkpoint"),
            (("mla-toy", existing, "--force", "--gguf", "f32"), "is a folder"),
        ):
            with self.subTest(arguments=arguments):
                result = self.run_tool(*arguments)
                self.assertEqual(result.returncode, 2, result.stderr)
                self.assertIn(message, result.stderr)
                self.assertEqual(os.listdir(self.folder), ["existing"])


if __name__ == "__main__":
    unittest.main()
