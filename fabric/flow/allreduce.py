"""All-reduce in closed form: alpha-beta over the NVLink domain and the fabric, the best of ring, tree and hierarchies.

Times follow NCCL's own cost model (2.30.7, src/graph/tuning.cc) for latencies per step and protocol, to which the
fabric's own path adds what more switches than one cost; bandwidths are the slower of NVLink and the server's NICs.
Left out of that model, and to come: its corrections for middle sizes, and the limits per channel and protocol.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from fabric.blueprint import Blueprint
from fabric.catalog import collectives
from fabric.catalog.parts import Protocol
from fabric.errors import InputError, nearest
from fabric.flow.routing import ROUTINGS, oversubscribed_share, routed_share
from fabric.flow.shape import Shape

__all__ = ["ALGORITHMS", "Estimate", "allreduce", "curve"]


@dataclass(frozen=True)
class Estimate:
    """The time of one all-reduce of `size_bytes` on every GPU; algbw and busbw as nccl-tests defines them, in GB/s.

    `limited_by` is `latency`, `NVLink`, `NIC`, `collisions` or `oversubscription`, whichever takes the most time.
    """

    size_bytes: int
    algorithm: str
    protocol: str
    routing: str
    time_s: float
    algbw_GBps: float
    busbw_GBps: float
    limited_by: str


@dataclass(frozen=True)
class _Path:
    """What a collective finds: bandwidths in GB/s (NVLink per GPU, network per server) and their limits' names."""

    gpus: int
    servers: int
    domain: int
    nvlink: float
    network: float
    network_limit: str
    extra_us: float

    @property
    def bus(self) -> float:
        """The bus bandwidth of a ring through every GPU."""
        return min(self.nvlink, self.network) if self.servers > 1 else self.nvlink

    @property
    def bus_limit(self) -> str:
        return self.network_limit if self.servers > 1 and self.network < self.nvlink else "NVLink"


@dataclass(frozen=True)
class _Parts:
    """The parts of a time, in seconds: latency, and transfer with the name of what each part of it waits for."""

    latency: float
    transfers: tuple[tuple[float, str], ...]

    @property
    def total(self) -> float:
        return self.latency + sum(seconds for seconds, _ in self.transfers)

    @property
    def limit(self) -> str:
        return max([(self.latency, "latency"), *self.transfers])[1]


def allreduce(
    blueprint: Blueprint | Shape, size_bytes: int, routing: str = "adaptive", algorithm: str | None = None
) -> Estimate:
    """Estimate an all-reduce of `size_bytes` over every GPU of `blueprint`, by the fastest algorithm and protocol.

    `routing` is one of ROUTINGS; `algorithm`, when given, one of ALGORITHMS. Raises InputError for other words and for
    a size that is not positive.
    """
    if routing not in ROUTINGS:
        raise InputError(f"no routing '{routing}'{nearest(routing, ROUTINGS)}")
    if algorithm is not None and algorithm not in ALGORITHMS:
        raise InputError(f"no algorithm '{algorithm}'{nearest(algorithm, ALGORITHMS)}")
    if not isinstance(size_bytes, int) or size_bytes < 1:
        raise InputError(f"size_bytes {size_bytes!r} is no whole, positive number of bytes")
    shape = blueprint if isinstance(blueprint, Shape) else Shape.of(blueprint)
    names = [algorithm] if algorithm else list(ALGORITHMS)
    paths = {contiguous: _path(shape, routing, contiguous=contiguous) for contiguous in (True, False)}
    choices = [
        _estimate(name, protocol, paths[name.endswith("ring")], size_bytes, routing)
        for name in names
        for protocol in collectives().protocols
    ]
    return min(choices, key=lambda estimate: estimate.time_s)


def curve(blueprint: Blueprint, sizes: Iterable[int], routings: Iterable[str] = ROUTINGS) -> tuple[Estimate, ...]:
    """Estimate an all-reduce of each size under each routing."""
    sizes = tuple(sizes)
    return tuple(allreduce(blueprint, size, routing) for routing in routings for size in sizes)


def _estimate(name: str, protocol: Protocol, path: _Path, size_bytes: int, routing: str) -> Estimate:
    parts = ALGORITHMS[name](path, protocol, size_bytes / 1e9)
    seconds = max(parts.total, 1e-9)
    algbw = size_bytes / seconds / 1e9
    busbw = algbw * 2 * (path.gpus - 1) / path.gpus
    return Estimate(size_bytes, name, protocol.name, routing, seconds, algbw, busbw, parts.limit)


