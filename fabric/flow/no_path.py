"""Flows that no path joins, in words: between which NICs, and what would help."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from fabric.blueprint import Blueprint
from fabric.blueprint.hosts import Hosts
from fabric.flow.phase import Phase, cross_rails
from fabric.flow.router import Router, route
from fabric.flow.routings import Routing
from fabric.network.expand import lay_devices

__all__ = ["explain_no_path", "name_nic"]


def explain_no_path(blueprint: Blueprint, phases: Iterable[Phase], routing: Routing, router: Router) -> str:
    """Return the first flow of the phases without a path, and what to do: `first from A to B; use another routing`."""
    for phase in phases:
        crossed = cross_rails(blueprint, phase, pxn=routing.pxn)
        lost = route(blueprint, crossed, routing, router.up, router).disconnected.reshape(crossed.flows, -1)
        flows = np.flatnonzero(lost.any(axis=1))
        if not flows.size:
            continue
        ends = [int(column[flows[0]]) for column in (crossed.source, crossed.target)]
        source, target = (name_nic(blueprint, nic) for nic in ends)
        joined = router.joins(*(np.array([nic]) for nic in ends))[0]
        return f"first from {source} to {target}; " + (
            "the links that are up join these two: take another routing, such as adaptive"
            if joined
            else "no links join these two: fail fewer parts, or run on GPUs that are still connected"
        )
    return "all others have one"


def name_nic(blueprint: Blueprint, nic: int) -> str:
    """Return the name of a NIC: `server[block=0,slot=3] NIC 2`."""
    hosts, laid = Hosts.of(blueprint), lay_devices(blueprint)
    server = int(hosts.server_of_nic(np.array([nic]))[0])
    name = next(group for group in laid.values() if server < group.first + group.count).name(server)
    return f"{name} NIC {nic - int(hosts.first_nic_of(np.array([server]))[0])}"
