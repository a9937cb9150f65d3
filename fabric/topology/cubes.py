"""Server-centric networks, whose NICs have a port for each level of switches, as forms by counts and wires.

A NIC has a digit on each level's axis, and the switch of a level joins those that differ in that digit alone. The
lowest digit is a place and a NIC of a server, so that a server's NICs share a leaf and are rails of the levels above.
Where the highest digit has fewer values than a switch has ports, the cube is partial.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from fabric.topology.clos import Group
from fabric.topology.graph_form import SERVER, GraphForm, LoadRatio, PatternBundle, Rule, Sizes
from fabric.topology.patterns import Rows, agreeing
from fabric.topology.polynomial import Polynomial, count

__all__ = ["bcube", "zcube", "zcube_partial"]

LOW = ("slot", "nic")
"""The axes of the lowest digit: a server under one leaf, and its NIC."""

HIGH = ("y", "z", "w")
"""The axes of the other digits, from the second up."""

ROLES = ("leaf", "spine", "core", "super")


def _levels(digits: int) -> tuple[Group, ...]:
    """Return the switches of every level: all digits but its own, the highest first."""
    every = [LOW, *((axis,) for axis in HIGH[: digits - 1])]
    found = []
    for level, role in enumerate(ROLES[:digits]):
        kept = (every[place] for place in reversed(range(digits)) if place != level)
        found.append(Group(role, tuple(name for names in kept for name in names)))
    return tuple(found)


def _own(level: int) -> str:
    """Return the number of NICs under a switch of a level: the values of its digit."""
    return "slot nic" if level == 0 else HIGH[level - 1]


def _hosts(groups: tuple[Group, ...], levels: int) -> tuple[PatternBundle, ...]:
    """Return the servers' links: each NIC has one to a switch of each level."""
    return tuple(_attached(groups[level], level, len(groups)) for level in range(levels))


