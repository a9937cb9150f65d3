"""Appliances that take ports: against an exhaustive search, the bill, and the SuperPOD that leaves room for UFM."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

import numpy as np
import pytest

import fabric
from fabric.blueprint.appliances import attach_appliances
from fabric.blueprint.port_use import port_use
from fabric.errors import Infeasible, InputError
from fabric.optimizer import size
from fabric.report.describe import describe, describe_json
from tests.marks import slow
from tests.optimizer.brute_force import everything
from tests.optimizer.test_search import FAMILIES, as_spec, small_request

POD: dict[str, Any] = {
    "gpus": 248, "server": "dgx-h100", "family": "rail-optimized", "tiers": 2, "unit_gpus": 256, "switches": "qm9700",
}  # fmt: skip
"""A SuperPOD of one unit whose last server leaves its place to UFM, as NVIDIA's reference has it."""

UFM = {"name": "ufm", "ports": 2}


@pytest.mark.usefixtures("unexplained")
@pytest.mark.parametrize("draws", [25, *slow(100)])
@pytest.mark.parametrize("family", FAMILIES)
def test_no_cheaper_fabric_has_room_for_the_appliances(family: str, draws: int) -> None:
    """With appliances in every unit and in the fabric, sizing finds what an exhaustive search finds."""
    random, answers = Random(f"appliances {family}"), list[bool]()
    for _ in range(draws):
        request, tiers = small_request(random), random.choice([(1,), (2,), (3,), (1, 2, 3)])
        request = replace(request, in_unit=random.choice([0, 1, 2, 3]), in_fabric=random.choice([0, 1, 2, 5]))
        best = min((cost for cost, _ in everything(request, family, tiers)), default=None)
        answers.append(best is not None)
        try:
            sized = size(as_spec(request, family, tiers))
            found: float | None = sized.proof.objective
            _check_ports(sized.blueprint)
        except Infeasible:
            found = None
        assert found == best, (request, family, tiers)
    assert sum(answers) > draws // 6


def _check_ports(blueprint: Any) -> None:
    """Check that every appliance has its ports, on as many switches as it can, and no switch more than it has."""
    for each in attach_appliances(blueprint):
        assert each.links == blueprint.appliance_ports(each.appliance)
        assert each.switches <= blueprint.devices(each.appliance.tier)
    use = port_use(blueprint, "leaf")
    assert use.most <= use.full
    assert use.most <= blueprint.radix("leaf")
    assert use.free >= 0


def test_a_superpod_has_room_for_ufm_where_a_server_is_left_out() -> None:
    """31 servers and two links to UFM take 8 leaves and 4 spines, the switches of 32 servers; 32 and UFM take more."""
    study = fabric.design(POD, appliances=[UFM])
    assert [study.blueprint.devices(role) for role in ("leaf", "spine")] == [8, 4]
    with pytest.raises(Infeasible) as error:
        fabric.design(POD, gpus=256, appliances=[UFM])
    (found,) = [item for item in error.value.conflict if item.limit == "appliances"]
    assert (found.value, found.nearest) == ([{"name": "ufm", "ports": 2, "per": "fabric", "tier": "leaf"}], 0)
    assert fabric.design(POD, gpus=256).blueprint.devices("leaf") == 8


@pytest.mark.parametrize(("of_fabric", "of_units", "fit"), [(2, 4, 2), (20, 8, 8)])
def test_of_several_appliances_the_ports_that_fit_are_told(of_fabric: int, of_units: int, fit: int) -> None:
    """A unit of 32 servers has no port left when full, and 8 while one is missing, one of each rail's leaf."""
    several = [UFM | {"ports": of_fabric}, {"name": "tester", "ports": of_units, "per": "unit"}]
    with pytest.raises(
        Infeasible, match=f"take too many ports.*: {fit} of their {of_fabric + of_units} ports"
    ) as error:
        fabric.design(POD, appliances=several)
    (found,) = [item for item in error.value.conflict if item.limit == "appliances"]
    assert (found.nearest, found.settled) == (fit, True)


