"""mla inspect."""

import json
import unittest

from _support import CHECKPOINTS, TestCase


class Inspect(TestCase):
    def test_json(self):
        info = json.loads(self.succeed("inspect", "-m", CHECKPOINTS / "v2_defaults", "--json", "--precision", "f32").text)
        self.assertEqual(info["architecture"], "deepseek_v2")
        self.assertEqual(info["parameters"], {"total": 41281, "active": 27817})
        self.assertEqual(info["kv_cache_bytes_per_token"], {"latent": 160, "full": 600})
        self.assertEqual(info["dtypes"], {"BF16": {"tensors": 46, "bytes": 82562}})
        self.assertEqual(info["tokenizer"], "none")

    def test_precision(self):
        self.assertRegex(self.succeed("inspect", "-m", CHECKPOINTS / "v2_defaults").text, r"(?m)^precision +fast$")
        for precision in ("f32", "fast"):
            arguments = ("inspect", "-m", CHECKPOINTS / "v2_defaults", "--precision", precision)
            self.assertRegex(self.succeed(*arguments).text, rf"(?m)^precision +{precision}$")
            self.assertEqual(json.loads(self.succeed(*arguments, "--json").text)["precision"], precision)
        self.assertIn("f32", self.fail_with(2, "inspect", "--precision", "half").err)

    def test_every_golden(self):
        for folder in sorted(CHECKPOINTS.iterdir()):
            if folder.is_dir():
                with self.subTest(folder.name):
                    text = self.succeed("inspect", "-m", folder).text
                    self.assertIn(str(folder), text)
                    self.assertIn("parameters", text)


if __name__ == "__main__":
    unittest.main()
