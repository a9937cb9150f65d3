"""How short all cables together could be: a bound that no arrangement of the same racks in the same halls is below.

The cables of a bundle, each counted at one of its ends, have a bound (`star_bound`). A tighter one counts several
bundles at once: by the triangle inequality a cable from a server to its leaf and one from that leaf to a spine are
together no shorter than the way from server to spine, and around every rack of spines are all racks of servers, one at
each position. What runs up, down and within racks does not depend on where racks stand.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from fabric.layout.cable_chains import RackCables, join_chain, list_splits
from fabric.layout.floor_metric import FloorMetric
from fabric.layout.layout import Layout
from fabric.layout.routes import cable_metres, rack_metres
from fabric.layout.star_bound import bound_stars
from fabric.network import Network
from fabric.request.site import Hall
from fabric.resources import Work, refuse_excess

__all__ = ["bound_total_m"]

FEW_PAIRS = 20_000
"""The pairs of racks up to which cables are counted at either end."""

POSITION, PAIR_BYTES = Work(memory_bytes=400, seconds=4e-5), 40
"""What the bound takes for each position of the halls, and of memory for each pair of places along their rows: measured
on 400,000 positions in rows of 100 to 4,000."""

LEAST_SHARE = 0.01
"""The least share of a chain's cables that, left over, is bounded too."""


def bound_total_m(layout: Layout, network: Network) -> float:
    """Return the least length in metres of all cables together, at whatever positions of the halls the racks stand.

    Raises TooLarge where the halls have too many positions for the memory or the time that a run may take.
    """
    _refuse_huge_halls(layout.halls)
    racks = layout.device_rack
    ways = rack_metres(layout, racks[network.lower], racks[network.upper])
    fixed = float((cable_metres(layout, network.lower, network.upper) - ways).sum())
    floor = FloorMetric.of(layout.site, layout.halls)
    kinds, last = network.kinds, len(network.bundles) - network.appliances
    # The links of all kinds of servers begin the chain; those of appliances have a bound of their own.
    numbers = [(0, kinds), *((number, number + 1) for number in range(kinds, len(network.bundles)))]
    every = [_count_cables(layout, network, *each) for each in numbers]
    chain, others = every[: last - kinds + 1], every[last - kinds + 1 :]
    parts = [chain] if _is_chain(network, numbers[: len(chain)]) else [[each] for each in chain]
    parts += [[each] for each in others]
    return fixed + sum(_bound_bundles(floor, part, layout.racks) for part in parts)


def _refuse_huge_halls(halls: Sequence[Hall]) -> None:
    positions, places = sum(hall.positions for hall in halls), sum(hall.racks_per_row for hall in halls)
    memory = POSITION.memory_bytes * positions + PAIR_BYTES * places**2
    work = Work(memory, POSITION.seconds * positions)
    refuse_excess(
        f"site.halls: the ways between {positions:,} rack positions", work, "give halls fewer or shorter rows"
    )


def _count_cables(layout: Layout, network: Network, first: int, last: int) -> RackCables:
    """Return the cables of some bundles, `last` excluded, between racks."""
    rows = (network.bundle >= first) & (network.bundle < last)
    low, high = (layout.device_rack[ends[rows]] for ends in (network.lower, network.upper))
    return RackCables.between(low, high, layout.racks)


def _is_chain(network: Network, numbers: Sequence[tuple[int, int]]) -> bool:
    """Say whether every bundle begins at devices where the one before it ends, as in a Clos."""
    ends = []
    for first, last in numbers:
        rows = (network.bundle >= first) & (network.bundle < last)
        ends.append((set(np.unique(network.lower[rows])), set(np.unique(network.upper[rows]))))
    return all(above[0] <= below[1] for below, above in pairwise(ends))


def _bound_bundles(floor: FloorMetric, bundles: Sequence[RackCables], racks: int) -> float:
    """Return the least way of the cables of bundles that follow each other: the best bound of all their splits."""
    known: dict[tuple[int, int], float] = {}
    splits = list_splits(len(bundles))
    for part in {part for split in splits for part in split}:
        known[part] = _bound_chain(floor, bundles[slice(*part)], racks)
    return max(sum(known[part] for part in split) for split in splits)


def _bound_chain(floor: FloorMetric, bundles: Sequence[RackCables], racks: int) -> float:
    """Return the least way of the chains of bundles, and of what is left over of each."""
    chain, left = join_chain(bundles, racks)
    most = sum(float(each.cables.sum()) for each in bundles)
    # At the end with fewer racks each has more others, and so mostly longer ways to them.
    ends = sorted([(chain.high, chain.low), (chain.low, chain.high)], key=lambda each: len(np.unique(each[0])))
    tried = ends if len(chain.low) <= FEW_PAIRS else ends[:1]
    found = max(bound_stars(floor, *each, chain.cables) for each in tried)
    if sum(float(each.cables.sum()) for each in left) > (1 - LEAST_SHARE) * most:
        return found
    run: list[RackCables] = []
    for each in [*left, None] if len(bundles) > 1 else []:
        if each is not None and each.cables.sum() > LEAST_SHARE * most:
            run.append(each)
        elif run:
            found += _bound_bundles(floor, run, racks)
            run = []
    return found
