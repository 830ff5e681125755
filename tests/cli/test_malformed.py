"""The table of malformed inputs (tests/malformed/table.py), group by group."""

import sys
import unittest

from _support import DATA, SANITIZED

sys.path.insert(0, str(DATA / "malformed"))

import table
from case import run_case


class Malformed(unittest.TestCase):
    def check(self, group, at_least):
        names = set()
        for case in table.GROUPS[group]():
            self.assertNotIn(case.name, names)
            names.add(case.name)
            with self.subTest(case.name):
                for run in run_case(case, measured=not SANITIZED):
                    self.assertEqual(run.faults, [], f"{run.command}: {run.err}")
        self.assertGreaterEqual(len(names), at_least)

    def test_safetensors(self):
        self.check("safetensors", 200)

    def test_config(self):
        self.check("config", 600)

    def test_tokenizer(self):
        self.check("tokenizer", 250)

    def test_gguf(self):
        self.check("gguf", 400)

    def test_places(self):
        self.check("places", 100)

    def test_inputs(self):
        self.check("inputs", 100)


class RightOnes(unittest.TestCase):
    """What the cases are made of is right: they fail for what was spoilt."""

    def test_models(self):
        for name, make in table.RIGHT.items():
            with self.subTest(name):
                for run in table.run_right(make):
                    self.assertEqual(run.code, 0, f"{run.command}: {run.err}")


if __name__ == "__main__":
    unittest.main()
