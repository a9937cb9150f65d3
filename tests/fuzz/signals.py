"""Signals at random moments of several commands: the right end, no traceback, nothing half-written, no orphan."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Signalled", "signal_faults"]

ROOT = Path(__file__).parents[2]

COMMANDS = (
    ("show", "superpod-h100-1su"),
    ("bill", "superpod-h100-1su", "-o", "bill.csv"),
    ("design", "superpod-h100-1su", "--out", "out"),
    ("allreduce", "superpod-h100-1su", "--engine", "flows", "--out", "out"),
    ("compare", "superpod-h100-1su", "--families", "clos,torus"),
    ("export", "superpod-h100-2su", "--level", "device", "-o", "out.graphml"),
    ("bill", "superpod-h100-1su", "-o", "bill.xlsx"),
    ("diagram", "superpod-h100-1su", "-o", "out.svg"),
)

NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

FIRST_S = 0.05
"""The earliest moment: before it Python itself starts, and has a traceback of its own for Ctrl-C."""


@dataclass
class Signalled:
    """Runs that are sent signals."""

    seed: str
    """What draws commands, signals and moments."""
    commands: int = len(COMMANDS)
    """How many of the commands are run, the quickest first."""


def signal_faults(runs: Signalled, count: int, seconds: float = 1e9) -> tuple[int, list[str]]:
    """Send a signal to each of as many runs, or those that some seconds allow; return how many, and what went wrong."""
    rng, faults, end = random.Random(runs.seed), list[str](), time.monotonic() + seconds
    whole = {words: _measure(words) for words in COMMANDS[: runs.commands] if count}
    for draw in range(count):
        if time.monotonic() > end:
            return draw, faults
        words, number = rng.choice(list(whole)), rng.choice(NUMBERS)
        duration, files = whole[words]
        faults += _signal(words, number, FIRST_S + rng.random() * max(0.1, duration - FIRST_S), files, draw)
    return count, faults


def _start(words: tuple[str, ...], folder: str) -> subprocess.Popen[str]:
    """Start a run in a session of its own, with the usual handlers: under nohup, SIGHUP and SIGINT would be ignored."""
    script = (
        "import signal, os, sys\n"
        "for each in (signal.SIGTERM, signal.SIGHUP): signal.signal(each, signal.SIG_DFL)\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "os.execv(sys.executable, [sys.executable, '-m', 'fabric', *sys.argv[1:]])\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.Popen(
        [sys.executable, "-S", "-c", script, *words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        cwd=folder, env=environment, start_new_session=True,
    )  # fmt: skip
    _await_exec(run.pid)
    return run


def _await_exec(pid: int) -> None:
    """Wait until the process is the command itself."""
    for _ in range(2000):
        try:
            if b"-m\0fabric" in Path(f"/proc/{pid}/cmdline").read_bytes():
                return
        except OSError:
            return
        time.sleep(0.001)


def _measure(words: tuple[str, ...]) -> tuple[float, list[str]]:
    """Return how long a run takes, and the files that it leaves."""
    with tempfile.TemporaryDirectory(prefix="signals-") as folder:
        run = _start(words, folder)
        begin = time.monotonic()
        error = run.communicate()[1]
        assert run.returncode == 0, error
        return time.monotonic() - begin, _files(folder)


def _files(folder: str) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in Path(folder).rglob("*"))


def _signal(words: tuple[str, ...], number: signal.Signals, moment: float, whole: list[str], draw: int) -> list[str]:
    with tempfile.TemporaryDirectory(prefix="signals-") as folder:
        run = _start(words, folder)
        time.sleep(moment)
        run.send_signal(number)
        error = run.communicate(timeout=120)[1]
        left, faults = _files(folder), []
        if run.returncode not in (-number, 128 + number, 0):
            faults.append(f"exit code {run.returncode}")
        if "Traceback" in error:
            faults.append(f"traceback: {error[-400:]}")
        if left not in ([], whole) or (run.returncode == 0 and left != whole):
            faults.append(f"files {left} of {whole}")
        try:
            os.killpg(run.pid, 0)
            faults.append("a process is left")
        except ProcessLookupError:
            pass
    return [f"signal {draw}, {number.name} at {moment:.3f} s of {' '.join(words)}: {fault}" for fault in faults]
