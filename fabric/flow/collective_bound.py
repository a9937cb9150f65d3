"""The bound of a collective: the bus bandwidth that no algorithm and no routing exceeds, whatever the library does.

A set of ranks must exchange with all others what the collective needs of both, over the links between: the narrowest of
these cuts bounds the time (Z. Zhao and others, ForestColl, arXiv:2402.06787). Where localities are alike only the cuts
around a GPU, a server, a unit, a pod and a zone need looking at, so a bound takes as long for a million GPUs as for a
hundred. It counts bytes, not latency.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from operator import itemgetter

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.blueprint.hosts import Hosts
from fabric.blueprint.metrics import metrics_of
from fabric.errors import InputError
from fabric.flow.collectives import COLLECTIVES, Collective

__all__ = ["CollectiveBound", "bound_collective"]

Rows = npt.NDArray[np.int64]
Rates = npt.NDArray[np.float64]


@dataclass(frozen=True)
class CollectiveBound:
    """What a collective has at most."""

    busbw_GBps: float
    """The bus bandwidth in GB/s as nccl-tests defines it."""
    seconds_per_GB: float
    """The least time for each GB of the collective's size."""
    cut: str
    """What the narrowest cut is around: a GPU, server, unit, pod or zone."""
    in_network_GBps: float | None
    """The bus bandwidth where the network's switches reduce what they carry; None where they can't."""


@dataclass(frozen=True, eq=False)
class _Cuts:
    """The cuts around places of one kind. The ranks of one group in one place are a set."""

    name: str
    """What the places are."""
    ranks: Rows
    """The ranks of each set, shape (sets,)."""
    place: Rows
    """The place of each set, shape (sets,)."""
    GBps: Rates
    """The bandwidth between each place and all others in GB/s, one direction, shape (places,)."""
    alike: Rows
    """The places that each stands for, shape (places,)."""
    reduces: bool | None = None
    """Whether what joins the places reduces what it carries; None where the network joins them."""

    @classmethod
    def of_parts(cls, name: str, parts: list[tuple[int, int, float]]) -> _Cuts:
        """Return the cuts of places with one set each, from how many are alike, their ranks and GB/s."""
        alike, ranks, speeds = zip(*parts, strict=True)
        place = np.arange(len(parts))
        return cls(name, np.array(ranks), place, np.array(speeds, np.float64), np.array(alike))

    @classmethod
    def of_sets(cls, name: str, place: Rows, speeds: Rates) -> _Cuts:
        """Return the cuts from the place of each rank, shape (groups, ranks), and the GB/s of every place."""
        keys, ranks = np.unique(place + np.arange(len(place))[:, None] * len(speeds), return_counts=True)
        used, row = np.unique(keys % len(speeds), return_inverse=True)
        return cls(name, ranks, row, speeds[used], np.ones(len(used), np.int64))

    def least_s(self, collective: Collective, ranks: int, groups: int, *, in_network: bool) -> float:
        """Return the least time for each GB of the collective, over `groups` of `ranks` ranks each, at the same time.

        What a place owes the others, or needs of them, crosses its border however it was combined before. Where nothing
        reduces on the way, combining the values of k places takes k - 1 messages, and passing on the result as many
        again (one-way gossip; F. Harary and A. Schwenk 1974, doi 10.1016/0016-0032(74)90058-5): so much do all places
        send together.
        """
        assert collective.crossing is not None
        crossing = np.where(self.ranks < ranks, collective.crossing(self.ranks, ranks), 0.0)
        alone = float((np.bincount(self.place, crossing, len(self.GBps)) / self.GBps).max())
        sets = int(self.alike[self.place].sum())
        together = collective.passes * (sets - groups) / float((self.alike * self.GBps).sum())
        return alone if (in_network if self.reduces is None else self.reduces) else max(alone, together)


