"""What a message puts on the links of a Clos where its groups have whole servers: counted from server to server.

All NICs of a server then send alike, so that a million GPUs take as long to count as their servers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from fabric.blueprint.hosts import Hosts
from fabric.catalog import Server
from fabric.flow.algorithms import Algorithm
from fabric.flow.collectives import Collective
from fabric.flow.layer import Layer
from fabric.flow.phase import Phase
from fabric.flow.rank_runs import RankRuns
from fabric.flow.tiered_links import TieredLinks
from fabric.request.parallel import Parallel
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
        return [self._load(phase, self.each) for phase in self._phases(collective, algorithm)]

    def _phases(self, collective: Collective, algorithm: Algorithm) -> list[Phase]:
        """Return the flows of a collective from server to server, phase by phase.

        The groups of other GPUs of a server send as much to the same servers, each over the NICs of its own.
        """
        assert algorithm.flows is not None
        runs = replace(RankRuns.of(ONE, self.groups.servers), ranks=self.ranks)
        return [phase for phase in algorithm.flows(runs, collective, None) if phase.flows]

    def send(self, *, around: bool) -> LinkLoads:
        """Return the loads of what every rank sends to the next of its group, all of them in unlike servers."""
        return self._load(self._sends(around=around), 1)

    def _sends(self, *, around: bool) -> Phase:
        servers = self.groups.servers
        source, target = servers, np.roll(servers, -1, axis=1)
        if not around:
            source, target = source[:, :-1], target[:, :-1]
        return Phase(source.reshape(-1), target.reshape(-1))

    def _load(self, phase: Phase, each: int) -> LinkLoads:
        """Return the loads of what each GPU of a server sends to the same one of another, an `each`-th of the share."""
        layers, climbing, shapes = list[Amounts](), list[float](), places_of(self.links)
        for layer, (places, sets) in zip(self.links.layers, shapes, strict=True):
            out = np.where(phase.source // layer.servers != phase.target // layer.servers, phase.shares / each, 0.0)
            sums = np.stack([np.bincount(end // layer.servers, out, places) for end in (phase.source, phase.target)])
            gpus = np.bincount(self._sets(layer).reshape(-1), minlength=sets) / self._parts
            layers.append(sums[:, :, None] * _once(gpus))
            climbing.append(float(np.count_nonzero(out)))
        turns, partners = -np.diff(np.append(climbing, 0.0)), int(np.bincount(phase.source).max())
        return LinkLoads(tuple(layers), tuple(sets for _, sets in shapes), partners, turns)

    def pairs(self, *, beside: bool) -> LinkLoads:
        """Return the loads of an all-to-all (see `count_all_pairs`)."""
        layers = [
            np.broadcast_to(load, (2, *load.shape))
            for layer in self.links.layers
            for load in [self._pairs_of(layer, layer.servers, beside=beside)]
        ]
        return all_pairs(layers, self.links, (self.ranks - self.each) * self._parts)

    def _pairs_of(self, layer: Layer, size: int, *, beside: bool) -> Amounts:
        """Return what leaves each place of `size` servers in an all-to-all, shape (places, sets), or 1 for equal sets.

        Of a group's ranks in one server c are on a set of rails. Where s of its servers are in a place, c s ranks send
        to the n - c s others, less those e - c of their own server; `beside`, e s ranks send to the others on the set.
        """
        servers, local, each, ranks = self.groups.servers, self.groups.local, self.each, self.ranks
        places, sets = -(-self._servers // size), self._sets(layer)
        group, parts = np.arange(len(servers)).repeat(servers.shape[1]), self._parts
        pairs, together = np.unique(group * places + servers.reshape(-1) // size, return_counts=True)
        ones, squares = (np.bincount(pairs % places, together**power, places) for power in (1, 2))
        on_set = np.zeros((parts * len(local), layer.groups // -(-self._servers // layer.servers)))
        row = np.arange(parts)[:, None, None] * len(local) + np.arange(len(local))[:, None]
        np.add.at(on_set, (row, sets[local].transpose(2, 0, 1)), 1.0)
        squared = each * on_set if beside else on_set**2
        single = on_set * (ranks if beside else ranks - each + on_set)
        load = ones[:, None] * _once(single.sum(axis=0)) - squares[:, None] * _once(squared.sum(axis=0))
        return np.asarray(load / ranks / parts)

    def fullest(self, collective: Collective, algorithm: Algorithm, sizes: Sequence[int]) -> Amounts:
        """Return the part of what its NICs would send at line rate that leaves the fullest place, shape (sizes,).

        Places have as many servers as `sizes` say, each size by itself, and the busiest NIC is at line rate.
        """
        found = [[_fullest_share(phase, size) for size in sizes] for phase in self._phases(collective, algorithm)]
        return np.asarray(np.max(found, axis=0), np.float64)

    def fullest_of_sends(self, sizes: Sequence[int], parallel: Parallel, *, around: bool) -> Amounts:
        """Return the same of what every rank sends to the next of its pipeline, of shape (sizes, 2, boundaries).

        It is that of the places which each boundary between stages crosses, most first: of the pipeline that has most
        in all, and after it the most that any has.
        """
        phase, together = self._sends(around=around), len(self.groups.local)
        # As many rows of servers wait for each other (`StageSends`), and each has the ranks of a server.
        waiting = math.lcm(parallel.together, together) // together
        boundaries, found = self.groups.servers.shape[1] - (not around), []
        for size in sizes:
            share = np.maximum(*_crossing_shares(phase, size)).reshape(-1, waiting, boundaries).max(axis=1)
            most_first = np.sort(share)[:, ::-1]
            found.append((most_first[share.sum(axis=1).argmax()], most_first.max(axis=0)))
        return np.array(found)

    def fullest_of_pairs(self, tier: int, sizes: Sequence[int], *, beside: bool) -> Amounts:
        """Return the same of an all-to-all, for places below a tier with its sets of rails."""
        layer, host = self.links.layers[tier], self.links.layers[0]
        nic = float(self._pairs_of(host, host.servers, beside=beside).max())
        sets, nics = layer.groups // -(-self._servers // layer.servers), int(self.hosts.nics[0])
        most = np.array([float(self._pairs_of(layer, size, beside=beside).max()) for size in sizes])
        return most * sets / (np.array(sizes) * nics * nic)

    @property
    def _servers(self) -> int:
        return int(self.hosts.first_server[-1])

    @cached_property
    def _parts(self) -> int:
        """The equal shares into which a GPU splits its data, one for each of its NICs."""
        return self.hosts.shares_of_gpu(np.zeros(1, np.int64))

    def _sets(self, layer: Layer) -> Rows:
        """Return the set of rails of each NIC of each GPU of a server, shape (GPUs, parts)."""
        gpus = np.arange(int(self.hosts.gpus[0]))[:, None]
        ends = self.links.ends(self.hosts.nic_of_gpu(gpus, np.arange(self._parts), self._parts))
        return np.asarray(layer.group(ends.server, ends.rails, ends.copy) - layer.first_group)


def _fullest_share(phase: Phase, size: int) -> float:
    """Return what leaves or enters the fullest place of `size` servers over what as many of the busiest server do."""
    return max(float(share.max()) for share in _crossing_shares(phase, size))


def _crossing_shares(phase: Phase, size: int) -> list[Amounts]:
    """Return the same of the places of `size` servers that each flow leaves, and of those that it enters, or else 0."""
    ends = phase.source, phase.target
    busiest = max(float(np.bincount(end, phase.shares).max()) for end in ends)
    places = [end // size for end in ends]
    out = np.where(places[0] != places[1], phase.shares, 0.0)
    return [np.where(out > 0, np.bincount(place, out)[place], 0.0) / (busiest * size) for place in places]


def _once(values: Amounts) -> Amounts:
    """Return one value for all where they are equal."""
    return values[:1] if np.ptp(values) == 0 else values
