"""Which device of a fabric becomes which of a larger one, so that few cables lose their place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice, permutations

import numpy as np
import numpy.typing as npt

from fabric.layout.best_pairs import MOST_CELLS, pair_best
from fabric.layout.joined_sets import BothSets
from fabric.layout.paired_cables import BothFabrics, PairedCables
from fabric.layout.set_match import match_sets
from fabric.network import Devices

__all__ = ["match_all"]

Ints = npt.NDArray[np.int64]

MOST_ORDERS = 24
"""The most orders of bundles in which devices are matched set by set: every one of up to four bundles."""

ROUNDS = 4
"""The most turns of every role through its best assignment."""


def match_all(both: BothFabrics, most: int) -> Ints:
    """Return the row of the larger fabric that each of today's devices becomes, or -1, shape (devices,).

    All roles are matched in the one way that keeps most cables, then each role in turn in any other that keeps more; or
    all are matched set by set, in the order of bundles that keeps most. Then, where a role is small, it takes its best
    assignment while the others stay, solved exactly, while that gains. No match keeps more than `most` cables.
    """
    place = _choose_match(both)
    kept = both.count_kept(place)
    if kept < most:
        sets = [BothSets.of(pair, both.old.devices) for pair in both.pairs]
        for order in islice(permutations(range(len(sets))), MOST_ORDERS):
            other = _fill_roles(both, match_sets(sets, order, both.old.devices, both.new.devices))
            if (stay := both.count_kept(other)) > kept:
                place, kept = other, stay
    for _ in range(ROUNDS):
        start = place
        for group in both.old.groups:
            if group.count * both.new.group(group.role).count <= MOST_CELLS:
                place = _assign(both, place, group)
        if np.array_equal(start, place):
            break
    return place


def _choose_match(both: BothFabrics) -> Ints:
    choices = [_match_role(both, group.role) for group in both.old.groups]

    def count(chosen: Sequence[int]) -> int:
        return both.count_kept(np.concatenate([each[way] for each, way in zip(choices, chosen, strict=True)]))

    ways = range(len(choices[0]))
    best = max(([way] * len(choices) for way in ways), key=count)
    for role in range(len(choices)):
        best = max(([*best[:role], way, *best[role + 1 :]] for way in (best[role], *ways)), key=count)
    return np.concatenate([each[which] for each, which in zip(choices, best, strict=True)])


def _fill_roles(both: BothFabrics, place: Ints) -> Ints:
    """Return the match with free devices of the larger fabric for those that have none, of the same role and model."""
    found = []
    for group in both.old.groups:
        target, way = both.new.group(group.role), place[group.first : group.first + group.count]
        way = _fill_up(np.where(way >= 0, way - target.first, -1), target.count)
        found.append(_keep_models(both, group.role, way))
    return np.concatenate(found)


def _match_role(both: BothFabrics, role: str) -> list[Ints]:
    """Return ways to match the devices of a role: in order, by coordinates, and by units that stay side by side."""
    one, other = both.old.group(role), both.new.group(role)
    number = np.arange(one.count)
    in_order = np.where(number < other.count, number, -1)
    axes = [each.topology.placement_axes(each.topology.group(role)) for each in (both.before, both.after)]
    packed = _pack_places(both, one, other, axes[0]) if axes[0] and axes[0] == axes[1] else in_order
    ways = (_fill_up(way, other.count) for way in (in_order, _find_coordinates(one, other), packed))
    return [_keep_models(both, role, way) for way in ways]


def _keep_models(both: BothFabrics, role: str, way: Ints) -> Ints:
    """Return the rows of the devices of a match by numbers, -1 where a device would become one of another model."""
    fits = _same_model(both, role)(np.arange(len(way)), np.maximum(way, 0))
    return np.where((way >= 0) & fits, both.new.group(role).first + way, -1)


def _fill_up(way: Ints, count: int) -> Ints:
    """Return the match with the free ones of `count` new devices for the old ones that have none, in order."""
    free = np.ones(count, np.bool_)
    free[way[way >= 0]] = False
    rest, found = np.flatnonzero(free), way.copy()
    without = np.flatnonzero(way < 0)[: len(rest)]
    found[without] = rest[: len(without)]
    return found


def _find_coordinates(one: Devices, other: Devices) -> Ints:
    """Return the number of the new device with the coordinates of each old one, 0 on axes that are new; -1 for none."""
    coordinates, found, inside = one.coordinates(), np.zeros(one.count, np.int64), np.ones(one.count, np.bool_)
    for axis, size in zip(other.axes, other.shape, strict=True):
        digit = coordinates.get(axis, np.zeros(one.count, np.int64))
        inside &= digit < size
        found = found * size + digit
    inside &= np.logical_and.reduce([coordinates[axis] == 0 for axis in one.axes if axis not in other.axes] or [inside])
    found -= other.offset
    return np.where(inside & (found >= 0) & (found < other.count), found, -1)


def _pack_places(both: BothFabrics, one: Devices, other: Devices, axes: tuple[str, ...]) -> Ints:
    """Return the number of the new device for each old one, by the places of both; -1 where none is left for it.

    The units below a place, which are numbered through, stay together: a place becomes the one that has its first
    unit, and its switches take the next that are free there.
    """
    spans = [
        int(np.prod([each.sizes[axis] for axis in each.topology.server.axes[len(axes) : -1]], dtype=np.int64))
        for each in (both.before, both.after)
    ]
    places = []
    for devices, blueprint in ((one, both.before), (other, both.after)):
        coordinates, flat = devices.coordinates(), np.zeros(devices.count, np.int64)
        for axis in axes:
            flat = flat * blueprint.sizes[axis] + coordinates[axis]
        places.append(flat)
    home = places[0] * spans[0] // spans[1]
    order = np.argsort(home, kind="stable")
    rank = np.empty(len(home), np.int64)
    rank[order] = np.arange(len(home)) - np.searchsorted(home[order], home[order])
    slots = np.argsort(places[1], kind="stable")
    first = np.searchsorted(places[1][slots], home)
    room = np.searchsorted(places[1][slots], home, side="right") - first
    return np.where(rank < room, slots[np.minimum(first + rank, len(slots) - 1)], -1)


def _same_model(both: BothFabrics, role: str) -> Callable[[Ints, Ints], npt.NDArray[np.bool_]]:
    """Return what says whether an old and a new device of a role, by number, are of one model."""
    if role in both.before.servers_by_role:
        same = both.before.servers_by_role[role].name == both.after.servers_by_role[role].name
        return lambda one, other: np.full(one.shape, same)
    models = []
    for each in (both.before, both.after):
        pairs = each.model_counts(role)
        models.append(np.repeat([model.name for model, _ in pairs], [count for _, count in pairs]))
    return lambda one, other: models[0][one] == models[1][other]


def _assign(both: BothFabrics, place: Ints, group: Devices) -> Ints:
    """Return the match with the devices of one role at the best of the larger fabric's, solved exactly."""
    target = both.new.group(group.role)
    gains = np.zeros((group.count, target.count), np.int64)
    for pair in both.pairs:
        olds, news = (pair.old_low, pair.old_high), (pair.new_low, pair.new_high)
        for mine in (0, 1):
            _add_gains(gains, pair, place, (group, target), (olds[mine], olds[1 - mine], news[mine], news[1 - mine]))
    fits = _same_model(both, group.role)
    left, right = np.indices((group.count, target.count))
    gains[~fits(left, right)] = 0
    rows, columns = pair_best(gains)
    number = np.full(group.count, -1)
    number[rows] = columns
    found = place.copy()
    found[group.first : group.first + group.count] = _keep_models(both, group.role, number)
    return found


def _add_gains(
    gains: Ints, pair: PairedCables, place: Ints, groups: tuple[Devices, Devices], ends: tuple[Ints, Ints, Ints, Ints]
) -> None:
    """Add, for each old and new device of a role, the cables of a bundle that stay where the one becomes the other.

    `ends` are the device of the role and its partner, of today's pairs and of the larger fabric's.
    """
    group, target = groups
    mine, partner, new_mine, new_partner = ends
    inside = np.flatnonzero((mine >= group.first) & (mine < group.first + group.count) & (place[partner] >= 0))
    order = np.argsort(new_partner, kind="stable")
    start, end = (np.searchsorted(new_partner[order], place[partner[inside]], side=side) for side in ("left", "right"))
    sizes = end - start
    rows = np.repeat(inside, sizes)
    there = order[np.repeat(start, sizes) + np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)]
    at = mine[rows] - group.first, new_mine[there] - target.first
    np.add.at(gains, at, np.minimum(pair.cables[rows], pair.needed[there]))
