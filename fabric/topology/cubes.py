"""What server-centric networks share, whose NICs have a port for each level of switches.

A NIC has a digit on each level's axis, and the switch of a level joins those that differ in that digit alone. The
lowest digit is a place and a NIC of a server, so that a server's NICs share a leaf and are rails of the levels above.
Where the highest digit has fewer values than a switch has ports, the cube is partial.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from fabric.topology.graph_form import SERVER, PatternBundle
from fabric.topology.patterns import Rows, agreeing
from fabric.topology.polynomial import Polynomial, Ratio, count
from fabric.topology.topology import Group, Sizes

__all__ = [
    "HIGH",
    "cube_capacity",
    "cube_formula",
    "level_groups",
    "level_links",
    "nic_links",
    "own_digit",
    "pairs_by_digits",
]

LOW = ("slot", "nic")
"""The axes of the lowest digit: a server under one leaf, and its NIC."""

HIGH = ("y", "z", "w")
"""The axes of the other digits, from the second up."""

ROLES = ("leaf", "spine", "core", "super")


def level_groups(digits: int) -> tuple[Group, ...]:
    """Return the switches of every level: all digits but its own, the highest first."""
    every = [LOW, *((axis,) for axis in HIGH[: digits - 1])]
    found = []
    for level, role in enumerate(ROLES[:digits]):
        kept = (every[place] for place in reversed(range(digits)) if place != level)
        found.append(Group(role, tuple(name for names in kept for name in names)))
    return tuple(found)


def own_digit(level: int) -> str:
    """Return the number of NICs under a switch of a level: the values of its digit."""
    return "slot nic" if level == 0 else HIGH[level - 1]


def nic_links(groups: tuple[Group, ...], levels: int) -> tuple[PatternBundle, ...]:
    """Return the servers' links: each NIC has one to a switch of each level."""
    return tuple(_attached(groups[level], level, len(groups)) for level in range(levels))


def _attached(group: Group, level: int, digits: int) -> PatternBundle:
    return PatternBundle(
        SERVER, group, f"server-{group.role}", count("servers nic"), count("nic"), count(own_digit(level)),
        _placed(level, digits),
    )  # fmt: skip


def _placed(level: int, digits: int) -> Callable[[Sizes], tuple[Rows, Rows]]:
    """Return the rule that gives each NIC its switch of a level: its number without that digit."""

    def pairs(sizes: Sizes) -> tuple[Rows, Rows]:
        nic = np.arange(sizes["servers"] * sizes["nic"], dtype=np.int64)
        values = [sizes["slot"] * sizes["nic"], *(sizes[axis] for axis in HIGH[: digits - 1])]
        below = int(np.prod(values[:level], dtype=np.int64))
        return nic // sizes["nic"], nic // (below * values[level]) * below + nic % below

    return pairs


def level_links(lower: Group, upper: Group, ends: tuple[str, str], loads: tuple[Ratio, ...] = ()) -> PatternBundle:
    """Return the links between the switches of two levels that agree on every axis both have."""
    extra = [axis for axis in upper.axes if axis not in lower.axes]
    name = f"{lower.role}-{upper.role}"
    total = count(" ".join((*lower.axes, *extra, name)))
    return PatternBundle(
        lower, upper, name, total, count(f"{ends[0]} {name}"), count(f"{ends[1]} {name}"),
        lambda sizes: agreeing(*([(axis, sizes[axis]) for axis in group.axes] for group in (lower, upper))), loads,
    )  # fmt: skip


def cube_capacity(digits: int) -> Polynomial:
    """Return the servers of a cube: one for each value of all digits, but for the NIC in the lowest."""
    return count(" ".join(("slot", *HIGH[: digits - 1])))


def cube_formula(groups: tuple[Group, ...], joined: str) -> str:
    """Return how a cube is written, its levels separated by `joined`."""
    names = joined.join(f"{group.role}({', '.join(group.axes)})" for group in groups)
    return f"server({', '.join(reversed([*HIGH[: len(groups) - 1]]))}, slot) - {names}"


def pairs_by_digits(sizes: Sizes, digits: int) -> dict[int, int]:
    """Return the ordered pairs of NICs of different servers by the number of digits in which they differ."""
    low = sizes["slot"] * sizes["nic"]
    values = [low, *(sizes[axis] for axis in HIGH[: digits - 1])]
    found = {0: 1}
    for value in values:
        numbers = range(len(found) + 1)
        found = {number: found.get(number, 0) + (value - 1) * found.get(number - 1, 0) for number in numbers}
    found[1] -= sizes["nic"] - 1
    return {number: pairs * math.prod(values) for number, pairs in found.items() if number and pairs}
