"""Truths about InfiniBand subnets that need no tool: GUIDs, subnets, rates, and what no subnet manager takes."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

import numpy as np
import pytest

import fabric
from fabric.errors import InputError
from fabric.export import list_plan_files
from fabric.export.infiniband.lanes import write_width
from fabric.export.infiniband.nodes import list_nodes
from fabric.export.infiniband.subnets import split_subnets
from fabric.export.plan import Plan
from tests.export.plans import draw_plans, shipped_plan

BOX = {"name": "box", "ports": 32, "rate_gbps": 400, "link_layer": "infiniband", "breakouts": {200: 64}}


def design(**request: Any) -> Plan:
    """Return the plan of a small request."""
    return fabric.design(name="it", server="hgx-h100", switches=[BOX], **request).plan


def test_guids_are_unique_and_ports_used_once() -> None:
    """No two nodes or ports of HCAs have one GUID, and no two links one port of a switch, which has enough of them."""
    for plan in [shipped_plan("deepseek-mpft"), *draw_plans(3, 8, "infiniband")]:
        nodes = list_nodes(plan, split_subnets(plan))
        guids = np.concatenate([nodes.guid, nodes.guid[: nodes.hcas] + 1])
        assert len(np.unique(guids)) == len(guids)
        assert set((guids >> 40).tolist()) == {0x2C9}
        ends = np.stack([np.append(nodes.lower, nodes.upper), np.append(nodes.lower_port, nodes.upper_port)])
        assert np.unique(ends, axis=1).shape[1] == 2 * plan.network.links
        assert (ends[1] >= 1).all()
        assert (ends[1] <= nodes.ports[ends[0]]).all()
        assert len(set(nodes.names)) == len(nodes.names)


def test_guids_stay_when_a_fabric_grows() -> None:
    """Every node of what is bought first has its GUID in the grown fabric."""
    grown = fabric.design(name="it", server="hgx-h100", switches=[BOX], gpus=128, grow_to_gpus=256)
    today, later = (
        Plan(grown.spec, plan, partial(getattr, grown, wiring))
        for plan, wiring in ((grown.blueprint, "wiring"), (grown.stages[-1].blueprint, "planned_wiring"))
    )
    guids = []
    for plan in (today, later):
        nodes = list_nodes(plan, split_subnets(plan))
        guids.append(dict(zip(nodes.names, nodes.guid.tolist(), strict=True)))
    assert len(guids[0]) < len(guids[1])
    assert guids[0].items() <= guids[1].items()


@pytest.mark.parametrize(
    ("request_", "names"),
    [
        ({"gpus": 256, "family": "fat-tree"}, ["subnet"]),
        ({"gpus": 128, "family": "rail-only"}, [f"rail{rail}" for rail in range(8)]),
        ({"gpus": 128, "family": "fat-tree", "planes": 2}, ["plane0", "plane1"]),
        ({"gpus": 128, "family": "rail-only", "planes": 2}, [f"plane{p}-rail{r}" for r in range(8) for p in range(2)]),
    ],
)
def test_each_plane_and_each_separate_rail_is_a_subnet(request_: dict[str, Any], names: list[str]) -> None:
    """A file for each, with its own HCAs; together they have every NIC port once."""
    plan = design(**request_)
    files = {name: "".join(pieces) for name, pieces in list_plan_files(plan, "ibnetdiscover")}
    assert sorted(files) == sorted(f"{name}.ibnetdiscover" for name in names)
    found = [re.findall(r'^Ca\t1 "(H-[0-9a-f]{16})"', text, re.MULTILINE) for text in files.values()]
    assert len({each for part in found for each in part}) == sum(map(len, found)) == int((plan.host >= 0).sum())


def test_rates_are_lanes_of_a_generation() -> None:
    """A whole port has four lanes and a part fewer; later generations go by the newest that a tool knows."""
    assert [write_width(gbps, 1) for gbps in (100, 200, 400, 800)] == ["4xEDR", "4xHDR", "4xNDR", "4xXDR"]
    assert (write_width(200, 2), write_width(100, 4), write_width(400, 2)) == ("2xNDR", "1xNDR", "2xXDR")
    assert (write_width(400, 1, "HDR"), write_width(200, 2, "HDR"), write_width(100, 1, "HDR")) == (
        "4xHDR", "2xHDR", "4xEDR",
    )  # fmt: skip
    for wrong in ((300, 1), (100, 3), (400, 8)):
        with pytest.raises(InputError, match=f"no InfiniBand link has {wrong[0]} Gb/s"):
            write_width(*wrong)


def test_what_no_subnet_manager_takes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ethernet switches, and more nodes than a subnet has addresses, are refused with the reason."""
    with pytest.raises(InputError, match="is an Ethernet switch, and a subnet manager is for InfiniBand; use frr"):
        list_plan_files(shipped_plan("superpod-b300-1su"), "ibnetdiscover")
    monkeypatch.setattr("fabric.export.infiniband.subnets.MOST_LIDS", 267)
    with pytest.raises(InputError, match="subnet has 268 switches and NIC ports, and a subnet has 267 addresses"):
        list_plan_files(shipped_plan("superpod-h100-1su"), "ibnetdiscover")
