"""Every shipped design reproduces the numbers that were published of it."""

from __future__ import annotations

import pytest

import fabric
from benchmarks.published import shipped
from fabric.report.describe import describe
from fabric.request import topologies


def test_a_shipped_design_matches_what_was_published() -> None:
    """Sized to a proven optimum, the design has every published count of switches and links, and its cost."""
    for name in topologies():
        design = describe(shipped(name))
        assert design.proof.status == "OPTIMAL", name
        assert design.proof.bound == design.proof.objective, name
        assert [number for number in design.expected if not number.ok] == [], name


def test_numbers_that_are_not_met_are_shown() -> None:
    """A published number that the design misses is reported, not hidden."""
    study = fabric.design("superpod-h100-4su", expected={"leaf": 33, "spine": 16})
    assert [number.ok for number in describe(study).expected] == [False, True]


def test_a_published_number_that_no_design_has_is_bad_input() -> None:
    """A key of `expected` that names nothing is refused before sizing; one that this fabric lacks, after it."""
    with pytest.raises(fabric.InputError, match=r"expected\.hops\.maximum.*did you mean 'hops\.max'"):
        fabric.design("superpod-h100-4su", expected={"hops.maximum": 3})
    study = fabric.design("superpod-h100-4su", expected={"axes.zone": 3})
    with pytest.raises(fabric.InputError, match=r"expected\.axes\.zone: a design has no such number"):
        describe(study)
