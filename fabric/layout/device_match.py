"""Which device of a fabric becomes which of a larger one, so that few cables lose their place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.network import Devices, Network
from fabric.network.expand import expand

__all__ = ["BothFabrics", "PairedCables", "count_pairs", "match_all"]

Ints = npt.NDArray[np.int64]

MOST_CELLS = 40_000
"""The most pairs of old and new devices of a role for which the best assignment is solved."""

ROUNDS = 4
"""The most turns of every role through its best assignment."""


@dataclass(frozen=True)
class PairedCables:
    """The cables of a bundle in both fabrics, by pairs of devices; columns of shape (pairs,) of either."""

    number: int
    """The bundle, by its index in today's network."""
    old_low: Ints
    """Today's device at the lower end."""
    old_high: Ints
    """Today's device at the upper end."""
    cables: Ints
    """The cables between them."""
    new_low: Ints
    """The larger fabric's device at the lower end."""
    new_high: Ints
    """The larger fabric's device at the upper end."""
    needed: Ints
    """The cables between them."""
    codes: Ints
    """A number for each pair of the larger fabric, ascending: lower x devices + upper."""
    devices: int
    """The devices of the larger fabric."""

    def find(self, low: Ints, high: Ints) -> tuple[Ints, npt.NDArray[np.bool_]]:
        """Return where the larger fabric has pairs of its devices, and whether it has them; -1 is no device."""
        codes = np.where((low >= 0) & (high >= 0), low * self.devices + high, -1)
        at = np.minimum(np.searchsorted(self.codes, codes), len(self.codes) - 1)
        return at, self.codes[at] == codes

    def keep(self, place: Ints) -> Ints:
        """Return how many cables of each of today's pairs stay where devices become those of `place`."""
        at, there = self.find(place[self.old_low], place[self.old_high])
        return np.where(there, np.minimum(self.cables, self.needed[at]), 0)


@dataclass(frozen=True)
class BothFabrics:
    """Today's fabric and the larger one, with their cables."""

    before: Blueprint
    """Today's fabric."""
    after: Blueprint
    """The larger one."""
    old: Network
    """Today's devices and links."""
    new: Network
    """Those of the larger one."""
    pairs: tuple[PairedCables, ...] = field(repr=False)
    """The bundles whose cables the larger fabric can use."""

    @classmethod
    def of(cls, before: Blueprint, after: Blueprint) -> BothFabrics:
        """Expand both fabrics, and pair the bundles of equal names and rates."""
        old, new = expand(before), expand(after)
        return cls(before, after, old, new, tuple(_pair_cables(old, new)))


def _pair_cables(old: Network, new: Network) -> Iterator[PairedCables]:
    for number, name in enumerate(old.bundles):
        if name in new.bundles and old.bundle_gbps[number] == new.bundle_gbps[new.bundles.index(name)]:
            low, high, needed = count_pairs(new, new.bundles.index(name))
            if len(needed):
                codes = low * new.devices + high
                yield PairedCables(number, *count_pairs(old, number), low, high, needed, codes, new.devices)


def count_pairs(network: Network, number: int) -> tuple[Ints, Ints, Ints]:
    """Return the pairs of devices that a bundle joins, lower and upper ends, and the cables of each, in order."""
    rows = network.bundle == number
    codes = network.lower[rows].astype(np.int64) * network.devices + network.upper[rows]
    found, counts = np.unique(codes, return_counts=True)
    low, high = np.divmod(found, network.devices)
    return low, high, counts


def match_all(both: BothFabrics) -> Ints:
    """Return the row of the larger fabric that each of today's devices becomes, or -1, shape (devices,).

    All roles are matched in the one way that keeps most cables, then each role in turn in any other that keeps more;
    then, where a role is small, it takes its best assignment while the others stay, solved exactly, while that gains.
    """
    place = _choose_match(both)
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
        place = np.concatenate([each[which] for each, which in zip(choices, chosen, strict=True)])
        return sum(int(pair.keep(place).sum()) for pair in both.pairs)

    ways = range(len(choices[0]))
    best = max(([way] * len(choices) for way in ways), key=count)
    for role in range(len(choices)):
        best = max(([*best[:role], way, *best[role + 1 :]] for way in (best[role], *ways)), key=count)
    return np.concatenate([each[which] for each, which in zip(choices, best, strict=True)])


def _match_role(both: BothFabrics, role: str) -> list[Ints]:
    """Return ways to match the devices of a role: in order, by coordinates, and by units that stay side by side."""
    one, other = both.old.group(role), both.new.group(role)
    fits, number = _same_model(both, role), np.arange(one.count)
    in_order = np.where(number < other.count, number, -1)
    axes = [each.topology.placement_axes(each.topology.group(role)) for each in (both.before, both.after)]
    packed = _pack_places(both, one, other, axes[0]) if axes[0] and axes[0] == axes[1] else in_order
    ways = (_fill_up(way, other.count) for way in (in_order, _find_coordinates(one, other), packed))
    return [np.where((way >= 0) & fits(number, np.maximum(way, 0)), other.first + way, -1) for way in ways]


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
    from ortools.graph.python.linear_sum_assignment import SimpleLinearSumAssignment

    target = both.new.group(group.role)
    size = max(group.count, target.count)
    gains = np.zeros((size, size), np.int64)
    for pair in both.pairs:
        olds, news = (pair.old_low, pair.old_high), (pair.new_low, pair.new_high)
        for mine in (0, 1):
            _add_gains(gains, pair, place, (group, target), (olds[mine], olds[1 - mine], news[mine], news[1 - mine]))
    fits = _same_model(both, group.role)
    left, right = np.indices((group.count, target.count))
    gains[: group.count, : target.count][~fits(left, right)] = 0
    solver = SimpleLinearSumAssignment()
    rows, columns = np.indices(gains.shape)
    solver.add_arcs_with_cost(rows.reshape(-1), columns.reshape(-1), -gains.reshape(-1))
    if solver.solve() != solver.OPTIMAL:
        return place
    number = np.arange(group.count)
    mates = np.array([solver.right_mate(each) for each in range(group.count)], np.int64)
    usable = (mates < target.count) & fits(number, np.minimum(mates, target.count - 1))
    found = place.copy()
    found[group.first : group.first + group.count] = np.where(usable, target.first + mates, -1)
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
