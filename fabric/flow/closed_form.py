"""What the flows of a collective get in closed form, from what crosses each cut and how a routing deals it out."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from fabric.errors import InputError
from fabric.flow.algorithms import Algorithm
from fabric.flow.collectives import COLLECTIVES, Collective
from fabric.flow.crossing import leave_everywhere, steps_of
from fabric.flow.ecmp_model import Subflows
from fabric.flow.fabric_summary import FabricSummary
from fabric.flow.graph_shares import graph_shares
from fabric.flow.machines import sent_bytes, subflows_of
from fabric.flow.oversubscription import busiest_load, mean_share
from fabric.flow.placements import PLACEMENTS, Placement
from fabric.flow.routings import ROUTINGS, RoutingPolicy
from fabric.flow.steps import Ranks, Step, Tier

__all__ = ["ClosedForm", "Left"]


SAME = 1e-9
"""Times that differ relatively by less than this are equal."""


@dataclass(frozen=True)
class Left:
    """What a fabric leaves to the flows of an algorithm, as shares of line rate before the transport's own."""

    network: float
    """The share at which what the time model sends takes as long as the flows."""
    limit: str
    """What limits the slowest flow, in a word."""
    mean: float
    """The mean over the flows."""
    least: float
    """That of the slowest flow."""
    cut: float
    """That beyond which no routing gets."""
    deviation: float = 0.0
    """How far the time in one random order is from the mean over all, as a share of it (standard deviation)."""


@dataclass(frozen=True)
class ClosedForm:
    """A collective on a fabric in closed form."""

    whole: FabricSummary
    """The fabric."""
    summary: FabricSummary
    """What one group of ranks sees of it."""
    collective: Collective
    """The collective."""
    policy: RoutingPolicy
    """How flows take paths."""
    placement: Placement
    """How ranks follow each other."""
    qps: int
    """The queue pairs of a flow."""
    groups: int = 1
    """The groups of ranks that run the collective at the same time."""
    pxn: bool = False
    """Whether flows cross to their target's rail by NVLink before they leave."""

    @classmethod
    def of(  # noqa: PLR0913
        cls,
        whole: FabricSummary,
        collective: str,
        routing: str,
        placement: str,
        gpus: int | None = None,
        *,
        groups: int = 1,
        qps: int | None = None,
        pxn: bool = False,
    ) -> ClosedForm:
        """Return the closed form of a collective on the first `gpus` GPUs, by default all, in equal `groups`.

        Raises InputError for unknown names, where the routing or the placement has none, and for unlike servers.
        """
        policy, placed = ROUTINGS.get_record(routing), PLACEMENTS.get_record(placement)
        if not policy.closed_form:
            raise InputError(f"{policy.label} routing has no closed form; use explicit flows (engine flows)")
        if placed.closed_form is None:
            names = ", ".join(name for name, each in PLACEMENTS.items() if each.closed_form)
            raise InputError(
                f"placement '{placement}' has no closed form; use explicit flows (engine flows), or one of: {names}"
            )
        if whole.kinds:
            raise InputError("unlike servers have no closed form; use explicit flows (engine flows)")
        summary = whole.first(gpus).group(groups)
        record = COLLECTIVES.get_record(collective)
        return cls(whole, summary, record, policy, placed, qps or subflows_of(summary), groups, pxn)

    def left(self, algorithm: Algorithm) -> Left:
        """Return what the fabric leaves to an algorithm's flows."""
        if self.summary.servers == 1:
            return Left(1.0, "NIC", 1.0, 1.0, 1.0)
        if not self.whole.ratios_are_cuts:
            steps, in_order = self.steps(algorithm), self.placement.in_order
            line, sent = math.fsum(step.busiest for step in steps), self.subflows(algorithm, steps[0])
            least, limit, mean = graph_shares(self.whole, self.policy, algorithm.traffic, in_order, sent)
            return Left(self._sends(algorithm) / line * least, limit, mean, least, 1.0)
        return self._left_on_clos(algorithm)

    def subflows(self, algorithm: Algorithm, step: Step) -> Subflows:
        """Return what a NIC sends at the same time in a step."""
        return Subflows(algorithm.traffic.queue_pairs(self.qps), step.partners)

    def steps(self, algorithm: Algorithm) -> tuple[Step, ...]:
        """Return the steps of an algorithm; what has no explicit flows leaves everywhere."""
        if algorithm.flows is None:
            return (leave_everywhere(self.ranks),)
        return steps_of(algorithm, self.collective, self.ranks)

    @property
    def ranks(self) -> Ranks:
        """The ranks of one group as they stand in servers."""
        whole, summary, order = self.whole, self.summary, self.placement.closed_form
        assert order is not None
        rails = whole.server.nics // whole.leaf_nics
        never_meet = rails > 1 and max(whole.unmet_rails, default=1) == 1
        sets = [rails if never_meet else unmet for unmet in whole.unmet_rails]
        # The last server drawn has fewer ranks, wherever it stands; if all take part, it is the last of the fabric.
        some = summary.gpus < whole.gpus
        return Ranks(
            whole.server,
            summary.gpus,
            each=min(summary.server.gpus, summary.gpus),
            all_servers=whole.servers if self.placement.drawn else summary.servers,
            drawn=order.random,
            rest_last=not self.placement.drawn or order.random == some,
            scattered=order.scattered,
            groups=self.groups,
            beside=never_meet or self.pxn or self.groups > 1,
            tiers=tuple(
                Tier(size, size * whole.server.nics / each, each) for size, each in zip(whole.peers, sets, strict=True)
            ),
        )

    def _left_on_clos(self, algorithm: Algorithm) -> Left:
        whole, policy = self.whole, self.policy
        steps = self.steps(algorithm)
        sent = [self.subflows(algorithm, step) for step in steps]
        lines = [step.busiest for step in steps]
        loads = [busiest_load(whole, step) for step in steps]
        assert policy.slowest_share is not None
        hashed = [1 / policy.slowest_share(whole, *each) for each in zip(steps, sent, strict=True)]
        times = [max(load.mean, each) for load, each in zip(loads, hashed, strict=True)]
        line, bound, taken = sum(lines), _total(lines, (load.mean for load in loads)), _total(lines, times)
        limits = ((line, "NIC"), (bound, "oversubscription"), (taken, "collisions"))
        limit = next(name for time, name in limits if taken <= time * (1 + SAME))
        means = (self._mean(*each) for each in zip(steps, sent, strict=True))
        spread = math.hypot(*(own * load.deviation for own, load in zip(lines, loads, strict=True)))
        sends = self._sends(algorithm)
        return Left(sends / taken, limit, _total(lines, means) / line, line / taken, line / bound, spread / taken)

    def _sends(self, algorithm: Algorithm) -> float:
        """Return the bytes that the time model has a NIC send for each byte of a step that everything leaves in."""
        return sent_bytes(self.summary, self.collective, algorithm) if algorithm.flows else 1.0

    def _mean(self, step: Step, sent: Subflows) -> float:
        if self.policy.mean_share is None or not self.whole.several_paths:
            return mean_share(self.whole, step)
        return self.policy.mean_share(self.whole, step, sent)


def _total(lines: Iterable[float], each: Iterable[float]) -> float:
    """Return the sum over steps of their time at line rate times these."""
    return math.fsum(line * other for line, other in zip(lines, each, strict=True))
