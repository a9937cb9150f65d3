"""Point-to-point traffic between GPUs, all at the same time: what its flows get of line rate, and how long it takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.blueprint.hosts import Hosts
from fabric.errors import InputError
from fabric.flow.bounds import cut_bound, lp_bound
from fabric.flow.failover import failover
from fabric.flow.failures import fail
from fabric.flow.fairness import max_min
from fabric.flow.link_utilization import BusiestLink, find_busiest_link
from fabric.flow.patterns import PATTERNS
from fabric.flow.phase import Phase, cross_rails
from fabric.flow.placements import place
from fabric.flow.rank_runs import RankRuns
from fabric.flow.router import Router, route, router_of
from fabric.flow.routings import Routing
from fabric.flow.throughput import flow_shares, ideal_s, pay_for_tiers
from fabric.frozen_columns import FrozenColumns

__all__ = ["PERCENTILES", "Draw", "Sends", "SendsAnswer", "draw_sends", "solve_sends"]

PERCENTILES = (1, 10, 50, 90, 99)
"""The percentiles over flows that are reported."""

Rows = npt.NDArray[np.int64]
Column = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Sends(FrozenColumns):
    """What GPUs send to each other at the same time; GPUs are numbered from 0 through all servers."""

    source: Rows
    """The GPU that sends, shape (sends,)."""
    target: Rows
    """The GPU that receives, shape (sends,)."""
    size_bytes: Rows
    """The bytes, shape (sends,)."""


@dataclass(frozen=True)
class Draw:
    """What flows get of line rate in one draw of traffic and hashes."""

    seed: int
    """The seed of the draw."""
    mean: float
    """The mean over flows, by their bytes."""
    min: float
    """The least share of a flow."""
    time_s: float
    """The seconds until the last flow has sent its bytes, without latency."""


@dataclass(frozen=True)
class SendsAnswer:
    """What the flows of point-to-point traffic get, over several draws.

    A share is that of the rate at which a flow would run were its NICs the only limit and all flows ended together,
    after what the transport costs. A flow is a long stream; where flows share a link, rates are in proportion to bytes.
    """

    routing: Routing
    """How flows take paths; its seed is the first draw's."""
    sends: int
    """The sends of one draw."""
    local: int
    """Those of the first draw that stay in their servers, where NVLink carries them, and are not among the flows."""
    draws: tuple[Draw, ...]
    """The draws."""
    percentiles: Mapping[int, float]
    """The percentiles of the shares of the flows of all draws."""
    max: float
    """The largest share of a flow."""
    busiest: BusiestLink
    """The link of the first draw with the greatest load."""
    cut: float
    """The share of line rate in the first draw beyond which some cut is too small, before what the transport costs."""
    lp: float | None
    """The same for the best of all routings, by linear program; None where it was not asked for."""

    @property
    def mean(self) -> float:
        """The mean share over all draws."""
        return float(np.mean([draw.mean for draw in self.draws]))

    @property
    def min(self) -> float:
        """The least share of a flow in any draw."""
        return min(draw.min for draw in self.draws)


def draw_sends(blueprint: Blueprint, pattern: str, placement: str, gpus: int | None, seed: int) -> Sends:
    """Return one byte from every GPU of a placement, by default all GPUs, to another as a pattern has it.

    Raises InputError for unknown names, fewer than two GPUs, or more than there are.
    """
    ranks = place(blueprint, placement, gpus, seed=seed).reshape(-1)
    if len(ranks) < 2:
        raise InputError(f"a {pattern} needs two GPUs or more")
    targets = PATTERNS.get_record(pattern).targets(len(ranks), seed)
    return Sends(ranks, ranks[targets], np.ones(len(ranks), np.int64))


