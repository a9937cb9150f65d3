"""The all-reduces that reports show of a fabric: under the routings of its switches, and with reduction in them."""

from __future__ import annotations

from collections.abc import Iterable

from fabric.blueprint import Blueprint
from fabric.flow.algorithms import algorithms_of
from fabric.flow.collectives import COLLECTIVES
from fabric.flow.engines import CLOSED
from fabric.flow.estimate import Estimate, estimate, usable
from fabric.flow.router import summarize
from fabric.flow.routings import ROUTINGS
from fabric.flow.workload import Workload, estimate_all

__all__ = ["curve", "curve_in_network", "usual_routings"]

MOST_NICS = 2**17
"""The NICs up to which routings without a closed form are shown by default: more take over a second."""


def usual_routings(blueprint: Blueprint, workload: Workload | None = None) -> tuple[str, ...]:
    """Return the names of the routings with which switches of the fabric's link layer are run.

    Ethernet hashes (ECMP), the subnet manager of InfiniBand chooses by destination (destination-mod-k), and both have
    adaptive routing. Routings without a closed form are left out where the workload, by default an all-reduce, has no
    flows, and of fabrics of more than 131,072 NICs.
    """
    layer = blueprint.link_layer or "ethernet"
    by_flows = blueprint.nics <= MOST_NICS and _has_flows(workload or Workload())
    return tuple(
        name
        for name, policy in ROUTINGS.items()
        if layer in policy.link_layers
        and policy.paths in blueprint.topology.virtual_channels
        and (policy.closed_form or by_flows)
    )


def _has_flows(workload: Workload) -> bool:
    """Return whether explicit flows may answer a workload."""
    every = algorithms_of(COLLECTIVES[workload.collective])
    able = [each for each in every if each.flows and workload.algorithm in (None, each.name)]
    return bool(able) and workload.engine != CLOSED.name


def curve(blueprint: Blueprint, sizes: Iterable[int], routings: Iterable[str] | None = None) -> tuple[Estimate, ...]:
    """Estimate an all-reduce of each size under each routing, by default those of its link layer."""
    sizes, names = tuple(sizes), usual_routings(blueprint) if routings is None else tuple(routings)
    return tuple(each for name in names for each in estimate_all(blueprint, "all-reduce", sizes, name))


def curve_in_network(blueprint: Blueprint, sizes: Iterable[int]) -> tuple[Estimate, ...]:
    """Estimate an all-reduce of each size that the network's switches reduce (SHARP); none where they can't."""
    if blueprint.kinds:
        return ()
    collective, able = COLLECTIVES["all-reduce"], set(usable(summarize(blueprint), "all-reduce"))
    names = [each.name for each in algorithms_of(collective) if each.in_network and each.name in able]
    return tuple(estimate(blueprint, collective.name, size, algorithm=name) for name in names for size in sizes)
