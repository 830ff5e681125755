"""What happens outside of the program's hands: files that shrink, disks that are full or fail, signals, readers that go
away. Always an exit code that says so and at most one line, and what is written is absent, old or whole."""

import errno
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
import unittest

from _support import DATA, MLA, STORIES, TestCase, environment, mla, start

sys.path.insert(0, str(DATA / "malformed"))

import models

FAULTS = os.environ.get("MLA_FAULTS")
TEXT = "Once upon a time there was a dog. The dog saw a cat. " * 400
OFTEN = int(os.environ.get("MLA_OFTEN", "12"))  # Times that something random is tried.


def finish(process, timeout=60):
    """(exit code, stdout, stderr) of a process whose pipes are read to their ends."""
    out, err = process.communicate(timeout=timeout)
    return process.returncode, out or b"", (err or b"").decode("utf-8", "replace")


def wait_for_token(process):
    """Until the program has written something: it computes with the model then."""
    return process.stdout.read(1)


class FaultCase(TestCase):
    def error_line(self, err):
        """The one line that is an error; progress may stand before it."""
        lines = [line for line in err.splitlines() if line.startswith("mla: error: ")]
        self.assertEqual(len(lines), 1, err)
        return lines[0]

    def no_leftovers(self, folder, *names):
        self.assertEqual(sorted(path.name for path in folder.iterdir()), sorted(names))


