"""One question about a collective on a fabric: what runs where and how, and the answer by closed form or by flows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.catalog import collectives
from fabric.errors import FabricError, InputError, nearest, whole
from fabric.flow.bounds import LARGEST_PROGRAM, cut_bound, lp_bound
from fabric.flow.estimate import LIBRARY, ORDERS, Estimate, estimate, given, sent, shares_of, transport, usable
from fabric.flow.fabric_summary import FabricSummary
from fabric.flow.failures import fail, failover, live_servers, nics_left
from fabric.flow.phase import Phase
from fabric.flow.placements import on_live, place
from fabric.flow.router import summarize
from fabric.flow.routings import Routing
from fabric.flow.throughput import Shares, line_s, shares
from fabric.flow.traffic import FLOWS_OF, TRAFFIC, phases

__all__ = ["ENGINES", "Answer", "Bounds", "Workload", "answer"]

ENGINES = ("closed", "flows", "lp")
"""In closed form; max-min fair rates of explicit flows; and what the best of all routings would leave."""

QUICK_PROGRAM = 40_000
"""The variables of the largest linear program that is solved without being asked for: about a second."""

SAME = 1e-6
"""Shares nearer to each other than this are the same."""

ROUNDS = 8
"""The rounds of a pairwise all-to-all that are laid out, spread over all of them."""


@dataclass(frozen=True)
class Workload:
    """A collective on `gpus` GPUs of a design (by default all), and how it is placed, routed and disturbed.

    `failures` are words of `flow.fail`, `seed` draws them and a random placement; `stride` is of a strided one. The
    engine is one of ENGINES; left out, closed form where flows agree with it, and flows elsewhere.
    """

    collective: str = "all-reduce"
    gpus: int | None = None
    algorithm: str | None = None
    routing: Routing = field(default_factory=lambda: Routing(qps=collectives().ecmp_subflows))
    placement: str = "random"
    stride: int = 8
    seed: int = 0
    failures: tuple[str, ...] = ()
    engine: str | None = None

    def __post_init__(self) -> None:
        """Raise InputError for what is of no use as a field."""
        if self.gpus is not None and not whole(self.gpus, 1):
            raise InputError(f"gpus {self.gpus!r:.40} is no whole, positive number")
        if not isinstance(self.routing, Routing):
            raise InputError(f"routing {self.routing!r:.40} is no Routing; write for example Routing('ecmp', qps=4)")
        if not isinstance(self.failures, tuple) or not all(isinstance(word, str) for word in self.failures):
            raise InputError(f"failures {self.failures!r:.40} are no tuple of words, such as ('leaf:3',)")
        if not whole(self.seed, 0):
            raise InputError(f"seed {self.seed!r:.40} is no whole number from 0")

    @property
    def explicit(self) -> str:
        """The engine that answers.

        By default the closed form of all GPUs in random order, as the collective's algorithms use the fabric alike.
        """
        plain = self.placement == "random" and not self.failures and self.gpus is None and not self.routing.pxn
        policy, usual = self.routing.policy, self.routing.qps == collectives().ecmp_subflows
        closed = plain and policy.closed_form and (usual or policy.sprays)
        return self.engine or ("closed" if closed else "flows")


@dataclass(frozen=True)
class Answer:
    """An estimate with where it ran and the share of line rate that its flows get, the mean and the slowest.

    `groups` run the collective at the same time, each on the estimate's GPUs, and `lost` GPUs are in servers that
    failures cut off: the collective runs without them.
    """

    estimate: Estimate
    engine: str
    mean: float
    min: float
    groups: int = 1
    lost: int = 0


@dataclass(frozen=True)
class Bounds:
    """The shares of line rate beyond which no routing of an algorithm's flows gets; None for what is not known.

    The algorithm is that of the largest size.
    """

    algorithm: str
    lp: float | None
    cut: float


def answer(blueprint: Blueprint, workload: Workload, sizes: Sequence[int]) -> tuple[tuple[Answer, ...], Bounds]:
    """Answer `workload` for each of `sizes`, with the bounds of its flows.

    Raises InputError for unknown words, and for what closed forms can't say, and TooLarge as `phases` and `route` do.
    """
    engine = workload.explicit
    if not sizes:
        raise InputError("no sizes; give one or more, in bytes")
    if engine not in ENGINES:
        raise InputError(f"no engine '{engine}'{nearest(engine, ENGINES)}")
    if engine == "closed":
        _refuse_in_closed_form(workload)
        return _closed(summarize(blueprint).first(workload.gpus), workload, sizes)
    return _by_flows(blueprint, workload, sizes)


def _refuse_in_closed_form(workload: Workload) -> None:
    routing = workload.routing
    reasons = {
        "failures": bool(workload.failures),
        f"the placement {workload.placement}": workload.placement not in ORDERS,
        "random placement of some of the GPUs": workload.placement == "random" and workload.gpus is not None,
        f"{routing.policy.label} routing": not routing.policy.closed_form,
        f"{routing.qps} queue pairs": routing.policy.closed_form
        and not routing.policy.sprays
        and routing.qps != collectives().ecmp_subflows,
        "pxn": routing.pxn,
    }
    if found := [what for what, there in reasons.items() if there]:
        raise InputError(f"engine closed: there is no closed form of {' and '.join(found)}; take flows")


def _closed(shape: FabricSummary, workload: Workload, sizes: Sequence[int]) -> tuple[tuple[Answer, ...], Bounds]:
    routing, place = workload.routing.name, workload.placement
    found, cut = [], 1.0
    for size in sizes:
        each = estimate(shape, workload.collective, size, routing, workload.algorithm, place)
        mean, least, cut = shares_of(shape, routing, each.algorithm, place) if shape.servers > 1 else (1.0, 1.0, 1.0)
        found.append(Answer(each, "closed", mean, least))
    return tuple(found), Bounds(found[-1].estimate.algorithm, None, cut)


def _by_flows(blueprint: Blueprint, workload: Workload, sizes: Sequence[int]) -> tuple[tuple[Answer, ...], Bounds]:
    """Answer by the flows of every algorithm that may be the fastest, each solved once for all sizes."""
    up = fail(blueprint, workload.failures, workload.seed) if workload.failures else None
    asked = place(blueprint, workload.placement, workload.gpus, seed=workload.seed, stride=workload.stride)
    gpus = asked if up is None else on_live(asked, live_servers(blueprint, up), blueprint.server.gpus)
    if not gpus.size:
        raise InputError(f"after {', '.join(workload.failures)} no server is left to run on")
    groups = len(np.atleast_2d(gpus))
    shape = summarize(blueprint).first(gpus.size).group(groups)
    names = [name for name in usable(shape, workload.collective) if name in LIBRARY]
    names = [workload.algorithm] if workload.algorithm else names
    flows = _Flows(blueprint, workload, shape, gpus, up)
    found = []
    for size in sizes:
        best = min((flows.estimate(name, size) for name in names), key=lambda each: each.time_s)
        got, part = flows.solved(best.algorithm).got, transport(workload.routing.name)
        lost = asked.size - gpus.size
        found.append(Answer(best, workload.explicit, part * got.mean, part * got.min, groups, lost))
    return tuple(found), flows.bounds(found[-1].estimate.algorithm)


@dataclass(frozen=True)
class _Solved:
    """An algorithm's phases, what their flows get, and what holds the slowest of them back."""

    traffic: list[Phase]
    got: Shares
    limit: str


