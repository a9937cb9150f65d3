"""The parts a fabric is made of: switches, servers and link parts, as frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

__all__ = ["Collectives", "Optic", "Protocol", "Server", "Steps", "Switch"]


@dataclass(frozen=True)
class Switch:
    """A switch model. `breakouts` maps a slower port rate (Gb/s) to the ports offered when all are split to it.

    `link_layer` is `ethernet` or `infiniband`, which never share a link; None is a box that goes with either.
    """

    name: str
    ports: int
    rate_gbps: int
    breakouts: Mapping[int, int] = field(default_factory=lambda: MappingProxyType({}))
    cages: int | None = None
    link_layer: str | None = None
    title: str = ""
    rack_units: int | None = None
    power_w: float | None = None
    latency_ns: float | None = None
    price_usd: float | None = None
    price_date: str = ""
    source: str = ""

    def radix(self, rate_gbps: int) -> int:
        """Return the links of `rate_gbps` that the switch ends, or 0 when its ports do not run at that rate."""
        return self.ports if rate_gbps == self.rate_gbps else self.breakouts.get(rate_gbps, 0)

    def links_per_cage(self, rate_gbps: int) -> int:
        """Return how many links of `rate_gbps` one cage, and so one module, carries at the most."""
        return -(-self.radix(rate_gbps) // (self.cages or self.ports))

    @property
    def rates(self) -> tuple[int, ...]:
        """The rates its ports run at, fastest first."""
        return tuple(sorted({self.rate_gbps, *self.breakouts}, reverse=True))


@dataclass(frozen=True)
class Server:
    """One NVLink domain: its GPUs, its NICs and what joins them. `nvlink_GBps` is per GPU and one way.

    `trays` are the parts that are cabled apart (an NVL72 rack has 18); `rails` is the number of rails that the NICs
    form, one NIC a rail unless said otherwise. `nic_us` is what the NICs' transport adds to a step over the network.
    """

    name: str
    gpus: int
    nics: int
    nic_gbps: int
    nvlink_GBps: float | None = None
    trays: int = 1
    rails: int | None = None
    title: str = ""
    power_w: float | None = None
    generation: str = ""
    nic_us: float | None = None
    source: str = ""


@dataclass(frozen=True)
class Optic:
    """A link part. `kind` is `link` (a whole link, priced), `module`, `cable`, or `offer` (shown, never chosen).

    `splits` are the numbers of slower links into which one such link may be split; `links` the links of a module.
    """

    name: str
    kind: str
    rate_gbps: int
    media: str
    splits: tuple[int, ...] = ()
    links: int = 1
    title: str = ""
    reach_m: float | None = None
    power_w: float | None = None
    price_usd: float | None = None
    price_date: str = ""
    source: str = ""

    def share(self, rate_gbps: int) -> float:
        """Return the share of the part that one link of `rate_gbps` takes (1, 1/2 ...), or 0 when it can't carry it."""
        ways = self.rate_gbps // rate_gbps if self.rate_gbps % rate_gbps == 0 else 0
        return 1.0 if ways == 1 else 1.0 / ways if ways in self.splits else 0.0


@dataclass(frozen=True)
class Steps:
    """The latencies of one algorithm under one protocol, in microseconds: once, per NVLink step, per network step.

    `bus` is the share of the bus bandwidth that flags and reductions leave.
    """

    base_us: float
    nvlink_us: float
    network_us: float
    bus: float


@dataclass(frozen=True)
class Protocol:
    """One protocol of a collective library: its latencies on rings and trees, and the data that fill its pipelines."""

    name: str
    fill_GB: float
    ring: Steps
    tree: Steps


@dataclass(frozen=True)
class Multicast:
    """Reductions in NVLink switches: the share of line rate that a GPU receives, latencies, and chunks.

    A round is a chunk for each channel of each GPU that reduces, of which there are `heads` at the most; over `deep`
    domains and more, chunks are `deep_chunk_bytes`.
    """

    received: float
    base_us: float
    network_us: float
    heads: int
    chunk_bytes: int
    deep: int
    deep_chunk_bytes: int


Shares = tuple[float, float, float]
"""Shares of the NVLink line rate on one, two, and more NVLink domains."""


@dataclass(frozen=True)
class Generation:
    """What a generation of GPUs gets of its NVLink line rate, by protocol and domains, and its own latencies.

    `network_us` is what a network step takes more than its protocol says. `ring` and `tree` are of bus bandwidth, on
    the usual number of channels; `channels` are the most between domains. `nvls` is the most algorithm bandwidth of a
    reduction in NVLink switches, on `nvls_channels` channels.
    """

    launch_us: float
    network_us: float
    ring: Mapping[str, Shares]
    tree: Mapping[str, Shares]
    nvls: Shares | None
    nvls_channels: int
    channels: int


@dataclass(frozen=True)
class Collectives:
    """The constants of the collective model; shares are of a line rate, latencies as their suffix says.

    `channels` are the usual graph channels of a communicator, and `delay` says how a small message fills its pipelines.
    """

    protocols: tuple[Protocol, ...]
    generations: Mapping[str, Generation]
    nvls: Multicast
    sharp_us: float
    sharp_share: float
    delay: float
    channels: int
    peers_at_once: int
    nic_share: float
    adaptive_share: float
    ecmp_subflows: int
    switch_latency_ns: float
    fibre_ns_per_m: float
    cable_m: float
    expected_errors: Mapping[int, float]
