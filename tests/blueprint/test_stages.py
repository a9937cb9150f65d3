"""Truths about growth in stages: nothing moves, nothing is lost, and foresight has a price."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

import fabric
from fabric.blueprint import Blueprint
from fabric.blueprint.prices import Prices
from fabric.blueprint.stages import grow_blueprint, list_stages
from fabric.network.expand import expand
from fabric.report.describe import describe, describe_json
from fabric.report.terminal import summarize_design
from fabric.request.spec import Spec
from fabric.testing import random_blueprint
from tests.draw.fabrics import BALANCED_FORMS, CLOS_FORMS

GROWS: dict[str, Any] = {
    "gpus": 248, "server": "dgx-h100", "family": "rail-optimized", "tiers": 2, "switches": "qm9700", "unit_gpus": 256,
    "grow_to_gpus": [512, 1024],
}  # fmt: skip
"""31 of the 32 servers of a SuperPOD's unit, to grow to two units and to four."""


def cables(blueprint: Blueprint) -> set[tuple[str, int, str, int]]:
    """Return every cable of a fabric by the names of its ends and their ports."""
    network = expand(blueprint)
    rows = zip(network.lower, network.lower_port, network.upper, network.upper_port, strict=True)
    return {(network.name(int(a)), int(p), network.name(int(b)), int(q)) for a, p, b, q in rows}


@pytest.mark.parametrize(
    "form", [*CLOS_FORMS, *BALANCED_FORMS], ids=lambda form: f"{form.family}-{form.tiers}-{len(form.balanced_bundles)}"
)
def test_no_cable_is_moved(form: Any) -> None:
    """Of every Clos the cables of a stage, port by port, are among those of the next; others are reported as new."""
    for seed in range(8):
        random = Random(seed)
        full = random_blueprint(form, random)
        today = grow_blueprint(full, random.randint(1, full.servers) * full.server.gpus)
        before, after = cables(today), cables(full)
        assert before <= after
        stage = list_stages(today, [full.gpus], _no_prices(full))[-1]
        if full.gpus > today.gpus:
            there = {end for cable in before for end in (cable[0], cable[2])}
            new = after - before
            assert sum(each.links for each in stage.new_links) == len(new)
            assert sum(each.free_ports for each in stage.new_links) == sum(cable[2] in there for cable in new)
            taken = {cable[2] for cable in new if cable[2] in there}
            assert sum(each.switches for each in stage.new_links) == len(taken)


def _no_prices(blueprint: Blueprint) -> Prices:
    spec = Spec("any", blueprint.gpus, blueprint.server, (blueprint.topology.family,), {}, blueprint.link_gbps)
    ends = {bundle.name: (None, None) for bundle in blueprint.topology.bundles}
    return Prices(spec, blueprint.link_gbps, ends=ends)


def test_stages_add_up_to_the_design_of_the_whole() -> None:
    """What all stages add is the bill of a fabric designed at once for the last of them, at the same sizes."""
    study = fabric.design(GROWS)
    sizes = study.blueprint.sizes
    pinned = {name: sizes[name] for name in (*study.blueprint.topology.axes, "server-leaf", "leaf-spine")}
    whole = fabric.design(GROWS, gpus=1024, grow_to_gpus=None, pinned=pinned, limits={"parallel_links": 64})
    assert study.stages[-1].blueprint.sizes == whole.blueprint.sizes
    added: dict[tuple[str, str, str], int] = {}
    for stage in study.stages:
        for row in stage.added.rows:
            key = row.kind, row.part, row.used_for
            added[key] = added.get(key, 0) + row.quantity
    assert added == {(row.kind, row.part, row.used_for): row.quantity for row in whole.bill.rows}
    assert study.stages[-1].bill.cost_usd() == whole.bill.cost_usd()
    assert [stage.added.quantity("switch") for stage in study.stages] == [24, 8, 16]


def test_a_unit_that_grows_buys_its_spines_ahead() -> None:
    """31 of 32 servers need 8 leaves and 4 spines; to grow to four units they take 16 spines, and 12 are the foresight.

    The published SuperPOD of four units has 32 leaves and 16 spines.
    """
    found = describe_json(fabric.design(GROWS))
    assert [stage["gpus"] for stage in found["stages"]] == [248, 512, 1024]
    assert [stage["switches"]["by_role"] for stage in found["stages"]] == [
        {"leaf": 8, "spine": 16}, {"leaf": 8}, {"leaf": 16},
    ]  # fmt: skip
    price = found["cost_usd"]["switches"] / 24
    assert found["foresight"]["price_usd"] == pytest.approx(12 * price)
    assert found["foresight"]["smallest_switches"] == {"leaf": 8, "spine": 4}
    assert found["stages"][1]["new_links"] == [
        {"bundle": "server-leaf", "links": 264, "role": "leaf", "free_ports": 8, "switches": 8},
        {"bundle": "leaf-spine", "links": 256, "role": "spine", "free_ports": 256, "switches": 16},
    ]
    assert found["stages"][-1]["total_cost_usd"] == sum(stage["cost_usd"] for stage in found["stages"])
    assert {stage["cables_moved"] for stage in found["stages"]} == {0}


