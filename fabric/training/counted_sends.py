"""How long the sends of a pipeline take on a Clos, from the equal-cost groups of links that each of them uses."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from fabric.flow.ecmp_model import slowest_hashed_share
from fabric.flow.phase import cross_rails
from fabric.flow.tiered_routes import route_by_groups
from fabric.training.counted_network import CountedNetwork
from fabric.training.groups import Group
from fabric.training.link_loads import send_to_next
from fabric.training.stage_sends import BYTE_S, HashedGroups, StageSends
from fabric.training.wire import SENDS, Wire

__all__ = ["time_counted_sends"]

Rows = npt.NDArray[np.int64]
Amounts = npt.NDArray[np.float64]


def time_counted_sends(network: CountedNetwork, collective: str, group: Group, qps: int, slowest: Wire) -> Wire:
    """Return how long a pipeline's sends take (`StageSends`), each NIC sending by `qps` queue pairs.

    `slowest` is what the slowest of them takes. Flows of servers that have lost links take as long as that one then,
    and other messages slow all down as much as they do that one.
    """
    sends = _CountedSends.of(network, group, around=SENDS[collective])
    line, share = slowest.line_s, network.routing.policy.slowest_share
    whole = sends.fit_s(sends.links)
    fits = taken = sends.stages.slowest(whole, line)
    if not network.routing.policy.sprays:
        if share is not slowest_hashed_share:  # a routing of another package, of which no more is known
            return slowest
        taken = max(fits, sends.expect(sends.links, qps, line))
    failed = taken
    if network.up is not None:
        late = np.where(sends.hit, slowest.failed_s, 0.0)
        failed = sends.stages.slowest(np.maximum(sends.fit_s(sends.links_up), late), line)
        if not network.routing.policy.sprays:
            failed = max(failed, sends.expect(sends.links_up, qps, line, late))
    return slowest.on_average(fits, taken, failed)


@dataclass(frozen=True, eq=False)
class _CountedSends:
    """The sends of a pipeline."""

    network: CountedNetwork
    """The fabric."""
    stages: StageSends
    """Which of them wait for each other."""
    share: float
    """The share of a message that a flow has."""
    arcs: tuple[Rows, ...]
    """The group that each flow uses in each tier up and then down, shape (flows,); the number of all for none."""
    hit: npt.NDArray[np.bool_]
    """Which flows are of servers that send in other ways after failures, shape (flows,)."""

    @classmethod
    def of(cls, network: CountedNetwork, group: Group, *, around: bool) -> _CountedSends:
        """Return the sends of the groups of a pipeline."""
        hosts, gpus, blueprint = group.run.hosts, group.gpus, network.blueprint
        phase = cross_rails(blueprint, send_to_next(hosts, gpus, around=around), pxn=network.routing.pxn)
        arcs = tuple(route_by_groups(network.links, phase, None).arcs.T)
        hit = np.zeros(phase.flows, bool)
        if network.up is not None:
            for end in (phase.source, phase.target):
                hit |= network.hit_servers[hosts.server_of_nic(end)]
        stages = StageSends.of(hosts, gpus, group.run.parallel, around=around)
        return cls(network, stages, float(phase.shares[0]), arcs, hit)

    @cached_property
    def flows(self) -> Rows:
        """The flows that use each group, shape (2 x groups,)."""
        found = np.zeros(self._none, np.int64)
        for column in self.arcs:
            found += np.bincount(column, minlength=self._none + 1)[:-1]
        return found

    @cached_property
    def links(self) -> Amounts:
        """The links of each group, of one that is given as a ratio in parts, shape (2 x groups,)."""
        groups, layers = self.network.links, self.network.links.layers
        capacity = np.repeat(self.network.capacity, [layer.groups for layer in layers])
        return np.asarray(np.tile(capacity / (groups.group_gbps / BYTE_S), 2), np.float64)

    @property
    def links_up(self) -> Amounts:
        """Those that are up, shape (2 x groups,)."""
        times = np.concatenate([lost.reshape(-1) for lost in self.network.lost])
        return np.asarray(self.links / np.tile(times, 2), np.float64)

    def fit_s(self, links: Amounts) -> Amounts:
        """Return how long each flow takes through as many links of each group, if none collide, shape (flows,)."""
        return self._longest(self._group_s(links))

    def expect(self, links: Amounts, qps: int, line_s: float, late_s: Amounts | None = None) -> float:
        """Return the expected time through as many links of each group, of which a hash draws one for each sub-flow.

        No flow takes less than its `late_s`, which are those after failures, shape (flows,).
        """
        planes = self.network.summary.planes
        # On a group of one link in each plane there is nothing to draw, as on those of servers.
        lone_s = self._longest(np.where(np.append(links <= planes, True), self._group_s(links), 0.0))
        drawn = np.flatnonzero(links > planes)
        number = np.full(self._none + 1, -1)
        number[drawn] = np.arange(len(drawn))
        arcs = [number[column] for column in self.arcs[1:-1]]
        if late_s is not None:
            lone_s, arcs = np.maximum(lone_s, late_s), [np.where(self.hit, -1, column) for column in arcs]
        groups = HashedGroups(self.flows[drawn], links[drawn], self._gbps[drawn], planes, max(1.0, qps / planes))
        return self.stages.expect_slowest(self._unlike(arcs), groups, self.share, line_s, lone_s)

    def _longest(self, group_s: Amounts) -> Amounts:
        """Return the longest time of the groups that each flow uses, shape (flows,)."""
        found = group_s[self.arcs[0]]
        for column in self.arcs[1:]:
            np.maximum(found, group_s[column], out=found)
        return np.asarray(found, np.float64)

    def _group_s(self, links: Amounts) -> Amounts:
        """Return how long each group takes, shape (2 x groups + 1,); 0 for the last, which stands for none.

        A group without links has flows of servers alone that send in other ways, and takes 0, too.
        """
        rate = links * self._gbps / BYTE_S
        found = np.divide(self.flows * self.share, rate, out=np.zeros(len(rate)), where=rate > 0)
        return np.append(found, 0.0)

    def _unlike(self, arcs: list[Rows]) -> list[Rows]:
        """Return arcs without groups down whose links carry just what those of a group up do.

        Nothing is left to choose on the way down to them, and all flows that use one use the other.
        """
        for tier in (tier for tier, mirrored in enumerate(self.network.summary.mirrors) if mirrored):
            up, down = arcs[tier], arcs[-1 - tier]
            alike = (up >= 0) & _leads_to_one(up, down) & _leads_to_one(down, up)
            arcs[-1 - tier] = np.where(alike, -1, down)
        return arcs

    @property
    def _none(self) -> int:
        return 2 * self.network.links.groups

    @property
    def _gbps(self) -> Amounts:
        return np.tile(self.network.links.group_gbps, 2)


def _leads_to_one(own: Rows, other: Rows) -> npt.NDArray[np.bool_]:
    """Return of which flows all that use the same `own` group use the same `other` one, or none, shape (flows,)."""
    count = int(max(own.max(initial=0), other.max(initial=0))) + 2
    least, most = np.full(count, count), np.full(count, -1)
    np.minimum.at(least, own, other)
    np.maximum.at(most, own, other)
    return np.asarray(least[own] == most[own])
