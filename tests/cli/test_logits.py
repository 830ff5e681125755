"""mla logits."""

import unittest

from _support import CHECKPOINTS, TestCase, join, mla, read_npy, reference

GOLDEN = CHECKPOINTS / "v3_groups"


class Logits(TestCase):
    def setUp(self):
        super().setUp()
        self.ids = reference("v3_groups")["prompt_ids"]

    def write(self, name, *arguments):
        file = self.folder / name
        result = self.succeed("logits", "-m", GOLDEN, "--ids", join(self.ids), "-o", file, "--precision", "f32", *arguments)
        self.assertEqual((result.out, result.err), (b"", ""))
        return file

    def test_values_and_header(self):
        shape, values = read_npy(self.write("logits.npy"))
        self.assertEqual(shape, (len(self.ids), 103))
        expected_shape, expected = read_npy(GOLDEN / "logits.npy")
        self.assertEqual(shape, expected_shape)
        self.assertLess(max(abs(a - b) for a, b in zip(values, expected)), 1e-4)

    def test_threads_give_the_same_bits(self):
        alone = self.write("1.npy", "-t", 1).read_bytes()
        for threads in (2, 3, 8):
            self.assertEqual(self.write(f"{threads}.npy", "-t", threads).read_bytes(), alone)

    def test_batches_agree(self):
        expected = read_npy(self.write("whole.npy"))[1]
        for batch in (1, 7, 64):
            values = read_npy(self.write(f"{batch}.npy", "--batch", batch))[1]
            self.assertLess(max(abs(a - b) for a, b in zip(values, expected)), 1e-4)

    def test_failure_leaves_no_file(self):
        self.assert_one_error_line(mla("logits", "-m", GOLDEN, "--ids", "1,999", "-o", self.folder / "x.npy"), "999")
        self.assert_one_error_line(mla("logits", "-m", GOLDEN, "--ids", "1", "-o", self.folder / "no" / "x.npy"), "x.npy")
        self.assertEqual(list(self.folder.iterdir()), [])


if __name__ == "__main__":
    unittest.main()