class ShrinkingModel(FaultCase):
    def shrink(self, model, file, size, *options):
        process = start("generate", "-m", model, "-p", "Once", "-n", "100000", "--ignore-eos", "--extrapolate", "-c", "100000", *options,
                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip
        wait_for_token(process)
        os.truncate(file, size)
        code, _, err = finish(process)
        self.assertEqual(code, 1, err)
        line = self.error_line(err)
        self.assertIn(str(file), line)
        self.assertIn("cannot be read any more", line)
        self.assertEqual(err.count("\n"), 1, err)

    def test_folder(self):
        for number, options in enumerate((("--precision", "f32"), ("--precision", "f32", "-t", "2"), ("--precision", "fast"))):
            folder = self.folder / f"model{number}"
            shutil.copytree(STORIES, folder)
            self.shrink(folder, folder / "model.safetensors", 4096, *options)

    def test_gguf(self):
        file = self.folder / "model.gguf"
        self.succeed("quantize", "-m", STORIES, "-o", file, "--type", "q8_0")
        self.shrink(file, file, 200_000, "--precision", "f32")

    def test_at_random_moments(self):
        """Before, while and after it is read."""
        source = random.Random(1)
        for attempt in range(OFTEN):
            folder = self.folder / f"random{attempt}"
            shutil.copytree(STORIES, folder)
            file = folder / "model.safetensors"
            command = (["generate", "-m", folder, "-p", "Once", "-n", "20"], ["inspect", "-m", folder],
                       ["quantize", "-m", folder, "-o", self.folder / f"out{attempt}.gguf", "--type", "q4_0"])[attempt % 3]  # fmt: skip
            process = start(*command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            time.sleep(source.uniform(0, 0.15))
            os.truncate(file, source.choice((0, 100, 4096, 100_000, 5_000_000)))
            code, _, err = finish(process)
            self.assertIn(code, (0, 1), err)
            if code == 1:
                self.error_line(err)
        self.assertEqual([path.name for path in self.folder.iterdir() if ".tmp-" in path.name], [])


class Output(FaultCase):
    GENERATE = ("generate", "-m", STORIES, "-p", "Once", "-n", "200", "--ignore-eos")

    def test_reader_goes_away(self):
        for ignored in (False, True):
            process = subprocess.Popen([MLA, *map(str, self.GENERATE)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(),
                                       restore_signals=not ignored)  # fmt: skip
            process.stdout.read(5)
            process.stdout.close()
            err = process.stderr.read()
            process.stderr.close()
            code = process.wait(timeout=60)
            self.assertEqual(err, b"")
            self.assertEqual(code, 141 if ignored else -signal.SIGPIPE)

    def test_shell_pipe(self):
        for command in (self.GENERATE, ("inspect", "-m", STORIES), ("tokenize", "-m", STORIES, "--pieces", TEXT), ("generate", "--help")):
            script = '"$@" | head -c 1 >/dev/null; echo "${PIPESTATUS[0]}"'
            done = subprocess.run(["bash", "-c", script, "bash", MLA, *map(str, command)], capture_output=True, env=environment(), check=False)
            self.assertEqual(done.stderr.replace(b"prefill", b"").count(b"error"), 0, done.stderr)
            self.assertIn(done.stdout, (b"0\n", b"141\n"))

    def test_full_disk(self):
        for command in (self.GENERATE, ("inspect", "-m", STORIES), ("tokenize", "-m", STORIES, "a dog"), ("--help",), ("--version",)):
            with self.subTest(command=command[0]), open("/dev/full", "wb") as full:
                process = start(*command, stdout=full, stderr=subprocess.PIPE)
                code, _, err = finish(process)
                self.assertEqual((code, err.count("\n")), (1, 1), err)
                self.assertIn("stdout: cannot write", err)

    def test_closed_streams(self):
        """A file that is opened must not become stdout or stderr."""
        out = self.folder / "logits.npy"
        expected = self.folder / "expected.npy"
        command = ("logits", "-m", STORIES, "-p", "Once upon a time", "--precision", "f32", "-o")
        self.succeed(*command, expected)
        for closed in ("0<&-", "1>&-", "2>&-", "0<&- 1>&- 2>&-"):
            done = subprocess.run(["bash", "-c", f'"$@" {closed}', "bash", MLA, *map(str, command), str(out)], capture_output=True, env=environment(), check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(out.read_bytes(), expected.read_bytes())
        done = subprocess.run(["bash", "-c", '"$@" >&-', "bash", MLA, "inspect", "-m", str(STORIES)], capture_output=True, env=environment(), check=False)
        self.assertEqual((done.returncode, done.stderr.count(b"\n")), (1, 1), done.stderr)


class Writing(FaultCase):
    """Commands that write files, and what they wrote when all is well."""

    def commands(self):
        return {
            "out.gguf": ("quantize", "-m", STORIES, "--type", "q8_0", "--force", "-o"),
            "out.npy": ("logits", "-m", STORIES, "-p", TEXT[:300], "-o"),
            "out.html": ("compare", "-m", STORIES, "the dog saw the dog", "--html"),
            "out.json": ("compare", "-m", STORIES, "the dog saw the dog", "--json"),
        }

    def whole(self, command):
        place = self.folder / "whole"
        self.succeed(*command, place)
        content = place.read_bytes()
        place.unlink()
        return content

    def check_place(self, place, old, whole):
        """Absent if it was absent, or old, or whole."""
        if not place.exists():
            self.assertIsNone(old)
            return
        content = place.read_bytes()
        self.assertTrue(content in (old, whole), f"{place.name} of {len(content)} bytes, whole {len(whole)}")

    def test_full_disk(self):
        for name, command in self.commands().items():
            whole = self.whole(command)
            for old in (None, b"old"):
                for limit in (0, 1, 100, len(whole) // 2, len(whole) - 1):
                    with self.subTest(name, old=old, limit=limit):
                        folder = self.folder / "place"
                        folder.mkdir()
                        place = folder / name
                        if old is not None:
                            place.write_bytes(old)
                        process = subprocess.Popen([MLA, *map(str, command), str(place)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment(),
                                                   preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))  # fmt: skip
                        code, _, err = finish(process)
                        self.assertEqual(code, 1, err)
                        self.assertIn(name, self.error_line(err))
                        self.no_leftovers(folder, *([] if old is None else [name]))
                        self.check_place(place, old, whole)
                        shutil.rmtree(folder)

    def at_random_moments(self, sent, codes, leftovers):
        source = random.Random(2)
        for name, command in self.commands().items():
            begin = time.monotonic()
            whole = self.whole(command)
            longest = time.monotonic() - begin
            for attempt in range(OFTEN):
                old = b"old" if attempt % 2 else None
                folder = self.folder / "place"
                folder.mkdir()
                place = folder / name
                if old is not None:
                    place.write_bytes(old)
                process = start(*command, place, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
                time.sleep(source.uniform(0, longest))
                process.send_signal(sent)
                code, _, err = finish(process)
                self.assertIn(code, (0, *codes), err)
                self.check_place(place, old, whole)
                if not leftovers:
                    self.no_leftovers(folder, *([name] if place.exists() else []))
                shutil.rmtree(folder)

    def test_kill(self):
        self.at_random_moments(signal.SIGKILL, (-signal.SIGKILL,), True)

    def test_interrupt(self):
        # Before the program has its handlers the signal ends it as it does any program.
        self.at_random_moments(signal.SIGINT, (130, -signal.SIGINT), False)

    def test_terminate(self):
        self.at_random_moments(signal.SIGTERM, (-signal.SIGTERM,), False)


class Interrupt(FaultCase):
    def test_anywhere(self):
        text = self.folder / "text"
        text.write_text(TEXT)
        source = random.Random(3)
        slowest = 0.0
        for command in (
            ("generate", "-m", STORIES, "-p", "Once", "-n", "100000", "--ignore-eos", "--extrapolate", "-c", "100000"),
            ("perplexity", "-m", STORIES, "-f", text),
            ("logits", "-m", STORIES, "-p", TEXT[:1600], "-o", self.folder / "logits.npy"),
            ("compare", "-m", STORIES, "the dog saw the dog", "--html", self.folder / "report.html"),
            ("quantize", "-m", STORIES, "--type", "q4_k_m", "--force", "-o", self.folder / "out.gguf"),
            ("bench", "-m", STORIES),
            ("tokenize", "-m", STORIES),  # Waits for stdin.
        ):
            for _ in range(OFTEN):
                process = start(*command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
                time.sleep(source.uniform(0.02, 0.4))
                begin = time.monotonic()
                process.send_signal(signal.SIGINT)
                process.wait(timeout=60)
                slowest = max(slowest, time.monotonic() - begin)
                err = process.stderr.read()
                for stream in (process.stdin, process.stderr):
                    stream.close()
                # Before the program has its handlers the signal ends it as it does any program.
                self.assertIn(process.returncode, (0, 130, -signal.SIGINT), (command[0], err))
        if "MLA_OFTEN" in os.environ:
            print(f"slowest end after SIGINT: {slowest * 1000:.0f} ms", file=sys.stderr)
        self.assertEqual([path.name for path in self.folder.iterdir() if ".tmp-" in path.name], [])


@unittest.skipUnless(FAULTS, "MLA_FAULTS names no library that makes calls fail")
class FailingCalls(FaultCase):
    """Each call of a function of the system fails once."""

    def run_with(self, command, function, number, error, calls=None):
        variables = {"LD_PRELOAD": FAULTS, "MLA_FAULT": f"{function}:{number}:{error}"}
        if calls:
            variables["MLA_FAULT_CALLS"] = str(calls)
        return mla(*command, **variables)

    def each(self, command, function, error, harmless=False, check=lambda result: None):
        calls = self.folder / "calls"
        right = self.run_with(command, function, 0, error, calls)
        self.assertEqual(right.code, 0, right.err)
        count = int(calls.read_text())
        self.assertGreater(count, 0, function)
        failed = 0
        for number in range(1, count + 1):
            with self.subTest(command=command[0], function=function, number=number):
                result = self.run_with(command, function, number, error)
                if result.code == 0:  # What failed was not needed (how many cores there are) or tried again.
                    self.assertEqual(result.out, right.out)
                else:
                    self.assert_one_error_line(result)
                    failed += 1
                check(result)
        if not harmless:
            self.assertGreater(failed, 0, function)

    def models(self):
        folder = models.deepseek()
        folder.shard()
        folder.write(self.folder / "model")
        (self.folder / "model.gguf").write_bytes(models.gguf_llama().bytes())
        return self.folder / "model", self.folder / "model.gguf"

    def test_reading(self):
        for model in self.models():
            command = ("generate", "-m", model, "-p", "abab", "-n", "1", "--temp", "0", "-t", "1", "--seed", "1")
            self.each(command, "read", errno.EIO, harmless=True)
            self.each(command, "mmap", errno.ENOMEM)
            self.each(command, "open", errno.EMFILE)
            self.each(command, "fstat", errno.EIO, harmless=True)
            self.each(("inspect", "-m", model), "open", errno.EACCES)

    def test_reading_json(self):
        folder, _ = self.models()
        self.each(("tokenize", "-m", folder, "abab"), "read", errno.EIO)

    def test_writing(self):
        folder, gguf = self.models()
        out = self.folder / "place"
        out.mkdir()
        place = out / "out"

        def check(result):
            self.no_leftovers(out, *(["out"] if result.code == 0 else []))
            if result.code == 0:
                place.unlink()

        for command in (("quantize", "-m", gguf, "--type", "q8_0", "-o", place), ("logits", "-m", folder, "--ids", "1,2", "-o", place)):
            for function, error in (("write", errno.ENOSPC), ("fsync", errno.EIO), ("rename", errno.EROFS)):
                place.unlink(missing_ok=True)
                calls = self.folder / "calls"
                self.assertEqual(self.run_with(command, function, 0, error, calls).code, 0)
                place.unlink()
                for number in range(1, int(calls.read_text()) + 1):
                    result = self.run_with(command, function, number, error)
                    self.assert_one_error_line(result, "out", os.strerror(error))
                    check(result)

    def test_memory(self):
        """A malloc fails, or all from there on."""
        for model in self.models():
            command = ("generate", "-m", model, "-p", "abab", "-n", "1", "--temp", "0", "-t", "1", "--seed", "1")
            calls = self.folder / "calls"
            right = self.run_with(command, "malloc", 0, errno.ENOMEM, calls)
            self.assertEqual(right.code, 0, right.err)
            step = 1 if OFTEN >= 100 else 23
            for function in ("malloc", "mallocs"):
                for number in range(1, int(calls.read_text()) + 1, step):
                    with self.subTest(model=model.name, function=function, number=number):
                        result = self.run_with(command, function, number, errno.ENOMEM)
                        if result.code == 0:
                            self.assertEqual(result.out, right.out)
                            continue
                        self.assertEqual(result.code, 1, result.err)
                        self.error_line(result.err)  # The report may stand before it.


if __name__ == "__main__":
    unittest.main()