def test_the_links_of_appliances_are_in_every_result() -> None:
    """Two links to UFM are in links, cables, ports, cost, bill and notes, and the bill is what was minimised."""
    study, plain = fabric.design(POD, appliances=[UFM]), fabric.design(POD)
    found, without = describe_json(study), describe_json(plain)
    assert found["appliances"] == [{"name": "ufm", "tier": "leaf", "count": 1, "ports": 2, "switches": 2}]
    assert found["links"]["by_bundle"]["ufm"] == found["cables"]["by_bundle"]["ufm"] == 2
    assert found["links"]["total"] == without["links"]["total"] + 2
    leaf, before = (each["switches"]["by_role"]["leaf"] for each in (found, without))
    assert (leaf["ports_now"], leaf["ports_free"]) == ({"min": 63, "max": 64, "total": 506}, before["ports_free"] - 2)
    link = study.bill.of("link")[0].unit_price_usd
    assert found["cost_usd"]["total"] == without["cost_usd"]["total"] + 2 * (link or 0) == study.proof.objective
    assert "ufm takes 2 leaf ports, on 2 switches." in describe(study).notes
    # Both take the other half of a cage of the 31 servers' links, and a twin-port module is enough for UFM itself.
    assert found["modules"]["by_role"] == {**without["modules"]["by_role"], "ufm": 1}


def test_equal_parts_are_one_row_of_the_bill() -> None:
    """The leaf's modules for servers, for UFM and for a tester are the same part, ordered in one row."""
    tester = {"name": "tester", "ports": 2}
    rows = fabric.design(POD, unit_gpus=240, appliances=[UFM, tester], spares={"module": 0.1}).bill.rows
    assert len({(row.kind, row.part, row.used_for) for row in rows}) == len(rows)
    (leaf,) = [row for row in rows if (row.kind, row.used_for) == ("module", "leaf")]
    assert leaf.spares == -(-leaf.quantity // 10)


def test_an_appliance_of_every_unit_grows_with_the_units() -> None:
    """A tester with a port on each of the eight leaves of a unit is bought in every unit, as units are."""
    tester_of_unit = {"name": "tester", "ports": 8, "per": "unit"}
    study = fabric.design(POD, gpus=480, unit_gpus=240, grow_to_gpus=720, appliances=[tester_of_unit])
    (tester,) = attach_appliances(study.blueprint)
    assert (tester.copies, tester.links) == (2, 16)
    assert np.array_equal(tester.ports, np.ones(16))
    last = study.stages[-1].added
    assert sum(row.quantity for row in last.of("link") if row.used_for == "tester") == 8


@pytest.mark.parametrize("ports", [3, 8, 20])
def test_no_cable_of_an_appliance_is_moved(ports: int) -> None:
    """As units are added, UFM stays on the leaves of today, even with several ports of one, and so do testers."""
    asked = [UFM | {"ports": ports}, {"name": "tester", "ports": 2, "per": "unit"}]
    study = fabric.design(POD, unit_gpus=240, grow_to_gpus=[512, 1024], appliances=asked)
    today, *later = ({each.appliance: each for each in attach_appliances(stage.blueprint)} for stage in study.stages)
    for stage in later:
        for appliance, before in today.items():
            after = stage[appliance].ports
            assert np.array_equal(after[: len(before.ports)], before.ports)
            assert appliance.per_unit or not after[len(before.ports) :].any()
    added = [row for stage in study.stages[1:] for row in stage.added.rows if row.used_for == "ufm"]
    assert added == []


def test_limits_count_appliances() -> None:
    """A limit on cost a dollar short of the links to UFM is infeasible, and one that is met is not."""
    cost = fabric.design(POD, appliances=[UFM]).bill.cost_usd() or 0
    assert fabric.design(POD, appliances=[UFM], limits={"cost_usd": cost}).bill.cost_usd() == cost
    with pytest.raises(Infeasible):
        fabric.design(POD, appliances=[UFM], limits={"cost_usd": cost - 1})


@pytest.mark.parametrize(
    ("appliance", "mistake"),
    [
        ({"tier": "spine", "per": "unit"}, "the spine is not inside a unit"),
        ({"tier": "core"}, "no allowed topology has the tier 'core'"),
        ({"name": "leaf"}, "'leaf' is already the name of something else"),
        ({"ports": 0}, "ports"),
    ],
)
def test_an_appliance_that_no_fabric_has_a_place_for_is_refused(appliance: dict[str, Any], mistake: str) -> None:
    """A tier outside units, an unknown tier, a name already used and no ports are refused with a remedy."""
    with pytest.raises(InputError, match=mistake):
        fabric.design(POD, appliances=[UFM | appliance])
