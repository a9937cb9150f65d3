"""What changes between two revisions of a fabric on the floor: devices by name, cables by the ports at their ends.

A cable that keeps both its ends stays; one that keeps an end and is long enough for its new way is moved, as many as
can be; all others are added or removed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fabric.frozen_columns import FrozenColumns
from fabric.layout.device_names import list_device_names
from fabric.layout.wiring import Wiring

__all__ = ["CABLE_ACTIONS", "DEVICE_ACTIONS", "Changes", "match_cables", "match_devices"]

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

DEVICE_ACTIONS = {
    "add": "a device of a name that the first revision does not have",
    "remove": "a device of a name that the second revision does not have",
    "replace": "the same name, but another model",
    "move": "the same name and model, in another rack or rack unit",
}
"""What is done with devices, each with its meaning."""

CABLE_ACTIONS = {
    "add": "a cable that is bought or taken from stock",
    "remove": "a cable that is unplugged at both ends and taken out",
    "move": "one end stays where it is, the other is unplugged and put elsewhere",
    "relabel": "both ends stay, but a label changes with the name of a rack, its rack unit or its port",
}
"""What is done with cables, each with its meaning."""


@dataclass(frozen=True, eq=False)
class Changes(FrozenColumns):
    """Changes of devices or of cables, in columns of shape (changes,), action by action."""

    actions: tuple[str, ...]
    """The actions that `action` points to."""
    action: npt.NDArray[np.int8]
    """The index of the action."""
    before: Ints
    """The row in the first revision; -1 where it has none."""
    after: Ints
    """The row in the second revision; -1 where it has none."""
    stay: int
    """The number of those that nobody touches."""

    def rows(self, action: str) -> tuple[Ints, Ints]:
        """Return the rows before and after of one action."""
        chosen = self.action == self.actions.index(action)
        return self.before[chosen], self.after[chosen]

    def counts(self) -> dict[str, int]:
        """Return the number of changes by action."""
        counted = np.bincount(self.action, minlength=len(self.actions))
        return dict(zip(self.actions, counted.tolist(), strict=True))


def match_devices(before: Wiring, after: Wiring, models: tuple[Sequence[str], Sequence[str]]) -> tuple[Changes, Ints]:
    """Return what changes of devices, and for each device of `after` the row of that of its name before, or -1.

    `models` are the models of the devices of either revision, in the order of their networks.
    """
    names = {name: row for row, name in enumerate(list_device_names(before.layout, before.network))}
    same = np.array([names.get(name, -1) for name in list_device_names(after.layout, after.network)], np.int64)
    kept = np.flatnonzero(same >= 0)
    old = same[kept]
    numbers = {model: number for number, model in enumerate(dict.fromkeys([*models[0], *models[1]]))}
    one, other = (np.array([numbers[model] for model in each], np.int64) for each in models)
    replaced = one[old] != other[kept]
    moved = ~replaced & (_places(before)[old] != _places(after)[kept])
    gone = np.ones(before.network.devices, np.bool_)
    gone[old] = False
    found = {
        "add": (None, np.flatnonzero(same < 0)),
        "remove": (np.flatnonzero(gone), None),
        "replace": (old[replaced], kept[replaced]),
        "move": (old[moved], kept[moved]),
    }
    return _join(found, int((~replaced & ~moved).sum())), same


def _places(wiring: Wiring) -> npt.NDArray[np.str_]:
    """Return the rack, by its name, and the rack unit of each device."""
    layout = wiring.layout
    racks = layout.rack_names()
    places = zip(layout.device_rack.tolist(), layout.device_unit.tolist(), strict=True)
    return np.array([f"{racks[rack]}-U{unit}" for rack, unit in places])


def match_cables(before: Wiring, after: Wiring, same: Ints) -> Changes:
    """Return what changes of cables; `same` has the row before of each device after (`match_devices`), or -1.

    A cable is used again only where its part is the one needed and it is at least as long as the way. As many as can
    be are moved with one end, an exact maximum matching of cables that come free with cables that are needed.
    """
    low, high, old_low, old_high = _number_ends(before, after, same)
    ends = np.concatenate([old_low, old_high])
    order = np.argsort(ends, kind="stable")
    first, second = (_find_owner(ends, order, each) for each in (low, high))
    parts = _number_parts(before, after)
    fits = [_is_usable(before, after, parts, owner) for owner in (first, second)]
    stays = (first == second) & fits[0]
    new = np.flatnonzero(stays)
    relabelled = _labels_differ(before, after, first[new], new)
    links = np.concatenate([np.flatnonzero(fit & (first != second)) for fit in fits])
    owners = np.concatenate([owner[fit & (first != second)] for owner, fit in zip((first, second), fits, strict=True)])
    moved_from, moved_to = _match_most(owners, links)
    gone, needed = np.ones(before.network.links, np.bool_), ~stays
    gone[first[new]] = gone[moved_from] = needed[moved_to] = False
    found = {
        "add": (None, np.flatnonzero(needed)),
        "remove": (np.flatnonzero(gone), None),
        "move": (moved_from, moved_to),
        "relabel": (first[new][relabelled], new[relabelled]),
    }
    return _join(found, int((~relabelled).sum()))


def _number_ends(before: Wiring, after: Wiring, same: Ints) -> tuple[Ints, Ints, Ints, Ints]:
    """Return a number for the port at each lower and upper end, after and before: equal for the same port."""
    ports = {name: number for number, name in enumerate(dict.fromkeys([*before.port_names, *after.port_names]))}
    devices = np.where(same >= 0, same, before.network.devices + np.arange(len(same)))
    old_devices = np.arange(before.network.devices)

    def number(wiring: Wiring, devices: Ints) -> tuple[Ints, Ints]:
        named = np.array([ports[name] for name in wiring.port_names], np.int64)
        low, high = _ends(wiring)
        return devices[low] * len(ports) + named[wiring.a_port], devices[high] * len(ports) + named[wiring.b_port]

    return *number(after, devices), *number(before, old_devices)


def _find_owner(ends: Ints, order: Ints, wanted: Ints) -> Ints:
    """Return the cable before that has each of the wanted ends, or -1; `ends` are all lower ones, then all upper."""
    if not len(ends):
        return np.full(len(wanted), -1, np.int64)
    at = order[np.minimum(np.searchsorted(ends, wanted, sorter=order), len(ends) - 1)]
    return np.where(ends[at] == wanted, at % (len(ends) // 2), -1)


def _number_parts(before: Wiring, after: Wiring) -> tuple[Ints, Ints]:
    """Return a number for the part of each link, before and after; an unknown part is that of its bundle alone."""
    both = [[kind.part or f"unknown: {kind.bundle}" for kind in each.kinds] for each in (before, after)]
    numbers = {part: number for number, part in enumerate(dict.fromkeys([*both[0], *both[1]]))}
    one, other = (np.array([numbers[part] for part in parts], np.int64) for parts in both)
    return one[before.kind], other[after.kind]


def _is_usable(before: Wiring, after: Wiring, parts: tuple[Ints, Ints], owner: Ints) -> Mask:
    """Say of each cable after whether that of `owner` before, if any, is of its part and long enough."""
    if not before.network.links:
        return np.zeros(len(owner), np.bool_)
    return np.asarray(
        (owner >= 0) & (parts[0][owner] == parts[1]) & (before.length_m[owner] >= after.way_m - 1e-3), np.bool_
    )


def _labels_differ(before: Wiring, after: Wiring, old: Ints, new: Ints) -> Mask:
    """Say which cables with both ends where they were have another label: an end in another rack or rack unit."""
    one, other = _places(before), _places(after)
    ends = [(one[x[old]], other[y[new]]) for x, y in zip(_ends(before), _ends(after), strict=True)]
    straight = (ends[0][0] == ends[0][1]) & (ends[1][0] == ends[1][1])
    return np.asarray(~straight, np.bool_)


def _ends(wiring: Wiring) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    return wiring.network.lower, wiring.network.upper


def _match_most(owners: Ints, links: Ints) -> tuple[Ints, Ints]:
    """Return the most pairs, of those given, in which no owner and no link occurs twice: a maximum flow."""
    from ortools.graph.python.max_flow import SimpleMaxFlow

    left, old = np.unique(owners, return_inverse=True)
    right, new = np.unique(links, return_inverse=True)
    source, target = len(left) + len(right), len(left) + len(right) + 1
    tails = np.concatenate([np.full(len(left), source), old, len(left) + np.arange(len(right))])
    heads = np.concatenate([np.arange(len(left)), len(left) + new, np.full(len(right), target)])
    solver = SimpleMaxFlow()
    solver.add_arcs_with_capacity(tails, heads, np.ones(len(tails), np.int64))
    if not len(links) or solver.solve(source, target) != solver.OPTIMAL:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    used = solver.flows(np.arange(len(left), len(left) + len(links))) > 0
    order = np.argsort(links[used], kind="stable")
    return owners[used][order], links[used][order]


def _join(found: dict[str, tuple[Ints | None, Ints | None]], stay: int) -> Changes:
    """Return changes as columns, from the rows before and after of each action."""
    before, after, action = [], [], []
    for number, (old, new) in enumerate(found.values()):
        size = max(len(each) for each in (old, new) if each is not None)
        none = np.full(size, -1, np.int64)
        before.append(none if old is None else old)
        after.append(none if new is None else new)
        action.append(np.full(size, number, np.int8))
    return Changes(tuple(found), np.concatenate(action), np.concatenate(before), np.concatenate(after), stay)
