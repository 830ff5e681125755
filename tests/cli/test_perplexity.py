"""mla perplexity."""

import unittest

from _support import TestCase, mla

TEXT = "Once upon a time there was a little dog. The dog ran to the house. " * 12


class Perplexity(TestCase):
    def test_last_line(self):
        file = self.folder / "text"
        file.write_text(TEXT)
        result = self.succeed("perplexity", "-f", file, "-c", 64)
        self.assertRegex(result.text.splitlines()[-1], r"^ppl = \d+\.\d+ \+/- \d+\.\d+$")
        self.assertEqual(result.err, "")
        self.assertEqual(self.succeed("perplexity", "-f", "-", "-c", 64, stdin=TEXT.encode()).out, result.out)

    def test_errors(self):
        self.assert_one_error_line(mla("perplexity", "-f", self.folder / "nowhere"), "nowhere")
        self.assert_one_error_line(mla("perplexity", "-f", self.folder), str(self.folder))
        self.assert_one_error_line(mla("perplexity", "-f", "-"), "expected at least 2")
        self.assert_one_error_line(mla("perplexity", "-f", "-", "-c", 1, stdin=b"A dog ran"), "context")


if __name__ == "__main__":
    unittest.main()
