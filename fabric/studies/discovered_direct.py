"""The request of a discovered direct network, and its counts beside those of the design."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from fabric.discovery.direct import DirectNetwork
from fabric.discovery.graph import modal
from fabric.discovery.structure import Structure
from fabric.request.limits import Limits
from fabric.studies.study import Study

__all__ = ["PARALLEL", "CountedPart", "compare_direct", "describe_direct", "plain_rate"]

PARALLEL = Limits().parallel_links
"""The parallel links that a request allows where it does not say otherwise."""

MOST_RATIO = 1000
"""The oversubscription that the request of a fabric that stands allows: its sizes are given."""


@dataclass(frozen=True)
class CountedPart:
    """A number of the discovered fabric beside that of the design."""

    name: str
    """What is counted: a tier or a bundle."""
    found: int
    """How many were discovered."""
    designed: int
    """How many the design has."""


def describe_direct(structure: Structure, direct: DirectNetwork, rate: float) -> dict[str, Any]:
    """Return the keys of a direct network, of links of a rate where no file says that of links between switches."""
    graph = structure.graph
    hosts = np.unique(np.column_stack((graph.upper, graph.lower))[~graph.is_switch[graph.lower]], axis=0)[:, 0]
    slots = np.bincount(hosts, minlength=graph.nodes)[graph.tier == 1]
    pinned = {"slot": int(slots.max(initial=1)), **direct.sizes}
    bundles = {name: links for name, links in direct.sizes.items() if "-" in name}
    between = _switch_rate(structure)
    between = rate if math.isnan(between) else between
    request: dict[str, Any] = {
        "family": direct.family,
        "link_gbps": plain_rate(rate) if between == rate else {
            "server-leaf": plain_rate(rate), **{name: plain_rate(between) for name in bundles}
        },
        "pinned": pinned,
        "oversubscription": MOST_RATIO,
    }  # fmt: skip
    if max(bundles.values(), default=1) > PARALLEL:
        request["limits"] = {"parallel_links": max(bundles.values())}
    return request


def _switch_rate(structure: Structure) -> float:
    """Return the rate of most links between switches in Gb/s, NaN where no file says one."""
    rates = structure.switch_rates
    return float(modal(np.round(rates).astype(np.int64))) if len(rates) else float("nan")


def plain_rate(rate: float) -> int | float:
    """Return a rate as a request has it, in Gb/s: a whole one without decimals."""
    return int(rate) if rate == int(rate) else rate


def compare_direct(structure: Structure, study: Study) -> tuple[CountedPart, ...]:
    """Return the switches, and the links of hosts and between switches, beside those of the design."""
    blueprint, graph = study.blueprint, structure.graph
    below = graph.is_switch[graph.lower]
    hosts = blueprint.links(next(each for each in blueprint.topology.bundles if each.name == "server-leaf"))
    return (
        CountedPart("switches", int((graph.tier > 0).sum()), blueprint.switches),
        CountedPart("server-leaf", structure.tiers[0].links, hosts),
        CountedPart("links between switches", int(below.sum()), blueprint.links_total - hosts),
    )
