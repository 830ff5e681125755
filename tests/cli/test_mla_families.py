"""The commands on checkpoints of the families around DeepSeek, which need no more than a few letters."""

import json
import string
import unittest

from _support import CHECKPOINTS, TestCase, write_json

ENCODINGS = ["none", "integer", "binary", "sinusoidal", "learned", "rope-decoupled", "alibi"]
# Attention blocks of each.
GOLDENS = {"minicpm3_plain": 3, "youtu_published": 2, "glm4_layer_types": 3, "mistral4_groups": 2,
           "longcat_published": 2, "longcat_two_layers": 4}  # fmt: skip
TEXT = "a dog saw a dog"


def letters():
    """A tokenizer of single letters, the space first."""
    vocabulary = {"\u0120": 0, **{letter: number for number, letter in enumerate(string.ascii_lowercase, 1)}}
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    return {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None,
        "pre_tokenizer": byte_level, "post_processor": None, "decoder": byte_level,
        "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
                  "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "vocab": vocabulary,
                  "merges": []},
    }  # fmt: skip


class MlaFamilies(TestCase):
    def model(self, name):
        folder = self.copy(name, name)
        write_json(folder / "tokenizer.json", letters())
        return folder

    def test_every_encoding_in_every_family(self):
        for name, blocks in GOLDENS.items():
            with self.subTest(name):
                document = json.loads(self.succeed("compare", TEXT, "--word", "a", "-m", self.model(name), "--json", "-").out)
                self.assertEqual([row["encoding"] for row in document["rows"][::2]], ENCODINGS)
                for row in document["rows"]:
                    self.assertEqual(len(row["layers"]), blocks)
                    self.assertEqual(row["trained"], row["encoding"] == "rope-decoupled")
                    untold = (row["encoding"], row["mask"]) == ("none", "bidirectional")
                    self.assertEqual(row["identical"], untold, row["encoding"])

    def test_a_text_goes_on(self):
        for name in GOLDENS:
            text = self.succeed("generate", "-m", self.model(name), "-p", TEXT, "-n", 5, "--temp", 0, "--ignore-eos",
                                "--print-ids").text  # fmt: skip
            self.assertEqual(len(text.replace(",", " ").split()), 5, name)

    def test_inspection_tells_all_blocks_and_experts(self):
        about = json.loads(self.succeed("inspect", "--json", "-m", CHECKPOINTS / "longcat_published", "--precision", "f32").out)
        self.assertEqual(about["dimensions"]["num_hidden_layers"], 2)
        self.assertEqual(about["dimensions"]["zero_experts"], 5)
        self.assertEqual(about["kv_cache_bytes_per_token"]["latent"], 2 * (19 + 8) * 4)


if __name__ == "__main__":
    unittest.main()
