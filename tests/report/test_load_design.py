"""Designs read from design.json, without sizing them again."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ortools.sat.python import cp_model

import fabric
from fabric.errors import InputError
from fabric.report.describe import describe_json
from fabric.topology.families import families
from tests.studies.test_values import UNLIKE, design


def as_written(study: fabric.Study) -> dict[str, Any]:
    """Return the design object of a study as a file has it."""
    found: dict[str, Any] = json.loads(json.dumps(describe_json(study)))
    return found


@pytest.mark.parametrize("name", sorted(families()))
def test_a_design_of_every_family_is_read_as_it_was(name: str) -> None:
    """The study that is read equals the one written, and gives the same design object."""
    study = design(name)
    written = as_written(study)
    found = fabric.load(written)
    assert found == study
    assert as_written(found) == written


@pytest.mark.parametrize(
    "make",
    [
        lambda: fabric.design("superpod-h100-1su", uplink_spread="balanced"),
        lambda: fabric.optimize("superpod-h100-1su", "cost=1.5,hops=50000"),
        lambda: fabric.optimize("superpod-h100-1su", "switches,cost"),
        lambda: fabric.pareto("superpod-h100-1su", "cost,allreduce").studies[0],
        lambda: fabric.design({"servers": UNLIKE, "switches": "qm9700"}),
        lambda: fabric.design("superpod-h100-1su", grow_to_gpus=1024),
        lambda: fabric.design("superpod-h100-1su", appliances=[{"name": "ufm", "ports": 2}], gpus=248, unit_gpus=None),
        lambda: fabric.design(gpus=2048, server="hgx-h100", switches=["sn5600", "sn5610"], available={"sn5600": 20}),
        lambda: fabric.design(gpus=512, server="hgx-h100", switches={"name": "box", "ports": 64, "rate_gbps": 400}),
    ],
    ids=["balanced", "weights", "order", "front", "unlike", "growth", "appliances", "stock", "unpriced"],
)
def test_designs_of_every_kind_are_read_as_they_were(make: Callable[[], fabric.Study]) -> None:
    """Whatever was chosen, and by whatever objective."""
    study = make()
    found = fabric.load(as_written(study))
    assert found == study
    assert found.bill == study.bill
    assert found.binding == study.binding


def test_shipped_designs_are_read_without_a_search(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fabric of 100,000 GPUs is read with its network of links, and no solver is asked."""
    study = fabric.design("colossus-100k")
    file = tmp_path / "design.json"
    file.write_text(json.dumps(as_written(study)))
    monkeypatch.delattr(cp_model, "CpSolver")
    found = fabric.load(file)
    assert found == study
    assert found.network == study.network
    with pytest.raises(AttributeError, match="CpSolver"):
        fabric.design("colossus-100k")


def change(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    """Return what sets one value of a design object."""

    def put(written: dict[str, Any]) -> None:
        *keys, last = path.split(".")
        for key in keys:
            written = written[key]
        written[last] = value

    return put


@pytest.mark.parametrize(
    ("spoil", "text"),
    [
        (change("schema", "fabric.design/9"), "its schema is 'fabric.design/9', not fabric.design/1"),
        (lambda written: written.pop("sizes"), "not a design object of fabric.design/1: KeyError"),
        (change("sizes", []), "not a design object of fabric.design/1"),
        (change("sizes.slot", "x"), "not a design object of fabric.design/1"),
        (change("sizes.slot", 7), "its request no longer allows"),
        (change("switches.by_role.leaf.models.s64", 9), "its request no longer allows"),
        (change("planes", 3), "its request no longer allows"),
        (change("request.gpus", -1), "gpus: -1 is too small"),
        (change("cost_usd.total", 1), "with the parts as they are now; design its request again"),
        (change("optimizer", None), "not a design object of fabric.design/1"),
        (change("optimizer.status", "PERFECT"), "optimizer.status: 'PERFECT' is not OPTIMAL or FEASIBLE"),
        (change("optimizer.status", []), "optimizer.status: [] is not OPTIMAL or FEASIBLE"),
        (change("optimizer.objective", [[]]), "optimizer.objective: [[]] is not a number"),
        (change("optimizer.objective", 1), "optimizer.bound: "),
        (change("optimizer.objective", 10**12), "optimizer.objective: 1000000000000, but "),
        (change("optimizer.bound", "x"), "optimizer.bound: 'x' is not a number"),
        (change("optimizer.objectives.cost_usd", True), "optimizer.objectives.cost_usd: True is not a number"),
        (
            change("optimizer.binding", [{"limit": [], "value": 1, "loosened_to": 2, "objective": 3}]),
            "optimizer.binding[0].limit: [] is not a key",
        ),
        (
            change("optimizer.binding", [{"limit": "planes", "value": 1, "loosened_to": 2, "objective": [[]]}]),
            "optimizer.binding[0].objective: [[]] is not a number",
        ),
        (change("gpus", 7), "gpus: 7, but "),
        (change("tiers", 9), "tiers: 9, but "),
        (change("name", "other"), "name: 'other', but "),
        (change("links.total", 1), "links 1, but "),
        (change("switches.by_role.leaf.count", 77), "leaf switches 77, but "),
    ],
    ids=range(24),
)
def test_what_is_no_such_design_is_refused(spoil: Callable[[dict[str, Any]], None], text: str, tmp_path: Path) -> None:
    """A file of another schema, with something missing or changed by hand, is refused with its name."""
    written = as_written(design("fat-tree"))
    spoil(written)
    file = tmp_path / "design.json"
    file.write_text(json.dumps(written))
    with pytest.raises(InputError) as caught:
        fabric.load(file)
    assert text in str(caught.value)


@pytest.mark.parametrize("text", ["", "[]", "{", "1", "{}"])
def test_what_is_no_design_object_at_all_is_refused(text: str, tmp_path: Path) -> None:
    """So is what is no JSON object."""
    file = tmp_path / "a.json"
    file.write_text(text)
    with pytest.raises(InputError, match=r"a.json: not"):
        fabric.load(file)
    with pytest.raises(InputError, match="not readable"):
        fabric.load(tmp_path / "missing.json")
