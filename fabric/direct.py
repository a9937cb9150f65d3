"""Direct networks, whose switches are joined to each other, as forms by counts and wires.

All NICs of a server share a switch, called a leaf as in other families, and `slot` servers stand at each. A switch's
oversubscription is that of uniform traffic by minimal routing, and where all ratios are 1 the published balanced sizes
come out.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np

from fabric.counts import Count, count
from fabric.form import PLANE, Group
from fabric.wired import SERVER, Load, Rule, Sizes, Table, Wire, Wired
from fabric.wires import (
    Rows,
    agreeing,
    all_to_all,
    balanced,
    mms_global,
    mms_local,
    paths,
    prime_powers,
    random_regular,
    rings,
)

__all__ = ["dragonfly", "dragonfly_plus", "hyperx", "jellyfish", "mesh", "slim_fly", "torus"]

DIMENSIONS = ("x", "y", "z", "w", "v", "u")
"""The axes of a lattice of switches."""

HOSTS = "server-leaf"

ONE_WAY = Load(count("1"), count("1"))
"""Two leaves may have one minimal way alone."""


def _hosts(leaf: Group) -> Wire:
    """Return the servers' links: those of each server to one switch in each plane."""
    total = count(f"servers {HOSTS} {PLANE}")
    return Wire(SERVER, leaf, HOSTS, total, count(f"{HOSTS} {PLANE}"), count(f"slot {HOSTS}"), _placed)


def _placed(sizes: Sizes) -> tuple[Rows, Rows]:
    server = np.repeat(np.arange(sizes["servers"], dtype=np.int64), sizes[HOSTS])
    return server, server // sizes["slot"]


def _shape(sizes: Sizes, group: Group) -> list[int]:
    return [size for _, size in _named(sizes, group)]


def _named(sizes: Sizes, group: Group) -> list[tuple[str, int]]:
    """Return the axes of a group within one plane, with their sizes."""
    return [(axis, sizes[axis]) for axis in group.axes if axis != PLANE]


def dragonfly() -> Wired:
    """Return the dragonfly: groups of routers joined all to all, and the groups by `global` links of each router.

    With p NICs a router, a routers a group, h global links a router and g groups it has a p g NICs; g is at most
    a h + 1, and a = 2p = 2h is balanced (J. Kim et al. 2008, doi 10.1109/ISCA.2008.19). Every pair of groups has as
    many links as go up evenly, `pair`, and what is left leads to the nearest groups. Minimal ways have one global
    link at the most, of weight 3, though two may be fewer hops than one between two local ones.
    """
    leaf = Group("leaf", ("group", "router", PLANE))
    local = Wire(
        leaf, leaf, "leaf-local", count(f"group router router {PLANE} - group router {PLANE} : 2"),
        count("router - 1"), count("router - 1"), lambda sizes: all_to_all(_shape(sizes, leaf), 1),
        (
            Load(count(f"2 slot {HOSTS} group - slot {HOSTS}"), count("router group")),
            Load(count(f"32 slot {HOSTS} router global + 16 slot {HOSTS} pair"), count("17 router group pair")),
        ),
    )  # fmt: skip
    mean = Load(count(f"slot {HOSTS} group - slot {HOSTS}"), count("global group"))
    far, rules = _global(leaf, mean, Load(count(f"16 slot {HOSTS} router"), count("17 group pair")))
    return Wired(
        "dragonfly", (SERVER, leaf), "server(group, router, slot) - leaf(group, router) ~ router ~ global",
        (_hosts(leaf), local, far), count("group router slot"), count("4"),
        free={"group": 2, "router": 2, "global": 1, "slot": 1}, many=("group",),
        fixed={"leaf-local": 1, "leaf-global": 1}, rules=rules, floors=_pair("router"),
        search=lambda sizes: _alike(sizes["router"], sizes["group"]), valiant=True, channels=2,
        crowds=(ONE_WAY,), weights={"leaf-global": 3},
    )  # fmt: skip


