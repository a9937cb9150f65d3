"""Direct networks, whose switches are joined to each other, as forms by counts and wires.

All NICs of a server share a switch, called a leaf as in other families, and `slot` servers stand at each. A switch's
oversubscription is that of uniform traffic by minimal routing, and where all ratios are 1 the published balanced sizes
come out.
"""

from __future__ import annotations

import numpy as np

from fabric.topology.clos import PLANE, Group
from fabric.topology.graph_form import SERVER, GraphForm, LoadRatio, PatternBundle, Rule, Sizes, Table
from fabric.topology.patterns import (
    Rows,
    agreeing,
    all_to_all,
    balanced,
    mms_global,
    mms_local,
    prime_powers,
    random_regular,
)
from fabric.topology.polynomial import Polynomial, count

__all__ = ["HOSTS", "dragonfly", "dragonfly_plus", "hosts", "jellyfish", "shape", "slim_fly"]

HOSTS = "server-leaf"
"""The servers' links."""

ONE_WAY = LoadRatio(count("1"), count("1"))
"""Two leaves may have one minimal way alone."""


PARALLEL = LoadRatio(count("global"), count("group - 1"))
"""A switch's global links go round the other groups, in each to one switch; where some are left over, to two."""


def hosts(leaf: Group) -> PatternBundle:
    """Return the servers' links: those of each server to one switch in each plane."""
    total = count(f"servers {HOSTS} {PLANE}")
    return PatternBundle(SERVER, leaf, HOSTS, total, count(f"{HOSTS} {PLANE}"), count(f"slot {HOSTS}"), _placed)


def _placed(sizes: Sizes) -> tuple[Rows, Rows]:
    server = np.repeat(np.arange(sizes["servers"], dtype=np.int64), sizes[HOSTS])
    return server, server // sizes["slot"]


def shape(sizes: Sizes, group: Group) -> list[int]:
    """Return the sizes of a group's axes within one plane."""
    return [size for _, size in _named(sizes, group)]


def _named(sizes: Sizes, group: Group) -> list[tuple[str, int]]:
    """Return the axes of a group within one plane, with their sizes."""
    return [(axis, sizes[axis]) for axis in group.axes if axis != PLANE]


def dragonfly() -> GraphForm:
    """Return the dragonfly: groups of routers joined all to all, and the groups by `global` links of each router.

    With p NICs a router, a routers a group, h global links a router and g groups it has a p g NICs; g is at most
    a h + 1, and a = 2p = 2h is balanced (J. Kim et al. 2008, doi 10.1109/ISCA.2008.19). Every pair of groups has as
    many links as go up evenly, `pair`, and what is left leads to the nearest groups. Minimal ways have one global
    link at the most, of weight 3, though two may be fewer hops than one between two local ones.
    """
    leaf = Group("leaf", ("group", "router", PLANE))
    local = PatternBundle(
        leaf, leaf, "leaf-local", count(f"group router router {PLANE} - group router {PLANE} : 2"),
        count("router - 1"), count("router - 1"), lambda sizes: all_to_all(shape(sizes, leaf), 1),
        (
            LoadRatio(count(f"2 slot {HOSTS} group - slot {HOSTS}"), count("router group")),
            LoadRatio(count(f"32 slot {HOSTS} router global + 16 slot {HOSTS} pair"), count("17 router group pair")),
        ),
    )  # fmt: skip
    mean = LoadRatio(count(f"slot {HOSTS} group - slot {HOSTS}"), count("global group"))
    far, rules = _global(leaf, mean, LoadRatio(count(f"16 slot {HOSTS} router"), count("17 group pair")))
    return GraphForm(
        "dragonfly", (SERVER, leaf), "server(group, router, slot) - leaf(group, router) ~ router ~ global",
        (hosts(leaf), local, far), count("group router slot"), count("4"),
        free={"group": 2, "router": 2, "global": 1, "slot": 1}, many=("group",),
        fixed={"leaf-local": 1, "leaf-global": 1}, rules=rules, floors=_pair("router"), parallel=PARALLEL,
        search=lambda sizes: _alike(sizes["router"], sizes["group"]), valiant=True, channels=2,
        crowds=(ONE_WAY,), weights={"leaf-global": 3},
    )  # fmt: skip


def _pair(each: str) -> dict[str, tuple[Polynomial, Polynomial]]:
    """Return the links that every two groups have at the least."""
    return {"pair": (count(f"{each} global"), count("group - 1"))}


