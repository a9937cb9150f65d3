"""What a message puts on the links of a Clos where its groups have whole servers: counted from server to server.

All NICs of a server then send alike, so that a million GPUs take as long to count as their servers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from fabric.blueprint.hosts import Hosts
from fabric.catalog import Server
from fabric.flow.algorithms import Algorithm
from fabric.flow.collectives import Collective
from fabric.flow.layer import Layer
from fabric.flow.rank_runs import RankRuns
from fabric.flow.tiered_links import TieredLinks
from fabric.training.link_loads import LinkLoads, all_pairs, places_of
from fabric.training.ranks import ServerGroups

__all__ = ["ServerCounts"]

Rows = npt.NDArray[np.int64]
Amounts = npt.NDArray[np.float64]

ONE = Server("one", gpus=1, nics=1, nic_gbps=1)
"""A server of one NIC, for flows between servers."""


@dataclass(frozen=True, eq=False)
class ServerCounts:
    """The groups of one kind on whole servers of a healthy Clos."""

    links: TieredLinks
    """The links of the fabric."""
    hosts: Hosts
    """Its servers, which are alike."""
    groups: ServerGroups
    """The groups."""

    @property
    def each(self) -> int:
        """The ranks of a group in one server."""
        return int(self.groups.local.shape[1])

    @property
    def ranks(self) -> int:
        """The ranks of a group."""
        return int(self.groups.servers.shape[1]) * self.each

    def lay(self, collective: Collective, algorithm: Algorithm) -> list[LinkLoads]:
        """Return the loads of a collective, phase by phase, that go from each server to others of its group."""
        assert algorithm.flows is not None
        runs = replace(RankRuns.of(ONE, self.groups.servers), ranks=self.ranks)
        # The groups of other GPUs of a server send as much to the same servers, each over the NICs of its own.
        return [
            self._load(phase.source, phase.target, phase.shares / self.each, int(np.bincount(phase.source).max()))
            for phase in algorithm.flows(runs, collective, None)
            if phase.flows
        ]

    def send(self, *, around: bool) -> LinkLoads:
        """Return the loads of what every rank sends to the next of its group, all of them in unlike servers."""
        servers = self.groups.servers
        source, target = servers, np.roll(servers, -1, axis=1)
        if not around:
            source, target = source[:, :-1], target[:, :-1]
        return self._load(source.reshape(-1), target.reshape(-1), np.ones(source.size), 1)

    def _load(self, source: Rows, target: Rows, share: Amounts, partners: int) -> LinkLoads:
        """Return the loads of what every GPU of a server sends to the same one of another."""
        layers, climbing, shapes = list[Amounts](), list[float](), places_of(self.links)
        for layer, (places, sets) in zip(self.links.layers, shapes, strict=True):
            ends = [end // layer.servers for end in (source, target)]
            out = np.where(ends[0] != ends[1], share, 0.0)
            sums = np.stack([np.bincount(end, out, places) for end in ends])
            gpus = np.bincount(self._sets(layer).reshape(-1), minlength=sets) / self._parts
            layers.append(sums[:, :, None] * _once(gpus))
            climbing.append(float(np.count_nonzero(out)))
        turns = -np.diff(np.append(climbing, 0.0))
        return LinkLoads(tuple(layers), tuple(sets for _, sets in shapes), partners, turns)

    def pairs(self, *, beside: bool) -> LinkLoads:
        """Return the loads of an all-to-all (see `count_all_pairs`).

        Of a group's ranks in one server c are on a set of rails. Where s of its servers are in a place, c s ranks send
        to the n - c s others, less those e - c of their own server; `beside`, e s ranks send to the others on the set.
        """
        servers, local, each, ranks = self.groups.servers, self.groups.local, self.each, self.ranks
        group, parts = np.arange(len(servers)).repeat(servers.shape[1]), self._parts
        layers = []
        for layer, (places, sets) in zip(self.links.layers, places_of(self.links), strict=True):
            pairs, together = np.unique(group * places + servers.reshape(-1) // layer.servers, return_counts=True)
            ones, squares = (np.bincount(pairs % places, together**power, places) for power in (1, 2))
            on_set = np.zeros((parts * len(local), sets))
            row = np.arange(parts)[:, None, None] * len(local) + np.arange(len(local))[:, None]
            np.add.at(on_set, (row, self._sets(layer)[local].transpose(2, 0, 1)), 1.0)
            squared = each * on_set if beside else on_set**2
            single = on_set * (ranks if beside else ranks - each + on_set)
            load = ones[:, None] * _once(single.sum(axis=0)) - squares[:, None] * _once(squared.sum(axis=0))
            layers.append(np.broadcast_to(load / ranks / parts, (2, *load.shape)))
        return all_pairs(layers, self.links, (ranks - each) * parts)

    @cached_property
    def _parts(self) -> int:
        """The equal shares into which a GPU splits its data, one for each of its NICs."""
        return self.hosts.shares_of_gpu(np.zeros(1, np.int64))

    def _sets(self, layer: Layer) -> Rows:
        """Return the set of rails of each NIC of each GPU of a server, shape (GPUs, parts)."""
        gpus = np.arange(int(self.hosts.gpus[0]))[:, None]
        ends = self.links.ends(self.hosts.nic_of_gpu(gpus, np.arange(self._parts), self._parts))
        return np.asarray(layer.group(ends.server, ends.rails, ends.copy) - layer.first_group)


def _once(values: Amounts) -> Amounts:
    """Return one value for all where they are equal."""
    return values[:1] if np.ptp(values) == 0 else values
