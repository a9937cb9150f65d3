"""Signals at random moments of several commands: the right end, no traceback, nothing half-written, no orphan."""

from __future__ import annotations

import os
import random
import re
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
        faults += _signal(words, number, rng.random() * max(0.1, duration), files, draw)
    return count, faults


SCRIPT = """
import os, runpy, signal, sys
for each in (signal.SIGTERM, signal.SIGHUP): signal.signal(each, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)
os.close(int(sys.argv.pop(1)))
runpy.run_module("fabric", run_name="__main__", alter_sys=True)
"""
"""`python -m fabric` with the usual handlers of signals: under nohup, SIGHUP and SIGINT would be ignored."""


def _start(words: tuple[str, ...], folder: str) -> subprocess.Popen[str]:
    """Start a run in a session of its own, and return when it handles signals.

    Before, Python itself starts, and answers Ctrl-C with a traceback of its own; how long that takes depends on how
    busy the machine is.
    """
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    started, inherited = os.pipe()
    run = subprocess.Popen(
        [sys.executable, "-P", "-c", SCRIPT, str(inherited), *words], stdout=subprocess.DEVNULL, text=True,
        stderr=subprocess.PIPE, cwd=folder, env=environment, start_new_session=True, pass_fds=[inherited],
    )  # fmt: skip
    os.close(inherited)
    os.read(started, 1)  # the end of the pipe: Python has started
    os.close(started)
    while run.poll() is None and _catches(run.pid, signal.SIGINT):
        time.sleep(0.001)
    return run


def _catches(pid: int, number: signal.Signals) -> bool:
    """Return whether a process has a handler for a signal, as Python has for SIGINT until the command begins."""
    found = re.search(r"SigCgt:\t([0-9a-f]+)", Path(f"/proc/{pid}/status").read_text())
    return found is not None and bool(int(found[1], 16) >> (number - 1) & 1)


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
        error = run.communicate(timeout=240)[1]
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
