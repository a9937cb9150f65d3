"""Ways of cables: against the shortest paths on the grid of trays, published lengths, and a bound by search."""

from __future__ import annotations

import random
from itertools import pairwise, permutations
from typing import Any

import networkx as nx
import numpy as np
import pytest

import fabric
from fabric.layout.layout import FOOT_M, UNIT_M, Layout
from fabric.layout.length_bound import bound_total_m
from fabric.layout.routes import cable_metres, cross_trays_m, rack_metres


def laid(name: str, **site: Any) -> tuple[fabric.Study, Layout]:
    """Return a shipped design and its layout on a site of these keys."""
    study = fabric.design(name, site=site)
    return study, study.layout


def tray_graph(layout: Layout) -> nx.Graph:
    """Return the trays of one hall: a path along every row, and cross trays between rows."""
    graph, hall = nx.Graph(), layout.halls[0]
    crossings = sorted({*cross_trays_m(layout.site, hall)})
    spots = sorted({*crossings, *((place + 0.5) * hall.rack_pitch_m for place in range(hall.racks_per_row))})
    for row in range(hall.rows):
        for one, other in pairwise(spots):
            graph.add_edge((row, one), (row, other), weight=other - one)
        for at in crossings if row else ():
            graph.add_edge((row - 1, at), (row, at), weight=hall.row_pitch_m)
    return graph


@pytest.mark.parametrize("cross", [[], [0], [3.3], [1, 9]])
def test_ways_are_the_shortest_on_the_trays(cross: list[float]) -> None:
    """Dijkstra on the graph of trays finds no shorter way."""
    halls = [{"name": "A", "rows": 5, "racks_per_row": 18}]
    _, layout = laid("superpod-h100-4su", halls=halls, trays={"cross_aisles_m": cross})
    graph, draw = tray_graph(layout), random.Random(0)
    x = [(place + 0.5) * 0.6 for place in layout.position.tolist()]
    for _ in range(200):
        one, other = draw.randrange(layout.racks), draw.randrange(layout.racks)
        found = rack_metres(layout, np.array([one]), np.array([other]))[0]
        ends = [
            min(graph, key=lambda spot, at=at: (spot[0] != layout.row[at], abs(spot[1] - x[at]))) for at in (one, other)
        ]
        assert found == pytest.approx(nx.shortest_path_length(graph, *ends, weight="weight"))


@pytest.mark.parametrize(("apart", "sold"), [(0, 3), (1, 5), (2, 5), (3, 10), (7, 10)])
def test_factory_lengths_of_multi_rack_systems_suffice(apart: int, sold: float) -> None:
    """Oracle sells 3 m within a rack, 5 m to the next two and 10 m to the seventh, under a raised floor.

    From Oracle's SuperCluster M8 and Exadata X9M multi-rack cabling tables; a tray 0.4 m from the foot stands for the
    floor, as ways up from the middle of a rack and down to it are as long.
    """
    _, layout = laid("superpod-h100-1su", trays={"height_m": 1.9}, slack_m=0.5)
    servers = np.flatnonzero(layout.device_unit[:32] == 17)
    by_rack = {int(layout.position[layout.device_rack[server]]): server for server in servers}
    if apart == 0:
        in_rack = np.flatnonzero(layout.device_rack == layout.device_rack[0])
        metres = cable_metres(layout, in_rack[:1], in_rack[-1:])[0]
    else:
        metres = cable_metres(layout, np.array([by_rack[0]]), np.array([by_rack[apart if apart != 4 else 5]]))[0]
    assert metres <= sold
    assert metres > sold * 0.4


@pytest.mark.parametrize("leaf_unit", [24, 18])
@pytest.mark.parametrize("floor_m", [0.62, 0.7, 0.76])
def test_factory_lengths_of_eight_racks_come_out(leaf_unit: int, floor_m: float) -> None:
    """Every row of Oracle's table of 8 racks (SuperCluster M8 installation guide, table 92), sold as 3, 5 or 10 m.

    A leaf in rack 1 is cabled to the spine in unit 1 of each rack, under a floor raised by 0.6 to 0.8 m, with 1 m of
    slack. Upside down the floor is a tray over the racks: unit u of 42 is then unit 43 - u.
    """
    published = [3, 5, 5, 10, 10, 10, 10, 10]
    tray = 2 * FOOT_M + 42 * UNIT_M + floor_m
    _, layout = laid("superpod-h100-1su", trays={"height_m": tray}, slack_m=1)
    racks, whole = np.arange(8, dtype=np.int32), np.zeros(8, np.int32)
    devices = np.concatenate([[0], racks]).astype(np.int32)
    units = np.array([43 - leaf_unit, *[42] * 8], np.int32)
    row = Layout(**{**_fields(layout), "hall": whole, "row": whole, "position": racks, "device_rack": devices,
                    "device_unit": units, "device_height": np.ones(9, np.int32)})  # fmt: skip
    metres = cable_metres(row, np.zeros(8, np.int64), np.arange(1, 9))
    assert [min(sold for sold in (3, 5, 10) if sold >= way) for way in metres] == published


def test_no_order_of_racks_is_below_the_bound() -> None:
    """All orders of 7 racks in a row: the bound is never above the least, and close to it."""
    request = {"gpus": 96, "server": "dgx-h100", "family": "fat-tree", "switches": "qm9700", "unit_gpus": 32}
    study = fabric.design(request, site={"rack": {"power_kw": 25}, "group_racks": 1})
    layout, network = study.layout, study.network
    bound, least = bound_total_m(layout, network), np.inf
    places = np.arange(layout.racks)
    assert layout.racks <= 10
    for order in permutations(range(layout.racks)) if layout.racks <= 7 else _some_orders(layout.racks):
        moved = Layout(**{**_fields(layout), "row": 0 * layout.row, "position": places[list(order)].astype(np.int32)})
        least = min(least, float(cable_metres(moved, network.lower, network.upper).sum()))
    assert bound <= least * (1 + 1e-9)
    assert least < 1.6 * bound


def _some_orders(racks: int) -> Any:
    draw = random.Random(1)
    return (draw.sample(range(racks), racks) for _ in range(3000))


def _fields(layout: Layout) -> dict[str, Any]:
    return {name: getattr(layout, name) for name in layout.__dataclass_fields__}


@pytest.mark.parametrize("name", ["superpod-h100-1su", "superpod-h100-4su", "superpod-b300-1su", "alibaba-hpn-pod"])
@pytest.mark.parametrize("rule", ["middle-of-row", "end-of-row", "in-rack", "network-rows"])
def test_no_layout_is_below_the_bound(name: str, rule: str) -> None:
    """The bound holds under every rule of placement."""
    study, layout = laid(name, layout=rule)
    total = float(cable_metres(layout, study.network.lower, study.network.upper).sum())
    assert bound_total_m(layout, study.network) <= total * (1 + 1e-9)


def test_the_unit_of_8_racks_is_optimal() -> None:
    """The leaf rack in the middle of 8 server racks: no arrangement needs less cable."""
    study, layout = laid("superpod-h100-1su")
    total = float(cable_metres(layout, study.network.lower, study.network.upper).sum())
    assert total == pytest.approx(bound_total_m(layout, study.network))
