"""The table of cable lengths and their bounds in docs/site.md: each shipped design has its row, with these numbers."""

from __future__ import annotations

from pathlib import Path

import pytest

import fabric
from fabric.layout.length_bound import bound_total_m
from fabric.layout.routes import cable_metres
from fabric.request.shipped_designs import topologies

PAGE = Path(__file__).parents[2] / "docs" / "site.md"
LARGE = ("colossus-1m", "colossus-200k", "oci-zettascale-131k", "colossus-100k")


def gap_row(name: str) -> str:
    """Return the row of a design: GPUs, racks, all cable, its bound, and how far above it that is."""
    study = fabric.design(name)
    layout, network = study.layout, study.layout.network
    total = float(cable_metres(layout, network.lower, network.upper).sum()) / 1000
    bound = bound_total_m(layout, network) / 1000
    cells = (name, f"{study.spec.gpus:,}", f"{layout.racks:,}", f"{total:,.1f}", f"{bound:,.1f}")
    return f"| {' | '.join(cells)} | {max(0.0, total / bound - 1):.0%} |"


@pytest.mark.parametrize("name", [name for name in topologies() if name not in LARGE])
def test_the_page_has_the_length_and_the_bound(name: str) -> None:
    """Computed anew, the row is that of the page."""
    assert gap_row(name) in PAGE.read_text("utf-8").splitlines()


@pytest.mark.slow
@pytest.mark.parametrize("name", LARGE)
def test_the_page_has_those_of_large_designs(name: str) -> None:
    """The same for designs that take seconds each."""
    assert gap_row(name) in PAGE.read_text("utf-8").splitlines()


def test_every_shipped_design_has_a_row() -> None:
    """None is left out, none is there that is not shipped."""
    rows = [line.split(" | ")[0][2:] for line in PAGE.read_text("utf-8").splitlines() if line.endswith("% |")]
    assert rows == list(topologies())
