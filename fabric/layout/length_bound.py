"""How short all cables together could be: a bound that no arrangement of the same racks is below.

Of a rack whose cables lead to n others, at best the one with most cables stands at the nearest position, the next at
the second nearest, and so on, on a floor without end with trays everywhere. So the links of a bundle, each counted at
one of its ends, have a bound. A tighter one counts several bundles at once: by the triangle inequality a cable from a
server to its leaf and one from that leaf to a spine are together no shorter than the way from server to spine, and far
more racks with servers are around a rack of spines than there are racks of leaves. What runs up, down and within racks
does not depend on where racks stand.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from fabric.layout.layout import Layout
from fabric.layout.rack_contents import count_before
from fabric.layout.routes import cable_metres, rack_metres
from fabric.network import Network

__all__ = ["bound_total_m"]

Rows = npt.NDArray[np.int64]
Ends = tuple[Rows, Rows]


def bound_total_m(layout: Layout, network: Network) -> float:
    """Return the least length in metres of all cables together, whatever the positions of the racks are."""
    racks = layout.device_rack
    fixed = cable_metres(layout, network.lower, network.upper) - rack_metres(
        layout, racks[network.lower], racks[network.upper]
    )
    every = [_ends_of(network, number) for number in range(len(network.bundles))]
    kinds, last = network.kinds, len(every) - network.appliances
    # The links of all kinds of servers begin the chain; those of appliances have a bound of their own.
    low, high = (np.concatenate(columns) for columns in zip(*every[:kinds], strict=True))
    ends: list[Ends] = [(low, high), *every[kinds:last]]
    splits = _splits(len(ends)) if _is_chain(ends) else [[(number, number + 1) for number in range(len(ends))]]
    known: dict[tuple[int, int], float] = {}
    for part in {part for split in splits for part in split}:
        known[part] = _bound_chain(layout, _chain(ends[slice(*part)]))
    others = sum(_bound_chain(layout, each) for each in every[last:])
    return float(fixed.sum()) + max(sum(known[part] for part in split) for split in splits) + others


def _bound_chain(layout: Layout, ends: Ends) -> float:
    """Return the least way of cables or chains of them, counted at either end."""
    low, high = (layout.device_rack[devices] for devices in ends)
    return max(_bound_ends(layout, low, high), _bound_ends(layout, high, low))


def _ends_of(network: Network, number: int) -> Ends:
    """Return the lower and the upper devices of a bundle's links."""
    rows = network.bundle == number
    return network.lower[rows].astype(np.int64), network.upper[rows].astype(np.int64)


def _is_chain(ends: list[Ends]) -> bool:
    """Say whether every bundle begins where the one before it ends, as in a Clos."""
    return all(set(np.unique(above[0])) <= set(np.unique(below[1])) for below, above in pairwise(ends))


def _splits(bundles: int) -> list[list[tuple[int, int]]]:
    """Return every way to cut a chain of bundles into parts, each its first and its last bundle, excluded."""
    found = []
    for cuts in range(1 << (bundles - 1)):
        bounds = [0, *(place + 1 for place in range(bundles - 1) if cuts >> place & 1), bundles]
        found.append(list(pairwise(bounds)))
    return found


def _chain(bundles: list[Ends]) -> Ends:
    """Return the ends of chains of cables, one of each bundle: those into a device are paired with those out of it.

    Any pairing gives a bound; this one deals the cables out in turn, so that the ends of a device's chains differ.
    """
    low, high = bundles[0]
    for below, above in bundles[1:]:
        order, after = np.argsort(high, kind="stable"), np.argsort(below, kind="stable")
        device, rank = high[order], count_before(high[order])
        firsts = np.searchsorted(below[after], device)
        degree = np.searchsorted(below[after], device, side="right") - firsts
        paired = rank < degree
        turned = firsts + (rank + device) % np.maximum(degree, 1)
        low, high = low[order][paired], above[after][turned[paired]]
    return low, high


def _bound_ends(layout: Layout, here: npt.NDArray[np.int32], there: npt.NDArray[np.int32]) -> float:
    """Return the least way along trays of cables or chains of them, each counted at the rack `here`."""
    apart = here != there
    if not apart.any():
        return 0.0
    pairs, cables = np.unique(here[apart].astype(np.int64) * layout.racks + there[apart], return_counts=True)
    rack = pairs // layout.racks
    order = np.lexsort((-cables, rack))
    rank = count_before(rack[order])
    return float((cables[order] * _nearest_metres(layout, int(rank.max()) + 1)[rank]).sum())


def _nearest_metres(layout: Layout, number: int) -> npt.NDArray[np.float64]:
    """Return the ways to the nearest positions around one on a floor without end, shape (number,), ascending."""
    pitch = min(hall.rack_pitch_m for hall in layout.halls)
    rows = min(hall.row_pitch_m for hall in layout.halls)
    # A diamond of radius r has some 2 r^2 / (pitch rows) positions: one that surely has enough, and no more.
    radius = (number * pitch * rows / 2) ** 0.5 + pitch + rows
    ways = np.concatenate(list(_ways_within(radius, pitch, rows)))
    ways.sort()
    return np.asarray(ways[1 : number + 1])


def _ways_within(radius: float, pitch: float, rows: float) -> Iterator[npt.NDArray[np.float64]]:
    """Yield the ways to the positions within a radius, row by row."""
    for row in range(-int(radius / rows), int(radius / rows) + 1):
        reach = int((radius - abs(row) * rows) / pitch)
        yield np.abs(np.arange(-reach, reach + 1)) * pitch + abs(row) * rows
