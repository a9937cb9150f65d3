"""Network racks at the positions where their cables are shortest, while everything else stays where it is.

The racks of one role take, together, the best of their own positions and the free ones: an assignment problem, solved
exactly. Roles take turns, each with the others where they are, until nothing gains.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from fabric.layout.floor import Positions
from fabric.layout.floor_metric import list_positions
from fabric.layout.rack_contents import Block
from fabric.layout.routes import tray_metres
from fabric.layout.spots import Spots, spots_of
from fabric.network import Network
from fabric.request.site import Site

__all__ = ["assign_network_racks"]

Ints = npt.NDArray[np.int64]

MOST_WORK = 3e9
"""The most cells of a role's cost, racks x positions x racks that its cables lead to: some seconds of one core."""

SPARE = 100
"""The free positions that are tried beside as many as there are racks."""

ROUNDS = 3
"""The most turns of every role."""

MILLIMETRES = 1000
"""Costs are whole numbers to the solver: cable in millimetres."""


def assign_network_racks(
    site: Site, choices: Sequence[Positions], blocks: Sequence[Block], device_rack: Ints, network: Network
) -> Positions:
    """Return the places with the network racks of every role that is not pinned at their best, the others as they are.

    Of several choices of places, that which then needs least cable. It is together never longer than before.
    """
    pairs = _count_cables(device_rack, network, len(choices[0].hall))
    found = [_assign_roles(site, places, blocks, pairs) for places in choices]
    return found[0] if len(found) == 1 else min(found, key=lambda places: _sum_ways(site, places, pairs))


def _sum_ways(site: Site, places: Positions, pairs: tuple[Ints, Ints, Ints]) -> float:
    """Return the way of all cables between racks, counted at both ends, in metres."""
    here, there, cables = pairs
    every = spots_of(places.halls, places.hall, places.row, places.position)
    return float(tray_metres(site, places.halls, every.take(here), every.take(there)) @ cables)


def _assign_roles(site: Site, places: Positions, blocks: Sequence[Block], pairs: tuple[Ints, Ints, Ints]) -> Positions:
    """Return the places with the network racks of every role at their best, role by role in turns."""
    roles: dict[str, list[Ints]] = {}
    for block in blocks:
        if block.role and block.role not in site.places:
            roles.setdefault(block.role, []).append(block.racks)
    moving = {role: np.concatenate(racks) for role, racks in roles.items()}
    for _ in range(ROUNDS if len(moving) > 1 else 1):
        before = places
        for racks in moving.values():
            places = _assign_role(site, places, racks, pairs)
        if all(np.array_equal(getattr(before, name), getattr(places, name)) for name in ("hall", "row", "position")):
            break
    return places


def _count_cables(device_rack: Ints, network: Network, racks: int) -> tuple[Ints, Ints, Ints]:
    """Return pairs of racks, both ways round, and the cables between them."""
    one, other = device_rack[network.lower], device_rack[network.upper]
    apart = one != other
    both = np.concatenate([one[apart] * racks + other[apart], other[apart] * racks + one[apart]])
    pairs, cables = np.unique(both, return_counts=True)
    return pairs // racks, pairs % racks, cables


def _assign_role(site: Site, places: Positions, racks: Ints, pairs: tuple[Ints, Ints, Ints]) -> Positions:
    """Return the places with these racks at the best of their own and the free positions."""
    here, there, cables = pairs
    racks = np.sort(racks)
    mine = np.isin(here, racks) & ~np.isin(there, racks)
    ends, column = np.unique(there[mine], return_inverse=True)
    most = min(int(MOST_WORK / max(1, len(racks) * len(ends))), 2 * len(racks) + SPARE)
    if len(racks) > most or not len(ends):
        return places
    links = np.zeros((len(racks), len(ends)))
    links[np.searchsorted(racks, here[mine]), column] = cables[mine]
    every = spots_of(places.halls, places.hall, places.row, places.position)
    targets = every.take(ends)
    near = _nearest(_free_positions(places), targets, links.sum(axis=0), most - len(racks))
    spots = every.take(racks).join(near)
    metres = tray_metres(site, places.halls, spots.upright(), targets)
    chosen = spots.take(_solve(np.rint(links @ metres.T * MILLIMETRES).astype(np.int64)))
    moved = Positions(places.halls, places.hall.copy(), places.row.copy(), places.position.copy())
    moved.hall[racks], moved.row[racks], moved.position[racks] = chosen.hall, chosen.row, chosen.position
    return moved


def _free_positions(places: Positions) -> Spots:
    """Return the positions at which no rack stands."""
    every = list_positions(places.halls)
    most = max(each.racks_per_row for each in places.halls)
    rows = max(each.rows for each in places.halls)
    taken = (places.hall * rows + places.row) * most + places.position
    return every.take(np.flatnonzero(~np.isin((every.hall * rows + every.row) * most + every.position, taken)))


def _nearest(free: Spots, targets: Spots, weights: npt.NDArray[np.float64], most: int) -> Spots:
    """Return the `most` free positions that are nearest to the median of the targets."""
    x, y = (_median(values, weights) for values in (targets.x_m, targets.y_m))
    order = np.argsort(np.abs(free.x_m - x) + np.abs(free.y_m - y), kind="stable")
    return free.take(order[: max(0, most)])


def _median(values: npt.NDArray[np.float64], weights: npt.NDArray[np.float64]) -> float:
    order = np.argsort(values, kind="stable")
    total = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(total, total[-1] / 2)])


def _solve(costs: Ints) -> Ints:
    """Return the position of each rack so that the sum of costs, shape (racks, positions), is least."""
    from ortools.graph.python.linear_sum_assignment import SimpleLinearSumAssignment

    racks, positions = costs.shape
    # Every position takes one rack: those too many take racks of no cost.
    square = np.zeros((positions, positions), np.int64)
    square[:racks] = costs
    solver = SimpleLinearSumAssignment()
    left, right = np.indices(square.shape)
    solver.add_arcs_with_cost(left.reshape(-1), right.reshape(-1), square.reshape(-1))
    if solver.solve() != solver.OPTIMAL:
        return np.arange(racks)
    return np.array([solver.right_mate(rack) for rack in range(racks)], np.int64)
