"""How long a fabric carries a message for each byte of it by explicit flows, where there is no closed form."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.errors import InputError
from fabric.flow.algorithms import Algorithm
from fabric.flow.bounds import cut_bound
from fabric.flow.collectives import COLLECTIVES
from fabric.flow.fabric_summary import FabricSummary
from fabric.flow.failover import failover
from fabric.flow.fairness import max_min
from fabric.flow.flow_work import most_peers
from fabric.flow.host_links import line_gbps
from fabric.flow.phase import Phase, cross_rails
from fabric.flow.router import Router, route, router_of
from fabric.flow.routes import Routes
from fabric.flow.routings import Routing
from fabric.flow.throughput import flow_shares, pay_for_tiers, phase_shares
from fabric.resources import refuse_excess
from fabric.training.groups import Group
from fabric.training.link_loads import lay_phases, send_to_next
from fabric.training.stage_sends import StageSends
from fabric.training.wire import SENDS, Wire

__all__ = ["FlowNetwork"]

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class FlowNetwork:
    """A fabric on which the flows of messages are laid and solved: a direct network, or any by any routing."""

    blueprint: Blueprint
    """The fabric."""
    summary: FabricSummary
    """The fabric as closed forms see it."""
    routing: Routing
    """How flows take paths."""
    up: Mask | None = None
    """Which links are up, shape (links,); None for all."""
    _laid: dict[tuple[Any, ...], list[Phase]] = field(default_factory=dict)

    @cached_property
    def _routers(self) -> dict[bool, Router]:
        """The router over the links that are up, and that over all."""
        whole = router_of(self.blueprint)
        return {False: whole, True: whole if self.up is None else router_of(self.blueprint, self.up)}

    def loads(self, collective: str, group: Group, algorithm: Algorithm, *, failed: bool) -> list[Phase]:
        """Return the flows of a collective, or a `send`, in every group, phase by phase, as they leave their servers.

        With `failed` they are those that servers send when some links are down.
        """
        key = collective, group.axes, algorithm.flows, failed
        if key not in self._laid:
            hosts, gpus = group.run.hosts, group.gpus
            if collective in SENDS:
                phases = [send_to_next(hosts, gpus, around=SENDS[collective])]
            else:
                peers = most_peers(gpus.size, self.routing)
                phases = lay_phases(hosts, gpus, COLLECTIVES[collective], algorithm, peers)
            self._laid[key] = [self._leave(each, failed=failed) for each in phases if each.flows]
        return self._laid[key]

    def _leave(self, phase: Phase, *, failed: bool) -> Phase:
        if failed and self.up is not None:
            phase = failover(self.blueprint, phase, self.up, pxn=self.routing.pxn)
        return cross_rails(self.blueprint, phase, pxn=self.routing.pxn)

    def count_job(self, phase: Phase) -> list[Phase]:
        """Return the flows of a job that leave its servers."""
        return [phase] if phase.flows else []

    def wire(self, collective: str, group: Group, algorithm: Algorithm, qps: int, others: Sequence[Phase] = ()) -> Wire:
        """Return how long the network takes for a collective, beside `others`, each NIC sending by `qps` queue pairs.

        Raises InputError where a flow has no path, and TooLarge as `fabric.flow.route` does.
        """
        routing = replace(self.routing, qps=algorithm.traffic.queue_pairs(qps)).over(self.blueprint.planes)
        sent = self.loads(collective, group, algorithm, failed=False)
        line = sum(map(self._line_s, sent))
        fits = max(line, sum(self._planned_s(each) / cut_bound(self.blueprint, each) for each in sent))
        solved = [self._solve(each, routing, (), failed=False) for each in sent]
        taken = failed = max(
            fits, sum(self._planned_s(phase) / share for phase, (share, _) in zip(sent, solved, strict=True))
        )
        if self.up is not None:
            sent = self.loads(collective, group, algorithm, failed=True)
            failed = max(taken, self._total_s(sent, routing, (), failed=True))
        shared = max(failed, self._total_s(sent, routing, others, failed=True)) if others else failed
        switches = solved[0][1].mean() if algorithm.traffic.ring else solved[0][1].max()
        return Wire(line, fits, taken, failed, shared, float(switches))

    def average_sends(self, collective: str, group: Group, algorithm: Algorithm, qps: int, slowest: Wire) -> Wire:
        """Return the wire of a pipeline's sends (`StageSends`) from that of the slowest of them.

        After failures, when servers send in other ways, they all take as much longer as the slowest.
        """
        (sent,) = self.loads(collective, group, algorithm, failed=False)
        routing = replace(self.routing, qps=algorithm.traffic.queue_pairs(qps)).over(self.blueprint.planes)
        routes = self._route(sent, routing, self._routers[False])
        rebalance = routing.protocol.message_rebalance
        fair = flow_shares(self.blueprint, sent, max_min(routes), routing, rebalance)
        stages = StageSends.of(group.run.hosts, group.gpus, group.run.parallel, around=SENDS[collective])
        flow_s = self._planned_s(sent) / pay_for_tiers(fair, routes, routing)
        taken = stages.slowest(flow_s, slowest.line_s)
        return slowest.on_average(min(slowest.fits_s, taken), taken, taken * slowest.failed_s / slowest.taken_s)

    def ideal_wire(self, collective: str, group: Group, algorithm: Algorithm, others: Sequence[Phase] = ()) -> Wire:
        """Return how long an ideal network takes, on which NICs alone are shared, with all servers at one switch."""
        sent = self.loads(collective, group, algorithm, failed=False)
        line = sum(map(self._line_s, sent))
        shared = sum(self._line_s(each) * self._nic_share(each, others) for each in sent)
        return Wire(line, line, line, line, max(line, shared), switches=1.0)

    def _line_s(self, phase: Phase) -> float:
        return _busiest(phase) * 8e-9 / line_gbps(self.blueprint)

    def _planned_s(self, phase: Phase) -> float:
        """Return the time at line rate before flows moved to other NICs, which shares of line rate are of."""
        return phase.busiest * 8e-9 / line_gbps(self.blueprint)

    def _total_s(self, sent: Iterable[Phase], routing: Routing, others: Sequence[Phase], *, failed: bool) -> float:
        return sum(self._planned_s(each) / self._solve(each, routing, others, failed=failed)[0] for each in sent)

    def _solve(
        self, phase: Phase, routing: Routing, others: Sequence[Phase], *, failed: bool
    ) -> tuple[float, npt.NDArray[np.int64]]:
        """Return the share of line rate of a phase's slowest flow beside others, whose busiest NICs send as much.

        With it come the switches on the paths of its flows.
        """
        router = self._routers[failed]
        joined = _join([phase, *others])
        routes = self._route(joined, routing, router)
        if routes.disconnected.any():
            raise InputError("failures cut off some ranks of the run from others, so the step never ends")
        own = np.repeat(np.broadcast_to(joined.job, (joined.flows,)) == 0, routes.flows // joined.flows)
        mine = routes.only(own)
        _, least, _ = phase_shares(self.blueprint, phase, mine, max_min(routes)[own], routing)
        return least, mine.hops - 1

    def _route(self, phase: Phase, routing: Routing, router: Router) -> Routes:
        """Return the routes of flows; raises TooLarge, with what takes less, where they need more than a run may."""
        remedy = "train on fewer GPUs"
        if routing.policy.sprays:
            remedy += ", or time it under ecmp, which searches no paths"
        work = router.work(phase.flows, routing)
        refuse_excess(f"{self.blueprint.name}: the {phase.flows:,} flows of a message", work, remedy)
        return route(self.blueprint, phase, routing, router.up, router)

    def _nic_share(self, phase: Phase, others: Sequence[Phase]) -> float:
        """Return how many times as long a phase takes beside others where NICs alone are shared."""
        found, nics = 1.0, self.blueprint.nics
        for end in ("source", "target"):
            used = np.zeros(nics, bool)
            used[getattr(phase, end)] = True
            load = np.zeros(nics)
            for each in (phase, *others):
                load += np.bincount(getattr(each, end), each.shares / _busiest(each), nics)
            found = max(found, float(load[used].max()))
        return found


def _busiest(phase: Phase) -> float:
    """Return the share of the bytes that the busiest NIC sends or takes in, after servers moved flows to others."""
    return max(float(np.bincount(end, phase.shares).max()) for end in (phase.source, phase.target))


def _join(phases: Sequence[Phase]) -> Phase:
    """Return the flows of several phases as one, the busiest NIC of each as busy as the others', each a job."""
    columns = [
        (each.source, each.target, each.shares / _busiest(each), np.broadcast_to(each.channels, (each.flows,)))
        for each in phases
    ]
    source, target, share, channels = (np.concatenate(column) for column in zip(*columns, strict=True))
    job = np.repeat(np.arange(len(phases)), [each.flows for each in phases])
    # Other messages have connections of their own.
    sets = int(channels.max(initial=0)) + 1
    return Phase(source, target, share, job=job, channels=job * sets + channels, speeds=phases[0].speeds)
