"""What the explicit flows of a collective's algorithms get, and the estimates and bounds that follow."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any

import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.blueprint.hosts import Hosts
from fabric.errors import FabricError, InputError
from fabric.flow.algorithms import Algorithm
from fabric.flow.bounds import LARGEST_PROGRAM, cut_bound, lp_bound
from fabric.flow.collective_bound import CollectiveBound, bound_collective
from fabric.flow.collectives import COLLECTIVES
from fabric.flow.engines import FLOWS, LP, Engine
from fabric.flow.estimate import Estimate, estimate_at_shares, with_expected_error
from fabric.flow.fabric_summary import FabricSummary
from fabric.flow.failover import failover
from fabric.flow.flow_work import most_peers
from fabric.flow.machines import sent_bytes
from fabric.flow.no_path import explain_no_path
from fabric.flow.phase import Phase
from fabric.flow.placements import Placement
from fabric.flow.rank_runs import FlowLayout
from fabric.flow.router import router_of
from fabric.flow.routings import Routing
from fabric.flow.throughput import Shares, line_s, shares
from fabric.flow.traffic import phases

__all__ = ["Bounds", "ExplicitFlows", "NoPath", "known_bounds"]

QUICK_PROGRAM = 15_000
"""The variables of the largest linear program that is solved without being asked for: within a second.

