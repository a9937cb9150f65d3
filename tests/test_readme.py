"""The README shows what the command prints."""

from __future__ import annotations

import json
import re
import textwrap
from pathlib import Path

from tests.request_fixtures import Run

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def test_the_first_design_prints_what_the_readme_shows(run: Run, tmp_path: Path) -> None:
    """The request of four lines gives the tables below it."""
    section = README.split("## A first design\n", 1)[1].split("\n## ", 1)[0]
    (found,) = re.findall(r"```yaml\n(.*?)```", section, re.S)
    assert found.count("\n") == 4
    (shown,) = re.findall(r"\$ fabric design my-cluster.yaml\n\n?(.*?)(?=\n\S)", section, re.S)
    (tmp_path / "my-cluster.yaml").write_text(found)
    code, printed, _ = run("design", tmp_path / "my-cluster.yaml")
    assert code == 0
    assert [line.rstrip() for line in textwrap.dedent(shown).strip().splitlines()] == [
        line.rstrip() for line in printed.strip().splitlines()
    ]


def test_what_the_readme_says_of_the_order_of_servers(run: Run, tmp_path: Path) -> None:
    """In order of placement the first design is as fast under ECMP as under adaptive routing."""
    (found,) = re.findall(r"```yaml\n(.*?)```", README.split("## A first design\n", 1)[1].split("\n## ", 1)[0], re.S)
    (tmp_path / "my-cluster.yaml").write_text(found)
    words = ("--size", "1GiB", "--placement", "contiguous", "--json", "--quiet")
    rows = json.loads(run("allreduce", tmp_path / "my-cluster.yaml", *words)[1])["results"]
    assert [row["routing"] for row in rows] == ["adaptive", "ecmp"]
    speeds = {f"{row['busbw_GBps']:.0f}" for row in rows}
    assert len(speeds) == 1
    assert f"1 GiB runs at {speeds.pop()} GB/s under either routing" in " ".join(README.split())
