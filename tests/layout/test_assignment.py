"""Network racks at their best positions, against every arrangement of them."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

import fabric
from fabric.layout.assignment import assign_network_racks
from fabric.layout.floor import Positions, place_blocks
from fabric.layout.layout import Layout
from fabric.layout.racks import fill_racks
from fabric.layout.routes import cable_metres

REQUEST = {"gpus": 512, "server": "dgx-h100", "family": "rail-only", "switches": "qm9700", "unit_gpus": 128}


def total_metres(study: fabric.Study, places: Positions) -> float:
    """Return the length of all cables with racks at these places, numbered as the contents are."""
    contents = fill_racks(study.blueprint, study.spec.site)
    rows = np.zeros(len(places.hall), np.float64)
    columns = (contents.rack, contents.unit, contents.height)
    layout = Layout(
        study.spec.site,
        study.network,
        places.halls,
        places.hall,
        places.row,
        places.position,
        rows > 0,
        *columns,
        rows,
        rows,
        rows == 0,
        rows == 0,
    )
    return float(cable_metres(layout, study.network.lower, study.network.upper).sum())


@pytest.mark.parametrize("layout", ["middle-of-row", "network-rows", "in-rack"])
@pytest.mark.parametrize("cross", [[], [0.0], [2.0, 5.0]])
def test_racks_of_one_role_stand_at_their_best(layout: str, cross: list[float]) -> None:
    """No arrangement of the spine racks over their positions and the free ones needs less cable."""
    rack = {"server": {"units": 42}, "network": {"units": 6}}
    halls = [{"name": "A", "rows": 4, "racks_per_row": 7}]
    site = {"layout": layout, "rack": rack, "halls": halls, "group_racks": 4, "trays": {"cross_aisles_m": cross}}
    if layout != "middle-of-row":
        site["places"] = {"leaf": "hall A row 1"} if layout == "network-rows" else {}
    study = fabric.design(REQUEST, site=site)
    contents = fill_racks(study.blueprint, study.spec.site)
    before = place_blocks(study.spec.site, contents.blocks, contents.server_racks + contents.network_racks)
    after = assign_network_racks(study.spec.site, [before], contents.blocks, contents.rack, study.network)
    moving = np.concatenate([block.racks for block in contents.blocks if block.role == "spine"])
    taken = set(zip(before.row.tolist(), before.position.tolist(), strict=True))
    spots = [(row, at) for row in range(4) for at in range(7) if (row, at) not in taken]
    spots += [(int(before.row[rack]), int(before.position[rack])) for rack in moving]
    least = np.inf
    assert len(moving) == 2
    for order in permutations(spots, len(moving)):
        row, position = before.row.copy(), before.position.copy()
        row[moving], position[moving] = zip(*order, strict=True)
        least = min(least, total_metres(study, Positions(before.halls, before.hall, row, position)))
    assert total_metres(study, after) == pytest.approx(least)
    assert least <= total_metres(study, before)


@pytest.mark.parametrize("name", ["superpod-h100-16su", "superpod-h100-32su", "meta-llama3-24k", "deepseek-mpft"])
def test_cables_are_never_longer_than_by_the_rule(name: str) -> None:
    """Several roles in turn: the total only falls, and no two racks stand at one position."""
    study = fabric.design(name)
    contents = fill_racks(study.blueprint, study.spec.site)
    before = place_blocks(study.spec.site, contents.blocks, contents.server_racks + contents.network_racks)
    after = assign_network_racks(study.spec.site, [before], contents.blocks, contents.rack, study.network)
    assert total_metres(study, after) <= total_metres(study, before)
    assert len({*zip(after.hall.tolist(), after.row.tolist(), after.position.tolist(), strict=True)}) == len(after.hall)
