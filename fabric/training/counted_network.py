"""How long a Clos carries a message for each byte of it, in closed form, beside others and after failures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.blueprint.hosts import Hosts
from fabric.errors import InputError
from fabric.flow.algorithms import Algorithm
from fabric.flow.collectives import COLLECTIVES
from fabric.flow.fabric_summary import FabricSummary
from fabric.flow.failover import failover
from fabric.flow.host_links import line_gbps
from fabric.flow.phase import Phase
from fabric.flow.router import router_of
from fabric.flow.routings import Routing
from fabric.flow.subflows import Subflows
from fabric.flow.tiered_links import TieredLinks
from fabric.flow.tiered_router import TieredRouter
from fabric.training.fair_rates import fair_rates
from fabric.training.groups import Group
from fabric.training.link_loads import LinkLoads, count_all_pairs, count_flows, lay_phases, places_of, send_to_next
from fabric.training.server_loads import ServerCounts
from fabric.training.wire import SENDS, Wire

__all__ = ["CountedNetwork"]

FEWEST_PEERS, MOST_FLOWS = 8, 1 << 22
"""The peers of a rank, and the flows of an all-to-all, that are laid out where some stand for all."""

Amounts = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class CountedNetwork:
    """A Clos on which messages are counted, group by group, without laying a path.

    Where links are down, the flows of a server whose NICs have lost some are those that it spreads over the others, and
    what climbs from a place shares the links up that are left, evenly. So adaptive routing takes as long as explicit
    flows do; under ECMP the busiest of the links that are left is that of as many hashed flows.
    """

    blueprint: Blueprint
    """The fabric."""
    summary: FabricSummary
    """The fabric as closed forms see it."""
    routing: Routing
    """How flows take paths."""
    up: Mask | None = None
    """Which links are up, shape (links,); None for all."""
    ratios: tuple[float, ...] | None = None
    """The bandwidth sent over that up from each tier below the top, in place of the fabric's own; None for these."""
    _counted: dict[tuple[Any, ...], list[LinkLoads]] = field(default_factory=dict)

    @cached_property
    def links(self) -> TieredLinks:
        """The links as arithmetic."""
        router = router_of(self.blueprint)
        assert isinstance(router, TieredRouter)
        return router.links

    @cached_property
    def capacity(self) -> list[float]:
        """The bytes per second of an equal-cost group of each bundle when all links are up, the host links first."""
        links, own = self.links, self.ratios
        if own is not None:
            nic, nics = line_gbps(self.blueprint) * 1e9 / 8, self.summary.server.nics
            sets = [each for _, each in places_of(links)][1:]
            behind = [size * nics / each for size, each in zip(self.summary.peers, sets, strict=True)]
            return [nic, *(nic * count / ratio for count, ratio in zip(behind, own, strict=True))]
        first = [layer.first_group for layer in links.layers]
        return [float(each) * 1e9 / 8 for each in links.group_links[first] * links.group_gbps[first]]

    @cached_property
    def lost(self) -> list[Amounts]:
        """How many times as much of its load each link of a group carries, as some of them are down."""
        links = self.links
        assert self.up is not None
        down = np.bincount(links.groups_of(np.flatnonzero(~self.up)), minlength=links.groups)
        with np.errstate(divide="ignore"):
            times = links.group_links / (links.group_links - down)
        parts = np.split(times, [layer.first_group for layer in links.layers[1:]])
        return [part.reshape(shape) for part, shape in zip(parts, places_of(links), strict=True)]

    def at_ratios(self, ratios: tuple[float, ...]) -> CountedNetwork:
        """Return the network with as many links up from each tier as make these ratios, places being the same.

        All paths have one switch, so that no network with such ratios is faster.
        """
        steps = (1,) * len(self.summary.steps)
        return replace(self, summary=replace(self.summary, ratios=ratios, steps=steps), ratios=ratios)

    def fullest(
        self, collective: str, group: Group, algorithm: Algorithm, tier: int, sizes: Sequence[int]
    ) -> Amounts | None:
        """Return the part of line rate that leaves the fullest place below a tier, of each size in servers.

        Shape (sizes,), of sends that of `ServerCounts.fullest_of_sends`; None where groups do not have whole servers.
        """
        if group.servers is None:
            return None
        counts = ServerCounts(self.links, group.run.hosts, group.servers)
        if collective in SENDS:
            around, parallel = SENDS[collective], group.run.parallel
            return counts.fullest_of_sends(sizes, parallel, around=around) if counts.each == 1 else None
        if COLLECTIVES[collective].all_pairs:
            return counts.fullest_of_pairs(tier, sizes, beside=self._beside)
        return counts.fullest(COLLECTIVES[collective], algorithm, sizes)

    @cached_property
    def servers_are_whole(self) -> bool:
        """Whether all servers send as ever: none has lost a link, or the links up from a place on its rails."""
        return self.up is None or not self.hit_servers.any()

    def loads(self, collective: str, group: Group, algorithm: Algorithm, *, failed: bool) -> list[LinkLoads]:
        """Return the loads of a collective, or a `send`, in every group by an algorithm, phase by phase.

        With `failed` they are those on the links that are up, counted as if of all; raises InputError where some flow
        has no path.
        """
        failed = failed and self.up is not None
        key = collective, group.axes, algorithm.flows, failed
        if key not in self._counted:
            if failed:
                found = self.loads(collective, group, algorithm, failed=False)
                if not self.servers_are_whole:
                    found = self._move(found, self._phases(collective, group, algorithm, self._hit_groups(group)))
                self._counted[key] = [self._squeeze(each) for each in found]
            else:
                whole = self.count_servers(collective, group, algorithm)
                self._counted[key] = whole or self.count_flows(collective, group, algorithm)
        return self._counted[key]

    def _squeeze(self, load: LinkLoads) -> LinkLoads:
        """Return loads on the links that are up as if they were on all."""
        with np.errstate(invalid="ignore"):
            layers = tuple(np.where(own > 0, own * lost, 0.0) for own, lost in zip(load.layers, self.lost, strict=True))
        if not all(np.isfinite(layer).all() for layer in layers):
            raise InputError("failures cut off some ranks of the run from others, so the step never ends")
        return replace(load, layers=layers, sent=load.weight)

    @cached_property
    def hit_servers(self) -> Mask:
        """Which servers have lost a link, or all links up from a place on some of their rails, shape (servers,)."""
        assert self.up is not None
        nic = router_of(self.blueprint).nic_of_links()
        found = np.zeros(self.blueprint.servers, bool)
        found[Hosts.of(self.blueprint).server_of_nic(nic[~self.up[: len(nic)]])] = True
        for layer, lost in zip(self.links.layers[1:], self.lost[1:], strict=True):
            cut_off: Mask = np.asarray(np.isinf(lost).any(axis=1))
            found |= cut_off[np.arange(len(found)) // layer.servers]
        return found

    def _hit_groups(self, group: Group) -> Rows:
        """Return the groups with ranks on servers that send in other ways, shape (groups, ranks)."""
        hit = self.hit_servers[group.run.hosts.server_of_gpu(group.gpus)].any(axis=1)
        return np.asarray(group.gpus[hit])

    def _move(self, loads: list[LinkLoads], phases: list[Phase]) -> list[LinkLoads]:
        """Return loads with those flows of `phases` where servers that have lost links send them.

        Only flows from and to such servers move, as long as a path joins every other pair of NICs.
        """
        assert self.up is not None
        hosts, found = Hosts.of(self.blueprint), list(loads)
        for number, phase in enumerate(each for each in phases if each.flows):
            ends = [self.hit_servers[hosts.server_of_nic(nics)] for nics in (phase.source, phase.target)]
            hit = ends[0] | ends[1]
            own = Phase(phase.source[hit], phase.target[hit], phase.shares[hit])
            if own.flows:
                moved = failover(self.blueprint, own, self.up, pxn=self.routing.pxn)
                (before,), (after,) = self.count_phases([own]), self.count_phases([moved])
                found[number] = found[number].changed(before, after)
        return found

    @property
    def _beside(self) -> bool:
        """Whether data goes by NVLink to the rail of its target before it leaves."""
        return self.routing.pxn or not self.blueprint.topology.rails_meet_at

    def count_servers(self, collective: str, group: Group, algorithm: Algorithm) -> list[LinkLoads]:
        """Return the loads from server to server; none where they depend on the GPU."""
        if group.servers is None:
            return []
        counts = ServerCounts(self.links, group.run.hosts, group.servers)
        if collective in SENDS:
            # Of several ranks in a server only the last sends to another.
            return [counts.send(around=SENDS[collective])] if counts.each == 1 else []
        if COLLECTIVES[collective].all_pairs:
            return [counts.pairs(beside=self._beside)]
        return counts.lay(COLLECTIVES[collective], algorithm)

    def count_flows(self, collective: str, group: Group, algorithm: Algorithm) -> list[LinkLoads]:
        """Return the loads of the flows between GPUs."""
        if collective not in SENDS and COLLECTIVES[collective].all_pairs:
            return [count_all_pairs(self.links, group.run.hosts, group.gpus, beside=self._beside)]
        return self.count_phases(self._phases(collective, group, algorithm, group.gpus))

    def _phases(self, collective: str, group: Group, algorithm: Algorithm, gpus: Rows) -> list[Phase]:
        """Return the flows between the ranks on `gpus`, shape (groups, ranks), phase by phase."""
        if not gpus.size:
            return []
        if collective in SENDS:
            return [send_to_next(group.run.hosts, gpus, around=SENDS[collective])]
        peers = max(FEWEST_PEERS, MOST_FLOWS // gpus.size)
        return lay_phases(group.run.hosts, gpus, COLLECTIVES[collective], algorithm, peers)

    def count_phases(self, phases: Sequence[Phase]) -> list[LinkLoads]:
        """Return the loads of each of these phases that has flows."""
        return count_flows(self.blueprint, self.links, phases, pxn=self.routing.pxn)

    def count_job(self, phase: Phase) -> list[LinkLoads]:
        """Return the loads of a job's flows, where its servers send them, on the links that are up."""
        found = self.count_phases([phase])
        return found if self.up is None else [self._squeeze(each) for each in found]

    def wire(
        self, collective: str, group: Group, algorithm: Algorithm, qps: int, others: Sequence[LinkLoads] = ()
    ) -> Wire:
        """Return how long the network takes for a collective, beside `others`, each NIC sending by `qps` queue pairs.

        Raises InputError for a routing without a closed form, and where failures cut off some flow.
        """
        sent = self.loads(collective, group, algorithm, failed=False)
        line = sum(self._line_s(each) for each in sent)
        fits = sum(max(self._line_s(each), self._fits_s(each)) for each in sent)
        taken = failed = sum(self._taken_s(each, algorithm, qps) for each in sent)
        if self.up is not None:
            sent = self.loads(collective, group, algorithm, failed=True)
            failed = max(taken, sum(self._taken_s(each, algorithm, qps) for each in sent))
        shared = failed
        if others:
            shared = max(failed, sum(self._share(each, algorithm, qps, others) for each in sent))
        switches = sent[0].switches(self.summary.steps, longest=not algorithm.traffic.ring)
        return Wire(line, fits, taken, failed, shared, switches)

    def ideal_wire(self, collective: str, group: Group, algorithm: Algorithm, others: Sequence[LinkLoads] = ()) -> Wire:
        """Return how long an ideal network takes, on which NICs alone are shared, with all servers at one switch."""
        line = shared = 0.0
        for load in self.loads(collective, group, algorithm, failed=False):
            every = [each.scaled for each in (load, *others)]
            line += self._line_s(load)
            shared += load.weight / fair_rates(every, self.capacity[:1])[0]
        return Wire(line, line, line, line, max(line, shared), switches=1.0)

    def _line_s(self, load: LinkLoads) -> float:
        return load.busiest * 8e-9 / line_gbps(self.blueprint)

    def _fits_s(self, load: LinkLoads) -> float:
        return max(float((each / capacity).max()) for each, capacity in zip(load.layers, self.capacity, strict=True))

    def _taken_s(self, load: LinkLoads, algorithm: Algorithm, qps: int) -> float:
        return max(self._fits_s(load), self._hashed_s(load, algorithm, qps))

    def _hashed_s(self, load: LinkLoads, algorithm: Algorithm, qps: int) -> float:
        share = self.routing.policy.slowest_share
        if share is None:
            raise InputError(f"{self.routing.policy.label} routing has no closed form; use explicit flows")
        sent = Subflows(algorithm.traffic.queue_pairs(qps), load.partners)
        return self._line_s(load) / share(self.summary, load.step(self.summary), sent)

    def _share(self, load: LinkLoads, algorithm: Algorithm, qps: int, others: Sequence[LinkLoads]) -> float:
        """Return the time of loads beside others whose busiest NICs would send as much at the same time."""
        every = [each.scaled for each in (load, *others)]
        rates = fair_rates(every, self.capacity)
        together = every[0]
        for each in every[1:]:
            together = together.beside(each)
        together = together.only_where(load)
        collide = max(1.0, self._hashed_s(together, algorithm, qps) / self._fits_s(together))
        return load.weight / rates[0] * collide