Of programs on drawn fabrics of every family those of BCube take longest: 0.7 s for 13,824 variables, 2.4 s for 25,350.
"""

SAME = 1e-6
"""Shares that differ by less than this are equal."""


class NoPath(InputError):
    """Failures that cut off some flows, or all servers: the collective never ends."""


@dataclass(frozen=True, eq=False)
class Bounds:
    """What no routing of an algorithm's flows exceeds, as shares of line rate, and no algorithm of the collective.

    Each is solved when it is first read, as a linear program may take longer than the flows.
    """

    algorithm: str
    """The name of the algorithm: that of the largest size."""
    solve_cut: Callable[[], float] = field(repr=False)
    """Returns the bound by cuts."""
    solve_program: Callable[[float], float | None] = field(repr=False)
    """Returns the bound by linear program, given that by cuts."""
    solve_collective: Callable[[], CollectiveBound | None] = field(repr=False)
    """Returns the bound of the collective."""

    @cached_property
    def lp(self) -> float | None:
        """The bound by linear program; None where it takes long to solve and is not known without."""
        return self.solve_program(self.cut)

    @cached_property
    def cut(self) -> float:
        """The bound by cuts."""
        return self.solve_cut()

    @cached_property
    def collective(self) -> CollectiveBound | None:
        """The bound of the collective by any algorithm; None where none is known (see `bound_collective`)."""
        return self.solve_collective()

    def _values(self) -> tuple[Any, ...]:
        return self.algorithm, self.lp, self.cut, self.collective

    def __eq__(self, other: object) -> bool:
        return self._values() == other._values() if isinstance(other, Bounds) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.algorithm)

    def __reduce__(self) -> tuple[Any, ...]:
        # What solves them holds all flows; a copy has only the bounds.
        algorithm, lp, cut, collective = self._values()
        return known_bounds, (algorithm, lp, cut, collective)


def known_bounds(algorithm: str, lp: float | None, cut: float, collective: CollectiveBound | None) -> Bounds:
    """Return bounds that are known already."""
    return Bounds(algorithm, lambda: cut, lambda _: lp, lambda: collective)


@dataclass(frozen=True)
class Solution:
    """The flows of an algorithm, solved."""

    traffic: list[Phase]
    """The phases of flows."""
    got: Shares
    """What the flows get."""
    limit: str
    """What limits the slowest of them, in a word."""
    delivered: float
    """The share of line rate that the transport has of them on one tier."""


@dataclass(frozen=True, eq=False)
class ExplicitFlows:
    """The explicit flows of a collective; those of each algorithm are solved when first asked for."""

    blueprint: Blueprint
    """The fabric."""
    collective: str
    """The name of the collective."""
    routing: Routing
    """How flows take paths."""
    placement: Placement
    """How ranks are placed."""
    failures: tuple[str, ...]
    """What has failed, in words."""
    engine: Engine
    """The engine, FLOWS or LP."""
    summary: FabricSummary
    """What one group of ranks sees of the fabric."""
    gpus: npt.NDArray[Any]
    """The GPU of each rank, shape (ranks,) or (groups, ranks)."""
    up: npt.NDArray[Any] | None
    """Which links are up, shape (links,); None for all."""
    solved: dict[FlowLayout | None, Solution] = field(default_factory=dict)
    """The solutions so far; algorithms with the same flows share one."""
    solved_healthy: dict[FlowLayout | None, Solution] = field(default_factory=dict)
    """The same when all links are up."""

    def traffic(self, algorithm: Algorithm, *, whole: bool = False) -> list[Phase]:
        """Return the phases of an algorithm's flows, none inside one server; with `whole` as if nothing had failed."""
        if self.summary.servers == 1:
            return []
        if algorithm.flows is None:
            raise InputError(
                f"algorithm '{algorithm.name}' has no explicit flows for {self.collective}; use engine closed"
            )
        hosts = Hosts.of(self.blueprint)
        peers = most_peers(self.gpus.size, self.routing)
        laid = phases(hosts, self.gpus, self.collective, algorithm.name, peers=peers)
        found = [each for each in laid if each.flows]
        if self.up is None or whole:
            return found
        return [failover(self.blueprint, each, self.up, pxn=self.routing.pxn) for each in found]

    def healthy(self) -> ExplicitFlows:
        """Return the flows between the same GPUs when all links are up; their solutions are kept, too."""
        return replace(self, failures=(), up=None, solved=self.solved_healthy, solved_healthy={})

    def solve(self, algorithm: Algorithm) -> Solution:
        """Return what an algorithm's flows get, solved when it is first asked for."""
        if algorithm.flows not in self.solved:
            traffic, routing = self.traffic(algorithm), self._routing(algorithm)
            got = self._get_shares(traffic, routing)
            found = Solution(traffic, got, self._limit(algorithm, got), routing.delivery.share)
            self.solved[algorithm.flows] = found
        return self.solved[algorithm.flows]

    def _routing(self, algorithm: Algorithm) -> Routing:
        """Return how an algorithm's flows take paths: with the queue pairs of the channels that meet a partner."""
        routing = replace(self.routing, qps=algorithm.traffic.queue_pairs(self.routing.qps))
        return routing.over(self.blueprint.planes)

    def _get_shares(self, traffic: list[Phase], routing: Routing) -> Shares:
        """Return what flows get, or with the engine LP the best that any routing would leave them."""
        if self.engine is FLOWS or not traffic:
            return shares(self.blueprint, traffic, routing, self.up)
        # Time grows with the square of a program's variables, so that n programs may have 1 / sqrt(n) of them each.
        most = math.isqrt(LARGEST_PROGRAM**2 // len(traffic))
        each = [lp_bound(self.blueprint, phase, self.up, pxn=self.routing.pxn, most=most) for phase in traffic]
        least = _over_phases(traffic, each)
        flows = sum(phase.flows for phase in traffic)
        waited = line_s(self.blueprint, traffic) / least if least else math.inf
        return Shares(least, least, least, waited, flows, 0 if least else flows)

    def estimate(self, algorithms: Sequence[Algorithm], size: int) -> Estimate:
        """Estimate by what the library chooses of the algorithms, with what the flows of each get.

        Raises NoPath where flows have none.
        """
        in_order = self.placement.in_order
        found = estimate_at_shares(self.summary, self.collective, size, algorithms, in_order, self._shares_of)
        found = replace(found, routing=self.routing.name, placement=self.placement.name)
        return with_expected_error(self.summary, found)

    def _shares_of(self, algorithm: Algorithm) -> list[tuple[float, str]]:
        """Return the share of line rate left to an algorithm for each kind of server, with what limits it.

        The network takes the time that the flows do, `wire_s`, over the transport's share. Closed forms compute theirs
        from the bytes that they send, so the share of line rate passed to them is the one that makes both times equal.
        """
        solution = self.solve(algorithm)
        got = solution.got
        if got.min == 0:
            routing, router = self._routing(algorithm), router_of(self.blueprint, self.up)
            raise NoPath(
                f"{got.disconnected:,} of {got.flows:,} flows have no path by {routing.policy.label} routing after"
                f" {', '.join(self.failures) or 'no failures'}, so the collective never ends:"
                f" {explain_no_path(self.blueprint, solution.traffic, routing, router)}"
            )
        return [
            (solution.delivered * self._share_left(each, algorithm, got), solution.limit)
            for each in self.summary.each_kind
        ]

    def _share_left(self, summary: FabricSummary, algorithm: Algorithm, got: Shares) -> float:
        """Return the share of line rate at which what the closed form sends takes as long as the flows."""
        line = summary.server.nics * summary.planes * summary.link_gbps / 8e-9
        sent = sent_bytes(summary, COLLECTIVES[self.collective], algorithm)
        return sent / line / got.wire_s if got.wire_s else 1.0

    def _limit(self, algorithm: Algorithm, got: Shares) -> str:
        """Return what limits the slowest flow.

        It is failures only if it would get more without them, and collisions only if another routing would leave it
        more, which the engine LP has chosen already. Sprayed packets do not collide, but take longer paths on a direct
        network than the bound by cuts counts.
        """
        if got.fair_min > 1 - SAME:
            return "NIC"
        whole = self.traffic(algorithm, whole=True)
        if self.up is not None and self._healthy_min(algorithm, whole) > got.fair_min + SAME:
            return "failures"
        cut = _cut(self.blueprint, whole, None, pxn=self.routing.pxn)
        if got.fair_min >= cut - SAME or self.engine is LP:
            return "oversubscription"
        direct = not self.blueprint.topology.ratios_are_cuts
        return "detours" if direct and self.routing.policy.sprays else "collisions"

    def _healthy_min(self, algorithm: Algorithm, traffic: list[Phase]) -> float:
        """Return what links leave to the slowest flow of the healthy `traffic`, under the routing with any engine."""
        if self.engine is FLOWS:
            return self.healthy().solve(algorithm).got.fair_min
        return shares(self.blueprint, traffic, self._routing(algorithm)).fair_min

    def bounds(self, algorithm: Algorithm) -> Bounds:
        """Return the bounds of an algorithm's phases and of the collective, none solved yet."""
        return Bounds(
            algorithm.name,
            partial(self._bound_by_cuts, algorithm),
            partial(self._bound_by_program, algorithm),
            partial(bound_collective, self.blueprint, self.collective, self.gpus),
        )

    def _bound_by_cuts(self, algorithm: Algorithm) -> float:
        traffic = self.solve(algorithm).traffic
        return _cut(self.blueprint, traffic, self.up, pxn=self.routing.pxn) if traffic else 1.0

    def _bound_by_program(self, algorithm: Algorithm, cut: float) -> float | None:
        """Return the bound by linear program; None where that is not quick.

        Where some routing reaches the `cut`, that is the program's bound too.
        """
        solution = self.solve(algorithm)
        traffic, pxn = solution.traffic, self.routing.pxn
        if traffic and self.engine is LP:
            return solution.got.min
        if not traffic or router_of(self.blueprint, self.up).reaches_cut:
            return cut
        most = QUICK_PROGRAM // len(traffic)
        try:
            each = [lp_bound(self.blueprint, phase, self.up, pxn=pxn, most=most) for phase in traffic]
        except FabricError:
            return None
        return _over_phases(traffic, each)


def _cut(blueprint: Blueprint, traffic: list[Phase], up: npt.NDArray[Any] | None, *, pxn: bool) -> float:
    return _over_phases(traffic, [cut_bound(blueprint, phase, up, pxn=pxn) for phase in traffic])


def _over_phases(traffic: list[Phase], shares_: list[float]) -> float:
    """Return the share over phases one after another: their time at line rate over that at these shares."""
    if not all(shares_):
        return 0.0
    waited = sum(phase.busiest / share for phase, share in zip(traffic, shares_, strict=True))
    return sum(phase.busiest for phase in traffic) / waited
