"""The bound on cable lengths, against every arrangement of racks on small floors."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise, permutations
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import fabric
from fabric.errors import TooLarge
from fabric.layout.cable_chains import RackCables, join_chain
from fabric.layout.floor_metric import FloorMetric, list_positions
from fabric.layout.length_bound import _bound_bundles, bound_total_m
from fabric.layout.nearest_sums import sum_nearest
from fabric.layout.routes import cross_trays_m, tray_metres
from fabric.layout.star_bound import bound_stars
from fabric.request.site import Site

FLOORS: dict[str, dict[str, Any]] = {
    "one hall": {"halls": [{"name": "A", "rows": 2, "racks_per_row": 4}]},
    "two halls": {
        "halls": [{"name": "A", "rows": 2, "racks_per_row": 2}, {"name": "B", "rows": 1, "racks_per_row": 4}],
        "trays": {"cross_aisles_m": [0.5]},
    },
    "halls side by side": {
        "halls": [
            {"name": "A", "rows": 2, "racks_per_row": 2, "x_m": 0, "y_m": 0},
            {"name": "B", "rows": 2, "racks_per_row": 2, "x_m": 1.5, "y_m": 2},
        ],
        "trays": {"cross_aisles_m": [0.0]},
    },
}  # fmt: skip


def site_of(floor: str) -> tuple[Site, Any]:
    """Return a site and its halls, laid out."""
    study = fabric.design(
        {"gpus": 16, "server": "dgx-h100", "switches": "qm9700", "family": "fat-tree"}, site=FLOORS[floor]
    )
    return study.spec.site, study.layout.halls


def least_way(site: Site, halls: Any, bundles: list[RackCables], racks: int) -> float:
    """Return the least way of all cables over every arrangement of the racks."""
    spots = list_positions(halls)
    metres = tray_metres(site, halls, spots.upright(), spots)
    every = np.array(list(permutations(range(len(spots.hall)), racks)))
    total = np.zeros(len(every))
    for each in bundles:
        for low, high, cables in zip(each.low, each.high, each.cables, strict=True):
            total += cables * metres[every[:, low], every[:, high]]
    return float(total.min())


@pytest.mark.parametrize("floor", list(FLOORS))
def test_ways_hold_the_triangle_inequality_and_are_no_longer_than_cables(floor: str) -> None:
    """Ways are those of cables in one hall, and between halls no longer; no way by a third position is shorter."""
    site, halls = site_of(floor)
    metric, spots = FloorMetric.of(site, halls), list_positions(halls)
    spots = spots.take(np.argsort(spots.y_m, kind="stable"))
    ways = metric.ways(np.arange(metric.positions))
    cables = tray_metres(site, halls, spots.upright(), spots)
    assert (ways <= cables + 1e-9).all()
    if len({tuple(cross_trays_m(site, hall)) for hall in halls}) == 1:
        assert ways == pytest.approx(cables)
    assert (ways[:, :, None] <= ways[:, None, :] + ways.T[None] + 1e-9).all()


@pytest.mark.parametrize("floor", list(FLOORS))
@pytest.mark.parametrize("seed", range(6))
def test_no_arrangement_is_below_the_bound(floor: str, seed: int) -> None:
    """Servers, leaves and spines joined at random, in every arrangement on 8 positions."""
    site, halls = site_of(floor)
    draw = np.random.default_rng(seed)
    servers, leaves, spines = range(3), range(3, 5), range(5, 6 + seed % 2)
    bundles = [draw_cables(draw, servers, leaves), draw_cables(draw, leaves, spines)]
    racks = spines.stop
    least = least_way(site, halls, bundles, racks)
    bound = _bound_bundles(FloorMetric.of(site, halls), bundles, racks)
    assert 0 < bound <= least * (1 + 1e-9)
    assert least < 3.5 * bound


def draw_cables(draw: np.random.Generator, low: range, high: range) -> RackCables:
    """Return 0 to 4 cables between each two racks."""
    low_rack, high_rack = (each.reshape(-1) for each in np.meshgrid(low, high, indexing="ij"))
    cables = draw.integers(0, 5, len(low_rack)).astype(np.float64)
    return RackCables(low_rack[cables > 0], high_rack[cables > 0], cables[cables > 0])


def test_all_servers_around_one_rack_of_spines_meet_the_bound() -> None:
    """With one rack of switches the bound is the least way: every arrangement of 5 racks on 8 positions."""
    site, halls = site_of("one hall")
    star = RackCables(np.arange(4), np.full(4, 4), np.array([7.0, 1.0, 3.0, 3.0]))
    least = least_way(site, halls, [star], 5)
    assert bound_stars(FloorMetric.of(site, halls), star.high, star.low, star.cables) == pytest.approx(least)


@pytest.mark.parametrize("number", [40, 900, 2000])
@pytest.mark.parametrize("floor", list(FLOORS))
def test_sums_of_nearest_ways_are_those_of_every_pair(floor: str, number: int) -> None:
    """By duality and tables the sum is never above that of the sorted ways, and within 2 % of it."""
    site, halls = site_of(floor)
    halls = [replace(hall, rows=30, racks_per_row=42, y_m=112.0 * at) for at, hall in enumerate(halls)]
    metric = FloorMetric.of(site, halls)
    number = min(number, metric.positions - 1)
    seeds = np.arange(0, metric.positions, 97)
    ways = np.sort(metric.ways(np.arange(metric.positions)), axis=1)[:, 1 : number + 1].sum(axis=1)
    found = sum_nearest(metric, number, seeds)
    assert (found <= ways * (1 + 1e-9)).all()
    assert (found >= 0.98 * ways).all()


def test_halls_too_large_for_the_bound_are_refused_before_it() -> None:
    """A row too many zeros long has an estimate and a remedy; what needs no bound is laid out."""
    halls = [{"name": "A", "rows": 10_000, "racks_per_row": 10_000}]
    study = fabric.design(gpus=16, server="dgx-h100", switches="qm9700", family="fat-tree", site={"halls": halls})
    with pytest.raises(TooLarge, match=r"100,000,000 rack positions need about .*; give halls fewer or shorter rows"):
        bound_total_m(study.layout, study.network)


@pytest.mark.parametrize("seed", range(5))
def test_chains_use_no_cable_twice(seed: int) -> None:
    """By linear programming's own check: chains and what is left over add up to the cables of every bundle."""
    draw = np.random.default_rng(seed)
    tiers = [range(4), range(4, 7), range(7, 9), range(9, 11)]
    bundles = [draw_cables(draw, low, high) for low, high in pairwise(tiers)]
    chain, left = join_chain(bundles, 11)
    used = [dense(bundle) - dense(rest) for bundle, rest in zip(bundles, left, strict=True)]
    for below, above in pairwise(used):
        assert below.sum(axis=0) == pytest.approx(above.sum(axis=1))
    assert all((each >= -1e-9).all() for each in used)
    assert dense(chain).sum(axis=1)[:4] == pytest.approx(used[0].sum(axis=1)[:4])
    assert dense(chain).sum(axis=0)[9:] == pytest.approx(used[-1].sum(axis=0)[9:])


def dense(bundle: RackCables) -> npt.NDArray[np.float64]:
    """Return the cables as a matrix of racks."""
    table = np.zeros((11, 11))
    table[bundle.low, bundle.high] = bundle.cables
    return table
