"""The time of a collective on a fabric, by the fastest algorithm and protocol, and what limits it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache

from fabric.blueprint import Blueprint
from fabric.catalog import Generation, Server, collectives
from fabric.errors import InputError, nearest, whole
from fabric.flow.algorithms import ALGORITHMS, Machine, Parts
from fabric.flow.collective import Collective, collective
from fabric.flow.ecmp_model import oversubscribed_share
from fabric.flow.fabric_summary import FabricSummary
from fabric.flow.router import summarize
from fabric.flow.routings import ROUTINGS, closed_form_routings

__all__ = [
    "ORDERS",
    "Estimate",
    "allreduce",
    "curve",
    "estimate",
    "fastest",
    "generation_of",
    "given",
    "sent",
    "shares_of",
    "transport",
    "usable",
]

RINGS = ("ring", "hierarchical-ring")
"""The algorithms whose servers talk to the next in placement alone."""

PARTNERS = {"tree": 4, "nvls-tree": 4, "hierarchical-tree": 4}
"""The others that a NIC sends to at one time, where it is not one: in a double binary tree one above in each of the
two, and two below in one of them."""

UNIFORM = ("pairwise", "direct")
"""The algorithms whose NICs send to all others alike."""

ORDERS = ("random", "contiguous")
"""The placements of closed forms: servers in any order, and every ring's in that of the fabric's places."""

LIBRARY = ("ring", "tree", "nvls", "nvls-tree", "pairwise", "direct")
"""What NCCL chooses from; the rest is for those who build a collective of several."""

LARGEST = 2**60
"""The most bytes of a collective, an exbibyte."""

USUAL = "hopper"
"""The generation whose constants count for GPUs of another, or of none that is known."""


@dataclass(frozen=True)
class Estimate:
    """The time of one collective of `size_bytes` over `gpus` GPUs; algbw and busbw as nccl-tests defines them, in GB/s.

    `limited_by` is `latency`, `NVLink`, `NIC`, `collisions`, `oversubscription` or `detours`, whichever takes the most
    time.
    Nine of ten measured times of such a size are within the share `expected_error` of the model's (docs/accuracy.md).
    """

    collective: str
    size_bytes: int
    gpus: int
    algorithm: str
    protocol: str
    time_s: float
    algbw_GBps: float
    busbw_GBps: float
    limited_by: str
    expected_error: float
    routing: str = ""
    placement: str = ""


def estimate(
    blueprint: Blueprint | FabricSummary,
    name: str,
    size_bytes: int,
    routing: str = "adaptive",
    algorithm: str | None = None,
    placement: str = "random",
) -> Estimate:
    """Estimate the collective `name` of `size_bytes` over every GPU of a blueprint, or of a shape, in closed form.

    The fastest of LIBRARY is taken, or `algorithm`, any of ALGORITHMS. `routing` is one of ROUTINGS, `placement` one of
    ORDERS: ranks in servers of random order, or in that of the fabric's places, which only rings make use of. Raises
    InputError for other words, for a collective that the algorithm has not, and for a size that is not positive.
    """
    policy = ROUTINGS.get_record(routing)
    if not policy.closed_form:
        raise InputError(f"{policy.label} routing has no closed form; use explicit flows (engine flows)")
    if placement not in ORDERS:
        raise InputError(f"no placement '{placement}' in closed form{nearest(placement, ORDERS)}")
    shape = blueprint if isinstance(blueprint, FabricSummary) else summarize(blueprint)
    machine_of = cache(lambda traffic: _machine(shape, _left(shape, routing, traffic), traffic))
    found = _fastest(shape, name, size_bytes, algorithm, lambda word: machine_of(_traffic(word, placement)))
    return replace(found, routing=routing, placement=placement)


def given(
    shape: FabricSummary, name: str, size_bytes: int, algorithm: str, placement: str, share: tuple[float, str]
) -> Estimate:
    """Estimate a collective as `estimate` does where the share of line rate left to the slowest NIC is known.

    `share` is that with the name of what limits it. A `placement` that is none of ORDERS counts as random.
    """
    return _fastest(shape, name, size_bytes, algorithm, lambda word: _machine(shape, share, _traffic(word, placement)))


def _fastest(
    shape: FabricSummary, name: str, size_bytes: int, algorithm: str | None, machine_of: Callable[[str], Machine]
) -> Estimate:
    if algorithm is not None and algorithm not in ALGORITHMS:
        raise InputError(f"no algorithm '{algorithm}'{nearest(algorithm, ALGORITHMS)}")
    if not whole(size_bytes, 1) or size_bytes > LARGEST:
        raise InputError(f"size_bytes {size_bytes!r:.40} is no whole number of bytes from 1 to 2**60")
    found = fastest(machine_of, collective(name), size_bytes, [algorithm] if algorithm else LIBRARY)
    if found is None:
        raise InputError(f"no {name} by '{algorithm}' on {shape.gpus:,} GPUs in {_domains(shape)}{_known(shape, name)}")
    return _estimate(shape, name, size_bytes, *found)


def fastest(
    machine_of: Callable[[str], Machine], kind: Collective, size_bytes: int, names: Iterable[str]
) -> tuple[str, Parts] | None:
    """Return the fastest of the algorithms and protocols with the parts of its time; None where none can do it.

    `machine_of` gives the machine as an algorithm finds it.
    """
    choices = [
        (parts.total, place, name, parts)
        for place, name in enumerate(names)
        for protocol in collectives().protocols
        if (parts := ALGORITHMS[name](machine_of(name), kind, protocol, size_bytes / 1e9))
    ]
    return min(choices, key=lambda choice: choice[:2])[2:] if choices else None


def allreduce(
    blueprint: Blueprint | FabricSummary, size_bytes: int, routing: str = "adaptive", algorithm: str | None = None
) -> Estimate:
    """Estimate an all-reduce of `size_bytes` over every GPU (see `estimate`)."""
    return estimate(blueprint, "all-reduce", size_bytes, routing, algorithm)


def curve(blueprint: Blueprint, sizes: Iterable[int], routings: Iterable[str] | None = None) -> tuple[Estimate, ...]:
    """Estimate an all-reduce of each size under each routing, by default all that have a closed form."""
    sizes, names = tuple(sizes), closed_form_routings() if routings is None else tuple(routings)
    return tuple(allreduce(blueprint, size, routing) for routing in names for size in sizes)


def shares_of(
    shape: FabricSummary, routing: str, algorithm: str, placement: str = "random"
) -> tuple[float, float, float]:
    """Return the shares of line rate that an algorithm's flows get in closed form: the mean, the slowest, the cut.

    The cut is what no routing gets beyond. The mean is that of random pairs; of traffic in order it is the slowest's.
    """
    traffic = _traffic(algorithm, placement)
    least = _left(shape, routing, traffic)[0]
    cut = oversubscribed_share(shape, in_order=traffic.in_order) if shape.by_tiers else 1.0
    mean_share = ROUTINGS[routing].mean_share
    if mean_share is None or traffic.in_order or shape.tiers == 1:
        return least, least, cut
    return max(least, transport(routing) * mean_share(shape, traffic.partners)), least, cut


def usable(shape: FabricSummary, name: str) -> tuple[str, ...]:
    """Return the algorithms that can do the collective `name` on such a fabric."""
    machine, kind = _machine(shape, (1.0, "NIC"), _traffic("ring", "random")), collective(name)
    return tuple(
        word
        for word, algorithm in ALGORITHMS.items()
        if any(algorithm(machine, kind, protocol, 1.0) for protocol in collectives().protocols)
    )


def generation_of(server: Server) -> Generation:
    """Return the constants of the server's GPUs: those of Hopper where it names no generation.

    GPUs of others than NVIDIA have Hopper's too, but for the reduction in NVLink switches.
    """
    known = collectives().generations
    usual = known[USUAL] if not server.generation else replace(known[USUAL], nvls=None)
    return known.get(server.generation, usual)


def _estimate(shape: FabricSummary, name: str, size_bytes: int, algorithm: str, parts: Parts) -> Estimate:
    seconds = max(parts.total, 1e-9)
    algbw = size_bytes / seconds / 1e9
    busbw = algbw * collective(name).factor(shape.gpus)
    error = next(error for least, error in collectives().expected_errors.items() if size_bytes >= least)
    return Estimate(name, size_bytes, shape.gpus, algorithm, parts.protocol, seconds, algbw, busbw, parts.limit, error)


@dataclass(frozen=True)
class _Traffic:
    """What matters of an algorithm's traffic: is it along rings, those in order; a NIC's partners; is it uniform."""

    ring: bool
    in_order: bool
    partners: int
    uniform: bool


def _traffic(algorithm: str, placement: str) -> _Traffic:
    ring = algorithm in RINGS
    return _Traffic(ring, ring and placement == "contiguous", PARTNERS.get(algorithm, 1), algorithm in UNIFORM)


def _machine(shape: FabricSummary, share: tuple[float, str], traffic: _Traffic) -> Machine:
    constants, server = collectives(), shape.server
    line = server.nics * shape.planes * shape.link_gbps / 8
    left, limit = share
    nvlink = server.nvlink_GBps or math.inf
    domain = min(server.gpus, shape.gpus)
    extra_us = (server.nic_us or 0.0) + _extra_us(shape, traffic)
    generation = generation_of(server)
    return Machine(
        constants, generation, shape.gpus, shape.servers, domain, nvlink, line * left, limit, extra_us, server.nics,
        shape.switches_reduce,
    )  # fmt: skip


def sent(shape: FabricSummary, name: str, algorithm: str) -> float:
    """Return the bytes that all NICs of a server send for each byte of a collective, as the closed forms have it."""
    simple = collectives().protocols[0]
    plain = replace(simple, ring=replace(simple.ring, bus=1.0), tree=replace(simple.tree, bus=1.0))
    machine = replace(_machine(shape, (1.0, "NIC"), _traffic(algorithm, "random")), nvlink=math.inf, network=1.0)
    parts = ALGORITHMS[algorithm](machine, collective(name), plain, 1.0) if machine.domains > 1 else None
    return sum(seconds for seconds, _ in parts.transfers) if parts else 0.0


def transport(routing: str) -> float:
    """Return the share of a link's rate that the transport makes use of."""
    return ROUTINGS[routing].transport_share()