def _path(shape: Shape, routing: str, *, contiguous: bool) -> _Path:
    constants, server = collectives(), shape.server
    line = server.nics * shape.planes * shape.link_gbps / 8
    shares = {
        "NIC": constants.nic_share,
        "collisions": routed_share(shape, routing, contiguous=contiguous),
        "oversubscription": constants.nic_share * oversubscribed_share(shape, contiguous=contiguous),
    }
    limit = min(shares, key=lambda name: shares[name])
    limit = "NIC" if routing == "adaptive" and limit == "collisions" else limit
    nvlink = server.nvlink_GBps * constants.nvlink_share if server.nvlink_GBps else math.inf
    gpus = min(server.gpus, shape.gpus)
    extra_us = _extra_us(shape, contiguous=contiguous)
    return _Path(shape.gpus, shape.servers, gpus, nvlink, line * min(shares.values()), limit, extra_us)


def _extra_us(shape: Shape, *, contiguous: bool) -> float:
    """Return what a path takes beyond one through a single switch, in microseconds.

    The mean over a ring's neighbours in order of placement, of which one in m leaves a place of m servers; for other
    traffic the longest path, since a tree waits for it.
    """
    constants = collectives()
    more = shape.neighbour_hops - 1 if contiguous else shape.hops - 1
    return max(0.0, more) * (shape.switch_ns + constants.fibre_ns_per_m * constants.cable_m) / 1000


def _ring(path: _Path, protocol: Protocol, gigabytes: float) -> _Parts:
    """Pass the parts along one ring of all n GPUs, in 2(n-1) steps.

    P. Patarasuk and X. Yuan 2009, doi 10.1016/j.jpdc.2008.09.002.
    """
    steps, cost = 2 * (path.gpus - 1), protocol.ring
    crossing = 2 * (path.servers - 1)
    latency = cost.base_us + (steps - crossing) * cost.nvlink_us + crossing * (cost.network_us + path.extra_us)
    seconds = steps / path.gpus * gigabytes / (path.bus * protocol.share)
    return _Parts(latency * 1e-6, ((seconds, path.bus_limit),))


def _tree(path: _Path, protocol: Protocol, gigabytes: float) -> _Parts:
    """Reduce and broadcast along a double binary tree over the servers, a chain inside each.

    P. Sanders et al. 2009, doi 10.1016/j.parco.2009.09.001.
    """
    cost, depth = protocol.tree, math.floor(math.log2(path.servers)) if path.servers > 1 else 0
    latency = cost.base_us + 2 * ((path.domain - 1) * cost.nvlink_us + depth * (cost.network_us + path.extra_us))
    seconds = 2 * gigabytes / (path.bus * protocol.share * collectives().tree_share)
    return _Parts(latency * 1e-6, ((seconds, path.bus_limit),))


def _hierarchical_ring(path: _Path, protocol: Protocol, gigabytes: float) -> _Parts:
    """Reduce-scatter in the domain, a ring between servers on every rail, all-gather in the domain."""
    cost, crossing = protocol.ring, 2 * (path.servers - 1)
    inside = _inside(path, protocol, gigabytes)
    latency = inside.latency + crossing * (cost.network_us + path.extra_us) * 1e-6
    seconds = crossing / path.servers * gigabytes / (path.network * protocol.share)
    return _Parts(latency, (*inside.transfers, (seconds, path.network_limit)))


def _hierarchical_tree(path: _Path, protocol: Protocol, gigabytes: float) -> _Parts:
    """Reduce-scatter in the domain, a double binary tree between servers on every rail, all-gather in the domain."""
    depth = math.floor(math.log2(path.servers)) if path.servers > 1 else 0
    inside = _inside(path, protocol, gigabytes)
    latency = inside.latency + 2 * depth * (protocol.tree.network_us + path.extra_us) * 1e-6
    share = protocol.share * collectives().tree_share
    seconds = 2 * gigabytes / (path.network * share) if depth else 0.0
    return _Parts(latency, (*inside.transfers, (seconds, path.network_limit)))


def _inside(path: _Path, protocol: Protocol, gigabytes: float) -> _Parts:
    """Return the parts of the reduce-scatter and the all-gather inside the NVLink domain."""
    steps, cost = 2 * (path.domain - 1), protocol.ring
    seconds = steps / path.domain * gigabytes / (path.nvlink * protocol.share)
    return _Parts((cost.base_us + steps * cost.nvlink_us) * 1e-6, ((seconds, "NVLink"),))


ALGORITHMS: dict[str, Callable[[_Path, Protocol, float], _Parts]] = {
    "ring": _ring,
    "tree": _tree,
    "hierarchical-ring": _hierarchical_ring,
    "hierarchical-tree": _hierarchical_tree,
}
"""The algorithms by name, each giving the parts of its time."""
