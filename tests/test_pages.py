"""The pages of the documentation: their commands parse, and those of the how-tos and their Python run."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import fabric
from fabric.cli.main import cli
from tests.log_fixtures import Truth, write_log
from tests.marks import slow
from tests.request_fixtures import Run

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))]
HOW_TOS = sorted(ROOT.glob("docs/how-to/*.md"))
COMMAND = re.compile(r"^    (?:\$ )?(fabric [a-z-].*)$", re.MULTILINE)
STEP = re.compile(
    r"^```yaml\n# (?P<file>\S+\.yaml)\n(?P<keys>.*?)^```"
    r"|^```python\n(?P<code>.*?)^```\n(?:\n(?P<prints>(?:    [^\n]*\n)+))?"
    r"|^    (?P<command>fabric [^\n]*)$",
    re.MULTILINE | re.DOTALL,
)


def name(page: Path) -> str:
    """Return the name of a page below the root."""
    return str(page.relative_to(ROOT))


def words_of(line: str) -> list[str]:
    """Return the words after `fabric` of a command line, without its comment and what it is piped to."""
    return shlex.split(line.partition(" #")[0].partition(" | ")[0].partition(" > ")[0])[1:]


def parse(words: list[str]) -> str | None:
    """Return the command that words parse to, as the command line does, without running it; raises UsageError."""
    context = cli.make_context("fabric", words[:1], resilient_parsing=True)
    command = cli.get_command(context, words[0])
    if command is None:
        raise click.UsageError(f"no command {words[0]}")
    return command.make_context(words[0], words[1:], parent=context).info_name


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_command_of_a_page_parses(page: Path) -> None:
    """Commands, arguments and options are those that there are."""
    for line in COMMAND.findall(page.read_text(encoding="utf-8")):
        assert parse(words_of(line)), line


def test_a_command_with_a_wrong_option_would_be_noticed() -> None:
    """A command, an option and a choice that do not exist fail to parse."""
    for line in ("fabric desing x", "fabric design x --gpu 3", "fabric diagram x -o y.svg --kind loads"):
        with pytest.raises(click.UsageError):
            parse(words_of(line))


@pytest.mark.parametrize("page", HOW_TOS, ids=name)
def test_a_how_to_runs_as_it_is_written(page: Path, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the order of the page, requests are written, commands succeed, and Python prints what the page shows."""
    monkeypatch.chdir(tmp_path)
    write_log(tmp_path / "nccl-tests.log", Truth())  # what all_reduce_perf would print
    names: dict[str, object] = {}
    for step in steps(page):
        if step["file"]:
            (tmp_path / step["file"]).write_text(step["keys"])
        elif step["code"]:
            with contextlib.redirect_stdout(io.StringIO()) as printed:
                exec(compile(step["code"], name(page), "exec"), names)
            assert printed.getvalue().split("\n")[:-1] == [line[4:] for line in (step["prints"] or "").splitlines()]
        else:
            code, _, said = run("-q", *words_of(step["command"]))
            assert code == 0, (step["command"], said)


def steps(page: Path) -> Iterator[dict[str, str]]:
    """Yield what a page does: a file with its keys, Python code with what it prints, or a command."""
    found = [match.groupdict() for match in STEP.finditer(page.read_text(encoding="utf-8"))]
    assert len(found) >= 3
    yield from found


PYTHON = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
"""A block of Python in a page."""


@pytest.mark.parametrize("page", ["docs/python.md", "docs/failures.md", "docs/sweeps.md", *slow("README.md")])
def test_python_of_a_page_runs(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its blocks run in order, but for those that ask a cluster's scheduler for machines."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    blocks = [block for block in PYTHON.findall((ROOT / page).read_text(encoding="utf-8")) if "jobqueue" not in block]
    assert blocks
    names: dict[str, object] = {"fabric": fabric}
    for block in blocks:
        exec(compile(block, page, "exec"), names)
