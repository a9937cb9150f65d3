"""How collective libraries choose algorithm and protocol, and what their users can set."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

from fabric.catalog.parts import Shares
from fabric.errors import InputError, is_whole, nearest

__all__ = [
    "MOST_CHANNELS",
    "MOST_QPS",
    "PROTOCOLS",
    "GenerationTuning",
    "LibrarySettings",
    "LibraryTuning",
    "TuningCost",
]

PROTOCOLS = ("ll", "ll128", "simple")
"""The protocols of NCCL and RCCL."""

MOST_CHANNELS, MOST_QPS = 64, 128
"""The most channels of a communicator (MAXCHANNELS of NCCL), and queue pairs of a connection."""

MOST_US = 10_000
"""The longest latency of a step that can be set, in microseconds."""

UNBOUNDED: Shares = (math.inf, math.inf, math.inf)


@dataclass(frozen=True)
class LibrarySettings:
    """What users set of a collective library; None where it is left to the library.

    Raises InputError for a value out of range, or an unknown protocol. Versions and algorithms are checked where their
    tables are known.
    """

    channels: int | None = None
    """The channels of a communicator (NCCL_MIN_NCHANNELS and NCCL_MAX_NCHANNELS)."""
    qps: int | None = None
    """The queue pairs of a connection (NCCL_IB_QPS_PER_CONNECTION)."""
    protocol: str | None = None
    """The name of the protocol (NCCL_PROTO)."""
    algorithm: str | None = None
    """The name of the algorithm (NCCL_ALGO); the library takes another where it can't run."""
    version: str | None = None
    """The version whose cost model chooses; the newest known by default."""
    nvlink_us: float | None = None
    """The latency of a step over NVLink in microseconds, for every algorithm and protocol of rings and trees."""
    network_us: float | None = None
    """The latency of a step over the network in microseconds, through one switch, for every algorithm and protocol."""

    def over(self, other: LibrarySettings) -> LibrarySettings:
        """Return these settings, and those of `other` for what these leave open."""
        own = {field.name: getattr(self, field.name) for field in fields(self)}
        return replace(other, **{name: value for name, value in own.items() if value is not None})

    def __post_init__(self) -> None:
        """Raise InputError as the class says."""
        for name, most in (("channels", MOST_CHANNELS), ("qps", MOST_QPS)):
            value = getattr(self, name)
            if value is not None and not (is_whole(value, 1) and value <= most):
                raise InputError(f"nccl.{name} {value!r:.40}: not a whole number from 1 to {most}")
        for name in ("nvlink_us", "network_us"):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= MOST_US:
                raise InputError(f"nccl.{name} {value!r:.40}: not a number of microseconds from 0 to {MOST_US:,}")
        if self.protocol is not None and self.protocol not in PROTOCOLS:
            raise InputError(f"nccl.protocol '{self.protocol}' is unknown{nearest(self.protocol, PROTOCOLS)}")


@dataclass(frozen=True)
class TuningCost:
    """What a library counts an algorithm with under one protocol."""

    us: tuple[float, float, float]
    """The latency of a call, of a step over NVLink, and of one over the network, in microseconds."""
    bus: Shares
    """The share of bus bandwidth that the protocol leaves, on one, two and more servers."""
    by_size: tuple[float, ...] = (1.0,)
    """The bandwidth for 64 bytes, 128, ... over that of a large message, the last for all that are larger."""


@dataclass(frozen=True)
class GenerationTuning:
    """What a library counts a generation of GPUs with; bandwidths in GB/s, on one, two and more servers."""

    nvlink_share: float
    """The share of the NVLink line rate that it counts with."""
    inside: tuple[float, ...]
    """The speeds of a channel inside a server that it tries, the highest first."""
    between: tuple[float, ...]
    """The same between servers."""
    ll: Shares = UNBOUNDED
    """The most that LL carries."""
    ring_ll128: Shares = UNBOUNDED
    """The most that a channel carries of a ring with LL128."""
    tree_ll128: Shares = UNBOUNDED
    """The same of a tree with LL128."""
    tree: Shares = UNBOUNDED
    """The same of a tree with any protocol."""
    nvls_tree: Shares = UNBOUNDED
    """The same of a reduction in NVLink switches."""
    nvls_efficiency: float = 0.0
    """The share of a channel's speed that such a reduction gets; 0 where there is none."""


@dataclass(frozen=True)
class LibraryTuning:
    """The cost model by which one version of a library chooses."""

    library: str
    """The name of the library: `nccl` or `rccl`."""
    version: str
    """The version."""
    post_us: float
    """The least time of a step of a ring over several servers, in microseconds; with Simple three times that."""
    plateau: float
    """How many times longer the latency of an all-reduce by a ring with Simple over several servers is."""
    plateau_bytes: int
    """The bytes of a step of one channel from which it is."""
    most_channels: int
    """The most channels of its search."""
    most_heads: int
    """The most GPUs that it counts as reducing in NVLink switches."""
    tree_bus: float
    """The share of the channels' speed that trees get."""
    nvls_between: Shares
    """What a channel's speed between servers counts for where it reduces in NVLink switches."""
    nvls_ratio: float | None
    """The algorithm bandwidth of such a reduction over the speed of its channels; None: derived from what is sent."""
    costs: Mapping[str, Mapping[str, TuningCost]]
    """What it counts with by algorithm and protocol."""
    generations: Mapping[str, GenerationTuning]
    """What it counts with by generation of GPUs."""