def solve_sends(
    blueprint: Blueprint,
    draw: Callable[[int], Sends],
    routing: Routing,
    seeds: Sequence[int],
    failures: Sequence[str] = (),
    *,
    program: bool = False,
) -> SendsAnswer:
    """Return what flows get of the traffic that `draw` returns for each of `seeds`, which also draw hashes.

    The first seed draws `failures`; with `program` the linear program bounds the first draw. Raises InputError without
    seeds, for GPUs that the design does not have, and where no flow leaves its server or one has no path, and TooLarge
    as `route` does.
    """
    if not seeds:
        raise InputError("no seeds; give one or more")
    up = fail(blueprint, failures, seeds[0]) if failures else None
    fabric = _Fabric(blueprint, router_of(blueprint, up), routing.over(blueprint.planes))
    found, every = list[Draw](), list[Column]()
    for seed in seeds:
        phase = fabric.lay_flows(draw(seed))
        shares = fabric.solve(phase, seed)
        if lost := int((shares == 0).sum()):
            cause = f" after {', '.join(failures)}" if failures else ""
            raise InputError(f"{lost:,} of {len(shares):,} flows have no path{cause}; they never end")
        least = float(shares.min())
        found.append(
            Draw(seed, float(np.average(shares, weights=phase.shares)), least, ideal_s(blueprint, phase) / least)
        )
        every.append(shares)
    sends, shares = draw(seeds[0]), np.concatenate(every)
    phase, first = fabric.lay_flows(sends), replace(fabric.routing, seed=seeds[0])
    return SendsAnswer(
        routing=first,
        sends=len(sends.source),
        local=fabric.count_local(sends),
        draws=tuple(found),
        percentiles={percent: float(np.percentile(shares, percent)) for percent in PERCENTILES},
        max=float(shares.max()),
        busiest=find_busiest_link(blueprint, phase, first, up),
        cut=cut_bound(blueprint, phase, up, pxn=routing.pxn),
        lp=lp_bound(blueprint, phase, up, pxn=routing.pxn) if program else None,
    )


@dataclass(frozen=True, eq=False)
class _Fabric:
    """A fabric on which flows run."""

    blueprint: Blueprint
    """The fabric."""
    router: Router
    """Its router, over the links that are up."""
    routing: Routing
    """How flows take paths; each draw has a seed of its own."""

    def lay_flows(self, sends: Sends) -> Phase:
        """Return the flows between NICs, as they leave their servers; raises InputError where there are none."""
        for ends in (sends.source, sends.target):
            if ends.size and not 0 <= ends.min() <= ends.max() < self.blueprint.gpus:
                known = f"{self.blueprint.name} has {self.blueprint.gpus:,}, numbered from 0"
                raise InputError(f"GPUs {ends.min():,} to {ends.max():,} send or receive; {known}")
        gpus = RankRuns.of(Hosts.of(self.blueprint), np.arange(self.blueprint.gpus))
        phase = gpus.send(sends.source, sends.target, sends.size_bytes.astype(np.float64))
        if not phase.flows:
            raise InputError("no flow leaves its server: NVLink carries all of this traffic")
        if self.router.up is not None:
            phase = failover(self.blueprint, phase, self.router.up, pxn=self.routing.pxn)
        return cross_rails(self.blueprint, phase, pxn=self.routing.pxn)

    def solve(self, phase: Phase, seed: int) -> Column:
        """Return the share of line rate of every flow, after what the transport costs, shape (flows,)."""
        routing = replace(self.routing, seed=seed)
        routes = route(self.blueprint, phase, routing, self.router.up, self.router)
        fair = flow_shares(self.blueprint, phase, max_min(routes), routing, routing.protocol.stream_rebalance)
        return np.asarray(routing.delivery.share * pay_for_tiers(fair, routes, routing))

    def count_local(self, sends: Sends) -> int:
        """Return how many sends stay in their servers."""
        source, target = (Hosts.of(self.blueprint).server_of_gpu(gpus) for gpus in (sends.source, sends.target))
        return int((source == target).sum())
