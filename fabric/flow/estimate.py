"""The time of a collective on a fabric, by the fastest algorithm and protocol, and what limits it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from fabric.blueprint import Blueprint
from fabric.catalog import Generation, Server, collectives
from fabric.errors import InputError, nearest
from fabric.flow.algorithms import ALGORITHMS, Machine, Parts
from fabric.flow.collective import Collective, collective
from fabric.flow.routing import ROUTINGS, oversubscribed_share, routed_share
from fabric.flow.shape import Shape

__all__ = [
    "IN_ORDER",
    "Estimate",
    "allreduce",
    "curve",
    "estimate",
    "fastest",
    "generation_of",
    "network_share",
    "usable",
]

IN_ORDER = ("ring", "hierarchical-ring")
"""The algorithms whose servers talk to the next in placement; in all others to any."""

LIBRARY = ("ring", "tree", "nvls", "nvls-tree", "pairwise", "direct")
"""What NCCL chooses from; the rest is for those who build a collective of several."""

USUAL = "hopper"
"""The generation whose constants count for GPUs of another, or of none that is known."""


@dataclass(frozen=True)
class Estimate:
    """The time of one collective of `size_bytes` over `gpus` GPUs; algbw and busbw as nccl-tests defines them, in GB/s.

    `limited_by` is `latency`, `NVLink`, `NIC`, `collisions` or `oversubscription`, whichever takes the most time.
    Nine of ten measured times of such a size are within the share `expected_error` of the model's (docs/accuracy.md).
    """

    collective: str
    size_bytes: int
    gpus: int
    algorithm: str
    protocol: str
    routing: str
    time_s: float
    algbw_GBps: float
    busbw_GBps: float
    limited_by: str
    expected_error: float


def estimate(
    blueprint: Blueprint | Shape,
    name: str,
    size_bytes: int,
    routing: str = "adaptive",
    algorithm: str | None = None,
    share: tuple[float, str] | None = None,
) -> Estimate:
    """Estimate the collective `name` of `size_bytes` over every GPU of a blueprint, or of a shape.

    The fastest of LIBRARY is taken, or `algorithm`, any of ALGORITHMS. `share` is what the fabric leaves of line rate
    to the slowest NIC, and what limits it; left out, the closed form of `routing`, one of ROUTINGS, says it. Raises
    InputError for other words, for a collective that the algorithm has not, and for a size that is not positive.
    """
    kind = collective(name)
    if share is None and routing not in ROUTINGS:
        raise InputError(f"no routing '{routing}'{nearest(routing, ROUTINGS)}")
    if algorithm is not None and algorithm not in ALGORITHMS:
        raise InputError(f"no algorithm '{algorithm}'{nearest(algorithm, ALGORITHMS)}")
    if not isinstance(size_bytes, int) or size_bytes < 1:
        raise InputError(f"size_bytes {size_bytes!r} is no whole, positive number of bytes")
    shape = blueprint if isinstance(blueprint, Shape) else Shape.of(blueprint)
    machines = {ordered: _machine(shape, routing, share, contiguous=ordered) for ordered in (True, False)}
    found = fastest(machines, kind, size_bytes, [algorithm] if algorithm else LIBRARY)
    if found is None:
        raise InputError(f"no {name} by '{algorithm}' on {shape.gpus:,} GPUs in {_domains(shape)}{_known(shape, name)}")
    return _estimate(shape, name, size_bytes, routing, *found)


def fastest(
    machines: Mapping[bool, Machine], kind: Collective, size_bytes: int, names: Iterable[str]
) -> tuple[str, Parts] | None:
    """Return the fastest of the algorithms and protocols with the parts of its time; None where none can do it.

    `machines` are what those of IN_ORDER find, and all others.
    """
    choices = [
        (parts.total, place, name, parts)
        for place, name in enumerate(names)
        for protocol in machines[True].constants.protocols
        if (parts := ALGORITHMS[name](machines[name in IN_ORDER], kind, protocol, size_bytes / 1e9))
    ]
    return min(choices, key=lambda choice: choice[:2])[2:] if choices else None


def allreduce(
    blueprint: Blueprint | Shape, size_bytes: int, routing: str = "adaptive", algorithm: str | None = None
) -> Estimate:
    """Estimate an all-reduce of `size_bytes` over every GPU (see `estimate`)."""
    return estimate(blueprint, "all-reduce", size_bytes, routing, algorithm)


def curve(blueprint: Blueprint, sizes: Iterable[int], routings: Iterable[str] = ROUTINGS) -> tuple[Estimate, ...]:
    """Estimate an all-reduce of each size under each routing."""
    sizes = tuple(sizes)
    return tuple(allreduce(blueprint, size, routing) for routing in routings for size in sizes)


def network_share(shape: Shape, routing: str, algorithm: str) -> float:
    """Return the share of line rate that the closed form leaves to the slowest NIC of an algorithm's traffic."""
    return min(collectives().nic_share, _left(shape, routing, contiguous=algorithm in IN_ORDER)[0])


