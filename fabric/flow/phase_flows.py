"""What the flows of one phase get, each and together: rates, shares, the loads of links, and the time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.errors import InputError
from fabric.flow.checked_arrays import read_mask
from fabric.flow.fairness import max_min
from fabric.flow.given_paths import Paths
from fabric.flow.host_links import ideal_gbps, rate_of_links
from fabric.flow.no_path import explain_no_path
from fabric.flow.phase import Phase, cross_rails
from fabric.flow.router import route, route_by_paths, router_of
from fabric.flow.routings import ADAPTIVE, Routing
from fabric.flow.throughput import flow_shares, ideal_s, pay_for_tiers, phase_shares
from fabric.frozen_columns import FrozenColumns

__all__ = ["PhaseFlows", "solve_phase"]

Column = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PhaseFlows(FrozenColumns):
    """What the flows of a phase get: max-min fair rates, flow by flow and link by link."""

    rate_gbps: Column
    """The rate of each flow in Gb/s, after what the transport costs, shape (flows,)."""
    share: Column
    """The same over the rate at which its NICs alone would let it run, shape (flows,)."""
    load: Column
    """The part of each link's rate that is in use upwards and downwards, shape (2, links), at most 1."""
    link_gbps: Column
    """What each link carries upwards and downwards in Gb/s, shape (2, links)."""
    hops: Column
    """The links on the path of each flow, on average over its sub-flows, shape (flows,)."""
    time_s: float
    """The seconds for each byte of the collective's size until the last flow ends, without latency."""

    def columns(self) -> dict[str, Column]:
        """Return the loads as columns of shape (links,), in the order of the network's links, for a data frame."""
        return {
            "load_up": self.load[0],
            "load_down": self.load[1],
            "gbps_up": self.link_gbps[0],
            "gbps_down": self.link_gbps[1],
        }


def solve_phase(
    blueprint: Blueprint,
    phase: Phase,
    routing: Routing = ADAPTIVE,
    up: npt.NDArray[np.bool_] | None = None,
    *,
    paths: Paths | None = None,
) -> PhaseFlows:
    """Return what each flow of a phase and each link gets, over the links that are `up`, shape (links,).

    `paths` are the caller's own (see `route_by_paths`), each of which keeps its packets in order; of `routing` only the
    transport counts then. Raises InputError where a flow has no path, with the first such pair, and as `route` and
    `route_by_paths` do.
    """
    up = None if up is None else read_mask(up, "up", blueprint.links_total)
    phase, router = cross_rails(blueprint, phase, pxn=routing.pxn and paths is None), router_of(blueprint, up)
    if paths is None:
        routes = route(blueprint, phase, routing, up, router)
    else:
        routes = route_by_paths(blueprint, phase, paths, up)
        routing = Routing("ecmp", qps=routes.flows // max(1, phase.flows), transport=routing.transport)
    if routes.disconnected.any():
        lost = int(routes.disconnected.reshape(phase.flows, -1).any(axis=1).sum())
        pair = explain_no_path(blueprint, [phase], routing, router)
        raise InputError(f"{lost:,} of {phase.flows:,} flows have no path by {routing.policy.label} routing: {pair}")
    rates = max_min(routes)
    fair = flow_shares(blueprint, phase, rates, routing, routing.protocol.stream_rebalance)
    share = routing.delivery.share * pay_for_tiers(fair, routes, routing)
    ideal, slowest = ideal_gbps(blueprint, phase) if phase.flows else fair, 1.0
    if phase.flows:
        slowest = routing.delivery.share * phase_shares(blueprint, phase, routes, rates, routing)[1]
    total = routes.loads(np.where(np.isfinite(rates), rates, 0.0))
    load = np.divide(total, routes.capacity, out=np.zeros_like(total), where=total > 0)[:-1].reshape(2, -1)
    load = router.spread_over_links(load, routing)
    load = np.asarray(load if up is None else np.where(up, load, 0.0))
    return PhaseFlows(
        rate_gbps=share * ideal,
        share=share,
        load=load,
        link_gbps=load * rate_of_links(blueprint),
        hops=np.asarray(routes.hops.reshape(max(1, phase.flows), -1).mean(axis=1)[: phase.flows], np.float64),
        time_s=ideal_s(blueprint, phase) / slowest if phase.flows else 0.0,
    )
