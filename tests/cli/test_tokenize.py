"""mla tokenize."""

import json
import shutil
import unittest

from _support import STORIES, TestCase, mla

TEXTS = ["Once upon a time", "", " two  spaces\n\ttab", "é 日本 🙂", 'quote " and \\', "x<|end_of_text|>y", "\x00\x7f"]


class Tokenize(TestCase):
    def test_jsonl_round_trip(self):
        lines = "".join(json.dumps(text) + "\n" for text in TEXTS)
        ids = self.succeed("tokenize", "--jsonl", stdin=lines.encode()).out
        self.assertEqual(len(ids.splitlines()), len(TEXTS))
        self.assertEqual(json.loads(ids.splitlines()[1]), [])
        self.assertIn(1, json.loads(ids.splitlines()[5]))  # A special token written out.
        back = self.succeed("tokenize", "--jsonl", "--decode", "--special", stdin=ids).text
        self.assertEqual([json.loads(line) for line in back.splitlines()], TEXTS)

    def test_text_and_back(self):
        ids = self.succeed("tokenize", "A dog ran.").text
        self.assertEqual(self.succeed("tokenize", stdin=b"A dog ran.").text, ids)
        self.assertEqual(self.succeed("tokenize", "--decode", ids).text, "A dog ran.\n")

    def test_needs_the_tokenizer_only(self):
        shutil.copy(STORIES / "tokenizer.json", self.folder)
        expected = self.succeed("tokenize", "A dog").out
        self.assertEqual(self.succeed("tokenize", "-m", self.folder, "A dog").out, expected)
        self.assertEqual(self.succeed("tokenize", "-m", self.folder / "tokenizer.json", "A dog").out, expected)

    def test_errors_name_the_line(self):
        for line in (b"abc", b"1", b"[1]", b'"open', b'"\xff"', b"null"):
            self.assert_one_error_line(mla("tokenize", "--jsonl", stdin=line + b"\n"), "stdin line 1")
        for line in (b'"1"', b"[-1]", b"[1.5]", b"[99999999999]", b'["1"]', b"{}"):
            self.assert_one_error_line(mla("tokenize", "--jsonl", "--decode", stdin=line + b"\n"), "stdin line 1")
        self.assert_one_error_line(mla("tokenize", "--decode", "1,x"), "ids")
        self.assert_one_error_line(mla("tokenize", "--decode", "99999"), "99999")


if __name__ == "__main__":
    unittest.main()
