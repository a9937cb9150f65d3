"""Writing files whole or not at all, whatever ends the process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import fabric
from fabric.atomic_write import write_atomically
from tests.write_under_signals import make

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
WHOLE = "out below a=new b=new inner c=new"


@pytest.mark.parametrize("number", ENDING)
@pytest.mark.parametrize(("before", "untouched"), [((), ""), (("a", "gone/d"), "out below a=old gone d=old")])
def test_a_signal_at_any_file_operation_leaves_all_files_or_none(
    number: signal.Signals, before: tuple[str, ...], untouched: str, tmp_path: Path
) -> None:
    """The process ends by the signal, and what stood there before is unchanged or replaced as a whole."""
    words = [str(int(number)), str(tmp_path / "base"), *before]
    script = [sys.executable, "-m", "tests.write_under_signals", *words]
    done = subprocess.run(script, cwd=Path(__file__).parents[1], capture_output=True, text=True, check=True)
    *rows, last = (row.partition(" ")[::2] for row in done.stdout.splitlines())
    assert last == ("0", WHOLE)
    assert set(rows) == {(str(-number), untouched), (str(-number), WHOLE)}
    assert rows == sorted(rows, key=lambda row: row[1] == WHOLE)


def test_ctrl_c_while_drawing_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From Python, KeyboardInterrupt removes the folder that was being made."""
    study = fabric.design(name="a", gpus=8, server="hgx-h100", family="fat-tree", switches="sn5600")
    monkeypatch.setattr("fabric.report.files.save", lambda *_: signal.raise_signal(signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        fabric.write(study, tmp_path / "new")
    assert not list(tmp_path.iterdir())


def test_ctrl_c_while_files_move_comes_after_the_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From Python, KeyboardInterrupt is raised once all files are in place."""
    replace = Path.replace

    def replace_interrupted(path: Path, target: Path) -> Path:
        signal.raise_signal(signal.SIGINT)
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", replace_interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path, make)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a", "b", "c", "inner"]


def test_signals_are_handled_as_before_once_files_are_written(tmp_path: Path) -> None:
    """Writing leaves the handlers of the process as they were."""
    before = [signal.getsignal(number) for number in ENDING]
    write_atomically(tmp_path, make)
    assert [signal.getsignal(number) for number in ENDING] == before


def test_a_thread_may_write(tmp_path: Path) -> None:
    """Outside the main thread, where Python handles no signals, files are written all the same."""
    with ThreadPoolExecutor() as pool:
        assert len(pool.submit(write_atomically, tmp_path, make).result()) == 3


def test_what_a_killed_run_left_behind_goes_with_a_later_one(tmp_path: Path) -> None:
    """A hidden folder that no process has locked is removed, unless it is so new that its run may be about to lock it.

    That of a run which still makes its files is not.
    """
    abandoned, new = tmp_path / ".fabric-old", tmp_path / ".fabric-new"
    for folder in (abandoned, new):
        folder.mkdir()
        (folder / "half").write_text("")
    os.utime(abandoned, (0, 0))
    seen = []

    def make_beside(temporary: Path) -> list[str]:
        os.utime(temporary, (0, 0))
        write_atomically(tmp_path, make)
        seen.append(temporary.is_dir())
        return make(temporary)

    write_atomically(tmp_path, make_beside)
    assert seen == [True]
    assert [path.name for path in tmp_path.glob(".fabric-*")] == [".fabric-new"]
