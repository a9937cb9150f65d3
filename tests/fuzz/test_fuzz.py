"""A short fuzz of every run: `make fuzz` is the long one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.cases import Case, draw_case
from tests.fuzz.children import Run
from tests.fuzz.oracle import find_differences, find_faults
from tests.fuzz.signals import Signalled, signal_faults

ROOT = Path(__file__).parents[2]
MINUTES = 0.1


def run_fuzz(*words: str) -> subprocess.CompletedProcess[str]:
    """Run the fuzz in a process of its own, since a parent of many children should have one thread."""
    command = [sys.executable, "-P", "-m", "tests.fuzz.run", "--signals", "0", *words]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT, check=False)


def test_no_case_crashes_hangs_or_leaves_half_a_file() -> None:
    """Command lines and files drawn by a fixed seed end as documented, as many as there is time for."""
    run = run_fuzz("--seed", "make-test", "--minutes", str(MINUTES), "--cases", "10000")
    assert run.returncode == 0, run.stdout + run.stderr
    assert not run.stderr
    assert " cases (" in run.stdout


def test_a_child_shows_what_a_process_shows() -> None:
    """A case that is run as a process too ends, prints and writes the same, here a whole design."""
    run = run_fuzz("--seed", "process-201", "--first", "101", "--cases", "1")
    assert run.returncode == 0, run.stdout + run.stderr
    assert "1 cases (1 with code " in run.stdout


def test_cases_are_the_same_on_every_machine() -> None:
    """A seed and a number draw the same words and files again."""
    assert draw_case(3, 14) == draw_case("3", 14)
    assert len({draw_case(1, number).words for number in range(50)}) > 40


def test_the_oracle_finds_what_must_not_be(tmp_path: Path) -> None:
    """Each kind of fault is one that the oracle knows, or the fuzz would pass whatever happens."""
    case = Case("x", ("design", "--json"), {})
    (tmp_path / "out").mkdir()
    (tmp_path / ".fabric-x").mkdir()
    faults = "\n".join(find_faults(case, Run(2, "", ""), tmp_path))
    assert all(words in faults for words in ("without a message", "files after a refusal", "hidden files"))
    ends = {
        "no JSON": Run(0, '{"a": NaN}', ""),
        "raw U+001B": Run(0, "{}", "\x1b[31m"),
        "exit code 7": Run(7, "", "x"),
        "crash: ValueError: x": Run(1, "", "Traceback (most recent call last):\nValueError: x"),
        "nothing computed": Run(-9, "", "", idle=True),
        "of processor time": Run(-24, "", ""),
        "a process is left": Run(0, "{}", "", orphans=True),
    }
    for words, run in ends.items():
        assert words in "\n".join(find_faults(case, run, tmp_path / "out"))


def test_the_oracle_finds_what_a_process_shows_differently(tmp_path: Path) -> None:
    """Other codes, texts and files are faults; other times are not."""
    one, two = tmp_path / "one", tmp_path / "two"
    (one / "out").mkdir(parents=True)
    two.mkdir()
    assert find_differences(Run(0, "took 1.5 s", ""), Run(0, "took 2.25 s", ""), two, two) == []
    assert find_differences(Run(0, '"wall_s": 0.147,', ""), Run(0, '"wall_s": 0.07,', ""), two, two) == []
    faults = "\n".join(find_differences(Run(0, "a\nb", ""), Run(1, "a\nc", ""), one, two))
    assert all(words in faults for words in ("another code", "'b' and 'c'", "['out']"))


@pytest.mark.parametrize(("count", "commands"), [(6, 3), pytest.param(300, 7, marks=pytest.mark.slow)])
def test_a_signal_ends_every_command_in_order(count: int, commands: int) -> None:
    """At any moment of the command: the signal's exit code, no traceback, all files or none, and no process left."""
    assert signal_faults(Signalled("make-test", commands), count) == (count, [])
