"""What crosses the cuts around the places of a Clos, step by step, from an algorithm's flows between servers."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from fabric.catalog import Server
from fabric.flow.algorithms import Algorithm
from fabric.flow.collectives import COLLECTIVES, Collective
from fabric.flow.phase import Phase
from fabric.flow.random_order import Law, busiest_place, members, places_of
from fabric.flow.rank_runs import FlowLayout, RankRuns
from fabric.flow.steps import Cuts, Ranks, Step, Tier

__all__ = ["leave_everywhere", "steps_of"]

ONE = Server("one", gpus=1, nics=1, nic_gbps=1)
"""A server of one NIC, for flows between servers."""

MOST_LAID = 4096
"""The most servers in random order between which flows are laid: what a server sends hardly depends on more."""

Numbers = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]


def leave_everywhere(ranks: Ranks) -> Step:
    """Return the step in which all that NICs send crosses every cut that the ranks do not fit into."""
    cuts = []
    for tier in ranks.tiers:
        load = float(tier.size < ranks.all_servers)
        number = 2 * ranks.all_servers / tier.size * tier.sets
        cuts.append(Cuts((np.array([load]), np.ones(1)), ((load, number),), load, tier.nics))
    return Step(1.0, tuple(cuts))


def steps_of(algorithm: Algorithm, record: Collective, ranks: Ranks) -> tuple[Step, ...]:
    """Return the steps of an algorithm with explicit flows; none in one server."""
    assert algorithm.flows is not None
    if ranks.servers == 1:
        return ()
    if record.all_pairs:
        return (_step_between_all(ranks),)
    if algorithm.traffic.next_rank and not ranks.scattered and ranks.each > 1:
        return (_step_to_next_server(algorithm.flows, record, ranks),)
    full, last = (_most_flows(ranks, count) for count in (ranks.each, ranks.rest or ranks.each))
    own, found = _counted_ranks(record, ranks), []
    for number, sent in enumerate(_sent(algorithm.flows, record, ranks, own)):
        uneven = (sent.each[-1:] if ranks.rest_last else sent.each) * last
        busiest = float(np.maximum(sent.busiest * full, uneven).mean())
        if ranks.scattered:
            busiest = sent.busiest * full
        cuts = _cuts_of_servers(algorithm.flows, record.name, number, ranks, sent, busiest)
        multiple = busiest / sent.busiest
        if ranks.scattered:
            # A ring that visits the GPUs of a server one by one leaves it each time.
            busiest = ranks.each * full * (record.passes * (ranks.gpus - 1) / ranks.gpus or 1.0)
        found.append(Step(busiest, cuts, sent.partners, multiple))
    return tuple(found)


def _counted_ranks(collective: Collective, ranks: Ranks) -> int:
    """Return the ranks that a layout between servers counts: all of them where data are cut in as many parts."""
    return ranks.gpus if collective.passes else ranks.servers


@dataclass(frozen=True)
class _Sent:
    """What servers of one NIC send each other in one phase."""

    busiest: float
    """The bytes of the server that sends or takes in most."""
    each: Numbers = field(compare=False)
    """The bytes that each sends or takes in, whichever is more, shape (servers,)."""
    total: float
    """The bytes of all."""
    senders: int
    """The servers that send."""
    partners: int
    """The servers that one sends to at most."""
    degree: int
    """The rings between the senders that have as many flows, both directions of a pair being one."""


def _sent(flows: FlowLayout, record: Collective, ranks: Ranks, own: int) -> tuple[_Sent, ...]:
    """Return what servers send each other, phase by phase; many in random order send as fewer do."""
    fewer = ranks.servers
    while ranks.drawn and fewer > MOST_LAID:
        fewer = round(fewer / 2)  # as far from a power of two, which some algorithms need
    times = ranks.servers / fewer
    return tuple(
        replace(each, total=each.total * times, senders=round(each.senders * times))
        for each in _sent_by_servers(flows, record.name, fewer, own)
    )


@lru_cache(maxsize=256)
def _sent_by_servers(flows: FlowLayout, collective: str, servers: int, ranks: int) -> tuple[_Sent, ...]:
    """Return what servers send each other, phase by phase."""
    found = []
    for phase in _between_servers(flows, collective, servers, ranks):
        ends = [np.bincount(end, phase.shares, servers) for end in (phase.source, phase.target)]
        both = np.maximum(*ends)
        senders = int(np.count_nonzero(ends[0]))
        partners = int(np.bincount(phase.source).max())
        rings = max(1, round(phase.flows / senders / 2))
        found.append(_Sent(float(both.max()), both, float(ends[0].sum()), senders, partners, rings))
    return tuple(found)


@lru_cache(maxsize=4)
def _between_servers(flows: FlowLayout, collective: str, servers: int, ranks: int) -> tuple[Phase, ...]:
    """Return the flows of a collective of `ranks` ranks between servers, each as if it had one NIC."""
    runs = replace(RankRuns.of(ONE, np.arange(servers)), ranks=ranks)
    return tuple(phase for phase in flows(runs, COLLECTIVES[collective], None) if phase.flows)


@lru_cache(maxsize=1024)
def _counted(
    flows: FlowLayout, collective: str, servers: int, ranks: int, number: int, size: int
) -> tuple[tuple[float, int], ...]:
    """Return what servers in order send out of places and into them, and how many places as much, in one phase."""
    phase = _between_servers(flows, collective, servers, ranks)[number]
    source, target = phase.source // size, phase.target // size
    out = source != target
    places = places_of(servers, size)
    loads = [np.bincount(end[out], phase.shares[out], places) for end in (source, target)]
    values, counts = np.unique(np.round(np.concatenate(loads), 9), return_counts=True)
    return tuple(zip(values.tolist(), counts.tolist(), strict=True))


def _cuts_of_servers(
    flows: FlowLayout, collective: str, number: int, ranks: Ranks, sent: _Sent, busiest: float
) -> tuple[Cuts, ...]:
    """Return what crosses where servers send to servers on their rails, for the phase of this number.

    A server whose NICs are as busy as the busiest sends `busiest`.
    """
    own = _counted_ranks(COLLECTIVES[collective], ranks)
    found = []
    for tier in ranks.tiers:
        full = tier.size * busiest
        if ranks.drawn:
            found.append(_cuts_drawn(tier, ranks, sent, full))
            continue
        # Of servers that are drawn but stand in order, a place has as many as it has of all, on average.
        size = max(1, round(tier.size * ranks.servers / ranks.all_servers))
        counted = _counted(flows, collective, ranks.servers, own, number, size)
        loads = tuple((load / full, count * tier.sets) for load, count in counted)
        most = max(load for load, _ in loads)
        crossing = sum(load * count for load, count in counted) / 2 / sent.total
        found.append(Cuts((np.array([most]), np.ones(1)), loads, crossing, tier.nics))
    return tuple(found)


def _cuts_drawn(tier: Tier, ranks: Ranks, sent: _Sent, full: float) -> Cuts:
    """Return what crosses where servers are in random order; a full place's NICs send `full`."""
    servers, size = ranks.all_servers, tier.size
    if servers <= size:
        return Cuts((np.zeros(1), np.ones(1)), (), 0.0, tier.nics)
    counts, chances = busiest_place(servers, size, sent.senders, sent.degree)
    one = sent.total / sent.senders / full
    crossing = (servers - size) / (servers - 1)
    mean = size * sent.senders / servers * crossing * one
    number = 2 * servers / size * tier.sets
    return Cuts((counts * one, chances), ((mean, number),), crossing, tier.nics, drawn=True)


