"""Which parts of a fabric are down at a time, drawn from failure rates and repair times, or in given numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from zlib import crc32

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.blueprint.hosts import Hosts
from fabric.catalog import HOURS_PER_YEAR, FailureRate
from fabric.errors import InputError, is_whole, nearest
from fabric.flow.failure_words import FailableParts, Failed
from fabric.flow.router import router_of
from fabric.topology.topology import PLANE

__all__ = ["HOURS_PER_MONTH", "KindAtRisk", "PartsAtRisk", "find_parts_at_risk"]

HOURS_PER_MONTH = HOURS_PER_YEAR / 12
"""The hours of a month, a twelfth of a year."""

Mask = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int64]

OF_LINKS, OF_SWITCHES = "link", "switch"
"""The kinds of rates that stand for every bundle of links, and for every role of switches."""


@dataclass(frozen=True)
class KindAtRisk:
    """Parts of one kind, any of which may be down."""

    kind: str
    """The kind: a bundle of links, a role of switches, `server`, `nic`, `gpu`, `plane`, or `link` for all links."""
    parts: int
    """The number of parts of this kind."""
    rate: FailureRate | None
    """How often one fails and how long it is then down; None where a number of them is down."""
    down: int | None = None
    """The number that is down; None where it is drawn by the rate."""

    @property
    def expected_down(self) -> float:
        """The mean number of parts that are down at a time."""
        share = self.share_of_time
        return float(self.down or 0) if share is None else self.parts * share

    @property
    def share_of_time(self) -> float | None:
        """The share of time that a part is down; None without a rate."""
        return None if self.rate is None else self.rate.unavailability

    @property
    def none_down(self) -> float:
        """The share of time in which no part of the kind is down."""
        share = self.share_of_time
        return float(not self.down) if share is None else (1 - share) ** self.parts

    @property
    def failures_per_month(self) -> float | None:
        """The mean number of parts that fail in a month, a twelfth of a year; None without a rate."""
        return (
            None if self.rate is None else self.parts * (self.rate.per_year or 0.0) * HOURS_PER_MONTH / HOURS_PER_YEAR
        )


@dataclass(frozen=True)
class PartsAtRisk:
    """The parts of a fabric that may be down.

    Parts fail independently of each other. Each kind draws from a stream of its own, which depends on the seed and on
    the name of the kind alone: without one kind, all others fail as before (common random numbers), and no draw depends
    on those before it or on who makes them.
    """

    parts: FailableParts
    """The parts that have names."""
    kinds: tuple[KindAtRisk, ...]
    """The kinds that may be down."""

    @cached_property
    def links(self) -> int:
        """The number of links."""
        return self.parts.blueprint.links_total

    @cached_property
    def nic_of_links(self) -> Rows:
        """The NIC of each link to a server, shape (links to servers,), the first of all links."""
        return router_of(self.parts.blueprint).nic_of_links()

    def draw(self, seed: int) -> dict[str, Failed]:
        """Return what is down of each kind under a seed; kinds of which nothing is are left out."""
        found = {}
        for kind in self.kinds:
            rng = _stream(seed, kind.kind)
            share = kind.share_of_time
            number = kind.down if share is None else int(rng.binomial(kind.parts, share))
            if number:
                numbers = np.sort(rng.choice(kind.parts, number, replace=False, shuffle=False))
                found[kind.kind] = self.parts.fail_numbers(kind.kind, numbers)
        return found

    def draw_alone(self, kind: KindAtRisk, seed: int, among: Rows, most: int) -> Iterator[Failed]:
        """Yield parts of a kind, each down alone: all of `among` if they are at most `most`, or this number, drawn.

        `among` are numbers of parts, shape (parts,).
        """
        rng = _stream(seed, kind.kind, 1)
        for number in np.sort(among[rng.choice(len(among), min(most, len(among)), replace=False)]):
            yield self.parts.fail_numbers(kind.kind, np.array([number]))

    def find_parts(self, kind: str, links: Mask) -> Mask:
        """Return which parts of a kind take down any of these links to servers, shape (parts of the kind,).

        `links` has the shape (links to servers,), the first of all links.
        """
        parts, rows = self.parts, np.flatnonzero(links)
        found = np.zeros(parts.counts[kind], bool)
        if kind in parts.bundles:
            first, last = parts.bundles[kind]
            found[rows[(rows >= first) & (rows < last)] - first] = True
        elif kind == "nic":
            found[self.nic_of_links[rows]] = True
        elif kind == "gpu":
            servers = self.find_parts("server", links)
            found = servers[Hosts.of(parts.blueprint).server_of_gpu(np.arange(len(found)))]
        else:
            network = parts.network
            ends = np.concatenate([network.lower[rows], network.upper[rows]])
            if kind == "server":
                found[ends[ends < network.server_count]] = True
            for group in network.groups:
                inside = ends[(ends >= group.first) & (ends < group.first + group.count)] - group.first
                if kind == PLANE and PLANE in group.axes:
                    found[group.coordinates()[PLANE][inside]] = True
                elif group.role == kind:
                    found[inside] = True
        return found

    def links_up(self, failed: Mapping[str, Failed], without: str | None = None) -> Mask:
        """Return which links are up after failures of all kinds, or of all but one, shape (links,)."""
        up = np.ones(self.links, bool)
        for kind, each in failed.items():
            if kind != without:
                up &= each.up
        return up


def find_parts_at_risk(
    blueprint: Blueprint, rates: Mapping[str, FailureRate], counts: Mapping[str, int] | None = None
) -> PartsAtRisk:
    """Return the parts of a fabric that may be down, by failure rates or in fixed numbers.

    A rate of `link` stands for every bundle that has none of its own, and one of `switch` for every role of switches.
    Raises InputError for an unknown kind, for a rate or a repair time that is not known, for a part that would be down
    all the time, and for a kind that is in both.
    """
    parts, counts = FailableParts(blueprint), counts or {}
    found = [*_spread_rates(blueprint, rates, parts.counts), *_check_counts(counts, parts.counts)]
    if not found:
        raise InputError("no part may fail; give rates or counts, such as link=3")
    if twice := sorted(_find_twice(found, parts)):
        raise InputError(f"{', '.join(twice)}: drawn by a rate and by a count; give one of them")
    return PartsAtRisk(parts, tuple(found))


def _spread_rates(
    blueprint: Blueprint, rates: Mapping[str, FailureRate], sizes: Mapping[str, int]
) -> Iterator[KindAtRisk]:
    """Yield the kinds that have a rate, in the order of the fabric: links, switches, then what is in servers."""
    roles, bundles = blueprint.topology.roles, [bundle.name for bundle in blueprint.topology.bundles]
    known = [OF_LINKS, OF_SWITCHES, *bundles, *roles, "nic", "gpu", "server", PLANE]
    for kind in rates:
        if kind not in known:
            raise InputError(f"failure rate of '{kind:.60}': unknown kind{nearest(kind, known)}")
    general = {**dict.fromkeys(bundles, OF_LINKS), **dict.fromkeys(roles, OF_SWITCHES)}
    for kind in known:
        rate = rates.get(kind, rates.get(general.get(kind, kind)))
        if rate is not None and kind in sizes and kind != OF_LINKS and sizes[kind]:
            yield KindAtRisk(kind, sizes[kind], _check_rate(kind, rate))


def _check_rate(kind: str, rate: FailureRate) -> FailureRate:
    """Return a rate; raises InputError where a fact of it is not known, or no part would ever be up."""
    missing = [
        what for what, value in (("failure rate", rate.per_year), ("repair time", rate.repair_h)) if value is None
    ]
    if missing:
        raise InputError(
            f"{kind}: {' and '.join(missing)} not known; give failures a year and hours to repair, such as"
            f" --rate {rate.kind}=0.01:24"
        )
    if (rate.unavailability or 0.0) >= 1:
        raise InputError(
            f"{kind}: {rate.per_year:g} failures a year of {rate.repair_h:g} h each leave no time in service; give"
            " failures of one part a year"
        )
    return rate


def _check_counts(counts: Mapping[str, int], sizes: Mapping[str, int]) -> Iterator[KindAtRisk]:
    for kind, count in counts.items():
        if kind not in sizes:
            raise InputError(f"count of '{kind:.60}': unknown kind{nearest(kind, sizes)}")
        if not is_whole(count, 0):
            raise InputError(f"count of {kind} {count!r:.40}: not a whole number")
        if count > sizes[kind]:
            raise InputError(f"count of {kind} {count:,}: the fabric has only {sizes[kind]:,}")
        yield KindAtRisk(kind, sizes[kind], None, int(count))


def _find_twice(kinds: Sequence[KindAtRisk], parts: FailableParts) -> Iterator[str]:
    """Yield the kinds whose parts fail by a rate and by a count."""
    rated = {each.kind for each in kinds if each.rate is not None}
    counted = {each.kind for each in kinds if each.rate is None}
    yield from rated & counted
    if OF_LINKS in counted:
        yield from rated & set(parts.bundles)


def _stream(seed: int, kind: str, number: int = 0) -> np.random.Generator:
    return np.random.default_rng([seed, crc32(kind.encode()), number])
