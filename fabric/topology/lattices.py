"""Lattices of switches, whose lines are joined all to all, to rings or to paths, as forms by counts and wires."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np

from fabric.topology.clos import PLANE, Group
from fabric.topology.direct import HOSTS, hosts, shape
from fabric.topology.graph_form import SERVER, GraphForm, LoadRatio, PatternBundle, Sizes, Table
from fabric.topology.patterns import Rows, all_to_all, paths, rings
from fabric.topology.polynomial import Polynomial, count

__all__ = ["hyperx", "mesh", "torus"]

DIMENSIONS = ("x", "y", "z", "w", "v", "u")
"""The axes of a lattice of switches."""


def _written(axes: Sequence[str]) -> str:
    names = ", ".join(axes)
    return f"server({names}, slot) - leaf({names}) ~ {' ~ '.join(axes)}"


def hyperx(dimensions: int) -> GraphForm:
    """Return the HyperX of so many dimensions: switches joined to all that differ from them on one axis alone.

    Each axis has its size and parallel links (J. Ahn et al. 2009, doi 10.1145/1654059.1654101); the flattened butterfly
    is the one of equal sizes (J. Kim et al. 2007, doi 10.1145/1250662.1250679).
    """
    axes = DIMENSIONS[:dimensions]
    leaf = Group("leaf", (*axes, PLANE))
    parts = [_clique(leaf, axes, place) for place in range(dimensions)]
    return GraphForm(
        "hyperx", (SERVER, leaf), _written(axes), (hosts(leaf), *parts), count(" ".join((*axes, "slot"))),
        count(str(dimensions + 1)), free={**dict.fromkeys(axes, 2), "slot": 1}, alike=axes,
        search=lambda sizes: _one(sizes, leaf), valiant=True, channels=dimensions,
        crowds=tuple(LoadRatio(count("1"), count(f"leaf-{axis}")) for axis in axes),
    )  # fmt: skip


def _clique(leaf: Group, axes: Sequence[str], place: int) -> PatternBundle:
    """Return the links between all switches of a line on one axis."""
    axis, every = axes[place], _all_text(axes)
    name = f"leaf-{axis}"
    ports = count(f"{axis} {name} - {name}")
    return PatternBundle(
        leaf, leaf, name, count(f"{every} {axis} {name} - {every} {name} : 2"), ports, ports,
        lambda sizes: all_to_all(shape(sizes, leaf), place),
        (LoadRatio(count(f"slot {HOSTS}"), count(f"{axis} {name}")),),
    )  # fmt: skip


def _all_text(axes: Sequence[str]) -> str:
    return " ".join((*axes, PLANE))


def _one(sizes: Sizes, group: Group) -> tuple[Rows, Rows]:
    """Return the first switch, as which all others are."""
    return np.zeros(1, np.int64), np.array([int(np.prod(shape(sizes, group)))])


def torus(dimensions: int) -> GraphForm:
    """Return the torus of so many dimensions: switches joined to both neighbours on every axis, around.

    W. Dally 1990, doi 10.1109/12.53599, who calls the one of equal sizes a k-ary n-cube.
    """
    return _grid("torus", dimensions, wrapped=True)


def mesh(dimensions: int) -> GraphForm:
    """Return the mesh of so many dimensions: a torus whose lines are not closed."""
    return _grid("mesh", dimensions, wrapped=False)


def _grid(family: str, dimensions: int, *, wrapped: bool) -> GraphForm:
    axes = DIMENSIONS[:dimensions]
    leaf = Group("leaf", (*axes, PLANE))
    parts = [_line(leaf, axes, place, wrapped=wrapped) for place in range(dimensions)]
    far = Polynomial(((1, ()), *((1, (f"{axis} far",)) for axis in axes)))
    tables = tuple(
        Table((axis, *(f"{axis} {what}" for what in ("far", "passed", "ends"))), _rings if wrapped else _lines, LINES)
        for axis in axes
    )
    return GraphForm(
        family, (SERVER, leaf), _written(axes), (hosts(leaf), *parts), count(" ".join((*axes, "slot"))), far,
        free={"slot": 1}, tables=tables, alike=axes,
        search=(lambda sizes: _one(sizes, leaf)) if wrapped else None, channels=1 + wrapped,
        crowds=tuple(LoadRatio(count("1"), count(f"leaf-{axis}")) for axis in axes),
    )  # fmt: skip


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
        lambda sizes: (rings if wrapped else paths)(shape(sizes, leaf), place), (LoadRatio(sent, carried),),
    )  # fmt: skip


LONGEST = 256
"""The longest line of a torus or mesh."""

LINES = f"is no size of a line, which has 2 to {LONGEST} switches"


@cache
def _rings(_: int) -> tuple[tuple[int, ...], ...]:
    return tuple((n, n // 2, n * n // 4, min(n, 3) - 1) for n in range(2, LONGEST + 1))


@cache
def _lines(_: int) -> tuple[tuple[int, ...], ...]:
    return tuple((n, n - 1, n * n // 4, min(n, 3) - 1) for n in range(2, LONGEST + 1))
