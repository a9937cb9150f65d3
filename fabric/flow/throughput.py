"""What the explicit flows of a collective get: their shares of line rate, and the time the slowest of them takes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.flow.fairness import max_min
from fabric.flow.host_links import line_gbps
from fabric.flow.tiered_routes import ADAPTIVE, Routing, leaving, route, walks_of
from fabric.flow.traffic import Phase

__all__ = ["Shares", "ideal_gbps", "line_s", "phase_shares", "shares"]


@dataclass(frozen=True)
class Shares:
    """The share of line rate that the fabric leaves to flows, before the transport's own efficiency.

    Line rate is the rate at which a flow would run were its NICs the only limit and all ended together. `mean` is over
    the flows, by their bytes; `min` is that of the slowest, for which a lock-step collective waits: a flow split evenly
    over q queue pairs ends with its slowest, at q times the least rate. `apart` flows have no path, and then `min` is
    0. Without flows both are 1. `wire_s` is the seconds per byte of the collective's size that the phases take, one
    after another; without flows 0, and with flows apart without end.
    """

    mean: float
    min: float
    wire_s: float
    flows: int
    apart: int


def shares(
    blueprint: Blueprint,
    phases: Iterable[Phase],
    routing: Routing = ADAPTIVE,
    up: npt.NDArray[np.bool_] | None = None,
) -> Shares:
    """Route and solve the phases one after another (see `route`) and return what flows get over all of them.

    Phases weigh by their time at line rate; `min` is that over the time that the slowest flow of each takes.
    """
    line, walks = line_gbps(blueprint), walks_of(blueprint, up)
    flows, apart, sums, best, waited = 0, 0, 0.0, 0.0, 0.0
    for phase in (leaving(blueprint, phase, pxn=routing.pxn) for phase in phases if phase.flows):
        routes = route(blueprint, phase, routing, up, walks)
        mean, least = phase_shares(blueprint, phase, max_min(routes), together=routing.name == "adaptive")
        ideal = phase.busiest * 8e-9 / line
        flows, apart = flows + phase.flows, apart + int(routes.apart.reshape(phase.flows, -1).any(axis=1).sum())
        sums, best, waited = sums + ideal * mean, best + ideal, waited + (ideal / least if least else np.inf)
    return Shares(sums / best, best / waited, waited, flows, apart) if flows else Shares(1.0, 1.0, 0.0, 0, 0)


def line_s(blueprint: Blueprint, phases: Iterable[Phase]) -> float:
    """Return the seconds per byte of the collective's size that the phases take at line rate, one after another."""
    return sum(phase.busiest for phase in phases) * 8e-9 / line_gbps(blueprint)


def phase_shares(
    blueprint: Blueprint, phase: Phase, rates: npt.NDArray[np.float64], *, together: bool = False
) -> tuple[float, float]:
    """Return the mean share and that of the slowest flow of one phase, at these `rates` of its sub-flows in Gb/s.

    Sub-flows end `together` where each carries what it can, and otherwise all carry as much as the slowest.
    """
    ideal, each = ideal_gbps(blueprint, phase), rates.reshape(phase.flows, -1)
    got = np.minimum(each.sum(axis=1) / ideal, 1.0)
    slowest = min(1.0, float((each.min(axis=1) * each.shape[1] / ideal).min()))
    slowest = float(got.min()) if together else slowest
    return float(np.average(got, weights=phase.shares)), slowest


def ideal_gbps(blueprint: Blueprint, phase: Phase) -> npt.NDArray[np.float64]:
    """Return the rate of each flow at which the busiest NIC runs at line rate and all end together, shape (flows,)."""
    return phase.shares * (line_gbps(blueprint) / phase.busiest)
