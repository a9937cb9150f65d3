"""Point-to-point traffic between GPUs, all at the same time: what its flows get of line rate, and how long it takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.blueprint.hosts import Hosts
from fabric.errors import InputError
from fabric.flow.bounds import cut_bound, lp_bound
from fabric.flow.checked_arrays import read_matrix, read_numbers, refuse_out_of_range
from fabric.flow.failover import failover, servers_up
from fabric.flow.failures import fail
from fabric.flow.fairness import max_min
from fabric.flow.link_utilization import BusiestLink, find_busiest_link
from fabric.flow.no_path import explain_no_path
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
    """What GPUs send to each other at the same time; GPUs are numbered from 0 through all servers.

    Columns are lists or arrays. Raises InputError where they are not as long as each other, and with the first element
    that is not a GPU's number or a positive whole number of bytes.
    """

    source: Rows
    """The GPU that sends, shape (sends,)."""
    target: Rows
    """The GPU that receives, shape (sends,)."""
    size_bytes: Rows
    """The bytes, shape (sends,)."""

    def __post_init__(self) -> None:
        """Check the columns as the class says; GPUs that a design does not have are refused when they are solved."""
        for name, least in (("source", 0), ("target", 0), ("size_bytes", 1)):
            object.__setattr__(self, name, read_numbers(getattr(self, name), name, least=least))
        lengths = len(self.source), len(self.target), len(self.size_bytes)
        if len(set(lengths)) > 1:
            counts = " and ".join(f"{length:,}" for length in lengths[1:])
            raise InputError(f"source has {lengths[0]:,} GPUs, target and size_bytes {counts}; give one of each a send")
        super().__post_init__()

    @classmethod
    def of_matrix(cls, demands: Any) -> Sends:
        """Return the sends of a matrix: element [i, j] is the bytes that GPU i sends to GPU j, and 0 no send.

        The matrix is an array of shape (GPUs, GPUs), or a sparse one of scipy. Raises InputError for another shape, and
        with the first element that is not a whole number from 0.
        """
        source, target, size_bytes = read_matrix(demands, "demands")
        return cls(source, target, read_numbers(size_bytes, "bytes of a send", least=1))


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
    healthy: Draw | None = None
    """The same draw with all links up; None where nothing has failed."""


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
    lost: int
    """Those of the first draw from or to servers that failures disconnect, which are left out."""
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

    @property
    def kept(self) -> tuple[float, ...]:
        """The mean share of each draw over that of the same draw with all links up; none where nothing has failed."""
        return tuple(draw.mean / draw.healthy.mean for draw in self.draws if draw.healthy)


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
    draw: Callable[[int], Sends] | Sends,
    routing: Routing,
    seeds: Sequence[int],
    failures: Sequence[str] = (),
    *,
    program: bool = False,
) -> SendsAnswer:
    """Return what flows get of the traffic that `draw` returns for each of `seeds`, which also draw hashes.

    `draw` may be the sends themselves, the same for all seeds. Each seed draws `failures` as well; with `program` the
    linear program bounds the first draw. Raises InputError without seeds, for GPUs that the design does not have, and
    where no flow leaves its server or one has no path, and TooLarge as `route` does.
    """
    if not seeds:
        raise InputError("no seeds; give one or more")
    if isinstance(draw, Sends):
        return solve_sends(blueprint, lambda _: draw, routing, seeds, failures, program=program)
    routing, whole = routing.over(blueprint.planes), router_of(blueprint)
    found, every = list[Draw](), list[Column]()
    for seed in seeds:
        up = fail(blueprint, failures, seed) if failures else None
        case = _Case(blueprint, whole if up is None else router_of(blueprint, up), replace(routing, seed=seed))
        sends = case.keep(draw(seed))
        drawn, shares = case.solve(sends)
        if up is not None:
            drawn = replace(drawn, healthy=replace(case, router=whole).solve(sends)[0])
        found.append(drawn)
        every.append(shares)
        if seed == seeds[0]:
            first, kept = case, sends
    sends, shares, phase, up = draw(seeds[0]), np.concatenate(every), first.lay_flows(kept), first.router.up
    return SendsAnswer(
        routing=first.routing,
        sends=len(sends.source),
        local=first.count_local(kept),
        lost=len(sends.source) - len(kept.source),
        draws=tuple(found),
        percentiles={percent: float(np.percentile(shares, percent)) for percent in PERCENTILES},
        max=float(shares.max()),
        busiest=find_busiest_link(blueprint, phase, first.routing, up),
        cut=cut_bound(blueprint, phase, up, pxn=routing.pxn),
        lp=lp_bound(blueprint, phase, up, pxn=routing.pxn) if program else None,
    )


@dataclass(frozen=True, eq=False)
class _Case:
    """A fabric on which the flows of one draw run."""

    blueprint: Blueprint
    """The fabric."""
    router: Router
    """Its router, over the links that are up."""
    routing: Routing
    """How flows take paths."""

    def keep(self, sends: Sends) -> Sends:
        """Return the sends between servers that failures leave connected; raises InputError for unknown GPUs."""
        for name in ("source", "target"):
            refuse_out_of_range(getattr(sends, name), self.blueprint.gpus, name, "GPU", self.blueprint.name)
        if self.router.up is None:
            return sends
        hosts, connected = Hosts.of(self.blueprint), servers_up(self.blueprint, self.router.up)
        source, target = (connected[hosts.server_of_gpu(gpus)] for gpus in (sends.source, sends.target))
        left = source & target
        if len(left) and not left.any():
            raise InputError(f"failures disconnect the servers of all {len(left):,} sends (seed {self.routing.seed})")
        return Sends(sends.source[left], sends.target[left], sends.size_bytes[left])

    def lay_flows(self, sends: Sends) -> Phase:
        """Return the flows between NICs, as they leave their servers; raises InputError where there are none."""
        gpus = RankRuns.of(Hosts.of(self.blueprint), np.arange(self.blueprint.gpus))
        phase = gpus.send(sends.source, sends.target, sends.size_bytes.astype(np.float64))
        if not phase.flows:
            raise InputError("no flow leaves its server: NVLink carries all of this traffic")
        if self.router.up is not None:
            phase = failover(self.blueprint, phase, self.router.up, pxn=self.routing.pxn)
        return cross_rails(self.blueprint, phase, pxn=self.routing.pxn)

    def solve(self, sends: Sends) -> tuple[Draw, Column]:
        """Return what flows get of line rate, together and each, after what the transport costs, shape (flows,)."""
        phase, routing = self.lay_flows(sends), self.routing
        routes = route(self.blueprint, phase, routing, self.router.up, self.router)
        fair = flow_shares(self.blueprint, phase, max_min(routes), routing, routing.protocol.stream_rebalance)
        shares = np.asarray(routing.delivery.share * pay_for_tiers(fair, routes, routing))
        if lost := int((shares == 0).sum()):
            raise InputError(
                f"{lost:,} of {len(shares):,} flows have no path by {routing.policy.label} routing after failures (seed"
                f" {routing.seed}), so they never end: {explain_no_path(self.blueprint, [phase], routing, self.router)}"
            )
        mean, least = float(np.average(shares, weights=phase.shares)), float(shares.min())
        return Draw(routing.seed, mean, least, ideal_s(self.blueprint, phase) / least), shares

    def count_local(self, sends: Sends) -> int:
        """Return how many sends stay in their servers."""
        source, target = (Hosts.of(self.blueprint).server_of_gpu(gpus) for gpus in (sends.source, sends.target))
        return int((source == target).sum())
