"""ZCube: a BCube whose switches are joined as well."""

from __future__ import annotations

import numpy as np

from fabric.topology.cubes import (
    HIGH,
    cube_capacity,
    cube_formula,
    level_groups,
    level_links,
    nic_links,
    own_digit,
    pairs_by_digits,
)
from fabric.topology.facts import Drawing, RoutingFacts
from fabric.topology.family import Family
from fabric.topology.graph_form import SERVER, GraphForm, PathFacts, PatternBundle
from fabric.topology.graph_sizing import Rule, Sizing
from fabric.topology.patterns import Rows
from fabric.topology.polynomial import Ratio, count
from fabric.topology.topology import Group, Sizes

__all__ = ["ZCUBE", "zcube", "zcube_partial"]


def zcube(digits: int) -> GraphForm:
    """Return the ZCube: a BCube of two or three levels whose switches are joined where they agree on their digits.

    ZCube(n, k) has k n^(k-1) switches of k n ports, and no two of its NICs are further apart than k switches (Z. Yan et
    al. 2025, doi 10.1145/3718958.3750503).
    """
    groups = level_groups(digits)
    joins = []
    for low in range(digits):
        for high in range(low + 1, digits):
            name = f"{groups[low].role}-{groups[high].role}"
            joins.append(
                level_links(
                    groups[low], groups[high], (own_digit(low), own_digit(high)), (Ratio(count("1"), count(name)),)
                )
            )
    return GraphForm(
        "zcube",
        (SERVER, *groups),
        (*nic_links(groups, digits), *joins),
        formula=cube_formula(groups, " - "),
        sizing=Sizing(cube_capacity(digits), free={"slot": 1, **dict.fromkeys(HIGH[: digits - 1], 2)}),
        paths=PathFacts(diameter=count(str(digits)), hop_histogram=lambda sizes: pairs_by_digits(sizes, digits)),
        routing=RoutingFacts(nic_levels=digits, channels=digits - 1),
        drawing=Drawing("levels"),
    )


def zcube_partial() -> GraphForm:
    """Return the partial ZCube of three levels: NICs of two ports, on leaves and spines, and `part` cores each value.

    Its cores join leaf (z, y) and spine (z, x) for all z, core (y, c) those of y and of x = y + c, around; so x and y
    have as many values, and with `part` as many too the cores are those of a whole ZCube(n, 3).
    """
    leaf, spine, core = (*level_groups(3)[:2], Group("core", ("y", "part")))
    hosts = nic_links(level_groups(3), 2)
    away, there = Ratio(count("slot nic z - slot nic"), count("part z leaf-core")), count("part z spine-core")
    up = level_links(leaf, core, ("part", "z"), (away,))
    over = PatternBundle(
        spine, core, "spine-core", count("z y part spine-core"), count("part spine-core"), count("z spine-core"),
        _turned, (Ratio(count("y z - y"), there),),
    )  # fmt: skip
    return GraphForm(
        "zcube",
        (SERVER, leaf, spine, core),
        (*hosts, level_links(leaf, spine, ("slot nic", "y")), up, over),
        formula=cube_formula((leaf, spine, core), " - "),
        sizing=Sizing(
            cube_capacity(3),
            free={"slot": 1, "y": 2, "z": 2, "part": 1},
            rules=(
                Rule(count("slot nic"), count("y"), "a leaf has as many NICs as a spine"),
                Rule(count("y"), count("slot nic"), "a leaf has as many NICs as a spine"),
                Rule(count("part"), count("y"), "a leaf has at most one core for each spine"),
            ),
        ),
        paths=PathFacts(
            diameter=count("4"),
            representatives=lambda sizes: (np.arange(sizes["y"]), np.full(sizes["y"], sizes["y"] * sizes["z"])),
        ),
        routing=RoutingFacts(nic_levels=2, channels=3),
        drawing=Drawing("levels"),
    )


def _turned(sizes: Sizes) -> tuple[Rows, Rows]:
    """Join spine (z, x) to core (y, c) where x is y + c, around."""
    z, y, c = np.indices((sizes["z"], sizes["y"], sizes["part"])).reshape(3, -1).astype(np.int64)
    return z * sizes["y"] + (y + c) % sizes["y"], y * sizes["part"] + c


ZCUBE = Family(
    "zcube",
    "a BCube of two or three levels whose switches are also joined",
    (zcube(2), zcube(3), zcube_partial()),
    reference="Z. Yan et al., SIGCOMM 2025, doi 10.1145/3718958.3750503",
)