def _step_between_all(ranks: Ranks) -> Step:
    """Return the step in which all ranks exchange data: (n - 1) / n of it each, less what stays in the server."""
    sent = ranks.each * (ranks.gpus - ranks.each) / ranks.gpus
    busiest = max(_most_ranks(ranks, count) * (ranks.gpus - count) for count in {ranks.each, ranks.rest or ranks.each})
    busiest /= ranks.gpus
    found = []
    for tier in ranks.tiers:
        counts, chances = _busiest_members(tier, ranks)
        loads = tuple(
            (part * _crossing(tier, ranks, part * tier.size) * sent / busiest, number * tier.sets)
            for part, number in _filled(tier, ranks)
        )
        most = np.array([part * _crossing(tier, ranks, part * tier.size) for part in counts]) * sent / busiest
        total = 2 * ranks.servers / tier.size * tier.sets * sent / busiest
        crossing = sum(load * number for load, number in loads) / total
        if ranks.servers < ranks.all_servers:
            loads = (*loads, (float(most @ chances), 2.0 * tier.sets))
        found.append(Cuts((most, chances), loads, crossing, tier.nics, drawn=True))
    # A NIC sends to all of another server, or where flows change rails before they leave to the one on its rail.
    partners = (ranks.servers - 1) * (1 if ranks.beside else min(ranks.server.nics, ranks.server.gpus))
    return Step(busiest, tuple(found), partners, busiest / sent)