def _left(shape: FabricSummary, routing: str, traffic: _Traffic) -> tuple[float, str]:
    """Return what is left of line rate to the slowest NIC, and what limits it."""
    policy, in_order = ROUTINGS[routing], traffic.in_order
    assert policy.slowest_share is not None
    # Sprayed packets take longer paths where these are less loaded; uniform traffic needs none.
    load_factor = shape.load_factor if policy.sprays and not traffic.uniform else 1.0
    shares = {
        "NIC": 1.0,
        "oversubscription": oversubscribed_share(shape, in_order=in_order),
        "detours": oversubscribed_share(shape, in_order=in_order, load_factor=load_factor),
        "collisions": policy.slowest_share(shape, in_order, traffic.partners),
    }
    limit = min(shares, key=lambda name: shares[name])
    return transport(routing) * shares[limit], limit


def _extra_us(shape: FabricSummary, traffic: _Traffic) -> float:
    """Return what a path takes beyond one through a single switch, in microseconds.

    Of a ring the mean path, between servers next to each other in placement (one in m leaves a place of m servers) or
    any two; for other traffic the longest, since a tree waits for it.
    """
    constants = collectives()
    passed = (shape.neighbour_hops if traffic.in_order else shape.mean_hops) if traffic.ring else shape.hops
    return max(0.0, passed - 1) * (shape.switch_ns + constants.fibre_ns_per_m * constants.cable_m) / 1000


def _domains(shape: FabricSummary) -> str:
    return "one server" if shape.servers == 1 else f"{shape.servers:,} servers"


def _known(shape: FabricSummary, name: str) -> str:
    names = ", ".join(usable(shape, name))
    return f"; there: {names}" if names else ""
