"""GGUF files behind -m, in every command that takes a model."""

import json
import shutil
import unittest

from _support import DATA, TestCase, mla

GGUF = DATA / "golden" / "gguf"


class Gguf(TestCase):
    def test_inspect(self):
        info = json.loads(self.succeed("inspect", "-m", GGUF / "deepseek2_v3_blocks" / "model.gguf", "--json").text)
        self.assertEqual(info["format"], "GGUF v3")
        self.assertEqual(info["file_type"], "Q8_0")
        self.assertEqual(info["architecture"], "deepseek_v3")
        self.assertEqual(set(info["dtypes"]), {"F32", "Q8_0", "Q5_0", "Q4_0"})
        self.assertIn("BPE", info["tokenizer"])
        self.assertFalse(info["chat_template"])
        self.assertEqual(info["ignored_config"], ["general.name"])
        text = self.succeed("inspect", "-m", GGUF / "llama_old" / "model.gguf").text
        for part in ("GGUF v2, mostly F16", "chat template", "metadata not used", "general.name"):
            self.assertIn(part, text)

    def test_every_golden(self):
        for folder in sorted(GGUF.iterdir()):
            with self.subTest(folder.name):
                file = folder / "model.gguf"
                reference = json.loads((folder / "reference.json").read_text())
                ids = ",".join(map(str, reference["prompt_ids"]))
                options = ["--ids", ids, "-n", "24", "--temp", "0", "--print-ids", "--precision", "f32"]
                expected = " ".join(map(str, reference["greedy_ids"])) + "\n"
                self.assertEqual(self.succeed("generate", "-m", file, *options).text, expected)
                self.assertEqual(self.succeed("generate", "-m", folder, *options).text, expected)

    def test_text(self):
        file = GGUF / "llama" / "model.gguf"
        ids = self.succeed("tokenize", "-m", file, "Hello there").text.split()
        self.assertEqual(self.succeed("tokenize", "-m", file, "--decode", " ".join(ids)).text, "Hello there\n")
        self.assertTrue(self.succeed("generate", "-m", file, "-p", "Hello", "-n", "4").text.startswith("Hello"))
        self.succeed("logits", "-m", file, "-p", "Hello", "-o", self.folder / "logits.npy")
        text = self.folder / "text"
        text.write_text("Hello there, how are you?")
        self.assertIn("ppl", self.succeed("perplexity", "-m", file, "-f", text).text)

    def test_laboratory(self):
        file = GGUF / "deepseek2_v2_lite" / "model.gguf"
        self.assertIn("rope", self.succeed("compare", "-m", file, "the dog saw the dog").text)
        self.assertTrue(self.succeed("encodings", "-m", GGUF / "gpt2" / "model.gguf", "--name", "learned").text)

    def test_what_is_neither(self):
        wrong = self.folder / "wrong.gguf"
        wrong.write_bytes(b"GGUX" + bytes(100))
        self.assert_one_error_line(mla("inspect", "-m", wrong), "wrong.gguf", "expected a GGUF file or a model folder")
        shutil.copy(GGUF / "llama" / "model.gguf", wrong)
        with open(wrong, "r+b") as file:
            file.truncate(1000)
        self.assert_one_error_line(mla("inspect", "-m", wrong), "wrong.gguf")


if __name__ == "__main__":
    unittest.main()
