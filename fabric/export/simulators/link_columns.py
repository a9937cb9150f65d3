"""The links of a fabric without its appliances as columns, with the delay of each, for simulators."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fabric.catalog import collectives
from fabric.flow import slowest_ns

if TYPE_CHECKING:
    from fabric.export.plan import Plan

__all__ = ["LinkColumns", "link_columns", "switch_ns"]

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class LinkColumns:
    """The links between servers and switches, and between switches; columns of shape (links,)."""

    lower: Rows
    """The row of the device at the lower end."""
    upper: Rows
    """The row of the device at the upper end."""
    lower_port: Rows
    """The port at the lower end: of a server, the number of its NIC times the planes, and the plane."""
    bundle: Rows
    """The index of the bundle."""
    gbps: Rows
    """The rate of each link in Gb/s, one direction."""
    cable_ns: npt.NDArray[np.float64]
    """The delay of each cable in ns, of its length as sold."""
    delay_ns: npt.NDArray[np.float64]
    """The same with half of the latency of the switches at its ends, so that a path has all of its switches'."""

    def between(self, lower: Rows, upper: Rows) -> LinkColumns:
        """Return the same links with other numbers for their ends."""
        return replace(self, lower=lower, upper=upper)

    def merged(self) -> LinkColumns:
        """Return the links with those of the same two devices as one, of their rates' sum and their longest delay."""
        _, first, group = np.unique(np.stack([self.lower, self.upper]), axis=1, return_index=True, return_inverse=True)
        group = group.reshape(-1)
        total = np.bincount(group, weights=self.gbps).astype(np.int64)
        cable, delay = (np.zeros(len(first)) for _ in range(2))
        np.maximum.at(cable, group, self.cable_ns)
        np.maximum.at(delay, group, self.delay_ns)
        order = np.argsort(first)
        kept = first[order]
        columns = (self.lower[kept], self.upper[kept], self.lower_port[kept], self.bundle[kept])
        return LinkColumns(*columns, total[order], cable[order], delay[order])

    def mean_ns(self, bundle: int, *, cable: bool = False) -> float:
        """Return the mean delay of a bundle's links in ns, or of their cables alone; 0 where it has no links."""
        rows = self.bundle == bundle
        return float((self.cable_ns if cable else self.delay_ns)[rows].mean()) if rows.any() else 0.0


def link_columns(plan: Plan) -> LinkColumns:
    """Return the links of a plan in the order of its network, those of appliances left out.

    A switch whose latency is not known counts with its class's (`catalog/data/collectives.yaml`).
    """
    network, blueprint = plan.network, plan.blueprint
    rows = np.flatnonzero(network.bundle < len(blueprint.topology.bundles))
    half = np.array([switch_ns(plan, group.role) / 2 for group in network.groups])
    role = network.role
    columns = (network.lower, network.upper, network.lower_port, network.bundle, network.rate_gbps)
    lower, upper, port, bundle, gbps = (column[rows].astype(np.int64) for column in columns)
    cable = plan.wiring.length_m[rows].astype(np.float64) * collectives().fibre_ns_per_m
    delay = cable + half[role[lower]] + half[role[upper]]
    return LinkColumns(lower, upper, port, bundle, gbps, cable, delay)


def switch_ns(plan: Plan, role: str) -> float:
    """Return the latency of the slowest switch of a role in ns; 0 for servers, which are ends of paths."""
    blueprint = plan.blueprint
    if role not in blueprint.topology.roles:
        return 0.0
    return slowest_ns(model for model, _ in blueprint.model_counts(role))
