"""mla generate."""

import os
import pty
import signal
import subprocess
import time
import unittest

from _support import CHECKPOINTS, STORIES, TestCase, environment, join, mla, reference, start

GOLDEN = CHECKPOINTS / "v3_groups"


class Generate(TestCase):
    def test_greedy_ids_are_the_references_on_every_instruction_set(self):
        for name in ("v3_groups", "v2_lite_yarn"):
            golden = reference(name)
            ids, expected = golden["prompt_ids"], golden["greedy_ids"]
            arguments = ["generate", "-m", CHECKPOINTS / name, "--ids", join(ids), "-n", len(expected), "--temp", 0, "--print-ids"]
            for isa in ("", "scalar", "avx2", "avx512", "neon"):
                result = mla(*arguments, MLA_ISA=isa)
                if result.code == 1 and "expected one this processor has" in result.err:
                    continue
                self.assertEqual(result.text, " ".join(map(str, expected)) + "\n", (name, isa, result.err))

    def test_unknown_instruction_set(self):
        result = mla("generate", "-m", GOLDEN, "--ids", "1", "-n", 1, "--print-ids", MLA_ISA="bogus")
        self.assert_one_error_line(result, "MLA_ISA", "bogus", "scalar")

    def test_speed_goes_to_stderr_without_escape_codes(self):
        result = self.succeed("generate", "-p", "Once upon a time", "-n", 8, "--temp", 0)
        self.assertTrue(result.text.startswith("Once upon a time"))
        self.assertRegex(result.err, r"^prefill: \d+ tokens, [\d.]+ tokens/s; decode: \d+ tokens, [\d.]+ tokens/s")
        self.assertNotIn("\x1b", result.err)
        self.assertNotIn("\r", result.err)

    def test_seed(self):
        def text(seed):
            return self.succeed("generate", "-p", "Once upon a time", "-n", 30, "--temp", 1, "--seed", seed, "--ignore-eos").out

        self.assertEqual(text(5), text(5))
        self.assertGreater(len({text(seed) for seed in range(4)}), 1)

    def test_stop(self):
        whole = self.succeed("generate", "-p", "Once upon a time", "-n", 20, "--temp", 0).text
        new = whole.removeprefix("Once upon a time").rstrip("\n")
        stop = new[6:10]
        result = self.succeed("generate", "-p", "Once upon a time", "-n", 20, "--temp", 0, "--stop", stop)
        self.assertEqual(result.text, "Once upon a time" + new[: new.find(stop)] + "\n")

    def test_prompt_from_file_and_stdin(self):
        arguments = ["-n", 5, "--temp", 0]
        expected = self.succeed("generate", "-p", "A dog", *arguments).out
        (self.folder / "prompt").write_text("A dog")
        self.assertEqual(self.succeed("generate", "-f", self.folder / "prompt", *arguments).out, expected)
        self.assertEqual(self.succeed("generate", "-f", "-", *arguments, stdin=b"A dog").out, expected)

    def test_default_model(self):
        arguments = ["generate", "--ids", "1,2", "-n", 3, "--temp", 0, "--print-ids", "--ignore-eos"]
        named = self.succeed(*arguments, "-m", GOLDEN).out
        self.assertEqual(self.succeed(*arguments, MLA_MODEL=str(GOLDEN), cwd="/").out, named)
        shipped = self.succeed(*arguments, "-m", STORIES).out
        self.assertEqual(self.succeed(*arguments, cwd="/").out, shipped)
        self.assert_one_error_line(mla(*arguments, MLA_MODEL="/nowhere"), "/nowhere")

    def test_closed_stdout_ends_quietly(self):
        process = start("generate", "-p", "Once", "-n", 300, "--ignore-eos", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        process.stdout.read(1)
        process.stdout.close()
        error = process.stderr.read()
        process.stderr.close()
        self.assertIn(process.wait(60), (0, -signal.SIGPIPE))
        self.assertNotIn(b"error", error)

    def test_full_disk(self):
        with open("/dev/full", "wb") as full:
            process = start("generate", "-p", "Once", "-n", 3, stdout=full, stderr=subprocess.PIPE)
            error = process.communicate(timeout=60)[1].decode()
        self.assertEqual(process.returncode, 1)
        self.assertIn("stdout: cannot write: No space left on device", error)
        self.assertEqual(error.count("\n"), 1)

    def test_interrupt(self):
        process = start("generate", "-f", "-", stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        time.sleep(1)  # It waits for its prompt.
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130)

    def test_progress_bar_on_a_terminal_is_wiped(self):
        master, slave = pty.openpty()
        ids = join([1] * 1000)
        process = start(
            "generate", "-m", GOLDEN, "--ids", ids, "-n", 1, "--print-ids", "--batch", 1, "-t", 1,
            stdout=subprocess.DEVNULL, stderr=slave, env=environment(MLA_ISA="scalar"),
        )
        os.close(slave)
        seen = b""
        while True:
            try:
                piece = os.read(master, 4096)
            except OSError:
                break
            if not piece:
                break
            seen += piece
        os.close(master)
        self.assertEqual(process.wait(60), 0)
        if b"#" in seen or b"[-" in seen:  # Quick work shows none.
            self.assertIn(b"\r\x1b[K", seen)
            self.assertNotIn(b"[", seen[seen.rindex(b"\r\x1b[K") + 4 :])


class Usage(TestCase):
    def test_usage_errors(self):
        for arguments in (
            [], ["nonsense"], ["generate", "--bogus"], ["generate", "-n", "x"], ["generate", "-p", "a", "--ids", "1"],
            ["generate", "-p", "a", "--temp", "-1"], ["generate", "-p", "a", "--top-p", "2"], ["generate", "-t", "0"],
            ["generate", "--batch", "0"], ["generate", "-p", "a", "--top-k", "-1"], ["logits", "--ids", "1"],
            ["logits", "-o", "x.npy"], ["perplexity"], ["tokenize", "--jsonl", "text"], ["inspect", "--precision", "f8"],
        ):  # fmt: skip
            with self.subTest(arguments=arguments):
                result = self.fail_with(2, *arguments)
                self.assertEqual(result.out, b"")
                self.assertNotEqual(result.err, "")

    def test_examples_of_the_help_work(self):
        (self.folder / "README.md").write_text("Once upon a time there was a dog. " * 60)
        (self.folder / "models").symlink_to(STORIES.parent)
        for command in ("generate", "tokenize", "logits", "perplexity", "inspect"):
            with self.subTest(command=command):
                text = self.succeed(command, "--help").text
                example = text[text.index("Example:") :].splitlines()[1].strip()
                process = subprocess.run(
                    ["sh", "-c", 'mla() { "$MLA" "$@"; }; ' + example], cwd=self.folder, capture_output=True,
                    timeout=120, env=environment(MLA=os.environ.get("MLA", str(CHECKPOINTS.parents[2] / "build" / "mla"))),
                    check=False,
                )  # fmt: skip
                self.assertEqual(process.returncode, 0, process.stderr)


if __name__ == "__main__":
    unittest.main()