def bound_collective(
    blueprint: Blueprint,
    collective: str = "all-reduce",
    gpus: int | npt.NDArray[np.int64] | None = None,
    *,
    in_network: bool | None = None,
) -> CollectiveBound | None:
    """Return the most that a collective has on an intact fabric; None for a single rank, or where no bound is known.

    `gpus` is a number, of the first in order, by default all, or the GPU of each rank as `place` returns them, shape
    (ranks,), or (groups, ranks) of groups that run it at the same time. `in_network` says whether the network's
    switches can reduce what they carry (SHARP), by default where all are InfiniBand; NVLink's do where the servers have
    such. Left out are NVLink of unknown bandwidth, and units of unlike servers. Raises InputError for an unknown
    collective and for more GPUs than there are.
    """
    record = COLLECTIVES.get_record(collective)
    if isinstance(gpus, np.ndarray):
        placed = np.atleast_2d(gpus)
        (groups, ranks), cuts = placed.shape, [*_cut_placement(blueprint, placed)]
    else:
        groups, ranks = 1, blueprint.gpus if gpus is None else gpus
        if not 1 <= ranks <= blueprint.gpus:
            raise InputError(f"gpus {ranks:,}: the design has {blueprint.gpus:,}; take 1 to {blueprint.gpus:,}")
        cuts = [*_cut_in_order(blueprint, ranks)]
    if record.crossing is None or ranks == 1:
        return None
    switched, reduced = (
        max(((each.least_s(record, ranks, groups, in_network=reduces), each.name) for each in cuts), key=itemgetter(0))
        for reduces in (False, True)
    )
    if not switched[0]:
        return None
    factor = record.bus_factor(ranks)
    reduces = blueprint.link_layer == "infiniband" if in_network is None else in_network
    return CollectiveBound(factor / switched[0], *switched, factor / reduced[0] if reduces else None)


def _cut_in_order(blueprint: Blueprint, ranks: int) -> Iterator[_Cuts]:
    """Yield the cuts around the places of the first GPUs, the smallest places first."""
    hosts = Hosts.of(blueprint)
    each = np.minimum(ranks, hosts.first_gpu[1:]) - np.minimum(ranks, hosts.first_gpu[:-1])
    yield from _cut_gpus(blueprint, hosts, each, alone=ranks <= hosts.gpus[np.flatnonzero(each)[0]])
    speeds = hosts.nics * hosts.gbps / 8
    parts = [part for kind in np.flatnonzero(each) for part in _split(each[kind], hosts.gpus[kind], speeds[kind])]
    yield _Cuts.of_parts("server", parts)
    for locality in metrics_of(blueprint).localities():
        parts = _split(ranks, locality.servers * blueprint.server.gpus, locality.gbps / 8)
        yield _Cuts.of_parts(locality.name, parts)


def _cut_placement(blueprint: Blueprint, gpus: Rows) -> Iterator[_Cuts]:
    """Yield the cuts around the places of the GPU of each rank, shape (groups, ranks), the smallest places first."""
    hosts = Hosts.of(blueprint)
    each = np.bincount(np.searchsorted(hosts.first_gpu, gpus.reshape(-1), side="right") - 1, minlength=len(hosts.gpus))
    server = hosts.server_of_gpu(gpus)
    yield from _cut_gpus(blueprint, hosts, each, alone=bool((server == server[:, :1]).all()))
    speeds = np.repeat(hosts.nics * hosts.gbps / 8, np.diff(hosts.first_server))
    yield _Cuts.of_sets("server", server, speeds)
    for locality in metrics_of(blueprint).localities():
        speeds = np.full(-(-blueprint.servers // locality.servers), locality.gbps / 8)
        yield _Cuts.of_sets(locality.name, server // locality.servers, speeds)


def _cut_gpus(blueprint: Blueprint, hosts: Hosts, gpus: Rows, *, alone: bool) -> Iterator[_Cuts]:
    """Yield the cuts around `gpus` GPUs of each kind of server, over NVLink and, unless `alone`, their NICs.

    There are none where servers have one GPU, or an NVLink of unknown bandwidth.
    """
    parts, reduces = [], False
    for kind, server in enumerate(blueprint.servers_by_role.values()):
        if not gpus[kind]:
            continue
        if server.nvlink_GBps is None or server.gpus == 1:
            return
        nics = 0.0 if alone else max(1, server.nics // server.gpus) * hosts.gbps[kind] / 8
        parts.append((int(gpus[kind]), 1, server.nvlink_GBps + nics))
        reduces |= blueprint.constants.generation(server.generation).nvls is not None
    yield replace(_Cuts.of_parts("GPU", parts), reduces=reduces)


def _split(ranks: int, size: int, speed: float) -> list[tuple[int, int, float]]:
    """Return how many places of `size` the ranks fill, and the last that they fill in part, each with its GB/s."""
    full, rest = divmod(int(ranks), int(size))
    return [(number, held, speed) for number, held in ((full, int(size)), (1, rest)) if number and held]
