"""BCube: servers with a port for each level of switches, which alone join them."""

from __future__ import annotations

from dataclasses import replace

from fabric.topology.cubes import (
    HIGH,
    cube_capacity,
    cube_formula,
    level_groups,
    nic_links,
    own_digit,
    pairs_by_digits,
)
from fabric.topology.facts import Drawing, RoutingFacts
from fabric.topology.family import Family
from fabric.topology.graph_form import SERVER, GraphForm, PathFacts
from fabric.topology.graph_sizing import Sizing
from fabric.topology.polynomial import Ratio, count

__all__ = ["BCUBE", "bcube"]


def bcube(digits: int) -> GraphForm:
    """Return the BCube of this many levels: switches join only servers, which forward traffic between levels.

    BCube(n, k) has n^k NICs of k ports and k n^(k-1) switches of n ports (C. Guo et al. 2009, doi
    10.1145/1592568.1592577). Uniform traffic passes a port of the level whenever two NICs differ in its digit, and
    each port has 1/k of the line rate.
    """
    groups = level_groups(digits)
    hosts = tuple(
        replace(host, loads=(Ratio(count(f"{digits} {own_digit(level)} - {digits}"), count(own_digit(level))),))
        for level, host in enumerate(nic_links(groups, digits))
    )
    return GraphForm(
        "bcube",
        (SERVER, *groups),
        hosts,
        formula=cube_formula(groups, " | "),
        sizing=Sizing(
            cube_capacity(digits),
            free={"slot": 1, **dict.fromkeys(HIGH[: digits - 1], 2)},
            alike=HIGH[: digits - 1],
        ),
        paths=PathFacts(
            diameter=count(str(2 * digits - 1)),
            hop_histogram=lambda sizes: {
                2 * number - 1: pairs for number, pairs in pairs_by_digits(sizes, digits).items()
            },
        ),
        routing=RoutingFacts(nic_levels=digits, server_relay=True, loads_are_least=True),
        drawing=Drawing("levels"),
    )


BCUBE = Family(
    "bcube",
    "servers with a port on each level of switches; no two switches are joined, so servers forward traffic",
    tuple(bcube(digits) for digits in (2, 3, 4)),
    reference="C. Guo et al., SIGCOMM 2009, doi 10.1145/1592568.1592577",
    port_per_server=True,
)
