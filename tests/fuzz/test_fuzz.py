"""A short fuzz of every run: `make fuzz` is the long one."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.fuzz.cases import draw_case
from tests.fuzz.oracle import Run, find_faults, run_case
from tests.fuzz.run import fuzz
from tests.fuzz.signals import Signalled, signal_faults

SECONDS = 15


def test_no_case_crashes_hangs_or_leaves_half_a_file() -> None:
    """Command lines and files drawn by a fixed seed end as documented, as many as there is time for."""
    ran, faults = fuzz("make-test", 10_000, SECONDS, lambda text: None)
    assert not faults, "\n".join(faults)
    assert ran


def test_cases_are_the_same_on_every_machine() -> None:
    """A seed and a number draw the same words and files again."""
    assert draw_case(3, 14) == draw_case("3", 14)
    assert len({draw_case(1, number).words for number in range(50)}) > 40


def test_the_oracle_finds_what_must_not_be(tmp_path: Path) -> None:
    """Each kind of fault is one that the oracle knows, or the fuzz would pass whatever happens."""
    case = draw_case("x", 1)
    case = type(case)("x", ("design", "--json"), {})
    (tmp_path / "out").mkdir()
    (tmp_path / ".fabric-x").mkdir()
    faults = "\n".join(find_faults(case, Run(2, "", ""), tmp_path))
    assert all(words in faults for words in ("without a message", "files after a refusal", "hidden files"))
    assert "no JSON" in "\n".join(find_faults(case, Run(0, '{"a": NaN}', ""), tmp_path / "out"))
    assert "raw U+001B" in "\n".join(find_faults(case, Run(0, "{}", "\x1b[31m"), tmp_path / "out"))
    assert "exit code 7" in "\n".join(find_faults(case, Run(7, "", "x"), tmp_path / "out"))
    assert "crash" in "\n".join(find_faults(case, Run(None, "", "", "ValueError: x"), tmp_path / "out"))


def test_a_case_runs_as_the_command_does(tmp_path: Path) -> None:
    """The streams, the folder and the arguments are those of the case, and are put back."""
    before = sys.argv, sys.stdout
    run = run_case(type(draw_case(0))("x", ("show", "superpod-h100-1su", "--json"), {}), tmp_path)
    assert (run.code, run.crash, run.stderr) == (0, "", "")
    assert "superpod-h100-1su" in run.stdout
    assert (sys.argv, sys.stdout) == before


@pytest.mark.parametrize(("count", "commands"), [(20, 3), pytest.param(300, 7, marks=pytest.mark.slow)])
def test_a_signal_ends_every_command_in_order(count: int, commands: int) -> None:
    """At any moment from 0.05 s on: the signal's exit code, no traceback, all files or none, and no process left."""
    assert signal_faults(Signalled("make-test", commands), count) == (count, [])
