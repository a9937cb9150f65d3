"""What a collective runs on, as the time models see it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from fabric.catalog import Collectives, Generation, Protocol

__all__ = ["Machine"]


@dataclass(frozen=True)
class Machine:
    """What a collective runs on: GPUs in NVLink domains, and the bandwidths and latencies between them."""

    constants: Collectives
    """The constants of the time model."""
    generation: Generation
    """The constants of the GPUs' generation."""
    gpus: int
    """The GPUs."""
    domains: int
    """The NVLink domains (servers)."""
    domain: int
    """The GPUs of a domain."""
    nvlink: float
    """The line rate of a GPU's NVLink in GB/s, one direction; infinite without NVLink."""
    network: float
    """What all NICs of a domain carry in GB/s, one direction."""
    network_limit: str
    """What limits the network, in a word."""
    extra_us: float
    """The time of a network step beyond one through a single switch, in microseconds."""
    nics: int
    """The NICs of a domain."""
    channels: int
    """The channels of the communicator."""
    usual_channels: int
    """Those that the library would take by itself."""
    switches_reduce: bool = False
    """Whether the network's switches can reduce what they carry (SHARP)."""

    @property
    def size_class(self) -> int:
        """The index in `catalog.parts.Shares`: one domain, two, or more."""
        return min(self.domains, 3) - 1

    @property
    def more_channels(self) -> float:
        """Channels over those that shares are given for: between domains one for each NIC, as many as NVLink feeds."""
        searched = min(self.nics, self.generation.channels) / self.constants.channels if self.domains > 1 else 1.0
        return max(1.0, searched) * self.channels / self.usual_channels

    @property
    def carried(self) -> float:
        """The bus bandwidth that all channels carry in GB/s."""
        each = self.generation.channel_GBps
        return math.inf if each is None else each * self.channels

    @property
    def protocols(self) -> tuple[Protocol, ...]:
        """The protocols of the library."""
        return self.generation.protocols or self.constants.protocols

    @property
    def depth(self) -> int:
        """The levels of a binary tree over the domains."""
        return self.domains.bit_length() - 1

    @property
    def tree_sent(self) -> float:
        """The bytes that the busiest domain sends in an all-reduce by a double binary tree, over those of the call.

        A domain sends half of the bytes to its parent in each tree, and to each of its two children in the tree that
        it is not a leaf of. Of two domains each is the other's child once, and of three one has a single child.
        """
        return min(self.domains, 4) / 2

    @property
    def ring_nvlink(self) -> float:
        """The line rate of NVLink over what a GPU sends by it in a ring, in GB/s.

        Over several domains a ring leaves each at one GPU, another on every channel, so that NVLink carries one edge
        less than a domain has GPUs.
        """
        if self.domains == 1:
            return self.nvlink
        return self.nvlink * self.domain / (self.domain - 1) if self.domain > 1 else math.inf

    def bus(self, nvlink: float, crossing: float = 1.0) -> tuple[float, str]:
        """Return the bus bandwidth in GB/s where NVLink carries as much as `nvlink`, and what limits it.

        `crossing` is the part of what bus bandwidth counts that the network carries.
        """
        limits = [(nvlink, "NVLink"), (self.carried, "channels")]
        return min([*limits, (self.network / crossing, self.network_limit)] if self.domains > 1 else limits)

    def network_us(self, step_us: float) -> float:
        """Return what a network step takes, from what it takes in the model's protocol."""
        return step_us + self.generation.network_us + self.extra_us