def usable(shape: Shape, name: str) -> tuple[str, ...]:
    """Return the algorithms that can do the collective `name` on such a fabric."""
    machine, kind = _machine(shape, "adaptive", None, contiguous=False), collective(name)
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


def _estimate(shape: Shape, name: str, size_bytes: int, routing: str, algorithm: str, parts: Parts) -> Estimate:
    seconds = max(parts.total, 1e-9)
    algbw = size_bytes / seconds / 1e9
    busbw = algbw * collective(name).factor(shape.gpus)
    error = next(error for least, error in collectives().expected_errors.items() if size_bytes >= least)
    return Estimate(
        name, size_bytes, shape.gpus, algorithm, parts.protocol, routing, seconds, algbw, busbw, parts.limit, error
    )


def _machine(shape: Shape, routing: str, share: tuple[float, str] | None, *, contiguous: bool) -> Machine:
    constants, server = collectives(), shape.server
    line = server.nics * shape.planes * shape.link_gbps / 8
    left, limit = _left(shape, routing, contiguous=contiguous) if share is None else share
    if left >= constants.nic_share:
        left, limit = constants.nic_share, "NIC"
    nvlink = server.nvlink_GBps or math.inf
    domain = min(server.gpus, shape.gpus)
    extra_us = (server.nic_us or 0.0) + _extra_us(shape, contiguous=contiguous)
    generation = generation_of(server)
    return Machine(
        constants, generation, shape.gpus, shape.servers, domain, nvlink, line * left, limit, extra_us, server.nics,
        shape.switches_reduce,
    )  # fmt: skip


def _left(shape: Shape, routing: str, *, contiguous: bool) -> tuple[float, str]:
    """Return what is left of line rate to the slowest NIC, and what limits it."""
    constants = collectives()
    shares = {
        "NIC": constants.nic_share,
        "collisions": routed_share(shape, routing, contiguous=contiguous),
        "oversubscription": constants.nic_share * oversubscribed_share(shape, contiguous=contiguous),
    }
    limit = min(shares, key=lambda name: shares[name])
    return shares[limit], "NIC" if routing == "adaptive" and limit == "collisions" else limit


def _extra_us(shape: Shape, *, contiguous: bool) -> float:
    """Return what a path takes beyond one through a single switch, in microseconds.

    The mean over a ring's neighbours in order of placement, of which one in m leaves a place of m servers; for other
    traffic the longest path, since a tree waits for it.
    """
    constants = collectives()
    more = shape.neighbour_hops - 1 if contiguous else shape.hops - 1
    return max(0.0, more) * (shape.switch_ns + constants.fibre_ns_per_m * constants.cable_m) / 1000


def _domains(shape: Shape) -> str:
    return "one server" if shape.servers == 1 else f"{shape.servers:,} servers"


def _known(shape: Shape, name: str) -> str:
    names = ", ".join(usable(shape, name))
    return f"; there: {names}" if names else ""