def _crossing(tier: Tier, ranks: Ranks, servers: float) -> float:
    """Return the share of what a rank sends to all others that leaves its place, which has `servers` servers.

    Of the ranks in the place, those in other servers and on the same set of rails are reached below.
    """
    if ranks.sets_apart(tier) == 1 and servers >= ranks.servers:
        return 0.0
    inside = max(0.0, min(servers * ranks.each, ranks.gpus) - ranks.each) / ranks.sets_apart(tier)
    return 1 - inside / (ranks.gpus - ranks.each)


def _filled(tier: Tier, ranks: Ranks) -> tuple[tuple[float, float], ...]:
    """Return what places have of the servers of a full one that take part, each with the number of cuts around such."""
    full, rest = divmod(ranks.all_servers, tier.size)
    part = ranks.servers / ranks.all_servers
    return tuple(
        (load, number) for load, number in ((part, 2.0 * full), (part * rest / tier.size, 2.0)) if number and load
    )


def _busiest_members(tier: Tier, ranks: Ranks) -> Law:
    """Return the law of the most servers of a place that take part, as a share of a full one."""
    if ranks.servers == ranks.all_servers:
        return np.array([min(tier.size, ranks.servers) / tier.size]), np.ones(1)
    counts, chances = members(ranks.all_servers, tier.size, ranks.servers)
    within = np.minimum(np.cumsum(chances), 1.0) ** places_of(ranks.all_servers, tier.size)
    return counts / tier.size, np.diff(within, prepend=0.0)


def _step_to_next_server(flows: FlowLayout, collective: Collective, ranks: Ranks) -> Step:
    """Return the step in which the last GPU of a server sends to the first of the next, of another rail."""
    (sent,) = _sent_by_servers(flows, collective.name, ranks.servers, ranks.servers)
    last = (ranks.each - 1) * ranks.groups + np.arange(ranks.groups)
    busiest = _most_of(ranks, last)
    found = []
    for tier, below in zip(
        ranks.tiers, _cuts_of_servers(flows, collective.name, 0, ranks, sent, sent.busiest), strict=True
    ):
        # Of each server only the NICs of one rank are busy, among those on their set of rails.
        part = min(1.0, tier.sets / busiest)
        if ranks.sets_apart(tier) > 1:
            values, chances = _busiest_members(tier, ranks)
            # A GPU of several NICs is busy on as many sets of rails.
            busy = max(1.0, tier.sets / busiest)
            loads = tuple((part * load, number * busy) for load, number in _filled(tier, ranks))
            found.append(Cuts((part * values, chances), loads, 1.0, tier.nics))
            continue
        loads = tuple((load * part, number / tier.sets) for load, number in below.loads)
        found.append(Cuts((below.busiest[0] * part, below.busiest[1]), loads, below.crossing, tier.nics, below.drawn))
    return Step(busiest, tuple(found))


def _most_flows(ranks: Ranks, present: int) -> float:
    """Return the flows of the busiest NIC over an even part, of one flow for each rank of a full server.

    Flow i is of the i-th rank, around those `present`.
    """
    gpus = np.arange(ranks.each) % present * ranks.groups
    return _most_of(ranks, (gpus[:, None] + np.arange(ranks.groups)).reshape(-1)) / ranks.each


def _most_ranks(ranks: Ranks, present: int) -> float:
    """Return the ranks of a group that use the busiest NIC of a server, times its NICs."""
    return _most_of(ranks, np.arange(present * ranks.groups))


def _most_of(ranks: Ranks, gpus: Rows) -> float:
    """Return how many of these GPUs of a server use its busiest NIC, times its NICs, over the groups."""
    server = ranks.server
    used = np.bincount(gpus * server.nics // server.gpus)
    return float(used.max()) * server.nics / max(1, server.nics // server.gpus) / ranks.groups
