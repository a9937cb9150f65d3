"""Racks against the published: what stands in one by height and by maximum power."""

from __future__ import annotations

from typing import Any

import pytest

import fabric
from fabric.blueprint.racks import Floor, Rack, assumed_heights, floor_of, unknown_maxima


def floor(rack_kw: float, **words: Any) -> Floor:
    """Return the racks of a unit of 32 servers on InfiniBand."""
    request = {"name": "racks", "gpus": 256, "family": "rail-optimized", "switches": "qm9700", **words}
    return floor_of(fabric.design(request).blueprint, Rack(42, 1000 * rack_kw))


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
    assert floor(rack_kw, server=server).rack_servers == servers


def test_maximum_power_counts_where_it_is_known() -> None:
    """A server of 10 kW, at most 20, stands alone in a rack of 30 kW; one of which only 10 kW is known does not."""
    box = {"name": "box", "gpus": 8, "nics": 8, "nic_gbps": 400, "rack_units": 5, "power_w": 10_000}
    assert floor(30, server={**box, "max_power_w": 20_000}).rack_servers == 1
    assert floor(30, server=box).rack_servers == 2
    assert floor(30, server=box).server_units == 5


def test_what_is_assumed_is_named() -> None:
    """A server of unknown height takes a rack unit per GPU, a switch two; unknown maxima are named with the typical."""
    switch = {"name": "switch", "ports": 64, "rate_gbps": 400}
    request = {"name": "racks", "gpus": 256, "family": "rail-optimized", "server": "hgx-b200", "switches": switch}
    blueprint = fabric.design(request).blueprint
    assert assumed_heights(blueprint) == {"hgx-b200": 8, "switch": 2}
    assert unknown_maxima(blueprint) == {"hgx-b200": None, "switch": None}
    known = fabric.design({**request, "server": "dgx-b200", "switches": "qm9700"}).blueprint
    assert assumed_heights(known) == {}
    assert unknown_maxima(known) == {"qm9700": 747}


def test_a_rack_of_trays_is_its_own_rack() -> None:
    """An NVL72 brings its own rack, whatever the height and the power of the others."""
    racks = floor(45, server="gb200-nvl72", gpus=576, switches="qm9700", family="rail-optimized")
    assert (racks.rack_servers, racks.server_units, racks.racks) == (1, 42, 8)
