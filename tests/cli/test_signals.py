"""Signals: whenever SIGTERM, SIGHUP or Ctrl-C comes, the run ends at once and leaves all of its files or none."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fabric_designer import end_at_signals

ROOT = Path(__file__).parents[2]
REQUEST = "name: mine\ngpus: 64\nserver: hgx-h100\nfamily: fat-tree\nswitches: sn5600\n"
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def start(folder: Path) -> subprocess.Popen[str]:
    """Start a run that writes a design into the folder `out` below `folder`."""
    (folder / "mine.yaml").write_text(REQUEST)
    words = ["design", str(folder / "mine.yaml"), "--out", str(folder / "out")]
    return subprocess.Popen(
        [sys.executable, "-m", "fabric", *words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd=ROOT
    )


def files(folder: Path) -> list[str]:
    """Return what a run has left in `folder`, beside the request."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.name != "mine.yaml")


def in_order(number: signal.Signals, code: int, stderr: str, left: list[str], whole: list[str]) -> bool:
    """Say whether a run that was sent a signal ended as it should, with the files `left` behind.

    Ctrl-C may come before any code of ours: what Python then prints and returns is its own.
    """
    if number == signal.SIGINT and code == 1:
        return not left and f'File "{ROOT}/fabric/cli' not in stderr
    ended = code in (-number, 128 + number) and left in ([], whole)  # a shell shows both codes alike
    done = code == 0 and left == whole
    return (ended or done) and (not stderr or number == signal.SIGINT)


@pytest.mark.parametrize("draws", [6, pytest.param(400, marks=pytest.mark.slow)])
def test_a_signal_at_any_moment_ends_the_run_in_order(draws: int, tmp_path: Path) -> None:
    """The exit code is that of the signal, or 0 of a run that was done; no file is missing, half-written or hidden."""
    begin = time.perf_counter()
    run = start(tmp_path)
    assert (run.communicate()[1], run.returncode) == ("", 0)
    duration, whole = time.perf_counter() - begin, files(tmp_path)
    assert len(whole) == 7
    moments, faults = random.Random(draws), []
    for draw in range(draws):
        shutil.rmtree(tmp_path / "out", ignore_errors=True)
        number, moment = SIGNALS[draw % len(SIGNALS)], (draw + moments.random()) * duration / draws
        run = start(tmp_path)
        time.sleep(moment)
        run.send_signal(number)
        stderr, left = run.communicate()[1], files(tmp_path)
        if not in_order(number, run.returncode, stderr, left, whole):
            faults.append((number.name, f"{moment / duration:.0%} of the run", run.returncode, stderr, left))
    assert not faults


@pytest.mark.parametrize("number", sorted(set(SIGNALS)))
def test_the_first_process_of_a_container_exits_at_a_signal(
    number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Process 1, for which the kernel ignores signals that it does not handle, exits with the code a shell shows."""
    before = {each: signal.getsignal(each) for each in set(SIGNALS)}
    monkeypatch.setattr(os, "getpid", lambda: 1)
    try:
        end_at_signals()
        with pytest.raises(SystemExit) as ended:
            signal.raise_signal(number)
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
    assert ended.value.code == 128 + number
