"""Trays hold the cables whose way leads over them."""

from __future__ import annotations

import numpy as np
import pytest

import fabric
from fabric.layout.routes import cross_trays_m, rack_metres
from fabric.layout.tray_fill import TrayFill, fill_trays
from fabric.layout.wiring import Wiring
from fabric.studies.study import Study

SITE = {"halls": [{"name": "A", "rows": 3, "racks_per_row": 12}, {"name": "B", "rows": 6, "racks_per_row": 14}]}


def draw_study(seed: int) -> Study:
    """Return a fabric in two halls, with trays and a group size by chance."""
    rng = np.random.default_rng(seed)
    trays = {"cross_aisles_m": sorted(rng.choice([0, 1.2, 3.3, 4.2, 7], rng.integers(1, 4), replace=False).tolist())}
    layouts = ["middle-of-row", "end-of-row", "in-rack", "network-rows"]
    site = SITE | {"trays": trays, "group_racks": int(rng.integers(3, 7)), "layout": layouts[rng.integers(4)]}
    gpus = int(rng.choice([384, 512, 1024]))
    return fabric.design(
        name="trays", gpus=gpus, server="dgx-h100", family="rail-optimized", switches="qm9700", unit_gpus=128, site=site
    )


def expected(wiring: Wiring, fill: TrayFill) -> np.ndarray:
    """Walk every cable by itself: along its row, by the nearest cross tray, and along the other row."""
    layout, found = wiring.layout, np.zeros(len(fill.cables), int)
    spots = layout.spots
    seen = set()
    along, across = np.isclose(fill.y0_m, fill.y1_m), np.isclose(fill.x0_m, fill.x1_m)
    middle_x, middle_y = (fill.x0_m + fill.x1_m) / 2, (fill.y0_m + fill.y1_m) / 2
    for link in range(wiring.network.links):
        one, other = (int(layout.device_rack[end[link]]) for end in (wiring.network.lower, wiring.network.upper))
        strand = (one, other, int(wiring.cable[link]))
        if one == other or strand in seen:
            continue
        seen.add(strand)
        xs, ys = spots.x_m[[one, other]], spots.y_m[[one, other]]
        halls, rows = layout.hall[[one, other]], layout.row[[one, other]]
        legs = [(ys[0], *sorted(xs))]
        if halls[0] != halls[1] or rows[0] != rows[1]:
            ways = [
                (round(abs(xs[0] - at) + abs(xs[1] - at), 9), order, at)
                for order, hall in enumerate(halls)
                for at in cross_trays_m(layout.site, layout.halls[hall])
            ]
            at = min(ways, key=lambda way: way[:2])[2]
            legs = [(y, *sorted((x, at))) for x, y in zip(xs, ys, strict=True)]
            found += across & np.isclose(fill.x0_m, at) & (min(ys) < middle_y) & (middle_y < max(ys))
        for y, low, high in legs:
            found += along & np.isclose(fill.y0_m, y) & (low < middle_x) & (middle_x < high)
    return found


@pytest.mark.parametrize("seed", range(6))
def test_every_cable_is_in_the_trays_of_its_way(seed: int) -> None:
    """Cable by cable, in two halls."""
    wiring = draw_study(seed).wiring
    fill = fill_trays(wiring)
    assert fill.cables.sum() > 0
    assert fill.cables.tolist() == expected(wiring, fill).tolist()


@pytest.mark.parametrize("at", [{}, {"x_m": 20, "y_m": 7.7}, {"x_m": 3, "y_m": 30}], ids=["line", "corner", "behind"])
def test_lengths_of_ways_are_what_trays_hold(at: dict[str, float]) -> None:
    """The cables of all stretches, times their lengths, are the ways between racks, also between halls."""
    halls = [{"name": "A", "rows": 3, "racks_per_row": 8}, {"name": "B", "rows": 2, "racks_per_row": 10, **at}]
    study = fabric.design("superpod-h100-4su", site={"halls": halls})
    layout, network, fill = study.layout, study.network, fill_trays(study.wiring)
    ways = rack_metres(layout, layout.device_rack[network.lower], layout.device_rack[network.upper])
    stretches = (fill.x1_m - fill.x0_m) + (fill.y1_m - fill.y0_m)
    assert (fill.cables * stretches).sum() == pytest.approx(ways.sum())
    assert fill.cables[fill.hall < 0].sum() > 0
    assert (fill.row[fill.hall < 0] == -1).all()


def test_a_known_diameter_fills_a_share() -> None:
    """A cable of 3 mm takes 7.07 mm2 of 60,000; parts of unknown diameter are named and not counted."""
    known = fill_trays(fabric.design("superpod-h100-4su").wiring)
    assert known.unknown == ()
    assert known.share == pytest.approx(known.cables * np.pi * 9 / 4 / 60_000)
    links = [{"name": "own", "media": "rj45", "rate_gbps": 400, "reach_m": 90, "price_usd": 10}]
    fill = fill_trays(fabric.design("superpod-h100-4su", links=links, optics=["own"]).wiring)
    assert fill.unknown == ("own",)
    assert not fill.area_mm2.any()
    site = {"diameters_mm": {"own": 6}}
    stated = fill_trays(fabric.design("superpod-h100-4su", links=links, optics=["own"], site=site).wiring)
    assert stated.unknown == ()
    assert stated.share == pytest.approx(stated.cables * np.pi * 9 / 60_000)
