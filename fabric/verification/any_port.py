"""Cables compared by the devices that they join, whatever ports they are at, where the site chose the ports."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fabric.verification.planned_ports import PlannedPorts
from fabric.verification.seen_ports import SeenPorts

__all__ = ["match_by_neighbours", "place_cables"]

Ints = npt.NDArray[np.int64]

MOST_PAIRS = 5_000_000
"""The most pairs of a discovered and a planned switch, by the neighbours that they share, that are looked at."""


def place_cables(planned: PlannedPorts, at: Ints) -> Ints:
    """Return slots for both ends of each seen cable, given the planned nodes `at` them, shape (cables, 2); -1 for none.

    Cables between two devices have the slots of as many planned ones between these two. Of the others, each end has
    that of a planned link of its device that none has, so that it counts as being at this device.
    """
    slot = np.full(at.shape, -1)
    known = np.flatnonzero(np.all(at >= 0, axis=1))
    rows, links = _zip(_pair(at[known], planned.nodes), _pair(planned.node, planned.nodes))
    rows = known[rows]
    flip = planned.node[links, 0] != at[rows, 0]
    slot[rows] = np.where(flip[:, None], planned.slot[links][:, ::-1], planned.slot[links])
    free = np.ones(planned.links, np.bool_)
    free[links] = False
    left, open_ = np.flatnonzero((slot < 0).reshape(-1) & (at >= 0).reshape(-1)), np.flatnonzero(np.repeat(free, 2))
    role, node, other = planned.role, planned.node.reshape(-1), planned.node[:, ::-1].reshape(-1)
    near, far = at.reshape(-1), at[:, ::-1].reshape(-1)
    flat = slot.reshape(-1)
    roles = len(planned.spellings) + 1
    # First ends whose far device has the role that the plan has there, then any.
    for weight in (1, 0):
        own = near[left] * roles + weight * np.where(far[left] >= 0, role[far[left]] + 1, 0)
        theirs = node[open_] * roles + weight * (role[other[open_]] + 1)
        mine, ends = _zip(own, theirs)
        flat[left[mine]] = planned.slot.reshape(-1)[open_[ends]]
        left, open_ = np.delete(left, mine), np.delete(open_, ends)
    return flat.reshape(slot.shape)


def _pair(nodes: Ints, count: int) -> Ints:
    return np.asarray(nodes.min(axis=1) * count + nodes.max(axis=1))


def _zip(one: Ints, two: Ints) -> tuple[Ints, Ints]:
    """Return rows of two columns with equal values, the first with the first of a value, and so on."""
    order_one, order_two = np.argsort(one, kind="stable"), np.argsort(two, kind="stable")
    values = np.unique(np.concatenate([one, two]))
    code_one, code_two = (np.searchsorted(values, each) for each in (one[order_one], two[order_two]))
    wide = max(len(one), len(two), 1)
    key_one, key_two = (code * wide + _rank(code) for code in (code_one, code_two))
    _, first, second = np.intersect1d(key_one, key_two, assume_unique=True, return_indices=True)
    return order_one[first], order_two[second]


def _rank(code: Ints) -> Ints:
    """Return the place of each row among those of its value, for ascending values."""
    starts = np.flatnonzero(np.diff(code, prepend=-1))
    return np.asarray(np.arange(len(code)) - np.repeat(starts, np.diff(np.append(starts, len(code)))))


def match_by_neighbours(planned: PlannedPorts, seen: SeenPorts, place: Ints) -> Ints:
    """Return the match with switches that no name identifies, each as a planned one with as many of its neighbours."""
    while True:
        pairs = _share_neighbours(planned, seen, place)
        taken, new = set(place[place >= 0].tolist()), place.copy()
        for node, target in pairs:
            if new[node] < 0 and target not in taken:
                new[node] = target
                taken.add(target)
        if np.array_equal(new, place):
            return place
        place = new


def _share_neighbours(planned: PlannedPorts, seen: SeenPorts, place: Ints) -> list[tuple[int, int]]:
    """Return pairs of an unidentified switch and a free planned one, those with most links to neighbours first."""
    ends = np.concatenate([seen.node, seen.node[:, ::-1]])
    ends = ends[
        (place[ends[:, 0]] < 0) & (place[ends[:, 1]] >= 0) & ~seen.is_host[ends[:, 0]] & ~seen.is_lone[ends[:, 0]]
    ]
    taken = np.zeros(planned.nodes, np.bool_)
    taken[place[place >= 0]] = True
    known = np.concatenate([planned.node, planned.node[:, ::-1]])
    known = known[~taken[known[:, 0]] & (known[:, 0] >= planned.hosts)]
    own, number = np.unique(np.column_stack((ends[:, 0], place[ends[:, 1]])), axis=0, return_counts=True)
    plan, links = np.unique(known, axis=0, return_counts=True)
    plan, links = plan[order := np.argsort(plan[:, 1], kind="stable")], links[order]
    low, high = (np.searchsorted(plan[:, 1], own[:, 1], side) for side in ("left", "right"))
    width = high - low
    if not width.sum() or width.sum() > MOST_PAIRS:
        return []
    of = np.repeat(np.arange(len(own)), width)
    to = np.repeat(low - np.concatenate([[0], np.cumsum(width)[:-1]]), width) + np.arange(len(of))
    codes, place_of = np.unique(own[of, 0] * planned.nodes + plan[to, 0], return_inverse=True)
    common = np.bincount(place_of.reshape(-1), np.minimum(number[of], links[to]))
    total = np.bincount(ends[:, 0], minlength=seen.nodes)
    good = np.flatnonzero(common * 2 > total[codes // planned.nodes])
    best = good[np.argsort(-common[good], kind="stable")]
    return [(int(code) // planned.nodes, int(code) % planned.nodes) for code in codes[best]]
