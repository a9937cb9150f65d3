"""What the direct networks share: the servers' links, and switches that are equivalent to others.

All NICs of a server share a switch, called a leaf as in other families, and `slot` servers are at each. A switch's
oversubscription is that of uniform traffic by minimal routing, and where all ratios are 1 the published balanced sizes
come out.
"""

from __future__ import annotations

import numpy as np

from fabric.topology.graph_form import SERVER, PatternBundle
from fabric.topology.patterns import Rows
from fabric.topology.polynomial import Ratio, count
from fabric.topology.topology import PLANE, Group, Sizes

__all__ = ["HOSTS", "ONE_PATH", "equivalent", "hosts", "named_shape", "shape"]

HOSTS = "server-leaf"
"""The servers' links."""

ONE_PATH = Ratio(count("1"), count("1"))
"""The inverse path diversity where two leaves may have a single minimal path."""


def hosts(leaf: Group) -> PatternBundle:
    """Return the servers' links: those of each server to one switch in each plane."""
    total = count(f"servers {HOSTS} {PLANE}")
    return PatternBundle(SERVER, leaf, HOSTS, total, count(f"{HOSTS} {PLANE}"), count(f"slot {HOSTS}"), _placed)


def _placed(sizes: Sizes) -> tuple[Rows, Rows]:
    server = np.repeat(np.arange(sizes["servers"], dtype=np.int64), sizes[HOSTS])
    return server, server // sizes["slot"]


def shape(sizes: Sizes, group: Group) -> list[int]:
    """Return the sizes of a group's axes within one plane."""
    return [size for _, size in named_shape(sizes, group)]


def named_shape(sizes: Sizes, group: Group) -> list[tuple[str, int]]:
    """Return the axes of a group within one plane, with their sizes."""
    return [(axis, sizes[axis]) for axis in group.axes if axis != PLANE]


def equivalent(first: int, times: int) -> tuple[Rows, Rows]:
    """Return the first devices as representatives, each of `times` equivalent ones."""
    return np.arange(first, dtype=np.int64), np.full(first, times, np.int64)