def test_foresight_for_a_kind_of_server_that_grows_has_a_price_too() -> None:
    """Without its growth the list is sized for the servers of today, as the same list without `grow_to_gpus` is."""
    box = {"gpus": 8, "nics": 8, "nic_gbps": 400}
    servers = [{"server": {**box, "name": name}, "count": count} for name, count in (("old", 8), ("new", 8))]
    request = {"servers": servers, "family": "fat-tree", "switches": "qm9700", "link_price_usd": 100}
    request |= {"prices_usd": {"qm9700": 20000}, "tiers": 2}
    growing, today = fabric.design(request, grow_to_gpus={"new": 256}), fabric.design(request)
    assert growing.foresight is not None
    assert growing.foresight.smallest.switches == today.blueprint.switches < growing.blueprint.switches
    assert growing.foresight.price_usd == growing.proof.objective - today.proof.objective


def test_growth_without_prices_tells_the_switches() -> None:
    """Where a price is not known, that of foresight is not either, and nothing is said to cost it."""
    unpriced = [{"name": "box", "ports": 64, "rate_gbps": 400}]
    lines = summarize_design(describe(fabric.design(GROWS, switches=unpriced))).lines
    (line,) = [line for line in lines if line.startswith("Price of foresight")]
    assert line.startswith("Price of foresight: unknown. The best fabric for 248 GPUs")
    assert line.endswith("8 leaf and 4 spine switches.")


def test_spares_are_added_as_the_fabric_grows() -> None:
    """The spares of all stages are those of the whole: 10 % of 24 switches now, and of 48 in the end, rounded up."""
    stages = fabric.design(GROWS, spares={"switch": 0.1}).stages
    added = sum(row.spares for stage in stages for row in stage.added.of("switch"))
    assert added == sum(row.spares for row in stages[-1].bill.of("switch")) == 4 + 2


def test_a_fabric_that_does_not_grow_has_no_stages() -> None:
    """Without growth, or with growth to what there is, there are no stages and foresight costs nothing to tell."""
    for grow in (None, 248):
        found = fabric.design(GROWS, grow_to_gpus=grow)
        assert (found.stages, found.foresight) == ((), None)


def test_the_terminal_tells_the_stages() -> None:
    """The summary has a row for each stage, and what is touched: nothing is moved, and which ports are filled."""
    summary = summarize_design(describe(fabric.design(GROWS)))
    (table,) = [table for table in summary.tables if table.title.startswith("Stages")]
    assert [row[:2] for row in table.rows] == [("248", "24"), ("512", "8"), ("1,024", "16")]
    (line,) = [line for line in summary.lines if line.startswith("Growth to 512 GPUs")]
    assert "8 leaf switches are added, no cable is moved" in line
    assert "256 leaf-spine, all into free ports of 16 spine switches" in line


def test_one_switch_with_free_ports_is_told_as_one() -> None:
    """The last of 32 leaves has 8 of its 32 ports in use, and takes 24 of the next links."""
    server = {"name": "box", "gpus": 4, "nics": 4, "nic_gbps": 400}
    switch = {"name": "s64", "ports": 64, "rate_gbps": 400, "price_usd": 1}
    found = fabric.design(
        gpus=1000, grow_to_gpus=2000, server=server, family="fat-tree", switches=switch, link_price_usd=1
    )
    (line,) = [line for line in summarize_design(describe(found)).lines if line.startswith("Growth to 2,000 GPUs")]
    assert "1,000 server-leaf, 24 into free ports of 1 leaf switch;" in line


def test_models_that_are_mixed_are_kept() -> None:
    """Where a tier mixes models, a stage keeps the switches there are, and adds those of the model used most."""
    boxes = [{"name": name, "ports": 64, "rate_gbps": 400, "price_usd": price} for name, price in (("a", 1), ("b", 2))]
    study = fabric.design(GROWS, switches=boxes, link_price_usd=1, available={"a": 4})
    first, *later = (stage.blueprint.model_counts("leaf") for stage in study.stages)
    assert all(counts[: len(first) - 1] == first[:-1] for counts in later)
    assert [sum(count for _, count in counts) for counts in (first, *later)] == [8, 16, 32]


@pytest.mark.parametrize(
    ("stages", "mistake"),
    [([512, 512], "512 is the same as the stage before, 512"), ([100, 512], "100 is less than gpus, 248"),
     ([1024, 512], "512 is less than the stage before, 1024")],
)  # fmt: skip
def test_stages_ascend(stages: list[int], mistake: str) -> None:
    """Each stage has more GPUs than the one before, and none fewer than today."""
    with pytest.raises(fabric.InputError, match=mistake):
        fabric.read(GROWS, grow_to_gpus=stages)
