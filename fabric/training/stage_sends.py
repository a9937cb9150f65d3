"""How long a pipeline's sends take: those between the stages of the slowest of many pipelines, on average.

A stage starts when what all of its ranks that exchange messages in a layer wait for has arrived, so a boundary between
two stages takes as long as the slowest of their flows. A micro-batch crosses one boundary after another, so a pipeline
is as slow as its boundaries are on average, and the step waits for the slowest pipeline.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from fabric.blueprint.hosts import Hosts
from fabric.flow.hash_laws import Law, shared_law
from fabric.request.parallel import Parallel

__all__ = ["BYTE_S", "HashedGroups", "StageSends"]

BYTE_S = 8e-9
"""The seconds of a byte at 1 Gb/s."""

POINTS = 1024
"""The times, from the least to the longest that has a chance, on which laws of times are counted."""

NEVER = 1e-9
"""A chance so small that it is left out."""

TINY = 1e-300
"""A chance that stands for none, as it has a logarithm."""

DIGITS = 3
"""The digits of the seconds to which lower bounds of flows are equal."""

Rows = npt.NDArray[np.int64]
Amounts = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class HashedGroups:
    """The equal-cost groups of links of a fabric, onto whose links a hash deals sub-flows."""

    flows: Rows
    """The flows that use each group, shape (groups,)."""
    links: Amounts
    """The links of each group that are up, shape (groups,)."""
    gbps: Amounts
    """The rate of a link in Gb/s, shape (groups,)."""
    planes: int
    """The planes, each with an equal part of the links where these are several."""
    subflows: float
    """The sub-flows of a flow in a plane, each with an equal part of its bytes."""

    @cached_property
    def kinds(self) -> tuple[Amounts, Rows]:
        """The flows, links and rate of unlike groups, shape (kinds, 3), and the kind of each group, shape (groups,)."""
        columns = self.flows.astype(np.float64), self.links, self.gbps
        _, first, kind = np.unique(np.stack(columns, axis=1), axis=0, return_index=True, return_inverse=True)
        return np.stack(columns, axis=1)[first], np.asarray(kind.reshape(-1), np.int64)

    def law(self, own: int, flows: float, links: float, byte_s: float) -> Law:
        """Return the law of the time of the slowest of `own` of the `flows` on a group of as many links.

        A sub-flow that has a link to itself takes `byte_s` seconds for each byte of the message.
        """
        balls = max(1, round(own * self.subflows)), max(1, round(flows * self.subflows))
        counts, within = shared_law(*balls, max(1, round(links / self.planes)))
        return counts * byte_s, within**self.planes


@dataclass(frozen=True, eq=False)
class StageSends:
    """The flows of a pipeline's sends, and which of them wait for each other."""

    pipelines: int
    """The pipelines: sets of ranks whose stages start together."""
    boundaries: int
    """The boundaries between the stages of one, with that from the last to the first where this sends, too."""
    crossing: Rows
    """Pipeline and boundary of each flow as one number, pipeline * boundaries + boundary, shape (flows,)."""

    @classmethod
    def of(cls, hosts: Hosts, gpus: Rows, parallel: Parallel, *, around: bool) -> StageSends:
        """Return which flows of `send_to_next` wait for each other; `gpus` are (ranks of a stage, stages)."""
        boundaries, each = gpus.shape[1] - (not around), hosts.shares_of_gpu(gpus)
        together = parallel.together
        number = np.arange(len(gpus))[:, None] // together * boundaries + np.arange(boundaries)
        servers = hosts.server_of_gpu(gpus)
        leaves = (servers != np.roll(servers, -1, axis=1))[:, :boundaries]
        return cls(len(gpus) // together, boundaries, np.repeat(number[leaves], each))

    @property
    def crossings(self) -> int:
        """The boundaries of all pipelines."""
        return self.pipelines * self.boundaries

    def slowest(self, flow_s: Amounts, least_s: float) -> float:
        """Return the mean over boundaries of the slowest pipeline, of flows that take as long, shape (flows,).

        No boundary takes less than `least_s`.
        """
        found = np.full(self.crossings, least_s)
        np.maximum.at(found, self.crossing, flow_s)
        return float(found.reshape(self.pipelines, self.boundaries).mean(axis=1).max())

    def expect_slowest(
        self, arcs: Sequence[Rows], groups: HashedGroups, share: float, least_s: float, flow_s: Amounts | None = None
    ) -> float:
        """Return what `slowest` is on average where a hash draws the link of every sub-flow in each group.

        `arcs` have a group that each flow uses, -1 for none, shape (flows,) each, and a flow has the `share` of a
        message. No flow takes less than its `flow_s`, shape (flows,).
        """
        laws = list[Law]()
        drawn = [self._draw(column, groups, share, laws) for column in arcs]
        if flow_s is not None:
            drawn.append(self._bound(flow_s, least_s, laws))
        crossing, law = (np.concatenate(each) for each in zip(*drawn, strict=True))
        if not len(law):
            return least_s
        first, kind = _find_unlike(crossing, law, self.crossings)
        number = np.full(self.crossings, -1)
        number[first] = np.arange(len(first))
        shown = number[crossing] >= 0
        table = np.bincount(number[crossing[shown]] * len(laws) + law[shown], minlength=len(first) * len(laws))
        return self._expect(table.reshape(len(first), -1).astype(np.float64), kind, laws, least_s)

    def _draw(self, column: Rows, groups: HashedGroups, share: float, laws: list[Law]) -> tuple[Rows, Rows]:
        """Return the boundary and the law of the flows that use each group, both of shape (pairs,), adding the laws."""
        used = np.flatnonzero(column >= 0)
        pairs = np.sort(self.crossing[used] * len(groups.flows) + column[used])
        starts = np.flatnonzero(np.diff(pairs, prepend=-1))
        own = np.diff(starts, append=len(pairs))
        crossing, group = np.divmod(pairs[starts], len(groups.flows))
        kinds, kind_of = groups.kinds
        key = own * len(kinds) + kind_of[group]
        keys = np.flatnonzero(np.bincount(key))
        law = np.zeros(int(key.max(initial=0)) + 1, np.int64)
        law[keys] = np.arange(len(keys))
        byte_s, first = share / (groups.subflows * groups.planes) * BYTE_S, len(laws)
        for mine, kind in zip(*(each.tolist() for each in np.divmod(keys, len(kinds))), strict=True):
            flows, links, gbps = kinds[kind].tolist()
            laws.append(groups.law(mine, flows, links, byte_s / gbps))
        return crossing, first + law[key]

    def _bound(self, flow_s: Amounts, least_s: float, laws: list[Law]) -> tuple[Rows, Rows]:
        """Return the same of flows that take no less than as long."""
        bound = np.flatnonzero(flow_s > least_s)
        times, law = np.unique(np.round(flow_s[bound] / least_s, DIGITS), return_inverse=True)
        first = len(laws)
        laws += [(np.array([time * least_s]), np.ones(1)) for time in times.tolist()]
        return self.crossing[bound], first + law.reshape(-1)

    def _expect(self, unlike: Amounts, kind: Rows, laws: Sequence[Law], least_s: float) -> float:
        """Return the mean of the slowest pipeline, whose boundaries are of these kinds, shape (crossings,).

        A kind takes as long as the longest of its draws; `unlike` has how often it draws from each law, shape (kinds,
        laws). Draws are taken to be independent, of boundaries and of pipelines too.
        """
        longest = max(_longest(law, float(unlike.max()) * self.crossings) for law in laws)
        if longest <= least_s:
            return least_s
        width = (longest - least_s) / (POINTS - 1)
        # Between two points times count as the nearer one.
        ends = least_s + width * (np.arange(POINTS) + 0.5)
        within = np.exp(unlike @ np.stack([_log_chances(law, ends) for law in laws]))
        size = POINTS * self.boundaries
        each = np.fft.rfft(np.diff(within, axis=1, prepend=0.0), size)
        first, alike_of = _find_unlike(np.arange(self.crossings) // self.boundaries, kind, self.pipelines)
        below = np.zeros(size)
        for pipeline, alike in zip(first.tolist(), np.bincount(alike_of).tolist(), strict=True):
            used, often = np.unique(kind[pipeline * self.boundaries :][: self.boundaries], return_counts=True)
            # The law of the sum over boundaries; times are those beyond the least.
            law = np.fft.irfft(np.prod(each[used] ** often[:, None], axis=0), size)
            below += alike * np.log(np.clip(np.cumsum(law), TINY, 1.0))
        return least_s + width / self.boundaries * float((1 - np.exp(below)).sum())


def _longest(law: Law, draws: float) -> float:
    """Return the longest time that has a chance in as many draws."""
    times, chances = law
    return float(times[min(int(np.searchsorted(chances, 1 - NEVER / draws)), len(times) - 1)])


def _log_chances(law: Law, times: npt.NDArray[Any]) -> Amounts:
    """Return the logarithm of the chance that a draw takes none longer than these times, which ascend."""
    last = np.searchsorted(law[0], times, side="right") - 1
    return np.asarray(np.log(np.where(last < 0, TINY, np.maximum(law[1][last], TINY))), np.float64)


def _find_unlike(owner: Rows, kind: Rows, owners: int) -> tuple[Rows, Rows]:
    """Return the first owner of each unlike collection of kinds, and the number of each owner's collection.

    Collections are alike where the sums of random numbers that stand for their kinds are; of two unlike ones these are
    equal with a chance of 2^-63.
    """
    names = np.random.default_rng(0).integers(1, 1 << 63, int(kind.max(initial=0)) + 1, dtype=np.uint64)
    sums = np.zeros(owners, np.uint64)
    np.add.at(sums, owner, names[kind])
    _, first, number = np.unique(sums, return_index=True, return_inverse=True)
    return np.asarray(first, np.int64), np.asarray(number.reshape(-1), np.int64)
