"""Layouts with unlike servers and with appliances: everything stands somewhere, and has ports of its own."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyarrow.csv import read_csv

import fabric
from fabric.blueprint.appliances import attach_appliances
from fabric.errors import InputError
from fabric.layout.appliances import list_appliance_links
from fabric.layout.length_bound import bound_total_m
from fabric.layout.routes import cable_metres
from fabric.layout.wiring import Wiring
from fabric.report.site import find_cables, layout_object, summarize_layout
from fabric.report.site_files import write_cables, write_layout
from fabric.request.site import LAYOUTS
from fabric.studies.change_order import make_change_order
from tests.layout.test_lay_out import check_rules, contents

STORAGE = {"name": "storage", "gpus": 0, "nics": 2, "nic_gbps": 200}
SERVERS = [{"server": "hgx-h100", "count": 62}, {"server": "hgx-a100", "count": 16}, {"server": STORAGE, "count": 21}]
UNLIKE = {"family": "rail-optimized", "switches": "sn5600", "servers": SERVERS, "rails": 8}
BOXES = [
    {"name": "ufm", "ports": 2},
    {"name": "probe", "ports": 3, "per": "unit"},
    {"name": "tap", "ports": 4, "tier": "spine"},
]
EQUAL = {"gpus": 1000, "server": "dgx-h100", "family": "rail-optimized", "switches": "qm9700", "appliances": BOXES}


def check_ports(wiring: Wiring) -> None:
    """Check that no two cables end at one port, and that every cable has the length of its way."""
    network = wiring.network
    ends = [
        *zip(network.lower.tolist(), wiring.a_port.tolist(), strict=True),
        *zip(network.upper.tolist(), wiring.b_port.tolist(), strict=True),
    ]
    assert len(set(ends)) == len(ends)
    assert (wiring.length_m >= wiring.way_m - 1e-3).all()


def unit_of_servers(study: fabric.Study) -> np.ndarray:
    """Return the unit of each server."""
    topology, network = study.blueprint.topology, study.network
    units = []
    for role in (group.role for group in topology.server_groups):
        group, places = network.group(role), topology.placement_axes(topology.group(role))
        digits = group.coordinates()
        flat = np.zeros(group.count, np.int64)
        for axis in places[:-1]:
            flat = flat * study.blueprint.sizes[axis] + digits[axis]
        units.append(flat)
    return np.concatenate(units)


@pytest.mark.parametrize("family", ["rail-optimized", "fat-tree"])
@pytest.mark.parametrize("mix", ["apart", "together"])
@pytest.mark.parametrize("layout", list(LAYOUTS))
def test_unlike_servers_have_racks_of_their_own(mix: str, family: str, layout: str) -> None:
    """Racks keep their rules, one with servers of two kinds has all of its units, and cables keep to the bound."""
    study = fabric.design({**UNLIKE, "mix": mix, "family": family}, site={"layout": layout, "rack": {"power_kw": 60}})
    laid, network = study.layout, study.network
    check_rules(study, laid)
    kinds = {group.role for group in network.groups[: network.kinds]}
    assert len(kinds) == 3
    found = contents(network, laid)
    mixed = [rack for rack, each in enumerate(found) if len(kinds & set(each)) > 1]
    assert not mixed or (mix == "together" and layout != "in-rack")
    units = unit_of_servers(study)
    for rack in mixed:
        inside = laid.device_rack[: len(units)] == rack
        assert (laid.device_rack[: len(units)][np.isin(units, units[inside])] == rack).all()
    assert sum((Counter(each) for each in found), Counter()) == {group.role: group.count for group in network.groups}
    check_ports(study.wiring)
    total = float(cable_metres(laid, network.lower, network.upper).sum())
    assert bound_total_m(laid, network) <= total


@pytest.mark.parametrize(("units", "power_kw", "racks"), [(42, None, 2), (14, None, 4), (42, 20, 4), (11, None, 8)])
def test_small_units_of_unlike_servers_share_a_rack(units: int, power_kw: float | None, racks: int) -> None:
    """Four units of two boxes of 4 rack units and 6 kW and two of 2: 12 rack units and 12 kW, three to a rack of 42.

    A rack of 14 has room for one unit, and so has one of 20 kW; in racks of 11 each kind has one of its own.
    """
    box = {"name": "box", "gpus": 8, "nics": 8, "nic_gbps": 400, "rack_units": 4, "power_w": 6000, "max_power_w": 6000}
    store = {"name": "store", "gpus": 0, "nics": 8, "nic_gbps": 400, "rack_units": 2, "power_w": 100}
    servers = [{"server": box, "count": 8, "per_unit": 2}, {"server": store, "count": 8, "per_unit": 2}]
    request = {"family": "rail-optimized", "switches": "qm9700", "servers": servers, "mix": "together"}
    study = fabric.design(request, site={"rack": {"units": units, "power_kw": power_kw}})
    check_rules(study, study.layout)
    assert int(study.layout.holds_servers.sum()) == racks


def test_servers_of_a_kind_apart_fill_their_racks_evenly() -> None:
    """Units of one kind have as many racks as their servers need, and small units share none of another kind."""
    study = fabric.design({**UNLIKE, "mix": "apart"}, site={"rack": {"power_kw": None}})
    network, laid = study.network, study.layout
    for group in network.groups[: network.kinds]:
        racks = np.unique(laid.device_rack[group.first : group.first + group.count])
        height = int(laid.device_height[group.first])
        least = -(-group.count // (42 // height))
        assert least <= len(racks) <= least + 2


@pytest.mark.parametrize("layout", list(LAYOUTS))
def test_appliances_stand_with_a_switch_that_they_are_joined_to(layout: str) -> None:
    """Every appliance has rack units of its own, in the rack of its first switch where that is a network rack."""
    rack = {"power_kw": 60, "units": 50}
    study = fabric.design(EQUAL, site={"layout": layout, "heights": {"ufm": 1}, "rack": rack})
    laid = study.layout
    check_rules(study, laid)
    groups = {group.role: group for group in laid.network.groups}
    assert [groups[name].count for name in ("ufm", "probe", "tap")] == [1, 5, 1]
    assert laid.device_height[groups["ufm"].first] == 1
    for each in list_appliance_links(study.blueprint):
        name, tier = each.attached.appliance.name, each.attached.appliance.tier
        own = laid.device_rack[groups[name].first : groups[name].first + groups[name].count]
        home = laid.device_rack[groups[tier].first + each.home]
        assert own.tolist() == home.tolist() or layout == "network-rows"
        assert laid.holds_servers[own].all() == (layout == "in-rack" and tier == "leaf")
    assert sorted(laid.assumed_heights) == ["probe", "tap"]


@pytest.mark.parametrize(
    "request_", [EQUAL, {**EQUAL, "gpus": 1024}, {**EQUAL, "family": "fat-tree", "server": "hgx-h100"},
                 {**EQUAL, "switches": "sn5600"}, {**EQUAL, "grow_to_gpus": 4000}],
)  # fmt: skip
def test_appliances_have_ports_that_nothing_else_has(request_: dict[str, Any]) -> None:
    """Each takes as many ports of each switch as the blueprint says, free ones, and the bill has its cables."""
    study = fabric.design(request_)
    laid = fabric.design(request_, site={"slack_m": 2})
    wiring, network = laid.wiring, laid.layout.network
    check_ports(wiring)
    for number, each in enumerate(attach_appliances(laid.blueprint), len(network.bundles) - network.appliances):
        rows = np.flatnonzero(network.bundle == number)
        first = network.group(each.appliance.tier).first
        taken = np.bincount(network.upper[rows] - first, minlength=len(each.ports))
        assert taken.tolist() == each.ports.tolist()
        counts = next(counts for kind, counts in wiring.count_lengths() if kind.bundle == each.appliance.name)
        assert sum(counts.values()) == sum(
            row.quantity
            for row in study.bill.rows
            if row.kind in ("fibre", "cable") and row.used_for == each.appliance.name
        )


def test_appliances_keep_to_the_gap_before_stated_uplinks() -> None:
    """With links up from port 33, appliances have the first ports after those down, which growth would have next."""
    request = {**EQUAL, "gpus": 128, "appliances": [{"name": "ufm", "ports": 2}], "unit_gpus": 128}
    study = fabric.design(request, site={"first_uplinks": {"leaf": 33}})
    wiring, network = study.wiring, study.layout.network
    rows = network.bundle == len(network.bundles) - 1
    assert [wiring.port_names[code] for code in wiring.b_port[rows]] == ["17", "17"]
    assert [wiring.port_names[code] for code in wiring.a_port[rows]] == ["port1", "port2"]


def test_an_appliance_that_fits_no_rack_is_refused() -> None:
    """A height above that of a network rack is named."""
    with pytest.raises(InputError, match=r"site\.rack: a device of 60 rack units .* fits no network rack of 42"):
        fabric.design(EQUAL, site={"heights": {"ufm": 60}}).layout  # noqa: B018


@pytest.mark.parametrize("request_", [EQUAL, UNLIKE])
def test_every_file_is_written(request_: dict[str, Any], tmp_path: Path) -> None:
    """Floor plan, elevations, tables, cables and bill of fabrics with appliances and with unlike servers."""
    study = fabric.design(request_, site={"halls": [{"name": "A", "rows": 10, "racks_per_row": 20}]})
    devices = sum(len(rack["devices"]) for rack in layout_object(study)["racks"])
    assert devices == study.layout.network.devices
    assert summarize_layout(study).tables
    for name in ("floor.svg", "floor.dxf", "layout.json"):
        assert write_layout(study, tmp_path / name).stat().st_size > 1000
    table = read_csv(write_cables(study, tmp_path / "cables.csv"))
    assert table.num_rows == study.layout.network.links
    assert len(set(table["label"].to_pylist())) == table.num_rows
    assert set(table["bundle"].to_pylist()) == set(study.layout.network.bundles)
    assert study.diagram("racks").axes


def test_one_appliance_is_found_by_its_name() -> None:
    """`--of` takes the name of an appliance, or of the one of a unit."""
    wiring = fabric.design(EQUAL).wiring
    assert [len(find_cables(wiring, name)) for name in ("ufm[]", "probe[unit=2]", "probe[]", "tap[]")] == [2, 3, 15, 4]


def test_a_change_order_has_the_cables_of_appliances() -> None:
    """An appliance with one port more adds one cable and moves none."""
    boxes = [{"name": "ufm", "ports": ports} for ports in (2, 3)]
    before, after = (fabric.design({**EQUAL, "appliances": [box]}) for box in boxes)
    order = make_change_order(before, after)
    assert {action: len(order.cables.rows(action)[1]) for action in order.cables.actions} == {
        "add": 1,
        "remove": 0,
        "move": 0,
        "relabel": 0,
    }
    assert order.bought_usd == 1240
