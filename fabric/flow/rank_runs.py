"""Explicit flows of each algorithm: phases of flows between the NICs of ranks that are placed in servers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fabric.blueprint.hosts import Hosts
from fabric.catalog import Server
from fabric.errors import InputError
from fabric.flow.collectives import Collective
from fabric.flow.phase import Phase
from fabric.resources import Work, refuse_excess

__all__ = [
    "FlowLayout",
    "RankRuns",
    "direct_flows",
    "halving_doubling_flows",
    "hierarchical_ring_flows",
    "ring_flows",
    "tree_flows",
]

BYTES_PER_FLOW = 100
"""The memory that a flow takes while it is laid out."""

GOLDEN = 0.6180339887498949
"""The golden ratio less one, whose multiples spread most evenly between whole numbers."""

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class RankRuns:
    """Ranks in runs: those next to each other in one server, which pass data by NVLink."""

    groups: int
    """The groups of ranks that run the same collective at the same time."""
    count: int
    """The runs of each group."""
    ranks: int
    """The ranks of each group."""
    start: Rows
    """The first rank of each run, through all groups, shape (groups * count,)."""
    length: Rows
    """The ranks of each run, shape (groups * count,)."""
    nics: Rows
    """The NICs of each rank, shape (groups * ranks, NICs of a GPU)."""
    server: Rows
    """The server of each rank, shape (groups * ranks,)."""
    speeds: npt.NDArray[np.float64] | None = None
    """The rate of every NIC over that of the fastest, shape (NICs,); None where all are alike."""

    @classmethod
    def of(cls, server: Server | Hosts, placement: npt.NDArray[Any]) -> RankRuns:
        """Return the runs of a placement: the GPU (server * GPUs + gpu) of each rank, (ranks,) or (groups, ranks).

        Raises InputError without ranks, or where groups differ in their runs.
        """
        gpus = np.atleast_2d(np.asarray(placement, np.int64))
        hosts = Hosts.equal(server) if isinstance(server, Server) else server
        servers = hosts.server_of_gpu(gpus)
        starts = np.ones(gpus.shape, bool)
        starts[:, 1:] = servers[:, 1:] != servers[:, :-1]
        counts = starts.sum(axis=1)
        if gpus.size == 0 or (counts != counts[0]).any():
            raise InputError("a placement needs ranks, and groups with equal numbers of servers")
        start = np.flatnonzero(starts)
        length = np.diff(np.append(start, gpus.size))
        each = hosts.shares_of_gpu(gpus)
        nics = hosts.nic_of_gpu(gpus.reshape(-1, 1), np.arange(each), each)
        speeds = hosts.speeds
        return cls(len(gpus), int(counts[0]), gpus.shape[1], start, length, nics, servers.reshape(-1), speeds)

    def between(self, source: Rows, target: Rows, share: Any, channels: Any = 0) -> Phase:
        """Return the flows between runs, numbered in each group: from every NIC of the larger to those of the other.

        `share` of the bytes, one number or one for each pair, goes from one run to the other, split evenly over its
        NICs and by this set of `channels`. Raises TooLarge.
        """
        groups = np.arange(self.groups)[:, None] * self.count
        source, target = (groups + source).reshape(-1), (groups + target).reshape(-1)
        width = np.maximum(self.length[source], self.length[target])
        _refuse_too_many(int(width.sum()) * self.nics.shape[1])
        pair = np.repeat(np.arange(len(source)), width)
        number = np.arange(len(pair)) - np.repeat(np.cumsum(width) - width, width)
        sender, receiver = (self.start[run][pair] + number % self.length[run][pair] for run in (source, target))
        shares, sets = (
            np.tile(np.broadcast_to(each, (len(source) // self.groups,)), self.groups)[pair]
            for each in (share, channels)
        )
        return self.send(sender, receiver, shares / width[pair], sets)

    def shifted(self, by: Rows, share: float) -> Phase:
        """Return the flows from every rank to those `by` positions further on in its group, around.

        Each flow has `share` of the bytes. Raises TooLarge.
        """
        _refuse_too_many(len(self.nics) * len(by) * self.nics.shape[1])
        rank = np.arange(len(self.nics))
        first, number = rank // self.ranks * self.ranks, rank % self.ranks
        target = first[:, None] + (number[:, None] + by) % self.ranks
        return self.send(np.repeat(rank, len(by)), target.reshape(-1), share)

    def send(self, source: Rows, target: Rows, share: Any, channels: Any = 0) -> Phase:
        """Return the flows from ranks to others, of those pairs that are in different servers, split over a GPU's NICs.

        `share` of the bytes, one number or one for each pair, goes from one to the other by this set of `channels`.
        """
        between = self.server[source] != self.server[target]
        each = self.nics.shape[1]
        shares, sets = (np.repeat(np.broadcast_to(one, source.shape)[between], each) for one in (share, channels))
        ends = [self.nics[rank[between]].reshape(-1) for rank in (source, target)]
        return Phase(ends[0], ends[1], shares / each, channels=sets if np.any(sets) else 0, speeds=self.speeds)


FlowLayout = Callable[[RankRuns, Collective, int | None], Iterator[Phase]]
"""Yields the phases of a collective's flows; the number bounds the peers of a rank that stand for all of them."""


