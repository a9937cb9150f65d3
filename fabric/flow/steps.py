"""The steps of a collective in closed form: the ranks as they stand, and what crosses the cuts around their places.

A cut is around the servers of one place below a tier and, where rails have not met, on one set of rails. What crosses
it counts as a share of what a full place sends when all of its NICs are as busy as the busiest.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from fabric.catalog import Server
from fabric.flow.random_order import Law

__all__ = ["Cuts", "Ranks", "Step", "Tier"]


@dataclass(frozen=True)
class Tier:
    """The places below one tier."""

    size: int
    """The servers of a full place."""
    nics: float
    """The NICs of a full place on one set of rails that have not met."""
    sets: int
    """The sets of rails that have not met."""


@dataclass(frozen=True)
class Ranks:
    """The ranks of a collective as they stand in equal servers, the last of which may have fewer."""

    server: Server
    """The server."""
    gpus: int
    """The ranks of one group."""
    each: int
    """The ranks of one server, of one group."""
    all_servers: int
    """The servers among which those of the ranks are drawn; as many as these where none are left over."""
    drawn: bool
    """Whether servers follow each other in random order, or else in that of their places."""
    rest_last: bool = True
    """Whether the server with fewer ranks comes last, or else anywhere."""
    scattered: bool = False
    """Whether ranks that follow each other are in different servers, GPU by GPU."""
    groups: int = 1
    """The groups that run the collective at the same time, GPU by GPU in turn."""
    beside: bool = False
    """Whether flows leave their servers on their target's rail already."""
    tiers: tuple[Tier, ...] = ()
    """The places below each tier but the top."""

    @property
    def servers(self) -> int:
        """The servers with ranks."""
        return -(-self.gpus // self.each)

    def sets_apart(self, tier: Tier) -> int:
        """Return the sets of rails among which flows go up from a place to change them.

        Of several NICs of a GPU each sends to the same one of another GPU's, so that there are no more than GPUs.
        """
        return 1 if self.beside else min(tier.sets, self.server.gpus)

    @property
    def rest(self) -> int:
        """The ranks of the last server where it has fewer than others, or else 0."""
        return self.gpus % self.each


@dataclass(frozen=True)
class Cuts:
    """What crosses the cuts below one tier in one step."""

    busiest: Law = field(compare=False)
    """The load of the busiest cut, as values and their probabilities."""
    loads: tuple[tuple[float, float], ...]
    """The loads of cuts in both directions, on average over orders, each with the number of such cuts."""
    crossing: float
    """The share of all bytes that crosses."""
    nics: float
    """The NICs of a full place behind one cut."""
    drawn: bool = False
    """Whether loads are means over random orders."""

    @property
    def by_bytes(self) -> list[tuple[float, float]]:
        """The loads of cuts, each with its part of the bytes that cross."""
        total = math.fsum(load * number for load, number in self.loads)
        return [(load, load * number / total) for load, number in self.loads if load]


@dataclass(frozen=True)
class Step:
    """One of the phases of a collective, which follow one another."""

    busiest: float
    """The bytes that the busiest NIC sends or takes in, over those of the collective, times the NICs of a server."""
    cuts: tuple[Cuts, ...]
    """What crosses the cuts below each tier but the top."""
    partners: int = 1
    """The NICs that a NIC sends to, at most."""
    multiple: float = 1.0
    """How many times as busy the busiest NIC is as one that has an even part of what its server sends."""
    in_order: bool = False
    """Whether each server sends to the next in the order of places."""
