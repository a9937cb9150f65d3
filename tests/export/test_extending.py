"""Formats and kinds of diagram from elsewhere: registered, or found through an entry point."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

import pytest

from fabric.draw import KINDS, DiagramKind
from fabric.draw.canvas import Canvas, Label
from fabric.errors import InputError
from fabric.export import FORMATS, Format
from fabric.export.plan import PlanFormat
from fabric.view import READABLE, View
from tests.request_fixtures import Run

ROOT = Path(__file__).parents[2]
MODULE = '''"""Edges as lines of text."""

from fabric.export import Format


def write(view):
    for edge in view.edges():
        yield f"{edge.lower} {edge.upper} {edge.links}\\n"


MINE = Format("mine", (".mine",), "a pair of eyes", "edges with their links", write, picture=True)
BROKEN = "not a format"
'''


def write_lines(view: View) -> Iterator[str]:
    """Yield an edge a line."""
    for edge in view.edges():
        yield f"{edge.lower} {edge.upper} {edge.links}\n"


@pytest.fixture
def mine() -> Iterator[Format]:
    """Register a format for the life of a test."""
    format_ = Format("mine", (".mine",), "a pair of eyes", "edges with their links", write_lines, picture=True)
    FORMATS.add(format_)
    yield format_
    FORMATS.remove("mine")


def test_a_registered_format_is_written_by_name_and_by_suffix(mine: Format, run: Run, tmp_path: Path) -> None:
    """It is listed, offered by `--help`, written to stdout by its name and to a file by its suffix."""
    assert ", mine." in " ".join(run("export", "--help")[1].split())
    (row,) = (row for row in json.loads(run("list", "formats", "--json")[1]) if row["name"] == "mine")
    assert row == {
        "name": "mine",
        "suffix": ".mine",
        "source": "a view",
        "readers": mine.readers,
        "carries": mine.carries,
        "witness": "none",
        "most_nodes": 2000,
    }
    code, text, _ = run("export", "superpod-h100-1su", "--level", "fabric", "--format", "mine")
    assert (code, text) == (0, "server leaf 256\nleaf spine 256\n")
    file = tmp_path / "it.mine"
    assert run("export", "superpod-h100-1su", "--level", "fabric", "-o", file)[0] == 0
    assert file.read_text() == text


@pytest.mark.usefixtures("mine")
def test_wrong_uses_of_a_registered_format_are_refused_with_a_message_about_it(run: Run) -> None:
    """Too many nodes, a name nearly its own, a suffix of none and a name that is taken are answered by it."""
    code, _, said = run("export", "colossus-100k", "--level", "device", "--format", "mine")
    assert (code, "too many for a picture (mine)" in " ".join(said.split())) == (2, True)
    code, _, said = run("export", "superpod-h100-1su", "--format", "mime")
    assert (code, "did you mean 'mine'" in said) == (2, True)
    code, _, said = run("export", "superpod-h100-1su", "-o", "it.mime")
    assert (code, "suffix '.mime'; known: .graphml, .dot, .gv, .drawio, .json, .mine" in " ".join(said.split())) == (
        2,
        True,
    )
    with pytest.raises(InputError, match="the format 'mine' exists already"):
        FORMATS.add(FORMATS["mine"])


def fabric_with(folder: Path, value: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the command where a package exports `value` of MODULE as a format."""
    (folder / "mine.py").write_text(MODULE)
    info = folder / "mine-1.0.dist-info"
    info.mkdir(exist_ok=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[fabric.formats]\nmine = mine:{value}\n")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)]), "COLUMNS": "80"}
    command = [sys.executable, "-m", "fabric", *words]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_a_package_adds_a_format(tmp_path: Path) -> None:
    """A format under the entry point is written by its suffix; one that is no format is refused by its own name."""
    done = fabric_with(tmp_path, "MINE", "export", "superpod-h100-1su", "--level", "fabric", "-o", "it.mine")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "it.mine").read_text() == "server leaf 256\nleaf spine 256\n"
    done = fabric_with(tmp_path, "BROKEN", "list", "formats")
    assert done.returncode == 2
    assert "entry point mine of fabric.formats: mine:BROKEN is not a FileFormat" in " ".join(done.stderr.split())


def test_a_registered_kind_of_diagram_is_drawn(run: Run, tmp_path: Path) -> None:
    """It is offered by `--help` with the options that apply to it, drawn, and other options are refused."""
    page = Canvas(540, 40, (Label(20, 20, "mine", 7, "#000000"),))
    KINDS.add(DiagramKind("mine", "a word", lambda _blueprint, _diagram: page, ("seed",)))
    try:
        text = " ".join(run("diagram", "--help")[1].split())
        assert "racks, load, mine." in text
        assert "[kind load, mine]" in text
        picture = tmp_path / "it.svg"
        assert run("diagram", "superpod-h100-1su", "--kind", "mine", "--seed", "1", "-o", picture)[0] == 0
        assert "mine" in picture.read_text()
        code, _, said = run("diagram", "superpod-h100-1su", "--kind", "mine", "--qps", "1", "-o", picture)
        assert (code, "--qps does not apply to --kind mine" in said) == (2, True)
    finally:
        KINDS.remove("mine")


def table(page: str, heading: str) -> list[list[str]]:
    """Return the rows of the table of a page whose first column has this heading, without their markup."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    lines = text.partition(f"| {heading} |")[2].splitlines()[2:]
    rows = takewhile(lambda line: line.startswith("|"), lines)
    return [[cell.strip().replace("`", "") for cell in row.strip("|").split("|")] for row in rows]


def test_the_pages_list_every_format_and_kind_of_diagram() -> None:
    """The tables of the pages are those of the registries."""
    assert table("interchange.md", "format") == [
        [each.name, ", ".join(each.suffixes), each.readers, f"{READABLE:,}" if each.picture else "no limit"]
        for each in FORMATS.values()
        if isinstance(each, Format)
    ]
    assert table("interchange.md", "format of plans") == [
        [each.name, ", ".join(each.suffixes), each.readers, each.carries, str(each.witness)]
        for each in FORMATS.values()
        if isinstance(each, PlanFormat)
    ]
    assert table("diagrams.md", "kind") == [
        [each.name, each.shows, ", ".join(f"--{option.replace('_', '-')}" for option in each.options)]
        for each in KINDS.values()
    ]
