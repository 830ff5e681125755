"""What stands where a file should: nothing, a FIFO, a device, a socket, a link that leads nowhere, a file that may not be
read."""

import ctypes
import os
import socket

from case import GENERATE, IDS, INSPECT, TOKENIZE, Case
from models import CONFIG, INDEX, TOKENIZER, WEIGHTS, deepseek, gguf_llama
from safetensors_cases import FIRST, HTML

GENERATION, SETTINGS = "generation_config.json", "tokenizer_config.json"


def make_socket(path):
    # Its name may be too long for an address: it is bound from within its folder.
    before = os.getcwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(before)


def make_unreadable(path):
    path.write_bytes(b"{}")
    path.chmod(0)


def make_huge(path):
    with open(path, "wb") as file:
        file.truncate(2**40)


THINGS = {
    "a FIFO": (os.mkfifo, "not a regular file"),
    "a directory": (os.mkdir, "directory"),
    "/dev/zero": (lambda path: path.symlink_to("/dev/zero"), "not a regular file"),
    "/dev/null": (lambda path: path.symlink_to("/dev/null"), "not a regular file"),
    "/dev/tty": (lambda path: path.symlink_to("/dev/tty"), ""),
    "/proc/self/mem": (lambda path: path.symlink_to("/proc/self/mem"), ""),
    "a socket": (make_socket, "cannot open"),
    "a link to nothing": (lambda path: path.symlink_to("nothing"), "cannot open"),
    "a link to itself": (lambda path: path.symlink_to(path.name), "cannot open"),
    "a file that may not be read": (make_unreadable, "Permission denied"),
    "a terabyte of zeros": (make_huge, ""),
}


def like_anyone():
    """Root without the right to read every file, before the program starts."""
    libc = ctypes.CDLL(None, use_errno=True)
    pr_capbset_drop = 24
    for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
        libc.prctl(pr_capbset_drop, capability, 0, 0, 0)


def place_case(name, file, thing, *says, commands):
    def make(folder):
        model = deepseek()
        if file in (INDEX, FIRST):
            model.shard()
        path = model.write(folder / "model")
        if (path / file).exists():
            (path / file).unlink()
        thing(path / file)
        return path

    return Case(name, make, file, *says, commands=commands, prepare=like_anyone)


def gguf_place(name, thing):
    def make(folder):
        thing(folder / "model.gguf")
        return folder / "model.gguf"

    return Case(f"a GGUF file that is {name}", make, "model.gguf", commands=(INSPECT, GENERATE, TOKENIZE), prepare=like_anyone)


def alone(name, thing):
    """A folder with nothing but such a GGUF file."""

    def make(folder):
        (folder / "model").mkdir()
        thing(folder / "model" / "model.gguf")
        return folder / "model"

    return Case(f"a folder of a GGUF file that is {name}", make, "model", prepare=like_anyone)


def wrong_model(name, make, *says):
    return Case("the model is " + name, make, *says, commands=(INSPECT, GENERATE, TOKENIZE, IDS))


def content(data):
    def make(folder):
        (folder / "file").write_bytes(data)
        return folder / "file"

    return make


def two_models(folder):
    (folder / "model").mkdir()
    for name in ("a.gguf", "b.gguf"):
        (folder / "model" / name).write_bytes(gguf_llama().bytes())
    return folder / "model"


def empty_folder(folder):
    (folder / "model").mkdir()
    return folder / "model"


def cases():
    everything = (INSPECT, GENERATE)
    for name, (thing, says) in THINGS.items():
        for file, commands in {
            CONFIG: everything,
            WEIGHTS: everything,
            INDEX: everything,
            FIRST: everything,
            GENERATION: everything,
            TOKENIZER: (TOKENIZE, GENERATE),
            SETTINGS: (TOKENIZE, GENERATE),
        }.items():
            yield place_case(f"{file} is {name}", file, thing, says, commands=commands)
        yield gguf_place(name, thing)
        yield alone(name, thing)
    yield wrong_model("nothing", lambda folder: folder / "nothing", "nothing")
    yield wrong_model("a name of 5,000 characters", lambda folder: folder / ("n" * 5000), "nnn")
    yield wrong_model("a name with a line break and an escape", lambda folder: folder / "a\n\x1b[31mb", "a\\x0a\\x1b[31mb")
    yield wrong_model("a folder within a file", lambda folder: content(b"")(folder) / "model", "file/model")
    yield wrong_model("an empty folder", empty_folder, "model")
    yield wrong_model("a folder of two GGUF models", two_models, "a.gguf", "b.gguf")
    yield wrong_model("/", lambda folder: "/", "/")
    yield wrong_model("/proc/self/fd", lambda folder: "/proc/self/fd", "/proc/self/fd")
    for name, data in {"an empty file": b"", "an HTML page": HTML, "a text": b"Hello\n", "binary": bytes(range(256)) * 10}.items():
        yield wrong_model(name, content(data), "file")