def _attached(group: Group, level: int, digits: int) -> PatternBundle:
    return PatternBundle(
        SERVER, group, f"server-{group.role}", count("servers nic"), count("nic"), count(_own(level)),
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


def _join(lower: Group, upper: Group, ends: tuple[str, str], loads: tuple[LoadRatio, ...] = ()) -> PatternBundle:
    """Return the links between the switches of two levels that agree on every axis both have."""
    extra = [axis for axis in upper.axes if axis not in lower.axes]
    name = f"{lower.role}-{upper.role}"
    total = count(" ".join((*lower.axes, *extra, name)))
    return PatternBundle(
        lower, upper, name, total, count(f"{ends[0]} {name}"), count(f"{ends[1]} {name}"),
        lambda sizes: agreeing(*([(axis, sizes[axis]) for axis in group.axes] for group in (lower, upper))), loads,
    )  # fmt: skip


def _capacity(digits: int) -> Polynomial:
    return count(" ".join(("slot", *HIGH[: digits - 1])))


def _formula(groups: tuple[Group, ...], joined: str) -> str:
    names = joined.join(f"{group.role}({', '.join(group.axes)})" for group in groups)
    return f"server({', '.join(reversed([*HIGH[: len(groups) - 1]]))}, slot) - {names}"


def bcube(digits: int) -> GraphForm:
    """Return the BCube of so many levels: servers are joined by switches alone and pass on what goes further.

    BCube(n, k) has n^k NICs of k ports and k n^(k-1) switches of n ports (C. Guo et al. 2009, doi
    10.1145/1592568.1592577). Uniform traffic passes a port of the level whenever two NICs differ in its digit, and
    each port has 1/k of the line rate.
    """
    groups = _levels(digits)
    hosts = tuple(
        replace(host, loads=(LoadRatio(count(f"{digits} {_own(level)} - {digits}"), count(_own(level))),))
        for level, host in enumerate(_hosts(groups, digits))
    )
    return GraphForm(
        "bcube", (SERVER, *groups), _formula(groups, " | "), hosts,
        _capacity(digits), count(str(2 * digits - 1)), free={"slot": 1, **dict.fromkeys(HIGH[: digits - 1], 2)},
        levels=digits, relays=True,
        apart=lambda sizes: {2 * number - 1: pairs for number, pairs in _differing(sizes, digits).items()},
    )  # fmt: skip


def _differing(sizes: Sizes, digits: int) -> dict[int, int]:
    """Return the ordered pairs of NICs of different servers by the number of digits in which they differ."""
    low = sizes["slot"] * sizes["nic"]
    values = [low, *(sizes[axis] for axis in HIGH[: digits - 1])]
    found = {0: 1}
    for value in values:
        numbers = range(len(found) + 1)
        found = {number: found.get(number, 0) + (value - 1) * found.get(number - 1, 0) for number in numbers}
    found[1] -= sizes["nic"] - 1
    return {number: pairs * math.prod(values) for number, pairs in found.items() if number and pairs}


def zcube(digits: int) -> GraphForm:
    """Return the ZCube: a BCube of two or three levels whose switches are joined where they agree on their digits.

    ZCube(n, k) has k n^(k-1) switches of k n ports, and no two of its NICs are further apart than k switches (Z. Yan et
    al. 2025, doi 10.1145/3718958.3750503).
    """
    groups = _levels(digits)
    joins = []
    for low in range(digits):
        for high in range(low + 1, digits):
            name = f"{groups[low].role}-{groups[high].role}"
            joins.append(
                _join(groups[low], groups[high], (_own(low), _own(high)), (LoadRatio(count("1"), count(name)),))
            )
    return GraphForm(
        "zcube", (SERVER, *groups), _formula(groups, " - "), (*_hosts(groups, digits), *joins), _capacity(digits),
        count(str(digits)), free={"slot": 1, **dict.fromkeys(HIGH[: digits - 1], 2)}, levels=digits,
        apart=lambda sizes: _differing(sizes, digits), channels=digits - 1, uneven=True,
    )  # fmt: skip


def zcube_partial() -> GraphForm:
    """Return the partial ZCube of three levels: NICs of two ports, on leaves and spines, and `part` cores each value.

    Its cores join leaf (z, y) and spine (z, x) for all z, core (y, c) those of y and of x = y + c, around; so x and y
    have as many values, and with `part` as many too the cores are those of a whole ZCube(n, 3).
    """
    leaf, spine, core = (*_levels(3)[:2], Group("core", ("y", "part")))
    hosts = _hosts(_levels(3), 2)
    away, there = LoadRatio(count("slot nic z - slot nic"), count("part z leaf-core")), count("part z spine-core")
    up = _join(leaf, core, ("part", "z"), (away,))
    over = PatternBundle(
        spine, core, "spine-core", count("z y part spine-core"), count("part spine-core"), count("z spine-core"),
        _turned, (LoadRatio(count("y z - y"), there),),
    )  # fmt: skip
    return GraphForm(
        "zcube", (SERVER, leaf, spine, core), _formula((leaf, spine, core), " - "),
        (*hosts, _join(leaf, spine, ("slot nic", "y")), up, over), _capacity(3), count("4"),
        free={"slot": 1, "y": 2, "z": 2, "part": 1}, levels=2, channels=3, uneven=True,
        search=lambda sizes: (np.arange(sizes["y"]), np.full(sizes["y"], sizes["y"] * sizes["z"])),
        rules=(
            Rule(count("slot nic"), count("y"), "a leaf has as many NICs as a spine"),
            Rule(count("y"), count("slot nic"), "a leaf has as many NICs as a spine"),
            Rule(count("part"), count("y"), "a leaf has a core for each spine at the most"),
        ),
    )  # fmt: skip


def _turned(sizes: Sizes) -> tuple[Rows, Rows]:
    """Join spine (z, x) to core (y, c) where x is y + c, around."""
    z, y, c = np.indices((sizes["z"], sizes["y"], sizes["part"])).reshape(3, -1).astype(np.int64)
    return z * sizes["y"] + (y + c) % sizes["y"], y * sizes["part"] + c
