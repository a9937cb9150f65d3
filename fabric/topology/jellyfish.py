"""Jellyfish: switches joined at random."""

from __future__ import annotations

from fabric.topology.direct import HOSTS, ONE_PATH, hosts
from fabric.topology.facts import Drawing, RoutingFacts, SizeNote
from fabric.topology.family import Family
from fabric.topology.graph_form import SERVER, GraphForm, PathFacts, PatternBundle
from fabric.topology.graph_sizing import Rule, Sizing
from fabric.topology.patterns import random_regular
from fabric.topology.polynomial import Ratio, count
from fabric.topology.topology import PLANE, Group

__all__ = ["JELLYFISH", "jellyfish"]

COMPLETE = "Every switch is joined to every other, so nothing is random: it is a hyperx in 1 dimension."

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
        tuple(Ratio(sent, carried) for sent in passed[: depth - 1]),
    )  # fmt: skip
    reached = {2: "degree degree - degree", 3: "degree degree degree - 2 degree degree + degree"}[depth]
    return GraphForm(
        "jellyfish",
        (SERVER, leaf),
        (hosts(leaf), parts),
        formula="server(switch, slot) - leaf(switch) ~ degree",
        sizing=Sizing(
            capacity=count("switch slot"),
            free={"switch": 4, "degree": 3, "slot": 1},
            fixed={"leaf-leaf": 1},
            rules=(
                Rule(count("degree + 1"), count("switch"), "degree is less than the number of switches"),
                Rule(count("switch degree"), None, "links have two ends: switch degree is even"),
                Rule(
                    count(f"{SPREAD} switch"), count(reached), f"{SPREAD} times the switches are within {depth} links"
                ),
            ),
            unbounded=("switch",),
        ),
        paths=PathFacts(diameter=count(str(depth + 1))),
        routing=RoutingFacts(channels=depth, inverse_paths=(ONE_PATH,)),
        drawing=Drawing("circle"),
        notes=(SizeNote(count("degree + 1"), count("switch"), COMPLETE),),
    )


JELLYFISH = Family(
    "jellyfish",
    "switches joined at random",
    (jellyfish(2), jellyfish(3)),
    reference="A. Singla et al., NSDI 2012, https://www.usenix.org/conference/nsdi12",
)
