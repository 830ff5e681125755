"""What the tests of the command-line program share: running it, and making checkpoints that are wrong in one way."""

import ast
import json
import os
import pathlib
import resource
import shutil
import signal
import struct
import subprocess
import tempfile
import unittest

PROJECT = pathlib.Path(__file__).resolve().parents[2]
MLA = os.environ.get("MLA", str(PROJECT / "build" / "mla"))
MODELS = pathlib.Path(os.environ.get("MLA_MODELS_DIR", PROJECT / "models"))
DATA = pathlib.Path(os.environ.get("MLA_TEST_DATA_DIR", PROJECT / "tests"))
CHECKPOINTS = DATA / "golden" / "checkpoints"
STORIES = MODELS / "stories"

TIMEOUT = 120  # Seconds: the machine may be busy.
ADDRESS_SPACE = 1 << 30


def environment(**changes):
    """The environment without this project's own variables, but with `changes`."""
    variables = {name: value for name, value in os.environ.items() if name not in ("MLA_MODEL", "MLA_ISA")}
    variables.update(changes)
    return variables


def prepare_child(address_space):
    def prepare():
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if address_space:
            resource.setrlimit(resource.RLIMIT_AS, (address_space, address_space))

    return prepare


def sanitized():
    """AddressSanitizer and ThreadSanitizer reserve terabytes of addresses; no bound can be set then."""
    with open(MLA, "rb") as program:
        content = program.read()
    return b"__asan_init" in content or b"__tsan_init" in content


SANITIZED = sanitized()


class Result:
    def __init__(self, process):
        self.code = process.returncode
        self.out = process.stdout
        self.err = process.stderr.decode("utf-8", "replace")
        self.text = process.stdout.decode("utf-8", "replace")


def mla(*arguments, stdin=b"", cwd=None, bounded=False, timeout=TIMEOUT, **variables):
    """Runs the program with stdin's bytes; `bounded`: with little address space."""
    process = subprocess.run(
        [MLA, *map(str, arguments)],
        input=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=cwd,
        env=environment(**variables),
        timeout=timeout,
        preexec_fn=prepare_child(ADDRESS_SPACE if bounded and not SANITIZED else 0),
        check=False,
    )
    return Result(process)


def start(*arguments, **options):
    """A process to talk to. Its pipes are the caller's to close."""
    options.setdefault("env", environment())
    return subprocess.Popen([MLA, *map(str, arguments)], preexec_fn=prepare_child(0), **options)


class TestCase(unittest.TestCase):
    """With a folder of its own that vanishes after the test."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="mla-cli-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def succeed(self, *arguments, **options):
        result = mla(*arguments, **options)
        self.assertEqual(result.code, 0, f"{arguments}: {result.err}")
        return result

    def fail_with(self, code, *arguments, **options):
        result = mla(*arguments, **options)
        self.assertEqual(result.code, code, f"{arguments}: exit code {result.code}, stderr {result.err!r}")
        return result

    def assert_one_error_line(self, result, *parts):
        """Exit code 1, nothing on stdout, and one line on stderr that has all of `parts`."""
        self.assertEqual(result.code, 1, f"exit code {result.code}, stderr {result.err!r}")
        self.assertEqual(result.out, b"")
        self.assertTrue(result.err.endswith("\n"), repr(result.err))
        self.assertEqual(result.err.count("\n"), 1, repr(result.err))
        self.assertTrue(result.err.startswith("mla: error: "), repr(result.err))
        self.assertNotIn("out of memory", result.err)
        for part in parts:
            self.assertIn(part, result.err)

    def copy(self, name, to="model"):
        return copy_checkpoint(name, self.folder / to)


def copy_checkpoint(name, folder):
    """A golden checkpoint's files that the program reads, to be changed."""
    folder.mkdir()
    for file in (CHECKPOINTS / name).iterdir():
        if file.name.endswith(".safetensors") or file.name in (
            "config.json",
            "generation_config.json",
            "model.safetensors.index.json",
        ):
            shutil.copy(file, folder)
    return folder


def read_json(file):
    return json.loads(file.read_text())


def write_json(file, value):
    file.write_text(json.dumps(value))


def reference(name):
    return read_json(CHECKPOINTS / name / "reference.json")


def join(ids):
    return ",".join(map(str, ids))


def read_safetensors(file):
    """The header, in the order of the data, and the data."""
    content = file.read_bytes()
    start_of_data = 8 + int.from_bytes(content[:8], "little")
    return json.loads(content[8:start_of_data]), content[start_of_data:]


def write_safetensors(file, header, data):
    """Whatever it is given, well-formed or not. `header`: a dictionary, or the text of one."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    file.write_bytes(struct.pack("<Q", len(text)) + text + data)


def rebuild(file, change):
    """Writes a well-formed file again after `change`({name: [dtype, shape, bytes]})."""
    header, data = read_safetensors(file)
    tensors = {
        name: [entry["dtype"], entry["shape"], data[slice(*entry["data_offsets"])]]
        for name, entry in header.items()
        if name != "__metadata__"
    }
    change(tensors)
    header, data = {}, b""
    for name, (dtype, shape, content) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    write_safetensors(file, header, data)


def read_npy(file):
    """(shape, values) of a float32 .npy file of version 1.0; the header is checked to the letter."""
    content = file.read_bytes()
    assert content[:8] == b"\x93NUMPY\x01\x00", content[:8]
    length = int.from_bytes(content[8:10], "little")
    assert (10 + length) % 64 == 0, length
    text = content[10 : 10 + length].decode("ascii")
    assert text.endswith("\n"), text
    # Literals only, as numpy reads it.
    header = ast.literal_eval(text)
    assert set(header) == {"descr", "fortran_order", "shape"}, header
    assert header["descr"] == "<f4" and header["fortran_order"] is False, header
    data = content[10 + length :]
    count = 1
    for dimension in header["shape"]:
        count *= dimension
    assert len(data) == 4 * count, (len(data), header)
    return header["shape"], struct.unpack(f"<{count}f", data)
