"""Trunks, against the racks at both ends of every cable."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

import fabric
from fabric.layout.routes import rack_metres
from fabric.layout.trunks import find_trunks, name_routes


def test_trunks_are_the_cables_between_two_racks() -> None:
    """Every cable is in one; 4 servers of 8 NICs have a trunk of 32 cables to their leaf rack."""
    study = fabric.design("superpod-h100-4su")
    trunks, network, racks = find_trunks(study.wiring), study.network, study.layout.device_rack
    assert trunks.cables.sum() == len(trunks.of_cable) == 2048
    pairs = zip(racks[network.lower].tolist(), racks[network.upper].tolist(), strict=True)
    counts = Counter((min(pair), max(pair)) for pair in pairs)
    assert (
        dict(zip(zip(trunks.one.tolist(), trunks.other.tolist(), strict=True), trunks.cables.tolist(), strict=True))
        == counts
    )
    assert Counter(trunks.cables.tolist()) == {32: 32, 256: 4}
    assert np.bincount(trunks.of_cable).tolist() == trunks.cables.tolist()


def test_routes_name_the_trays_of_the_way() -> None:
    """A route has the rows of both racks, and the cross tray that makes the way as long as it is."""
    site = {"halls": [{"name": "A", "rows": 6, "racks_per_row": 9}], "trays": {"cross_aisles_m": [0, 5.4]}}
    study = fabric.design("superpod-h100-4su", site=site)
    layout, trunks = study.layout, find_trunks(study.wiring)
    texts, codes = name_routes(layout, trunks)
    names, spots, seen = layout.rack_names(), layout.spots, set[str]()
    metres = rack_metres(layout, trunks.one, trunks.other)
    for trunk, code in enumerate(codes.tolist()):
        one, other = int(trunks.one[trunk]), int(trunks.other[trunk])
        rows = [names[rack][:3] for rack in (one, other)]
        if rows[0] == rows[1]:
            assert texts[code] == ("" if one == other else rows[0])
            continue
        low, place, high = texts[code].split(" > ")
        assert [low, high] == rows
        at = float(place.removesuffix(" m"))
        along = abs(spots.x_m[one] - at) + abs(spots.x_m[other] - at)
        assert metres[trunk] == pytest.approx(along + abs(spots.y_m[one] - spots.y_m[other]))
        seen.add(place)
    assert seen <= {"0 m", "5.4 m"}
    assert len(set(texts)) == len(texts)
