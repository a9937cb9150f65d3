"""What an estimate in closed form depends on, as plain numbers: a blueprint has them, the optimizer bounds them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import pairwise

from fabric.blueprint.hop_shares import hop_shares
from fabric.catalog import Collectives, LibrarySettings, Server, Switch, collectives
from fabric.errors import InputError

__all__ = ["FabricSummary", "slowest_ns"]


@dataclass(frozen=True)
class FabricSummary:
    """A fabric as a collective sees it; a graph topology is summarized as leaves below one tier.

    Estimates never get worse when `peers` grows, or when anything else shrinks.
    """

    server: Server
    """The server."""
    gpus: int
    """The GPUs that take part."""
    servers: int
    """The servers that take part."""
    planes: int
    """The independent planes."""
    link_gbps: float
    """The rate of a host link in Gb/s."""
    tiers: int
    """The switch tiers; a graph topology counts as 2."""
    hops: int
    """The switches on the longest path."""
    switch_ns: float
    """The latency of the slowest switch in nanoseconds."""
    steps: tuple[int, ...]
    """The switches on a path that turns at each tier, from the leaf up."""
    hop_steps: tuple[int, ...] = field(default=(), kw_only=True)
    """The hops on such a path, where a director counts several; default: `steps`."""
    several_paths: bool
    """Whether there are several paths between two leaves."""
    peers: tuple[int, ...]
    """The servers of one full locality of each tier below the top, from the leaf up."""
    unmet_rails: tuple[int, ...]
    """The rails that have not met at each tier below the top."""
    ratios: tuple[float, ...]
    """The bandwidth that servers send over that up from each tier below the top: ratios of tiers multiply going up."""
    leaf_nics: int
    """The NICs of one server under one leaf."""
    switches_reduce: bool = False
    """Whether its switches can reduce what they carry, as InfiniBand's do (SHARP)."""
    inverse_path_diversity: float = 0.0
    """One over the minimal paths between two leaves."""
    speeds: tuple[float, ...] = ()
    """The rate of a link up from each tier below the top over that of a host link; 1 where there are none."""
    mirrors: tuple[bool, ...] = ()
    """Whether the link by which a flow climbs from each tier below the top settles that by which it descends to it."""
    ratios_are_cuts: bool = True
    """Whether the ratios bound all traffic; otherwise they are those of uniform traffic."""
    kinds: tuple[tuple[int, FabricSummary], ...] = ()
    """Of unlike servers with GPUs, the number of each kind, and the summary as if all that take part were of it."""
    constants: Collectives = field(default_factory=collectives, kw_only=True, repr=False)
    """The constants of the time model: the catalogue's, or those that a calibration has put in their place."""
    library: LibrarySettings = field(default_factory=LibrarySettings, kw_only=True)
    """What is set of the collective library."""

    @property
    def each_kind(self) -> tuple[FabricSummary, ...]:
        """The summary for each kind of server, of which the slowest decides; itself where all are equal."""
        return tuple(each for _, each in self.kinds) or (self,)

    def first(self, gpus: int | None) -> FabricSummary:
        """Return the summary for a collective on the first `gpus` GPUs, by default all; raises InputError."""
        if gpus is not None and not 1 <= gpus <= self.gpus:
            raise InputError(f"gpus {gpus:,}: the design has {self.gpus:,}; take 1 to {self.gpus:,}")
        count = gpus or self.gpus
        if count == self.gpus:
            return self
        if self.kinds:
            return self._first_of_kinds(count)
        return replace(self, gpus=count, servers=-(-count // self.server.gpus))

    def _first_of_kinds(self, gpus: int) -> FabricSummary:
        """Return the summary for the first GPUs of unlike servers, kind after kind."""
        left, taken = gpus, list[int]()
        for number, each in self.kinds:
            taken.append(min(number, -(-left // each.server.gpus)))
            left -= min(left, taken[-1] * each.server.gpus)
        found = [
            (number, replace(each, gpus=gpus, servers=sum(taken)))
            for number, (_, each) in zip(taken, self.kinds, strict=True)
            if number
        ]
        return replace(found[0][1], kinds=tuple(found) if len(found) > 1 else ())

    def group(self, groups: int) -> FabricSummary:
        """Return the summary for one of `groups` equal groups of GPUs that interleave (the placement `strided`).

        A group has its part of each server's GPUs, and as large a part of the NICs.
        """
        if groups == 1:
            return self
        if self.kinds:
            each = tuple((number, replace(one.group(groups), servers=self.servers)) for number, one in self.kinds)
            return replace(each[0][1], kinds=each)
        server, gpus = self.server, self.gpus // groups
        domain = -(-server.gpus // groups)
        nics = max(1, server.nics * domain // server.gpus)
        rate = self.link_gbps * server.nics * domain / (server.gpus * nics)
        own = replace(server, gpus=domain, nics=nics)
        return replace(self, server=own, gpus=gpus, servers=-(-gpus // domain), link_gbps=rate)

    @property
    def beyond_server(self) -> float:
        """What a server sends to the others over what it would send them if it were one of its own targets.

        The load of uniform traffic counts all pairs of NICs (`ratios`, where they are no cuts), of which those within a
        server send nothing over the network.
        """
        return self.servers / (self.servers - 1) if self.servers > 1 else 1.0

    @property
    def neighbour_hops(self) -> float:
        """The mean hops between neighbours of a ring in order: one server of each locality sends out of it."""
        return self._between_neighbours(self.hop_steps or self.steps)

    @property
    def neighbour_switches(self) -> float:
        """The mean switches between them."""
        return self._between_neighbours(self.steps)

    def _between_neighbours(self, steps: tuple[int, ...]) -> float:
        localities = [-(-self.servers // peers) for peers in self.peers]
        more = (up - down for down, up in pairwise(steps))
        each = zip(more, localities, strict=True)
        return steps[0] + math.fsum(hops * count / self.servers for hops, count in each if count > 1)

    @property
    def mean_hops(self) -> float:
        """The mean hops between the NICs of different servers, over all pairs."""
        return self._over_pairs(self.hop_steps or self.steps)

    @property
    def mean_switches(self) -> float:
        """The mean switches between them."""
        return self._over_pairs(self.steps)

    def _over_pairs(self, steps: tuple[int, ...]) -> float:
        shares = hop_shares(self.servers, self.peers, self.unmet_rails)
        return float(sum(hops * share for hops, share in zip(steps, shares, strict=True)))


def slowest_ns(models: Iterable[Switch]) -> float:
    """Return the largest port-to-port latency; a model without one counts with its class's (collectives.yaml) a hop."""
    usual = collectives().switch_latency_ns
    return max(usual * model.inner_hops if model.latency_ns is None else model.latency_ns for model in models)