def _global(group: Group, *loads: LoadRatio) -> tuple[PatternBundle, tuple[Rule, Rule]]:
    """Return the links between groups, `global` of each of a group's switches, and what their sizes keep to.

    Their loads are that of the mean link, and that of two groups with the fewest links. A sixteenth more of the latter
    counts as none, so that a dragonfly of almost as many groups as there can be is as good as the balanced one.
    """
    each, name = group.axes[1], f"{group.role}-global"
    wire = PatternBundle(
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


def dragonfly_plus() -> GraphForm:
    """Return the dragonfly+: groups of leaves and spines joined all to all, and the groups by their spines' links.

    A spine has `global` links to other groups, every two of which are joined (A. Shpiner et al. 2017, doi
    10.1109/HiPINEB.2017.11).
    """
    leaf, spine = Group("leaf", ("group", "leaf", PLANE)), Group("spine", ("group", "spine", PLANE))
    up = PatternBundle(
        leaf, spine, "leaf-spine", count(f"group leaf spine leaf-spine {PLANE}"), count("spine leaf-spine"),
        count("leaf leaf-spine"),
        lambda sizes: agreeing(_named(sizes, leaf), _named(sizes, spine)),
        (
            LoadRatio(count(f"slot {HOSTS}"), count("spine leaf-spine")),
            LoadRatio(
                count(f"16 slot {HOSTS} spine global + 16 slot {HOSTS} pair"),
                count("17 group pair spine leaf-spine"),
            ),
        ),
    )  # fmt: skip
    mean = LoadRatio(count(f"group leaf slot {HOSTS} - leaf slot {HOSTS}"), count("group spine global"))
    far, rules = _global(spine, mean, LoadRatio(count(f"16 slot {HOSTS} leaf"), count("17 group pair")))
    return GraphForm(
        "dragonfly-plus", (SERVER, leaf, spine),
        "server(group, leaf, slot) - leaf(group, leaf) - spine(group, spine) ~ global",
        (hosts(leaf), up, far), count("group leaf slot"), count("4"),
        free={"group": 2, "leaf": 2, "spine": 1, "global": 1, "slot": 1}, many=("group",), fixed={"spine-global": 1},
        floors=_pair("spine"), parallel=PARALLEL, rules=rules,
        search=lambda sizes: _alike(sizes["leaf"], sizes["group"]), valiant=True,
        crowds=(LoadRatio(count("group - 1"), count("spine global")),),
    )  # fmt: skip


def slim_fly() -> GraphForm:
    """Return the Slim Fly on the McKay-Miller-Siran graphs: 2 q^2 routers of degree (3q - d) / 2, at most two apart.

    q = 4w + d is a prime power and d is -1, 0 or 1; with p NICs a router, p of half the degree, rounded up, is balanced
    (M. Besta and T. Hoefler 2014, doi 10.1109/SC.2014.34).
    """
    leaf = Group("leaf", ("half", "column", "row", PLANE))
    names = ("q", "column", "row", "degree", "near")
    balance = LoadRatio(count(f"2 slot {HOSTS} - 1"), count("degree"))
    local = PatternBundle(
        leaf, leaf, "leaf-local", count(f"half column row near {PLANE} : 2"), count("near"), count("near"),
        lambda sizes: mms_local(sizes["q"]), (balance,),
    )  # fmt: skip
    far = PatternBundle(
        leaf, leaf, "leaf-global", count(f"column row q {PLANE}"), count("q"), count("q"),
        lambda sizes: mms_global(sizes["q"]),
    )  # fmt: skip
    return GraphForm(
        "slim-fly", (SERVER, leaf), "server(half, column, row, slot) - leaf(half, column, row) ~ q(column, row)",
        (hosts(leaf), local, far), count("half column row slot"), count("3"),
        free={"slot": 1}, fixed={"half": 2, "leaf-local": 1, "leaf-global": 1},
        tables=(Table(names, _mms_rows, "is not a prime power from 3"),),
        search=lambda sizes: (np.array([0, sizes["q"] ** 2]), np.full(2, sizes["q"] ** 2)), valiant=True, channels=2,
        crowds=(ONE_WAY,),
    )  # fmt: skip


def _mms_rows(width: int) -> tuple[tuple[int, ...], ...]:
    """Return q, columns, rows, degree and links within a column of every graph whose degree is below a width."""
    rows = ((q, q, q, (3 * q - {1: 1, 3: -1}.get(q % 4, 0)) // 2) for q in prime_powers(max(3, width)))
    return tuple((*row, row[-1] - row[0]) for row in rows if row[-1] < width)


SPREAD = 24
"""How many times over the switches must be within reach of each, for random links to miss none: 2 ln N to N = 160,000.
"""


def jellyfish(depth: int) -> GraphForm:
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
    parts = PatternBundle(
        leaf, leaf, "leaf-leaf", count(f"switch degree {PLANE} : 2"), count("degree"), count("degree"),
        lambda sizes: random_regular(sizes["switch"], sizes["degree"], 0),
        tuple(LoadRatio(sent, carried) for sent in passed[: depth - 1]),
    )  # fmt: skip
    reached = {2: "degree degree - degree", 3: "degree degree degree - 2 degree degree + degree"}[depth]
    return GraphForm(
        "jellyfish", (SERVER, leaf), "server(switch, slot) - leaf(switch) ~ degree", (hosts(leaf), parts),
        count("switch slot"), count(str(depth + 1)),
        free={"switch": 4, "degree": 3, "slot": 1}, many=("switch",), fixed={"leaf-leaf": 1},
        rules=(
            Rule(count("degree + 1"), count("switch"), "degree is less than the number of switches"),
            Rule(count("switch degree"), None, "links have two ends: switch degree is even"),
            Rule(count(f"{SPREAD} switch"), count(reached), f"{SPREAD} times the switches are within {depth} links"),
        ),
        valiant=True, channels=depth, crowds=(ONE_WAY,),
    )  # fmt: skip
