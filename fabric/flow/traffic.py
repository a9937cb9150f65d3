"""What a collective puts on the network: phases of flows between NICs, from its algorithm and the ranks' places."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fabric import units
from fabric.catalog import Server
from fabric.errors import InputError, TooLarge, nearest
from fabric.flow.phase import Phase
from fabric.network.expand import memory_bytes

__all__ = ["FLOWS_OF", "TRAFFIC", "phases"]

BYTES_PER_FLOW = 100
"""What a flow takes at most while it is laid out, routed and solved: columns, some six arcs, their shares."""

Rows = npt.NDArray[np.int64]
Flows = Callable[["_Runs", int | None], Iterator[Phase]]


@dataclass(frozen=True)
class _Runs:
    """Ranks in runs of one server each: `count` runs in each of `groups` groups of `ranks` ranks.

    `start` and `length` of a run have shape (groups * count,); `nics` of a rank (groups * ranks, NICs of a GPU);
    `per_server` are the NICs of a server.
    """

    groups: int
    count: int
    ranks: int
    start: Rows
    length: Rows
    nics: Rows
    per_server: int


def phases(
    server: Server, placement: npt.NDArray[Any], collective: str, algorithm: str, rounds: int | None = None
) -> Iterator[Phase]:
    """Yield the phases of flows of `collective` by `algorithm` between the GPUs of `placement`.

    `placement` holds the GPU (server * GPUs + gpu) of each rank, shape (ranks,), or (groups, ranks) of groups that run
    the same collective at the same time. Ranks next to each other in one server pass data by NVLink, and between two
    servers over as many NICs as they have. `rounds` bounds the phases of an all-to-all, those taken being spread over
    all and weighing for the rest. Raises InputError for an algorithm that the collective has not, and TooLarge.
    """
    known = [algorithm for name, algorithm in TRAFFIC if name == collective]
    if not known:
        raise InputError(f"no collective '{collective}'{nearest(collective, {name for name, _ in TRAFFIC})}")
    if (collective, algorithm) not in TRAFFIC:
        raise InputError(f"{collective} has no flows by '{algorithm}'{nearest(algorithm, known)}")
    yield from TRAFFIC[collective, algorithm](_runs(server, placement), rounds)


def _runs(server: Server, placement: npt.NDArray[Any]) -> _Runs:
    gpus = np.atleast_2d(np.asarray(placement, np.int64))
    where, gpu = gpus // server.gpus, gpus % server.gpus
    starts = np.ones(gpus.shape, bool)
    starts[:, 1:] = where[:, 1:] != where[:, :-1]
    counts = starts.sum(axis=1)
    if gpus.size == 0 or (counts != counts[0]).any():
        raise InputError("a placement needs ranks, and its groups as many servers each")
    start = np.flatnonzero(starts)
    each = max(1, server.nics // server.gpus)
    first = where * server.nics + gpu * server.nics // server.gpus
    nics = first.reshape(-1, 1) + np.arange(each)
    length = np.diff(np.append(start, gpus.size))
    return _Runs(len(gpus), int(counts[0]), gpus.shape[1], start, length, nics, server.nics)


def _between(runs: _Runs, source: Rows, target: Rows, share: Any) -> Phase:
    """Return the flows between runs numbered within each group: from every NIC of the larger to those of the other.

    `share` of the bytes, one number or one a pair, goes from one server to the other, split evenly over its NICs.
    """
    groups = np.arange(runs.groups)[:, None] * runs.count
    source, target = (groups + source).reshape(-1), (groups + target).reshape(-1)
    width = np.maximum(runs.length[source], runs.length[target])
    _refuse_too_many(int(width.sum()) * runs.nics.shape[1])
    pair = np.repeat(np.arange(len(source)), width)
    number = np.arange(len(pair)) - np.repeat(np.cumsum(width) - width, width)
    sender, taker = (runs.start[run][pair] + number % runs.length[run][pair] for run in (source, target))
    shares = np.tile(np.broadcast_to(share, (len(source) // runs.groups,)), runs.groups)[pair] / width[pair]
    return _crossing(runs, sender, taker, shares)


def _crossing(runs: _Runs, source: Rows, target: Rows, share: Any) -> Phase:
    """Return the flows of those pairs of ranks that stand in different servers, split over a GPU's NICs."""
    apart = runs.nics[source, 0] // runs.per_server != runs.nics[target, 0] // runs.per_server
    each = runs.nics.shape[1]
    shares = np.repeat(np.broadcast_to(share, source.shape)[apart] / each, each)
    return Phase(runs.nics[source[apart]].reshape(-1), runs.nics[target[apart]].reshape(-1), shares)


