"""The examples print their .out files."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

import fabric

EXAMPLES = Path(__file__).parent.parent / "examples"


@pytest.mark.parametrize("script", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.stem)
def test_an_example_prints_its_output(script: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each script prints its .out file, letter by letter."""
    runpy.run_path(str(script), run_name="__main__")
    assert capsys.readouterr().out == script.with_suffix(".out").read_text()


@pytest.mark.parametrize("request_file", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_an_example_request_designs(request_file: Path) -> None:
    """Each request file is answered with a proven optimum."""
    assert fabric.design(request_file).proof.status == "OPTIMAL"
