"""Slim Fly: switches joined by McKay-Miller-Siran graphs."""

from __future__ import annotations

import numpy as np

from fabric.topology.direct import HOSTS, ONE_PATH, hosts
from fabric.topology.facts import Drawing, RoutingFacts
from fabric.topology.family import Family
from fabric.topology.graph_form import SERVER, GraphForm, PathFacts, PatternBundle
from fabric.topology.graph_sizing import SizeTable, Sizing
from fabric.topology.patterns import mms_global, mms_local, prime_powers
from fabric.topology.polynomial import Ratio, count
from fabric.topology.topology import PLANE, Group

__all__ = ["SLIM_FLY", "slim_fly"]


def slim_fly() -> GraphForm:
    """Return the Slim Fly on the McKay-Miller-Siran graphs: 2 q^2 routers of degree (3q - d) / 2, at most two apart.

    q = 4w + d is a prime power and d is -1, 0 or 1; with p NICs a router, p of half the degree, rounded up, is balanced
    (M. Besta and T. Hoefler 2014, doi 10.1109/SC.2014.34).
    """
    leaf = Group("leaf", ("half", "column", "row", PLANE))
    names = ("q", "column", "row", "degree", "near")
    balance = Ratio(count(f"2 slot {HOSTS} - 1"), count("degree"))
    local = PatternBundle(
        leaf, leaf, "leaf-local", count(f"half column row near {PLANE} : 2"), count("near"), count("near"),
        lambda sizes: mms_local(sizes["q"]), (balance,),
    )  # fmt: skip
    far = PatternBundle(
        leaf, leaf, "leaf-global", count(f"column row q {PLANE}"), count("q"), count("q"),
        lambda sizes: mms_global(sizes["q"]),
    )  # fmt: skip
    return GraphForm(
        "slim-fly",
        (SERVER, leaf),
        (hosts(leaf), local, far),
        formula="server(half, column, row, slot) - leaf(half, column, row) ~ q(column, row)",
        sizing=Sizing(
            capacity=count("half column row slot"),
            free={"slot": 1},
            fixed={"half": 2, "leaf-local": 1, "leaf-global": 1},
            tables=(SizeTable(names, _mms_rows, "is not a prime power from 3"),),
        ),
        paths=PathFacts(
            diameter=count("3"),
            representatives=lambda sizes: (np.array([0, sizes["q"] ** 2]), np.full(2, sizes["q"] ** 2)),
        ),
        routing=RoutingFacts(channels=2, inverse_paths=(ONE_PATH,)),
        drawing=Drawing("halves", across=("column", "half"), up=("row",)),
    )


def _mms_rows(width: int) -> tuple[tuple[int, ...], ...]:
    """Return q, columns, rows, degree and links within a column of every graph whose degree is below a width."""
    rows = ((q, q, q, (3 * q - {1: 1, 3: -1}.get(q % 4, 0)) // 2) for q in prime_powers(max(3, width)))
    return tuple((*row, row[-1] - row[0]) for row in rows if row[-1] < width)


SLIM_FLY = Family(
    "slim-fly",
    "routers joined by McKay-Miller-Siran graphs, no two of which are more than two links apart",
    (slim_fly(),),
    reference="M. Besta and T. Hoefler, SC 2014, doi 10.1109/SC.2014.34",
)
