"""The examples print what stands beside them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import fabric

EXAMPLES = Path(__file__).parent.parent / "examples"


@pytest.mark.parametrize("script", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.stem)
def test_an_example_prints_its_output(script: Path) -> None:
    """Each script prints its .out file, letter by letter."""
    output = subprocess.run([sys.executable, str(script)], check=True, capture_output=True, text=True).stdout
    assert output == script.with_suffix(".out").read_text()


@pytest.mark.parametrize("request_file", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_an_example_request_designs(request_file: Path) -> None:
    """Each request file is answered with a proven optimum."""
    assert fabric.design(request_file).proof.status == "OPTIMAL"
