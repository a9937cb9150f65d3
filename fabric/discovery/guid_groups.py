"""Hosts of adapters that nobody named: adapters whose GUIDs follow each other are one host where their leaves show it.

A maker numbers the adapters of a server in a row. Where each of the next few adapters is at another leaf, and the same
few leaves recur again and again, they are servers with a link to each rail; by chance that does not happen.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
import numpy.typing as npt

__all__ = ["group_adapters"]

Ints = npt.NDArray[np.int64]

MOST_ADAPTERS = 16
"""The most adapters of a host."""

LEAST_GROUPS = 4
"""The groups that must have the same leaves, so that these are no coincidence."""

COMMON = 0.5
"""The share of the adapters that such groups must have; others may have a cable in a wrong port."""

NEARLY = 0.7
"""The share of the adapters in smaller groups that must be in larger ones, so that these count."""


def group_adapters(guid: npt.NDArray[np.uint64], leaf: Ints, port: Ints) -> Ints:
    """Return the group of each adapter, numbered by its first one; -1 of those that show none, of shape (adapters,).

    `leaf` is the switch that each is at, and `port` the number of the port there, -1 where it is not known.
    """
    order = np.argsort(guid, kind="stable")
    leaf, port = leaf[order], port[order]
    best, chosen = np.full(len(order), -1), 0
    for size in range(2, min(MOST_ADAPTERS, len(order) // LEAST_GROUPS) + 1):
        found = _group(leaf, port, size)
        # Servers of eight are also pairs of four: the largest groups that hold are those of servers.
        if (found >= 0).sum() >= max(COMMON * len(found), NEARLY * (best >= 0).sum()):
            best, chosen = found, size
    if chosen:
        _fill(best, chosen)
    group = np.full(len(order), -1)
    group[order] = np.where(best >= 0, order[best], -1)
    return group


def _group(leaf: Ints, port: Ints, size: int) -> Ints:
    """Return the first row of the group of `size` adapters in a row that each belongs to; -1 of none."""
    windows = np.lib.stride_tricks.sliding_window_view(leaf, size)
    sets = np.sort(windows, axis=1)
    apart = (sets[:, 1:] != sets[:, :-1]).all(axis=1)
    ports = np.lib.stride_tricks.sliding_window_view(port, size)
    level = apart & (ports == ports[:, :1]).all(axis=1) & (ports[:, 0] >= 0)
    # Where servers have the same port of each leaf, a group of several ports is none.
    good = level if level.sum() * size >= COMMON * COMMON * len(leaf) else apart
    starts = _pack(good, size)
    counts = Counter(map(tuple, sets[starts].tolist()))
    common = {leaves for leaves, number in counts.items() if number >= LEAST_GROUPS}
    members = Counter(each for leaves in common for each in leaves)
    found = np.full(len(leaf), -1)
    for start in starts.tolist():
        leaves = tuple(sets[start].tolist())
        if leaves in common and all(members[each] == 1 for each in leaves):
            found[start : start + size] = start
    return found


def _fill(group: Ints, size: int) -> None:
    """Put adapters between groups in groups too: those of servers with a cable in a wrong port or an adapter less."""
    alone = np.flatnonzero(group < 0)
    for run in np.split(alone, np.flatnonzero(np.diff(alone) > 1) + 1):
        group[run] = run[0] + np.arange(len(run)) // size * size if len(run) else run


def _pack(good: npt.NDArray[np.bool_], size: int) -> Ints:
    """Return the starts of windows that are good and do not overlap, each the first after the one before."""
    starts, free = [], 0
    for start in np.flatnonzero(good).tolist():
        if start >= free:
            starts.append(start)
            free = start + size
    return np.array(starts, np.int64)