def _pair(each: str) -> dict[str, tuple[Count, Count]]:
    """Return the links that every two groups have at the least."""
    return {"pair": (count(f"{each} global"), count("group - 1"))}


def _global(group: Group, *loads: Load) -> tuple[Wire, tuple[Rule, Rule]]:
    """Return the links between groups, `global` of each of a group's switches, and what their sizes keep to.

    Their loads are that of the mean link, and that of two groups with the fewest links. A sixteenth more of the latter
    counts as none, so that a dragonfly of almost as many groups as there can be is as good as the balanced one.
    """
    each, name = group.axes[1], f"{group.role}-global"
    wire = Wire(
        group, group, name, count(f"group {each} global {PLANE} : 2"), count("global"), count("global"),
        lambda sizes: balanced(sizes["group"], sizes[each], sizes["global"]), loads,
    )  # fmt: skip
    even = f"group {each} global"
    return wire, (
        Rule(count("group - 1"), count(f"{each} global"), "every two groups need a link"),
        Rule(count(even), None, f"global links have two ends: {even} is even"),
    )


def _alike(first: int, times: int) -> tuple[Rows, Rows]:
    """Return the first devices as those that all others are like, each standing for so many."""
    return np.arange(first, dtype=np.int64), np.full(first, times, np.int64)


def dragonfly_plus() -> Wired:
    """Return the dragonfly+: groups of leaves and spines joined all to all, and the groups by their spines' links.

    A spine has `global` links to other groups, every two of which are joined (A. Shpiner et al. 2017, doi
    10.1109/HiPINEB.2017.11).
    """
    leaf, spine = Group("leaf", ("group", "leaf", PLANE)), Group("spine", ("group", "spine", PLANE))
    up = Wire(
        leaf, spine, "leaf-spine", count(f"group leaf spine leaf-spine {PLANE}"), count("spine leaf-spine"),
        count("leaf leaf-spine"),
        lambda sizes: agreeing(_named(sizes, leaf), _named(sizes, spine)),
        (
            Load(count(f"slot {HOSTS}"), count("spine leaf-spine")),
            Load(
                count(f"16 slot {HOSTS} spine global + 16 slot {HOSTS} pair"),
                count("17 group pair spine leaf-spine"),
            ),
        ),
    )  # fmt: skip
    mean = Load(count(f"group leaf slot {HOSTS} - leaf slot {HOSTS}"), count("group spine global"))
    far, rules = _global(spine, mean, Load(count(f"16 slot {HOSTS} leaf"), count("17 group pair")))
    return Wired(
        "dragonfly-plus", (SERVER, leaf, spine),
        "server(group, leaf, slot) - leaf(group, leaf) - spine(group, spine) ~ global",
        (_hosts(leaf), up, far), count("group leaf slot"), count("4"),
        free={"group": 2, "leaf": 2, "spine": 1, "global": 1, "slot": 1}, many=("group",), fixed={"spine-global": 1},
        floors=_pair("spine"), rules=rules, search=lambda sizes: _alike(sizes["leaf"], sizes["group"]), valiant=True,
        crowds=(Load(count("group - 1"), count("spine global")),),
    )  # fmt: skip


def slim_fly() -> Wired:
    """Return the Slim Fly on the McKay-Miller-Siran graphs: 2 q^2 routers of degree (3q - d) / 2, at most two apart.

    q = 4w + d is a prime power and d is -1, 0 or 1; with p NICs a router, p of half the degree, rounded up, is balanced
    (M. Besta and T. Hoefler 2014, doi 10.1109/SC.2014.34).
    """
    leaf = Group("leaf", ("half", "column", "row", PLANE))
    names = ("q", "column", "row", "degree", "near")
    balance = Load(count(f"2 slot {HOSTS} - 1"), count("degree"))
    local = Wire(
        leaf, leaf, "leaf-local", count(f"half column row near {PLANE} : 2"), count("near"), count("near"),
        lambda sizes: mms_local(sizes["q"]), (balance,),
    )  # fmt: skip
    far = Wire(
        leaf, leaf, "leaf-global", count(f"column row q {PLANE}"), count("q"), count("q"),
        lambda sizes: mms_global(sizes["q"]),
    )  # fmt: skip
    return Wired(
        "slim-fly", (SERVER, leaf), "server(half, column, row, slot) - leaf(half, column, row) ~ q(column, row)",
        (_hosts(leaf), local, far), count("half column row slot"), count("3"),
        free={"slot": 1}, fixed={"half": 2, "leaf-local": 1, "leaf-global": 1},
        tables=(Table(names, _mms_rows, "is not a prime power from 3"),),
        search=lambda sizes: (np.array([0, sizes["q"] ** 2]), np.full(2, sizes["q"] ** 2)), valiant=True, channels=2,
        crowds=(ONE_WAY,),
    )  # fmt: skip


