"""Dragonfly and dragonfly+: groups of switches, and links between every two groups."""

from __future__ import annotations

from fabric.topology.direct import HOSTS, ONE_PATH, equivalent, hosts, named_shape, shape
from fabric.topology.facts import Drawing, RoutingFacts
from fabric.topology.family import Family
from fabric.topology.graph_form import SERVER, GraphForm, PathFacts, PatternBundle
from fabric.topology.graph_sizing import Rule, Sizing
from fabric.topology.patterns import agreeing, all_to_all, balanced
from fabric.topology.polynomial import Polynomial, Ratio, count
from fabric.topology.topology import PLANE, Group

__all__ = ["DRAGONFLY", "DRAGONFLY_PLUS", "dragonfly", "dragonfly_plus"]

PARALLEL = Ratio(count("global"), count("group - 1"))
"""A switch's global links go round the other groups, in each to one switch; where some are left over, to two."""


def dragonfly() -> GraphForm:
    """Return the dragonfly: groups of routers joined all to all, and the groups by `global` links of each router.

    With p NICs a router, a routers a group, h global links a router and g groups it has a p g NICs; g is at most
    a h + 1, and a = 2p = 2h is balanced (J. Kim et al. 2008, doi 10.1109/ISCA.2008.19). Every pair of groups has as
    many links as divide evenly, `pair`, and the remaining ones lead to the nearest groups. Minimal paths have at most
    one global link, of weight 3, though two may be fewer hops than one between two local ones.
    """
    leaf = Group("leaf", ("group", "router", PLANE))
    local = PatternBundle(
        leaf, leaf, "leaf-local", count(f"group router router {PLANE} - group router {PLANE} : 2"),
        count("router - 1"), count("router - 1"), lambda sizes: all_to_all(shape(sizes, leaf), 1),
        (
            Ratio(count(f"2 slot {HOSTS} group - slot {HOSTS}"), count("router group")),
            Ratio(count(f"32 slot {HOSTS} router global + 16 slot {HOSTS} pair"), count("17 router group pair")),
        ),
    )  # fmt: skip
    mean = Ratio(count(f"slot {HOSTS} group - slot {HOSTS}"), count("global group"))
    far, rules = _global(leaf, mean, Ratio(count(f"16 slot {HOSTS} router"), count("17 group pair")))
    return GraphForm(
        "dragonfly",
        (SERVER, leaf),
        (hosts(leaf), local, far),
        formula="server(group, router, slot) - leaf(group, router) ~ router ~ global",
        sizing=Sizing(
            capacity=count("group router slot"),
            free={"group": 2, "router": 2, "global": 1, "slot": 1},
            fixed={"leaf-local": 1, "leaf-global": 1},
            derived=_links_per_group_pair("router"),
            rules=rules,
            unbounded=("group",),
        ),
        paths=PathFacts(
            diameter=count("4"),
            representatives=lambda sizes: equivalent(sizes["router"], sizes["group"]),
            weights={"leaf-global": 3},
        ),
        routing=RoutingFacts(channels=2, inverse_paths=(ONE_PATH,)),
        drawing=Drawing("groups"),
    )


def _links_per_group_pair(each: str) -> dict[str, tuple[Polynomial, Polynomial]]:
    """Return the least number of links between two groups, as a derived size."""
    return {"pair": (count(f"{each} global"), count("group - 1"))}


def _global(group: Group, *loads: Ratio) -> tuple[PatternBundle, tuple[Rule, Rule]]:
    """Return the links between groups, `global` of each of a group's switches, and what their sizes keep to.

    Their loads are that of the mean link, and that of two groups with the fewest links. A sixteenth more of the latter
    counts as none, so that a dragonfly of almost as many groups as there can be is as good as the balanced one.
    """
    each, name = group.axes[1], f"{group.role}-global"
    bundle = PatternBundle(
        group, group, name, count(f"group {each} global {PLANE} : 2"), count("global"), count("global"),
        lambda sizes: balanced(sizes["group"], sizes[each], sizes["global"]), loads, PARALLEL,
    )  # fmt: skip
    even = f"group {each} global"
    return bundle, (
        Rule(count("group - 1"), count(f"{each} global"), "every two groups need a link"),
        Rule(count(even), None, f"global links have two ends: {even} is even"),
    )


def dragonfly_plus() -> GraphForm:
    """Return the dragonfly+: groups of leaves and spines joined all to all, and the groups by their spines' links.

    A spine has `global` links to other groups, every two of which are joined (A. Shpiner et al. 2017, doi
    10.1109/HiPINEB.2017.11).
    """
    leaf, spine = Group("leaf", ("group", "leaf", PLANE)), Group("spine", ("group", "spine", PLANE))
    up = PatternBundle(
        leaf, spine, "leaf-spine", count(f"group leaf spine leaf-spine {PLANE}"), count("spine leaf-spine"),
        count("leaf leaf-spine"),
        lambda sizes: agreeing(named_shape(sizes, leaf), named_shape(sizes, spine)),
        (
            Ratio(count(f"slot {HOSTS}"), count("spine leaf-spine")),
            Ratio(
                count(f"16 slot {HOSTS} spine global + 16 slot {HOSTS} pair"),
                count("17 group pair spine leaf-spine"),
            ),
        ),
    )  # fmt: skip
    mean = Ratio(count(f"group leaf slot {HOSTS} - leaf slot {HOSTS}"), count("group spine global"))
    far, rules = _global(spine, mean, Ratio(count(f"16 slot {HOSTS} leaf"), count("17 group pair")))
    return GraphForm(
        "dragonfly-plus",
        (SERVER, leaf, spine),
        (hosts(leaf), up, far),
        formula="server(group, leaf, slot) - leaf(group, leaf) - spine(group, spine) ~ global",
        sizing=Sizing(
            capacity=count("group leaf slot"),
            free={"group": 2, "leaf": 2, "spine": 1, "global": 1, "slot": 1},
            fixed={"spine-global": 1},
            derived=_links_per_group_pair("spine"),
            rules=rules,
            unbounded=("group",),
        ),
        paths=PathFacts(
            diameter=count("4"),
            representatives=lambda sizes: equivalent(sizes["leaf"], sizes["group"]),
        ),
        routing=RoutingFacts(inverse_paths=(Ratio(count("group - 1"), count("spine global")),)),
        drawing=Drawing("groups"),
    )


DRAGONFLY = Family(
    "dragonfly",
    "groups of fully meshed routers, every two groups joined by global links",
    (dragonfly(),),
    reference="J. Kim et al., ISCA 2008, doi 10.1109/ISCA.2008.19",
)

DRAGONFLY_PLUS = Family(
    "dragonfly-plus",
    "groups of leaves and spines, every two groups joined by their spines",
    (dragonfly_plus(),),
    reference="A. Shpiner et al., HiPINEB 2017, doi 10.1109/HiPINEB.2017.11",
)
