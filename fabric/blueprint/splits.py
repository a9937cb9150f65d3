"""How the links of a pair of devices share ports and connectors, where a port is split into slower links.

A splitter has one end that fills a connector and several tails. So between two devices that both put several links on
one connector a pair's links fill whole connectors; where one of them has a connector for each link, any number will do.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from fabric.blueprint.blueprint import Blueprint
from fabric.blueprint.composition import Composition
from fabric.blueprint.port_rules import ports_of
from fabric.catalog import PortGroup, Server, Switch
from fabric.topology.topology import Bundle

__all__ = ["Split", "at_server", "between_switches", "fill_cables", "pair_split"]


@dataclass(frozen=True)
class Split:
    """How the links of a pair share ports and connectors."""

    per_port: int
    """The links of one native port, at the end that splits its ports less."""
    whole: int
    """The number of which a pair's links must be a multiple; 0 where no number of links will do."""

    def fits(self, links: int) -> bool:
        """Say whether a pair can have this many links."""
        return links % self.whole == 0 if self.whole else links == 0


def between_switches(lower: PortGroup, upper: PortGroup, rate_gbps: int) -> Split:
    """Return how links of `rate_gbps` between the ports of two switch models share ports and connectors."""
    per_port = min(lower.links_per_port(rate_gbps), upper.links_per_port(rate_gbps))
    return Split(per_port, _whole(lower.links_per_connector(rate_gbps), upper.links_per_connector(rate_gbps)))


def fill_cables(split: Split, found: Composition | None) -> Split:
    """Return a split whose links also fill whole cables, where the parts of a link are a cable between two cages."""
    return replace(split, whole=math.lcm(split.whole, found.links_in_step)) if found else split


def at_server(server: Server, switch: Switch, rate_gbps: int, planes: int) -> Split:
    """Return how the links of `rate_gbps` of a server, in each of its planes, share connectors with a switch model.

    On several planes a connector of the server has links to several switches, and no one of them fills it.
    """
    ours, theirs = server.links_per_connector(planes), switch.links_per_connector(rate_gbps)
    whole = 0 if planes > 1 and min(ours, theirs) > 1 else _whole(ours, theirs)
    return Split(1, whole)


def pair_split(blueprint: Blueprint, bundle: Bundle) -> Split:
    """Return how the links of a pair of a bundle between switches share ports and connectors, over all its models."""
    ends = [
        [ports_of(model, group == bundle.lower) for model, _ in blueprint.model_counts(group.role)]
        for group in (bundle.lower, bundle.upper)
    ]
    found = [between_switches(lower, upper, blueprint.rate(bundle)) for lower in ends[0] for upper in ends[1]]
    return Split(min(each.per_port for each in found), math.lcm(*(each.whole for each in found)))


def _whole(lower: int, upper: int) -> int:
    """Return the least number of links that fills whole connectors at both ends, given the links of one at each."""
    return math.lcm(lower, upper) if min(lower, upper) > 1 else 1