def _mms_rows(width: int) -> tuple[tuple[int, ...], ...]:
    """Return q, columns, rows, degree and links within a column of every graph whose degree is below a width."""
    rows = ((q, q, q, (3 * q - {1: 1, 3: -1}.get(q % 4, 0)) // 2) for q in prime_powers(max(3, width)))
    return tuple((*row, row[-1] - row[0]) for row in rows if row[-1] < width)


def _written(axes: Sequence[str]) -> str:
    names = ", ".join(axes)
    return f"server({names}, slot) - leaf({names}) ~ {' ~ '.join(axes)}"


def hyperx(dimensions: int) -> Wired:
    """Return the HyperX of so many dimensions: switches joined to all that differ from them on one axis alone.

    Each axis has its size and parallel links (J. Ahn et al. 2009, doi 10.1145/1654059.1654101); the flattened butterfly
    is the one of equal sizes (J. Kim et al. 2007, doi 10.1145/1250662.1250679).
    """
    axes = DIMENSIONS[:dimensions]
    leaf = Group("leaf", (*axes, PLANE))
    parts = [_clique(leaf, axes, place) for place in range(dimensions)]
    return Wired(
        "hyperx", (SERVER, leaf), _written(axes), (_hosts(leaf), *parts), count(" ".join((*axes, "slot"))),
        count(str(dimensions + 1)), free={**dict.fromkeys(axes, 2), "slot": 1}, alike=axes,
        search=lambda sizes: _one(sizes, leaf), valiant=True, channels=dimensions,
        crowds=tuple(Load(count("1"), count(f"leaf-{axis}")) for axis in axes),
    )  # fmt: skip


def _clique(leaf: Group, axes: Sequence[str], place: int) -> Wire:
    """Return the links between all switches of a line on one axis."""
    axis, every = axes[place], _all_text(axes)
    name = f"leaf-{axis}"
    ports = count(f"{axis} {name} - {name}")
    return Wire(
        leaf, leaf, name, count(f"{every} {axis} {name} - {every} {name} : 2"), ports, ports,
        lambda sizes: all_to_all(_shape(sizes, leaf), place), (Load(count(f"slot {HOSTS}"), count(f"{axis} {name}")),),
    )  # fmt: skip


def _all_text(axes: Sequence[str]) -> str:
    return " ".join((*axes, PLANE))


def _one(sizes: Sizes, group: Group) -> tuple[Rows, Rows]:
    """Return the first switch, as which all others are."""
    return np.zeros(1, np.int64), np.array([int(np.prod(_shape(sizes, group)))])


def torus(dimensions: int) -> Wired:
    """Return the torus of so many dimensions: switches joined to both neighbours on every axis, around.

    W. Dally 1990, doi 10.1109/12.53599, who calls the one of equal sizes a k-ary n-cube.
    """
    return _grid("torus", dimensions, wrapped=True)


def mesh(dimensions: int) -> Wired:
    """Return the mesh of so many dimensions: a torus whose lines are not closed."""
    return _grid("mesh", dimensions, wrapped=False)


def _grid(family: str, dimensions: int, *, wrapped: bool) -> Wired:
    axes = DIMENSIONS[:dimensions]
    leaf = Group("leaf", (*axes, PLANE))
    parts = [_line(leaf, axes, place, wrapped=wrapped) for place in range(dimensions)]
    far = Count(((1, ()), *((1, (f"{axis} far",)) for axis in axes)))
    tables = tuple(
        Table((axis, *(f"{axis} {what}" for what in ("far", "passed", "ends"))), _rings if wrapped else _lines, LINES)
        for axis in axes
    )
    return Wired(
        family, (SERVER, leaf), _written(axes), (_hosts(leaf), *parts), count(" ".join((*axes, "slot"))), far,
        free={"slot": 1}, tables=tables, alike=axes,
        search=(lambda sizes: _one(sizes, leaf)) if wrapped else None, channels=1 + wrapped,
        crowds=tuple(Load(count("1"), count(f"leaf-{axis}")) for axis in axes),
    )  # fmt: skip


def _line(leaf: Group, axes: Sequence[str], place: int, *, wrapped: bool) -> Wire:
    """Return the links along one axis.

    Uniform traffic between n switches on a ring or a line passes floor(n^2 / 4) links in all for each that sends, on a
    ring evenly, and on a line as many times its middle link one way.
    """
    axis = axes[place]
    others = _all_text([name for name in axes if name != axis])
    ports = Count(((1, (f"{axis} ends", f"leaf-{axis}")),))
    ring = Count(((1, (*axes, PLANE, f"{axis} ends", f"leaf-{axis}")),), 2)
    line = count(f"{_all_text(axes)} leaf-{axis} - {others} leaf-{axis}")
    sent = Count(((1, ("slot", HOSTS, f"{axis} passed")),))
    carried = Count(((1, (axis, f"leaf-{axis}", *([f"{axis} ends"] if wrapped else ()))),))
    return Wire(
        leaf, leaf, f"leaf-{axis}", ring if wrapped else line, ports, ports,
        lambda sizes: (rings if wrapped else paths)(_shape(sizes, leaf), place), (Load(sent, carried),),
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


SPREAD = 24
"""How many times over the switches must be within reach of each, for random links to miss none: 2 ln N to N = 160,000.
"""


def jellyfish(depth: int) -> Wired:
    """Return the Jellyfish: switches joined at random, each to `degree` others, at most `depth` apart.

    A. Singla et al., NSDI 2012. The least number of links that uniform traffic passes is that of a tree of this degree
    (V. Cerf et al. 1974, doi 10.1002/net.3230040405), and a random graph has little more; no two of N switches are
    further apart than `depth`, but for less than one pair expected, where degree (degree - 1)^(depth - 1) is 2 ln N
    times N.
    """
    leaf = Group("leaf", ("switch", PLANE))
    carried, each = count("switch degree"), f"slot {HOSTS}"
    passed = (
        count(f"2 {each} switch - 2 {each} - {each} degree"),
        count(f"3 {each} switch - 3 {each} - {each} degree - {each} degree degree"),
    )
    parts = Wire(
        leaf, leaf, "leaf-leaf", count(f"switch degree {PLANE} : 2"), count("degree"), count("degree"),
        lambda sizes: random_regular(sizes["switch"], sizes["degree"], 0),
        tuple(Load(sent, carried) for sent in passed[: depth - 1]),
    )  # fmt: skip
    reached = {2: "degree degree - degree", 3: "degree degree degree - 2 degree degree + degree"}[depth]
    return Wired(
        "jellyfish", (SERVER, leaf), "server(switch, slot) - leaf(switch) ~ degree", (_hosts(leaf), parts),
        count("switch slot"), count(str(depth + 1)),
        free={"switch": 4, "degree": 3, "slot": 1}, many=("switch",), fixed={"leaf-leaf": 1},
        rules=(
            Rule(count("degree + 1"), count("switch"), "degree is less than the number of switches"),
            Rule(count("switch degree"), None, "links have two ends: switch degree is even"),
            Rule(count(f"{SPREAD} switch"), count(reached), f"{SPREAD} times the switches are within {depth} links"),
        ),
        valiant=True, channels=depth, crowds=(ONE_WAY,),
    )  # fmt: skip