def ring_flows(runs: RankRuns, collective: Collective, _: int | None) -> Iterator[Phase]:
    """Pass parts around a ring of all ranks; data that is not cut in parts goes along it once, from first to last."""
    if collective.passes:
        yield _ring(runs, collective.passes, runs.ranks)
    else:
        run = np.arange(runs.count)
        yield runs.between(run[:-1], run[1:], 1.0)


def hierarchical_ring_flows(runs: RankRuns, collective: Collective, _: int | None) -> Iterator[Phase]:
    """Pass parts around rings between servers, one for each GPU of a server, together with all that its GPUs hold."""
    yield _ring(runs, collective.passes, runs.count)


def _ring(runs: RankRuns, passes: int, members: int) -> Phase:
    run = np.arange(runs.count)
    return runs.between(run, (run + 1) % runs.count, passes * (members - 1) / members)


def tree_flows(runs: RankRuns, _: Collective, __: int | None) -> Iterator[Phase]:
    """Send up and down a double binary tree over the servers, half of the bytes on each (P. Sanders et al. 2009)."""
    # The parent of a server is its number with the lowest set bit moved up by one, or cleared where that is too large.
    child = np.arange(1, runs.count)
    lowest = child & -child
    parent = (child & ~lowest) | (lowest << 1)
    parent = np.where(parent < runs.count, parent, child & ~lowest)
    below = np.concatenate([child, (child + 1) % runs.count])  # the second tree is the first, one server on
    above = np.concatenate([parent, (parent + 1) % runs.count])
    tree = np.tile(np.repeat([0, 1], len(child)), 2)  # each has half of the channels
    yield runs.between(np.append(below, above), np.append(above, below), 0.5, tree)


def halving_doubling_flows(runs: RankRuns, collective: Collective, _: int | None) -> Iterator[Phase]:
    """Halve, double or both between servers; those beyond a power of two hand over their data first and get it last."""
    power = 1 << (runs.count.bit_length() - 1)
    extra, run = np.arange(power, runs.count), np.arange(power)
    if len(extra):
        yield runs.between(extra, extra - power, 1.0)
    for bit in (1 << exponent for exponent in reversed(range(power.bit_length() - 1))):
        yield runs.between(run, run ^ bit, collective.passes * bit / power)
    if len(extra):
        yield runs.between(extra - power, extra, 1.0)


def direct_flows(runs: RankRuns, collective: Collective, peers: int | None) -> Iterator[Phase]:
    """Send to all other ranks where all pairs exchange data, of which `peers` of each rank stand for all; else to one.

    NCCL starts the sends and receives of an all-to-all together and its channels work through them, none waiting for
    all to be done with a round, so links are shared by all of them over the whole time.
    """
    most = runs.ranks - 1 if collective.all_pairs else 1
    taken = min(peers or most, most)
    # One peer of each of `taken` equal parts of all distances; golden steps through the parts meet every rail.
    part = np.arange(taken) if taken == most else np.arange(taken) + np.arange(taken) * GOLDEN % 1.0
    distances = 1 + (part * most / max(taken, 1)).astype(np.int64)
    yield runs.shifted(distances, most / max(taken, 1) / (runs.ranks if collective.all_pairs else 1))


def _refuse_too_many(flows: int) -> None:
    remedy = "take fewer GPUs, or of an all-to-all only adaptive routing, for which some flows stand for all"
    refuse_excess(f"{flows:,} flows", Work(flows * BYTES_PER_FLOW), remedy)
