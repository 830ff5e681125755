"""mla perplexity."""

import re
import unittest

from _support import CHECKPOINTS, STORIES, TestCase, mla

TEXT = "Once upon a time there was a little dog. The dog ran to the house. " * 12


class Perplexity(TestCase):
    def test_last_line(self):
        file = self.folder / "text"
        file.write_text(TEXT)
        result = self.succeed("perplexity", "-f", file, "-c", 64)
        self.assertRegex(result.text.splitlines()[-1], r"^ppl = \d+\.\d+ \+/- \d+\.\d+$")
        self.assertEqual(result.err, "")
        self.assertEqual(self.succeed("perplexity", "-f", "-", "-c", 64, stdin=TEXT.encode()).out, result.out)

    def divergence(self, *arguments):
        """The numbers behind "ppl ratio", "KL divergence" with its error, 99% and max, and "same top token"."""
        text = self.succeed("perplexity", "-f", "-", "-c", 64, *arguments, stdin=TEXT.encode()).text
        match = re.search(
            r"^ppl ratio = (\S+)\nKL divergence = (\S+) \+/- (\S+) nats a token, 99% = (\S+), max = (\S+)\n"
            r"same top token = (\S+)%\n\Z",
            text, re.MULTILINE,
        )  # fmt: skip
        self.assertIsNotNone(match, text)
        return text, [float(number) for number in match.groups()]

    def test_same_model_as_reference(self):
        plain = self.succeed("perplexity", "-f", "-", "-c", 64, "--precision", "f32", stdin=TEXT.encode()).text
        for arguments in (["--reference"], ["--reference", STORIES]):
            with self.subTest(arguments=arguments):
                text, numbers = self.divergence("--precision", "f32", *arguments)
                self.assertEqual(numbers, [1, 0, 0, 0, 0, 100])
                self.assertTrue(text.startswith(plain), text)
                self.assertIn("\nreference " + plain.splitlines()[-1] + "\n", text)

    def test_quantized_against_its_source(self):
        file = self.folder / "stories.gguf"
        self.succeed("quantize", "-m", STORIES, "-o", file, "--type", "q4_0")
        _, (ratio, kl, error, percentile, greatest, same) = self.divergence("-m", file, "--reference", STORIES)
        self.assertTrue(0.5 < ratio < 2, ratio)
        self.assertTrue(0 < error < kl < percentile <= greatest, (error, kl, percentile, greatest))
        self.assertTrue(1e-6 < kl < 0.5, kl)
        self.assertTrue(50 < same <= 100, same)

    def test_fast_within_its_bounds(self):
        # What docs/performance.md says, on a text that the model could have written.
        text = self.succeed("generate", "-p", "Once upon a time", "-n", 300, "--temp", 0.8, "--seed", 3).out
        q8_0 = self.folder / "q8_0.gguf"
        self.succeed("quantize", "-m", STORIES, "-o", q8_0, "--type", "q8_0")
        for model, bound in ((STORIES, 5e-5), (q8_0, 1e-3)):
            out = self.succeed("perplexity", "-m", model, "-f", "-", "-c", 64, "--reference", stdin=text).text
            divergence = float(re.search(r"KL divergence = (\S+)", out)[1])
            self.assertTrue(0 < divergence <= bound, out)

    def test_reference_errors(self):
        missing = self.folder / "nowhere"
        self.assert_one_error_line(mla("perplexity", "-f", "-", "--reference", missing, stdin=TEXT.encode()), "nowhere")
        other = CHECKPOINTS / "v2_defaults"
        result = mla("perplexity", "-f", "-", "--reference", other, stdin=TEXT.encode())
        self.assert_one_error_line(result, "vocab_size", str(STORIES), str(other), "expected 97")

    def test_errors(self):
        self.assert_one_error_line(mla("perplexity", "-f", self.folder / "nowhere"), "nowhere")
        self.assert_one_error_line(mla("perplexity", "-f", self.folder), str(self.folder))
        self.assert_one_error_line(mla("perplexity", "-f", "-"), "expected at least 2")
        self.assert_one_error_line(mla("perplexity", "-f", "-", "-c", 1, stdin=b"A dog ran"), "context")


if __name__ == "__main__":
    unittest.main()
