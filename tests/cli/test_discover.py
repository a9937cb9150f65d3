"""The command `discover`: what it prints and writes, and how it ends."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import fabric
from fabric.discovery import READERS
from tests.discovery.ib_text import two_tiers
from tests.request_fixtures import Run

PAGE = (Path(__file__).parents[2] / "docs" / "discovery.md").read_text()


def test_the_page_lists_every_reader() -> None:
    """The table has the readers in the order in which they are asked."""
    assert re.findall(r"^\| `([\w-]+)` \|", PAGE, re.MULTILINE) == list(READERS)


def test_a_request_is_written_that_designs_to_the_same(run: Run, tmp_path: Path) -> None:
    """The file is a request, with its assumptions in comments, of the switches and links that were found."""
    file, output = tmp_path / "fabric.txt", tmp_path / "found.yaml"
    file.write_text(two_tiers(8, 32, 16))
    code, text, _ = run("discover", str(file), "-o", str(output), "-q")
    assert code == 0
    assert "2 tiers above 256 hosts of 1 NIC. 8 units of 32 hosts." in " ".join(text.split())
    assert "Nothing deviates" in text
    assert f"wrote {output}" in text
    blueprint = fabric.design(output).blueprint
    assert (blueprint.devices("leaf"), blueprint.devices("spine"), blueprint.links_total) == (8, 16, 256 + 128)
    assert "# assumed: a GPU for every NIC" in output.read_text()
    code, text, _ = run("discover", str(file), "--json")
    found = json.loads(text)
    assert (code, found["agrees"], found["tiers"][0]["models"]) == (0, True, {"MQM9700": 8})
    assert found["request"]["switches"] == {"leaf": "qm9700", "spine": "qm9700"}


@pytest.mark.parametrize(
    ("text", "output", "message"),
    [
        ("hello\n", None, "is of no format that is read here"),
        (two_tiers(2, 2, 2)[:-30], None, "breaks off"),
        (two_tiers(2, 2, 2), "found.txt", "a request is a YAML file"),
        ('Switch 4 "S-1" # "a"\n[1] "S-2"[1] # "b" lid 1 4xHDR\n', "found.yaml", "no switch has a cable to a host"),
    ],
)
def test_what_cannot_be_done_ends_with_one_message(
    text: str, output: str | None, message: str, run: Run, tmp_path: Path
) -> None:
    """Exit code 2, and no file is written."""
    file = tmp_path / "fabric.txt"
    file.write_text(text)
    words = ["-o", str(tmp_path / output)] if output else []
    code, _, errors = run("discover", str(file), *words, "-q")
    assert (code, [each.name for each in tmp_path.iterdir()]) == (2, ["fabric.txt"])
    assert message in errors
