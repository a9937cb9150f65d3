"""The discovery of a design that was built as planned, made of its columns, with cables exchanged on request."""

from __future__ import annotations

import re

import numpy as np

from fabric.discovery.discovery import HOST, SWITCH, Discovery
from fabric.discovery.findings import Findings, PortEnds, SeenDevice
from fabric.discovery.merge import merge
from fabric.export.plan import Plan

__all__ = ["discover_plan"]


def discover_plan(plan: Plan, exchanged: int = 0) -> Discovery:
    """Return every adapter and switch of a plan and its links, in an order that says nothing of the design.

    The upper ends of pairs of cables, `exchanged` of them, are in each other's ports.
    """
    network, lower, upper = plan.network, plan.lower, plan.upper
    is_switch = plan.is_switch
    nic = np.array([re.sub(r"p\d+$", "", name) for name in lower.names])
    adapters, which = np.unique(
        np.column_stack((plan.host, np.unique(nic, return_inverse=True)[1][lower.name])), axis=0, return_inverse=True
    )
    order = np.random.default_rng(7).permutation(network.devices + len(adapters))
    switch_row, adapter_row = order[: network.devices], order[network.devices :]
    devices = [SeenDevice()] * (network.devices + len(adapters))
    for row, kind in enumerate(np.where(is_switch, SWITCH, HOST).tolist()):
        devices[switch_row[row]] = SeenDevice(hardware_id=f"{row + 1:016x}", kind=kind)
    for row, host in enumerate(adapters[:, 0].tolist()):
        name = f"h{host}" if host >= 0 else ""
        devices[adapter_row[row]] = SeenDevice(hardware_id=f"{row + (1 << 40):016x}", name=name, kind=HOST)
    below = is_switch[lower.device]
    one = np.where(below, switch_row[lower.device], adapter_row[which.ravel()])
    wrong = np.random.default_rng(8).permutation(network.links)[: 2 * exchanged]
    built = np.arange(network.links)
    built[wrong] = np.roll(wrong, exchanged)
    two = switch_row[upper.device[built]]
    ends = PortEnds.of(
        (one, np.arange(network.links)),
        (two, built + network.links),
        rate_gbps=plan.link_gbps.astype(np.float64),
    )
    names = tuple(map(str, range(2 * network.links)))
    return merge(["plan"], ["plan"], [Findings(devices, names, ends, both_sides=True)])