@dataclass(frozen=True, eq=False)
class _Flows:
    """The explicit flows of a workload on `gpus` over what is `up`; each algorithm's are solved when asked for."""

    blueprint: Blueprint
    workload: Workload
    shape: FabricSummary
    gpus: npt.NDArray[Any]
    up: npt.NDArray[Any] | None
    known: dict[str, _Solved] = field(default_factory=dict)

    @property
    def routing(self) -> Routing:
        """The routing as the planes have it."""
        return self.workload.routing.over(self.blueprint.planes)

    def traffic(self, name: str, *, whole: bool = False) -> list[Phase]:
        """Return the phases of an algorithm's flows, none inside one server; as if nothing had failed with `whole`."""
        key = (self.workload.collective, FLOWS_OF.get(name, name))
        if self.shape.servers == 1:
            return []
        if key not in TRAFFIC:
            raise InputError(f"no explicit flows of {self.workload.collective} by '{name}'; engine closed may have it")
        found = [each for each in phases(self.blueprint.server, self.gpus, *key, rounds=ROUNDS) if each.flows]
        if self.up is None or whole:
            return found
        left, nics = nics_left(self.blueprint, self.up), self.blueprint.server.nics
        return [failover(each, left, nics) for each in found]

    def solved(self, name: str) -> _Solved:
        """Return what an algorithm's flows get, solved when it is first asked for."""
        flows = FLOWS_OF.get(name, name)
        if flows not in self.known:
            traffic = self.traffic(name)
            got = self._got(traffic)
            self.known[flows] = _Solved(traffic, got, self._limit(name, got))
        return self.known[flows]

    def _got(self, traffic: list[Phase]) -> Shares:
        """Return what flows get, or by the engine lp the best that any routing would leave them."""
        if self.workload.explicit == "flows" or not traffic:
            return shares(self.blueprint, traffic, self.routing, self.up)
        pxn, most = self.workload.routing.pxn, math.isqrt(LARGEST_PROGRAM**2 // len(traffic))
        each = [lp_bound(self.blueprint, phase, self.up, pxn=pxn, most=most) for phase in traffic]
        least = _over_phases(traffic, each)
        flows = sum(phase.flows for phase in traffic)
        waited = line_s(self.blueprint, traffic) / least if least else math.inf
        return Shares(least, least, waited, flows, 0 if least else flows)

    def estimate(self, name: str, size: int) -> Estimate:
        """Estimate one algorithm with what its flows get; without any path it never ends.

        The network takes the time that the flows do, `wire_s`, over the transport's share. Closed forms take theirs
        from what they send: so much of line rate is left as makes both the same.
        """
        workload, shape, solved = self.workload, self.shape, self.solved(name)
        got = solved.got
        if got.min == 0:
            raise InputError(
                f"{got.disconnected:,} of {got.flows:,} flows have no path left after {', '.join(workload.failures)};"
                " the collective never ends"
            )
        line = shape.server.nics * shape.planes * shape.link_gbps / 8e-9
        left = min(1.0, sent(shape, workload.collective, name) / line / got.wire_s) if got.wire_s else 1.0
        share = transport(workload.routing.name) * left, solved.limit
        found = given(shape, workload.collective, size, name, workload.placement, share)
        return replace(found, routing=workload.routing.name, placement=workload.placement)

    def _limit(self, name: str, got: Shares) -> str:
        """Return what holds the slowest flow back.

        Failures only if it would get more without them, and collisions only if another routing would leave it more,
        which the engine lp has chosen already.
        """
        if got.min > 1 - SAME:
            return "NIC"
        whole = self.traffic(name, whole=True)
        if self.up is not None and shares(self.blueprint, whole, self.routing).min > got.min + SAME:
            return "failures"
        cut = _cut(self.blueprint, whole, None, pxn=self.workload.routing.pxn)
        if got.min < cut - SAME and self.workload.explicit != "lp":
            return "collisions"
        return "oversubscription"

    def bounds(self, name: str) -> Bounds:
        """Return the bounds of an algorithm's phases; a linear program that is not quick is left out."""
        solved, pxn = self.solved(name), self.workload.routing.pxn
        traffic = solved.traffic
        if not traffic:
            return Bounds(name, 1.0, 1.0)
        cut, most = _cut(self.blueprint, traffic, self.up, pxn=pxn), QUICK_PROGRAM // len(traffic)
        if self.workload.explicit == "lp":
            return Bounds(name, solved.got.min, cut)
        try:
            each = [lp_bound(self.blueprint, phase, self.up, pxn=pxn, most=most) for phase in traffic]
        except FabricError:
            return Bounds(name, None, cut)
        return Bounds(name, _over_phases(traffic, each), cut)


def _cut(blueprint: Blueprint, traffic: list[Phase], up: npt.NDArray[Any] | None, *, pxn: bool) -> float:
    return _over_phases(traffic, [cut_bound(blueprint, phase, up, pxn=pxn) for phase in traffic])


def _over_phases(traffic: list[Phase], shares_: list[float]) -> float:
    """Return the share over phases one after another: their time at line rate over that at these shares."""
    if not all(shares_):
        return 0.0
    waited = sum(phase.busiest / share for phase, share in zip(traffic, shares_, strict=True))
    return sum(phase.busiest for phase in traffic) / waited
