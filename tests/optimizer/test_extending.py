"""Objectives of another package: found by their names, minimised, proven and shown like those of this one."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import fabric
from fabric.cli.main import cli
from fabric.optimizer.objective import FlowObjective, LinearObjective, Objective
from fabric.optimizer.objectives import OBJECTIVES

WORDS: dict[str, Any] = {"key": "mine", "label": "my number", "heading": "mine", "description": "an example"}

TIERS = LinearObjective(
    name="tiers",
    key="tiers",
    label="number of tiers",
    heading="tiers of switches",
    description="the number of switch tiers",
    expression=lambda model: model.topology.tiers,
)
DELAY = FlowObjective(
    name="switch_delay",
    key="switch_delay_s",
    label="delay in switches",
    heading="delay",
    description="the time in switches on the longest path",
    unit="s",
    tolerance=0.05,
    value=lambda estimate: estimate.summary.hops * estimate.summary.switch_ns * 1e-9,
)

REQUEST = {
    "name": "torn",
    "gpus": 4096,
    "server": "hgx-h100",
    "family": "fat-tree",
    "switches": [
        {"name": "small", "ports": 64, "rate_gbps": 400, "price_usd": 1_000, "latency_ns": 500},
        {"name": "large", "ports": 256, "rate_gbps": 400, "price_usd": 100_000, "latency_ns": 500},
    ],
    "link_price_usd": 1,
}
"""Small switches are cheapest, in three tiers; two tiers take large ones."""


@pytest.fixture(autouse=True)
def _added() -> Iterator[None]:
    """Add both objectives for one test."""
    for objective in (TIERS, DELAY):
        OBJECTIVES.add(objective)
    yield
    for name in ("tiers", "switch_delay", "mine"):
        OBJECTIVES.remove(name)


def run(tmp_path: Path, *words: str) -> Any:
    """Run `fabric optimize` on the request."""
    path = tmp_path / "torn.json"
    path.write_text(json.dumps(REQUEST))
    return CliRunner(env={"COLUMNS": "100"}).invoke(cli, ["optimize", str(path), *words], catch_exceptions=False)


def test_the_help_lists_an_added_objective(tmp_path: Path) -> None:
    """Both names are in the help of the command."""
    text = " ".join(run(tmp_path, "--help").stdout.split())
    assert "tiers" in text
    assert "switch_delay" in text


@pytest.mark.parametrize(
    ("words", "name", "value"), [("tiers,cost", "tiers", 2), ("switch_delay,cost", "switch_delay_s", 1.5e-6)]
)
def test_an_added_objective_is_minimised_and_proven(tmp_path: Path, words: str, name: str, value: float) -> None:
    """Put before cost it takes the two tiers that cost more, with proof, in its own words and unit."""
    design = json.loads(run(tmp_path, "--objective", words, "--json").stdout)
    assert fabric.optimize(REQUEST).blueprint.tiers == 3
    proof = design["optimizer"]
    assert (proof["objective_name"], proof["objective"]) == (name, pytest.approx(value))
    assert proof["bound"] == pytest.approx(value if name == "tiers" else value / 1.05)
    assert proof["objectives"].keys() == {name, "cost_usd"}
    printed = " ".join(run(tmp_path, "--objective", words).stdout.split())
    label = "number of tiers" if name == "tiers" else "delay in switches (within 5 %)"
    assert f"minimise {label}, then cost" in printed


def test_an_added_objective_weighs_in_a_sum() -> None:
    """With a large enough weight a tier fewer is worth its cost; a flow objective takes none."""
    assert fabric.optimize(REQUEST, "cost=1,tiers=1").blueprint.tiers == 3
    assert fabric.optimize(REQUEST, "cost=1,tiers=100000000").blueprint.tiers == 2
    with pytest.raises(fabric.InputError, match="switch_delay takes no weight"):
        fabric.optimize(REQUEST, "cost=1,switch_delay=2")


def test_a_front_over_added_objectives_has_them_in_every_file(tmp_path: Path) -> None:
    """The table has their headings, the CSV and JSON their keys, the picture their label and unit."""
    names = ["cost_usd", "tiers", "switch_delay_s"]
    result = run(tmp_path, "--pareto", "cost,tiers,switch_delay", "--out", str(tmp_path / "out"))
    assert "tiers of switches" in " ".join(result.stdout.split())
    assert "Differences under 5 % in delay in switches are ignored." in " ".join(result.stdout.split())
    document = json.loads((tmp_path / "out" / "pareto.json").read_text())
    rows = list(csv.DictReader((tmp_path / "out" / "pareto.csv").read_text().splitlines()))
    assert document["status"] == "OPTIMAL"
    assert [[float(row[name]) for name in names] for row in rows] == [
        [pytest.approx(point[name]) for name in names] for point in document["front"]
    ]
    assert [float(row["tiers"]) for row in rows] == [3, 2]
    assert "delay in switches, ms" in (tmp_path / "out" / "pareto.svg").read_text()


def test_a_sum_with_fractions_is_refused() -> None:
    """The solver takes whole numbers only, and the message names the objective and the remedy."""
    OBJECTIVES.add(LinearObjective(name="mine", expression=lambda model: 0.5 * model.servers, **WORDS))
    with pytest.raises(fabric.InputError, match="objective 'mine': its expression is not a sum of whole numbers"):
        fabric.optimize(REQUEST, "mine")


@pytest.mark.parametrize("value", [math.nan, math.inf, -1.0])
def test_a_value_that_is_no_quantity_is_refused(value: float) -> None:
    """A flow objective must be a finite number not below 0, and the message names it."""
    OBJECTIVES.add(FlowObjective(name="mine", value=lambda _: value, **WORDS))
    with pytest.raises(fabric.InputError, match=r"objective 'mine': its value .* is not a finite number"):
        fabric.optimize(REQUEST, "mine")


@pytest.mark.parametrize(
    ("name", "fields", "problem"),
    [
        ("My Number", {}, "a name is lower-case letters"),
        ("mine", {"needs": ("weight",)}, "needs 'weight', which is none of price, power, maximum power, height"),
        ("mine", {"tolerance": 2}, "the tolerance 2 is not between 0 and 1"),
    ],
)
def test_a_wrong_record_is_refused(name: str, fields: dict[str, Any], problem: str) -> None:
    """A record with a value that it cannot have is refused when it is made."""
    with pytest.raises(fabric.InputError, match=problem):
        LinearObjective(name=name, expression=lambda _: 0, **WORDS, **fields)


def test_an_objective_is_linear_or_of_flows() -> None:
    """A record that says neither how it is solved nor how it is computed is refused, and so is a name that is taken."""
    with pytest.raises(fabric.InputError, match="make it a LinearObjective or a FlowObjective"):
        Objective(name="mine", **WORDS)
    with pytest.raises(fabric.InputError, match="'cost' exists already"):
        OBJECTIVES.add(LinearObjective(name="cost", expression=lambda _: 0, **WORDS))


def test_facts_and_keys_that_an_objective_needs_are_asked_for() -> None:
    """An objective that needs heights or a key of the request is refused where they are not given."""
    OBJECTIVES.add(LinearObjective(name="mine", expression=lambda model: model.servers, needs=("height",), **WORDS))
    with pytest.raises(fabric.InputError, match=r"no known height of (small|large)"):
        fabric.optimize(REQUEST, "mine")
    OBJECTIVES.remove("mine")
    OBJECTIVES.add(LinearObjective(name="mine", expression=lambda _: 1, request_keys=("years",), **WORDS))
    with pytest.raises(fabric.InputError, match="objective mine needs years in the request"):
        fabric.optimize(REQUEST, "mine")
