"""Lattices of switches, whose lines are joined all to all (HyperX), to rings (torus) or to paths (mesh)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np

from fabric.topology.direct import HOSTS, hosts, shape
from fabric.topology.facts import Drawing, RoutingFacts
from fabric.topology.family import Family
from fabric.topology.graph_form import SERVER, GraphForm, PathFacts, PatternBundle
from fabric.topology.graph_sizing import SizeTable, Sizing
from fabric.topology.patterns import Rows, all_to_all, paths, rings
from fabric.topology.polynomial import Polynomial, Ratio, count
from fabric.topology.topology import PLANE, Group, Sizes

__all__ = ["HYPERX", "MESH", "TORUS", "hyperx", "mesh", "torus"]

DIMENSIONS = ("x", "y", "z", "w", "v", "u")
"""The axes of a lattice of switches."""

ACROSS, UP = ("x", "z", "v"), ("y", "w", "u")
"""The axes that are drawn from left to right, and upwards."""


def _formula(axes: Sequence[str]) -> str:
    names = ", ".join(axes)
    return f"server({names}, slot) - leaf({names}) ~ {' ~ '.join(axes)}"


def hyperx(dimensions: int) -> GraphForm:
    """Return the HyperX of this many dimensions: switches joined to all that differ from them on one axis alone.

    Each axis has its size and parallel links (J. Ahn et al. 2009, doi 10.1145/1654059.1654101); the flattened butterfly
    is the one of equal sizes (J. Kim et al. 2007, doi 10.1145/1250662.1250679).
    """
    axes = DIMENSIONS[:dimensions]
    leaf = Group("leaf", (*axes, PLANE))
    parts = [_clique(leaf, axes, place) for place in range(dimensions)]
    return GraphForm(
        "hyperx",
        (SERVER, leaf),
        (hosts(leaf), *parts),
        formula=_formula(axes),
        sizing=Sizing(
            capacity=count(" ".join((*axes, "slot"))), free={**dict.fromkeys(axes, 2), "slot": 1}, symmetric=axes
        ),
        paths=PathFacts(diameter=count(str(dimensions + 1)), representatives=lambda sizes: _first_switch(sizes, leaf)),
        routing=RoutingFacts(channels=dimensions, inverse_paths=_inverse_paths(axes), loads_are_least=True),
        drawing=Drawing("lattice", ACROSS, UP, "clique"),
    )


def _inverse_paths(axes: Sequence[str]) -> tuple[Ratio, ...]:
    return tuple(Ratio(count("1"), count(f"leaf-{axis}")) for axis in axes)


def _clique(leaf: Group, axes: Sequence[str], place: int) -> PatternBundle:
    """Return the links between all switches of a line on one axis."""
    axis, every = axes[place], _all_text(axes)
    name = f"leaf-{axis}"
    ports = count(f"{axis} {name} - {name}")
    return PatternBundle(
        leaf, leaf, name, count(f"{every} {axis} {name} - {every} {name} : 2"), ports, ports,
        lambda sizes: all_to_all(shape(sizes, leaf), place),
        (Ratio(count(f"slot {HOSTS}"), count(f"{axis} {name}")),),
    )  # fmt: skip


def _all_text(axes: Sequence[str]) -> str:
    return " ".join((*axes, PLANE))


def _first_switch(sizes: Sizes, group: Group) -> tuple[Rows, Rows]:
    """Return the first switch, to which all others are equivalent."""
    return np.zeros(1, np.int64), np.array([int(np.prod(shape(sizes, group)))])


def torus(dimensions: int) -> GraphForm:
    """Return the torus of this many dimensions: switches joined to both neighbours on every axis, with wraparound.

    W. Dally 1990, doi 10.1109/12.53599, who calls the one of equal sizes a k-ary n-cube.
    """
    return _grid("torus", dimensions, wrapped=True)


def mesh(dimensions: int) -> GraphForm:
    """Return the mesh of this many dimensions: a torus without wraparound links."""
    return _grid("mesh", dimensions, wrapped=False)


def _grid(family: str, dimensions: int, *, wrapped: bool) -> GraphForm:
    axes = DIMENSIONS[:dimensions]
    leaf = Group("leaf", (*axes, PLANE))
    parts = [_line(leaf, axes, place, wrapped=wrapped) for place in range(dimensions)]
    far = Polynomial(((1, ()), *((1, (f"{axis} far",)) for axis in axes)))
    tables = tuple(
        SizeTable(
            (axis, *(f"{axis} {what}" for what in ("far", "passed", "ends"))), _rings if wrapped else _lines, LINES
        )
        for axis in axes
    )
    return GraphForm(
        family,
        (SERVER, leaf),
        (hosts(leaf), *parts),
        formula=_formula(axes),
        sizing=Sizing(capacity=count(" ".join((*axes, "slot"))), free={"slot": 1}, tables=tables, symmetric=axes),
        paths=PathFacts(diameter=far, representatives=(lambda sizes: _first_switch(sizes, leaf)) if wrapped else None),
        routing=RoutingFacts(channels=1 + wrapped, inverse_paths=_inverse_paths(axes), loads_are_least=True),
        drawing=Drawing("lattice", ACROSS, UP, "ring" if wrapped else "path"),
    )


def _line(leaf: Group, axes: Sequence[str], place: int, *, wrapped: bool) -> PatternBundle:
    """Return the links along one axis.

    Uniform traffic between n switches on a ring or a line passes floor(n^2 / 4) links in all for each that sends, on a
    ring evenly, and on a line as many times its middle link one way.
    """
    axis = axes[place]
    others = _all_text([name for name in axes if name != axis])
    ports = Polynomial(((1, (f"{axis} ends", f"leaf-{axis}")),))
    ring = Polynomial(((1, (*axes, PLANE, f"{axis} ends", f"leaf-{axis}")),), 2)
    line = count(f"{_all_text(axes)} leaf-{axis} - {others} leaf-{axis}")
    sent = Polynomial(((1, ("slot", HOSTS, f"{axis} passed")),))
    carried = Polynomial(((1, (axis, f"leaf-{axis}", *([f"{axis} ends"] if wrapped else ()))),))
    return PatternBundle(
        leaf, leaf, f"leaf-{axis}", ring if wrapped else line, ports, ports,
        lambda sizes: (rings if wrapped else paths)(shape(sizes, leaf), place), (Ratio(sent, carried),),
    )  # fmt: skip


LONGEST = 256
"""The longest line of a torus or mesh."""

LINES = f"is not the size of a line, which has 2 to {LONGEST} switches"


@cache
def _rings(_: int) -> tuple[tuple[int, ...], ...]:
    return tuple((n, n // 2, n * n // 4, min(n, 3) - 1) for n in range(2, LONGEST + 1))


@cache
def _lines(_: int) -> tuple[tuple[int, ...], ...]:
    return tuple((n, n - 1, n * n // 4, min(n, 3) - 1) for n in range(2, LONGEST + 1))


HYPERX = Family(
    "hyperx",
    "a lattice of switches, each joined to all others along every axis; with equal sizes, a flattened butterfly",
    tuple(hyperx(dimensions) for dimensions in (1, 2, 3, 4)),
    reference="J. Ahn et al., SC 2009, doi 10.1145/1654059.1654101",
)

TORUS = Family(
    "torus",
    "a lattice of switches, each joined to its two neighbours on every axis, with wraparound; x far is x / 2",
    tuple(torus(dimensions) for dimensions in (1, 2, 3, 4, 5, 6)),
    reference="W. Dally, IEEE Transactions on Computers 39(6), 1990, doi 10.1109/12.53599",
)

MESH = Family(
    "mesh",
    "a torus without wraparound links; x far is x - 1",
    tuple(mesh(dimensions) for dimensions in (1, 2, 3, 4, 5, 6)),
    reference="W. Dally, IEEE Transactions on Computers 39(6), 1990, doi 10.1109/12.53599",
)