def _ring(passes: int, hierarchical: bool) -> Flows:
    """Pass parts around a ring, `passes` times.

    A flat ring has all ranks; a hierarchical one is between servers, one for each GPU of a server, which together carry
    what the server's GPUs hold.
    """

    def flows(runs: _Runs, _: int | None) -> Iterator[Phase]:
        at, ranks = np.arange(runs.count), runs.count if hierarchical else runs.ranks
        yield _between(runs, at, (at + 1) % runs.count, passes * (ranks - 1) / ranks)

    return flows


def _chain(runs: _Runs, _: int | None) -> Iterator[Phase]:
    """Pass everything along the ranks, from the first to the last."""
    at = np.arange(runs.count)
    yield _between(runs, at[:-1], at[1:], 1.0)


def _tree(runs: _Runs, _: int | None) -> Iterator[Phase]:
    """Send up and down a double binary tree over the servers, half of the bytes on each (P. Sanders et al. 2009)."""
    child = np.arange(1, runs.count)
    lowest = child & -child
    parent = (child & ~lowest) | (lowest << 1)
    parent = np.where(parent < runs.count, parent, child & ~lowest)
    below = np.concatenate([child, (child + 1) % runs.count])  # the second tree is the first, one server on
    above = np.concatenate([parent, (parent + 1) % runs.count])
    yield _between(runs, np.append(below, above), np.append(above, below), 0.5)


def _halving(passes: int) -> Flows:
    """Recursive halving, doubling or both between servers; those beyond a power of two lend and borrow at the ends."""

    def flows(runs: _Runs, _: int | None) -> Iterator[Phase]:
        power = 1 << (runs.count.bit_length() - 1)
        extra, at = np.arange(power, runs.count), np.arange(power)
        if len(extra):
            yield _between(runs, extra, extra - power, 1.0)
        for bit in (1 << place for place in reversed(range(power.bit_length() - 1))):
            yield _between(runs, at, at ^ bit, passes * bit / power)
        if len(extra):
            yield _between(runs, extra - power, extra, 1.0)

    return flows


def _pairwise(runs: _Runs, rounds: int | None) -> Iterator[Phase]:
    """Send to the rank 1, 2, ... further on, each round when the last is over."""
    taken = min(rounds or runs.ranks, runs.ranks - 1)
    weight = (runs.ranks - 1) / max(taken, 1)
    for by in 1 + ((np.arange(taken) + 0.5) * (runs.ranks - 1) / max(taken, 1)).astype(int):
        yield _sent(runs, np.array([by]), weight / runs.ranks)


def _at_once(runs: _Runs, _: int | None) -> Iterator[Phase]:
    """Send to every other rank at one time."""
    yield _sent(runs, np.arange(1, runs.ranks), 1 / runs.ranks)


def _next(runs: _Runs, _: int | None) -> Iterator[Phase]:
    """Send to the next rank."""
    yield _sent(runs, np.array([1]), 1.0)


def _sent(runs: _Runs, by: Rows, share: float) -> Phase:
    """Return the flows from every rank to those `by` further on in its group, around."""
    _refuse_too_many(len(runs.nics) * len(by) * runs.nics.shape[1])
    rank = np.arange(len(runs.nics))
    first, number = rank // runs.ranks * runs.ranks, rank % runs.ranks
    target = first[:, None] + (number[:, None] + by) % runs.ranks
    return _crossing(runs, np.repeat(rank, len(by)), target.reshape(-1), share)


def _refuse_too_many(flows: int) -> None:
    needed, present = flows * BYTES_PER_FLOW, memory_bytes()
    if needed > present / 2:
        raise TooLarge(
            f"{flows:,} flows take {units.size(needed)}, more than half of this machine's {units.size(present)};"
            " take fewer GPUs, or an all-to-all by rounds (pairwise)"
        )


TRAFFIC: dict[tuple[str, str], Flows] = {
    ("all-reduce", "ring"): _ring(2, hierarchical=False),
    ("all-reduce", "hierarchical-ring"): _ring(2, hierarchical=True),
    ("all-reduce", "tree"): _tree,
    ("all-reduce", "hierarchical-tree"): _tree,
    ("all-reduce", "halving-doubling"): _halving(2),
    ("reduce-scatter", "ring"): _ring(1, hierarchical=False),
    ("reduce-scatter", "hierarchical-ring"): _ring(1, hierarchical=True),
    ("reduce-scatter", "halving-doubling"): _halving(1),
    ("all-gather", "ring"): _ring(1, hierarchical=False),
    ("all-gather", "hierarchical-ring"): _ring(1, hierarchical=True),
    ("all-gather", "halving-doubling"): _halving(1),
    ("broadcast", "ring"): _chain,
    ("all-to-all", "pairwise"): _pairwise,
    ("all-to-all", "direct"): _at_once,
    ("send-recv", "direct"): _next,
}
"""The flows by collective and algorithm."""

FLOWS_OF = {"nvls-tree": "tree"}
"""The algorithms whose flows between servers are those of another."""
