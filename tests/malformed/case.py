"""A malformed input, how the program is run on it, and what it must then do."""

import dataclasses
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import tempfile
import time

PROJECT = pathlib.Path(__file__).resolve().parents[2]
MLA = os.environ.get("MLA", str(PROJECT / "build" / "mla"))

MOST_SECONDS = 1.0
MOST_KIB = 64 * 1024
HANGS = 20.0  # Seconds after which a run is ended.

INSPECT = ("inspect", "-m", "{model}")
GENERATE = ("generate", "-m", "{model}", "-p", "abab cd", "-n", "1", "--temp", "0", "-t", "1")
IDS = ("generate", "-m", "{model}", "--ids", "1,2,3", "-n", "1", "--temp", "0", "-t", "1", "--print-ids")
TOKENIZE = ("tokenize", "-m", "{model}", "abab cd")


class Case:
    """`make`(folder) writes the input and gives the path of the model; `{model}` and `{folder}` in `commands` are those. Each
    command must end with the exit code `code`, nothing on stdout and one line on stderr that has all of `says`.
    `prepare` runs in the child before the program."""

    def __init__(self, name, make, *says, commands=(INSPECT, GENERATE), code=1, stdin=b"", prepare=None):
        self.name = name
        self.make = make
        self.says = says
        self.commands = commands
        self.code = code
        self.stdin = stdin
        self.prepare = prepare


@dataclasses.dataclass
class Run:
    command: str
    code: int  # Negative: the signal that ended it.
    out: bytes
    err: str
    seconds: float  # Of processor time: the machine may be busy.
    kib: int
    faults: list


def run(command, case):
    started = time.monotonic()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, tempfile.TemporaryFile() as given:
        given.write(case.stdin)
        given.seek(0)

        def prepare():
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            if case.prepare:
                case.prepare()

        process = subprocess.Popen([MLA, *command], stdin=given, stdout=out, stderr=err, preexec_fn=prepare)
        hung = False
        while True:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            if not hung and time.monotonic() - started > HANGS:
                hung = True
                process.kill()
            time.sleep(0.001)
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        seconds = time.monotonic() - started if hung else usage.ru_utime + usage.ru_stime
        result = Run(" ".join(command), process.returncode, out.read(), err.read().decode("utf-8", "replace"), seconds, usage.ru_maxrss, [])
    result.faults = faults(result, case)
    return result


def faults(result, case):
    """What is wrong with how the program ended."""
    found = []
    begin = "mla: usage error: " if case.code == 2 else "mla: error: "
    if result.code != case.code:
        ended = signal.Signals(-result.code).name if result.code < 0 else f"exit code {result.code}"
        found.append(f"{ended}, expected exit code {case.code}")
    if result.out:
        found.append(f"stdout {result.out[:80]!r}")
    if result.err.count("\n") != 1 or not result.err.endswith("\n") or not result.err.startswith(begin):
        found.append(f"expected one line that begins with {begin!r}")
    if any(ord(c) < 32 and c != "\n" for c in result.err):
        found.append("control characters on stderr")
    if len(result.err) > 1200:
        found.append(f"a line of {len(result.err)} characters")
    if "out of memory" in result.err or "bad_alloc" in result.err or "std::" in result.err:
        found.append("expected a message about the input")
    for part in case.says:
        if part not in result.err:
            found.append(f"expected {part!r} in the line")
    if result.seconds > MOST_SECONDS:
        found.append(f"{result.seconds:.2f} s")
    if result.kib > MOST_KIB:
        found.append(f"{result.kib} KiB")
    return found


def run_case(case, measured=True):
    """The runs of all commands on the input. `measured`: time and memory count (they do not under sanitizers)."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="mla-malformed-"))
    try:
        model = case.make(folder)
        results = []
        for command in case.commands:
            result = run([part.replace("{model}", str(model)).replace("{folder}", str(folder)) for part in command], case)
            result.err = result.err.replace(str(folder) + "/", "")
            result.command = result.command.replace(str(folder) + "/", "")
            if not measured:
                result.faults = [fault for fault in result.faults if not fault.endswith((" s", " KiB"))]
            results.append(result)
        return results
    finally:
        shutil.rmtree(folder, ignore_errors=True)
