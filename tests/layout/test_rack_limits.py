"""Racks against the published: what stands in one by height and by maximum power."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fabric
from fabric.layout.layout import Layout


def lay_out_unit(rack_kw: float, **words: Any) -> Layout:
    """Return the layout of a unit of 32 servers on InfiniBand, with its leaves in the racks of the servers."""
    site = {"rack": {"power_kw": rack_kw}, "layout": "in-rack"}
    request = {"name": "racks", "gpus": 256, "family": "rail-optimized", "switches": "qm9700", "site": site, **words}
    return fabric.design(request).layout


def most_servers(layout: Layout) -> int:
    """Return the most servers of a rack."""
    servers = np.flatnonzero(layout.device_height == layout.device_height[0])
    return int(np.bincount(layout.device_rack[servers]).max())


@pytest.mark.parametrize(
    ("server", "rack_kw", "servers"),
    [
        ("dgx-h100", 45, 4),
        ("dgx-h100", 41.6, 4),
        ("dgx-h100", 41.5, 3),
        ("dgx-h100", 22, 2),
        ("dgx-b200", 45, 3),
        ("dgx-b200", 80, 4),
    ],
)
def test_a_rack_holds_what_its_height_and_maximum_power_allow(server: str, rack_kw: float, servers: int) -> None:
    """Four DGX H100 of 8 rack units take 40.8 kW beside a leaf of 747 W; a DGX B200 has 10 rack units and 14.3 kW."""
    assert most_servers(lay_out_unit(rack_kw, server=server)) == servers


def test_maximum_power_counts_where_it_is_known() -> None:
    """A server of 10 kW, at most 20, stands alone in a rack of 30 kW; one of which only 10 kW is known does not."""
    box = {"name": "box", "gpus": 8, "nics": 8, "nic_gbps": 400, "rack_units": 5, "power_w": 10_000}
    assert most_servers(lay_out_unit(30, server={**box, "max_power_w": 20_000})) == 1
    assert most_servers(lay_out_unit(30, server=box)) == 2


def test_what_is_assumed_is_named() -> None:
    """A server of unknown height takes a rack unit per GPU, a switch two; what has no known power is named."""
    switch = {"name": "switch", "ports": 64, "rate_gbps": 400}
    layout = lay_out_unit(45, server="hgx-b200", switches=switch)
    assert set(layout.assumed_heights) == set(layout.unknown_power) == {"hgx-b200", "switch"}
    assert set(layout.device_height.tolist()) == {8, 2}
    known = lay_out_unit(45, server="dgx-b200")
    assert known.assumed_heights == known.unknown_power == ()


def test_a_rack_of_trays_is_its_own_rack() -> None:
    """An NVL72 brings its own rack, whatever the power of the others."""
    layout = fabric.design(
        name="racks", gpus=576, server="gb200-nvl72", switches="qm9700", family="rail-optimized"
    ).layout
    assert int(layout.holds_servers.sum()) == 8
    assert layout.own_racks
