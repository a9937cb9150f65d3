"""What the explicit flows of a collective get: their shares of line rate, and the time that the slowest takes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.catalog import Delivery
from fabric.flow.fairness import max_min
from fabric.flow.host_links import ideal_gbps, line_gbps
from fabric.flow.phase import Phase, cross_rails
from fabric.flow.router import Router, route, router_of
from fabric.flow.routes import Routes
from fabric.flow.routings import ADAPTIVE, Routing

__all__ = [
    "Shares",
    "climbed_tiers",
    "flow_shares",
    "ideal_s",
    "left_by_tiers",
    "line_s",
    "pay_for_tiers",
    "phase_shares",
    "shares",
    "split_rates",
]

Column = npt.NDArray[np.float64]

TIE = 1e-9
"""Shares that differ by less than this are equal."""


@dataclass(frozen=True)
class Shares:
    """The shares of line rate that the fabric leaves to flows, before the share that the transport has of one tier.

    Line rate is the rate at which a flow would run were its NICs the only limit and all ended together.
    """

    mean: float
    """The mean over the flows, by their bytes; 1 without flows."""
    min: float
    """The share of the slowest flow, for which a lock-step collective waits; 0 where one has no path, 1 without flows.
    """
    fair_min: float
    """The same but for what packets cost on the tiers that they climb: what the links alone leave to the slowest flow.
    """
    wire_s: float
    """The seconds per byte of the collective's size that the phases take, one after another; infinite where a flow has
    no path, 0 without flows."""
    flows: int
    """The number of flows."""
    disconnected: int
    """The number of flows that no path joins."""


def shares(
    blueprint: Blueprint,
    phases: Iterable[Phase],
    routing: Routing = ADAPTIVE,
    up: npt.NDArray[np.bool_] | None = None,
    router: Router | None = None,
) -> Shares:
    """Route and solve the phases one after another (see `route`) and return what flows get over all of them.

    Phases weigh by their time at line rate; `min` is that over the time that the slowest flow of each takes.
    """
    router = router or router_of(blueprint, up)
    flows, disconnected, sums, best, waited, fair = 0, 0, 0.0, 0.0, 0.0, 0.0
    for phase in (cross_rails(blueprint, phase, pxn=routing.pxn) for phase in phases if phase.flows):
        routes = route(blueprint, phase, routing, up, router)
        mean, least, fair_least = phase_shares(blueprint, phase, routes, max_min(routes), routing)
        ideal = ideal_s(blueprint, phase)
        flows += phase.flows
        disconnected += int(routes.disconnected.reshape(phase.flows, -1).any(axis=1).sum())
        sums, best = sums + ideal * mean, best + ideal
        waited, fair = (
            sum_ + (ideal / share if share else np.inf) for sum_, share in ((waited, least), (fair, fair_least))
        )
    if not flows:
        return Shares(1.0, 1.0, 1.0, 0.0, 0, 0)
    return Shares(sums / best, best / waited, best / fair, waited, flows, disconnected)


def line_s(blueprint: Blueprint, phases: Iterable[Phase]) -> float:
    """Return the seconds per byte of the collective's size that the phases take at line rate, one after another."""
    return sum(ideal_s(blueprint, phase) for phase in phases)


def ideal_s(blueprint: Blueprint, phase: Phase) -> float:
    """Return the seconds per byte of the collective's size that one phase takes at line rate."""
    return phase.busiest * 8e-9 / line_gbps(blueprint)


def phase_shares(
    blueprint: Blueprint, phase: Phase, routes: Routes, rates: Column, routing: Routing
) -> tuple[float, float, float]:
    """Return the mean share of one phase, that of the slowest flow, and that but for the cost of tiers.

    `rates` are those of its sub-flows in Gb/s. All are 1 without flows. The mean is over long streams, by bytes; the
    slowest has one message to carry.
    """
    if not phase.flows:
        return 1.0, 1.0, 1.0
    protocol = routing.protocol
    stream, message = (
        flow_shares(blueprint, phase, rates, routing, rebalance)
        for rebalance in (protocol.stream_rebalance, protocol.message_rebalance)
    )
    paid, waited = (pay_for_tiers(fair, routes, routing) for fair in (stream, message))
    return float(np.average(paid, weights=phase.shares)), float(waited.min()), float(message.min())


def flow_shares(
    blueprint: Blueprint,
    phase: Phase,
    rates: Column,
    routing: Routing,
    rebalance: float,
) -> Column:
    """Return the share of line rate that links leave to each flow, shape (flows,), at these `rates` of its sub-flows.

    All sub-flows of a flow carry as much as its slowest, and of what the others could carry beyond that, `rebalance`
    (see `Transport`); packets that routing sprays by load need no more. Rates are in Gb/s.
    """
    # A flow inside a server, which no link limits, has all that its NICs would let through.
    even, total = split_rates(np.minimum(rates, line_gbps(blueprint)), phase.flows)
    got = total if routing.policy.sprays else even + rebalance * (total - even)
    return np.asarray(np.minimum(got / ideal_gbps(blueprint, phase), 1.0))


def split_rates(rates: Column, flows: int) -> tuple[Column, Column]:
    """Return what each of `flows` flows gets if all of its sub-flows carry as much, and if each carries what it can.

    `rates` are those of the sub-flows, in the order of `Routes.arcs`; the shapes are (flows,).
    """
    each = rates.reshape(flows, -1)
    return each.min(axis=1) * each.shape[1], each.sum(axis=1)


def pay_for_tiers(fair: Column, routes: Routes, routing: Routing) -> Column:
    """Return what packets leave of the `fair` share of each flow on the tiers that it climbs, shape (flows,)."""
    delivery = routing.delivery
    return left_by_tiers(fair, climbed_tiers(routes, len(fair)), delivery) if delivery.tier_cost else fair


def left_by_tiers(fair: Column, tiers: Column, delivery: Delivery) -> Column:
    """Return what a delivery leaves of the `fair` shares of flows that climb `tiers` beyond the first, of one shape."""
    paid = np.asarray(fair * np.power(1 - delivery.tier_cost, tiers))
    return paid if delivery.lone_pays else np.where(fair < 1 - TIE, paid, fair)


def climbed_tiers(routes: Routes, flows: int) -> Column:
    """Return how many tiers each of `flows` flows climbs beyond the first, averaged over its sub-flows, shape (flows,).

    A path that turns at tier t has t links up and t down; paths of other shapes count half a tier for a link.
    """
    return np.asarray(np.maximum(routes.hops / 2 - 1, 0.0).reshape(flows, -1).mean(axis=1))
