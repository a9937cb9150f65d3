"""What the explicit flows of a collective get: their shares of line rate, and the time that the slowest takes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.flow.fairness import max_min
from fabric.flow.host_links import ideal_gbps, line_gbps
from fabric.flow.phase import Phase, cross_rails
from fabric.flow.router import Router, route, router_of
from fabric.flow.routings import ADAPTIVE, Routing

__all__ = ["Shares", "line_s", "phase_shares", "shares"]


@dataclass(frozen=True)
class Shares:
    """The shares of line rate that the fabric leaves to flows, before the transport's own efficiency.

    Line rate is the rate at which a flow would run were its NICs the only limit and all ended together.
    """

    mean: float
    """The mean over the flows, by their bytes; 1 without flows."""
    min: float
    """The share of the slowest flow, for which a lock-step collective waits; 0 where one has no path, 1 without flows.

    A flow split evenly over q queue pairs ends with its slowest, at q times the least rate.
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
    line, router = line_gbps(blueprint), router or router_of(blueprint, up)
    flows, disconnected, sums, best, waited = 0, 0, 0.0, 0.0, 0.0
    for phase in (cross_rails(blueprint, phase, pxn=routing.pxn) for phase in phases if phase.flows):
        routes = route(blueprint, phase, routing, up, router)
        mean, least = phase_shares(blueprint, phase, max_min(routes), together=routing.policy.sprays)
        ideal = phase.busiest * 8e-9 / line
        flows += phase.flows
        disconnected += int(routes.disconnected.reshape(phase.flows, -1).any(axis=1).sum())
        sums, best, waited = sums + ideal * mean, best + ideal, waited + (ideal / least if least else np.inf)
    return Shares(sums / best, best / waited, waited, flows, disconnected) if flows else Shares(1.0, 1.0, 0.0, 0, 0)


def line_s(blueprint: Blueprint, phases: Iterable[Phase]) -> float:
    """Return the seconds per byte of the collective's size that the phases take at line rate, one after another."""
    return sum(phase.busiest for phase in phases) * 8e-9 / line_gbps(blueprint)


def phase_shares(
    blueprint: Blueprint, phase: Phase, rates: npt.NDArray[np.float64], *, together: bool = False
) -> tuple[float, float]:
    """Return the mean share and that of the slowest flow of one phase, at these `rates` of its sub-flows in Gb/s.

    With `together`, the sub-flows of a flow carry what each can and end together (packets are sprayed); otherwise all
    carry as much, and the flow ends with its slowest.
    """
    ideal, each = ideal_gbps(blueprint, phase), rates.reshape(phase.flows, -1)
    got = np.minimum(each.sum(axis=1) / ideal, 1.0)
    slowest = min(1.0, float((each.min(axis=1) * each.shape[1] / ideal).min()))
    slowest = float(got.min()) if together else slowest
    return float(np.average(got, weights=phase.shares)), slowest
