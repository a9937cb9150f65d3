"""Runs of the command that start at once: a parent imports the libraries once, and forks a child for each run.

A child shows what a process of its own would: its streams are files, its folder, arguments, session and limits of time
and memory are its own, and its end is one that the system reports. `run_process` is the same run in a new process, the
witness for that.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import select
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, TextIO

from tests.fuzz.cases import Case

__all__ = ["MOST_CPU_S", "Run", "call_apart", "run_case", "run_process", "warm_up"]

ROOT = Path(__file__).parents[2]

MOST_CPU_S = 90
"""The processor time after which a run counts as one that hangs."""

MOST_IDLE_S = 60
"""The time without any processor time after which a run counts as one that waits for ever."""

MOST_BYTES = 6 * 2**30
"""The address space that a run may take."""

WARM = (
    "show superpod-h100-1su", "design superpod-h100-1su --out out", "design superpod-h100-1su --json",
    "bill superpod-h100-1su -o b.xlsx", "allreduce superpod-h100-1su --engine lp", "diagram superpod-h100-1su -o x.svg",
    "compare superpod-h100-1su --families torus", "export superpod-h100-1su -o x.graphml", "list switches", "nothing",
    "layout superpod-h100-1su -o x.svg", "wiring superpod-h100-1su -o x.csv", "check superpod-h100-1su",
)  # fmt: skip
"""Runs that import the libraries and read the catalogue, which take most of the time in which a command starts."""


@dataclass(frozen=True)
class Run:
    """How a case ended."""

    code: int
    """The exit code, or as a negative number the signal that ended it."""
    stdout: str
    """What it printed."""
    stderr: str
    """What it reported."""
    idle: bool = False
    """Whether it was ended because it neither ended nor computed."""
    orphans: bool = False
    """Whether it left a process behind."""
    cpu_s: float = 0.0
    """The processor time that it took, in seconds."""


def warm_up() -> None:
    """Do once, in this process, what the runs of its children have in common.

    What is there is then taken out of the reach of garbage collection, which would copy its pages for every child.
    """
    from fabric.cli.main import main

    kept = sys.argv, Path.cwd()
    with tempfile.TemporaryDirectory() as folder, Path(os.devnull).open("w", encoding="utf-8") as nothing:
        os.chdir(folder)
        for words in WARM:
            sys.argv = ["fabric", *words.split()]
            with suppress(SystemExit), redirect_stdout(nothing), redirect_stderr(nothing):
                main()
        sys.argv = kept[0]
        os.chdir(kept[1])
    gc.collect()
    gc.freeze()


def run_case(case: Case, folder: Path) -> Run:
    """Run a case in a folder of its own, in a child of this process, as the command runs."""
    _write_files(case, folder)
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        pid = _fork(lambda: _run_command(case, folder, out.fileno(), err.fileno()))
        code, idle, cpu_s = _await(pid)
        texts = []
        for stream in (out, err):
            stream.seek(0)
            texts.append(stream.read().decode("utf-8", "surrogateescape"))
    return Run(code, texts[0], texts[1], idle, _end_session(pid), cpu_s)


def run_process(case: Case, folder: Path) -> Run:
    """Run a case in a folder of its own as a new process."""
    _write_files(case, folder)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
    run = subprocess.run(
        [sys.executable, "-P", "-m", "fabric", *case.words], capture_output=True, cwd=folder, env=environment,
        check=False, stdin=subprocess.DEVNULL, preexec_fn=_limit,
    )  # fmt: skip
    return Run(run.returncode, *(text.decode("utf-8", "surrogateescape") for text in (run.stdout, run.stderr)))


def call_apart(function: Callable[[], Any]) -> Any:
    """Return what a function returns in a child of this process, as JSON keeps it; in words where the child crashes."""
    with tempfile.TemporaryFile("w+") as answer:

        def write_answer() -> None:
            json.dump(function(), answer)
            answer.flush()

        code, idle, _ = _await(pid := _fork(write_answer))
        _end_session(pid)
        answer.seek(0)
        return json.load(answer) if code == 0 else [f"crash: {'idle' if idle else 'exit code'} {code}"]


def _write_files(case: Case, folder: Path) -> None:
    for name, content in case.files.items():
        (folder / name).write_bytes(content)


def _fork(work: Callable[[], None]) -> int:
    """Return the number of a child that does the work under the limits, and never returns."""
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid == 0:
        try:
            os.setsid()
            _limit()
            work()
            os._exit(0)
        except BaseException:  # noqa: BLE001  (nothing may reach the code of the parent)
            traceback.print_exc()
        finally:
            os._exit(1)
    return pid


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_CPU_S, MOST_CPU_S + 5))
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _run_command(case: Case, folder: Path, out: int, err: int) -> NoReturn:
    """Run the command on the streams given, and end as the interpreter ends."""
    os.chdir(folder)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(out, 1)
    os.dup2(err, 2)
    sys.stdout = _stream(1, "strict")
    sys.stderr = _stream(2, "backslashreplace")
    sys.argv = ["fabric", *case.words]
    signal.signal(signal.SIGINT, signal.default_int_handler)
    code = _call_main()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)


def _call_main() -> int:
    """Return the exit code of the command, as the interpreter finds it."""
    from fabric_designer import main

    try:
        main()
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return (end.code or 0) & 0xFF
        sys.stderr.write(f"{end.code}\n")
        return 1
    except BaseException:  # noqa: BLE001  (this is what is looked for)
        traceback.print_exc()
        return 1
    return 0


def _stream(number: int, errors: str) -> TextIO:
    return open(number, "w", encoding="utf-8", errors=errors, closefd=False)


def _await(pid: int) -> tuple[int, bool, float]:
    """Return how a child ends, whether it was idle, and its processor time; one that is idle for long is ended."""
    handle, before, idle = os.pidfd_open(pid), -1.0, False
    try:
        while not select.select([handle], [], [], MOST_IDLE_S)[0]:
            now = _cpu_ticks(pid)
            if now <= before:
                idle = True
                os.kill(pid, signal.SIGKILL)
            before = now
    finally:
        os.close(handle)
    _, status, used = os.wait4(pid, 0)
    return os.waitstatus_to_exitcode(status), idle, used.ru_utime + used.ru_stime


def _cpu_ticks(pid: int) -> float:
    """Return the processor time that a process has taken, in ticks of the system."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return float(fields[11]) + float(fields[12])


def _end_session(pid: int) -> bool:
    """End what a child that has ended left in its session; return whether it left anything."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True
