"""The cheapest fabric of unlike servers on two tiers, by trying all sizes: written apart from the model."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product

__all__ = ["Asked", "Kind", "least_cost"]

LIMIT = 16
"""The native ports between a pair of switches."""


@dataclass(frozen=True)
class Kind:
    """A kind of server."""

    count: int
    """The number of them."""
    nics: int
    """The NICs of one."""
    gbps: int
    """The rate of a NIC, 100 or 200."""


@dataclass(frozen=True)
class Asked:
    """What is asked for, with switches whose ports of 200G each split in two of 100G."""

    kinds: tuple[Kind, ...]
    """The servers."""
    ports: int
    """The ports of a switch."""
    price: int
    """Its price."""
    link_price: int
    """The price of a link."""
    rails: int
    """The rails, each with leaves of its own."""
    ratio: Fraction
    """The largest oversubscription of a leaf."""
    together: bool
    """Whether units have servers of every kind."""
    spine_loss: Fraction = Fraction(0)
    """The share of throughput that has to remain without a spine."""
    leaf_loss: Fraction = Fraction(0)
    """The share of throughput that has to remain without a leaf."""

    @property
    def fastest(self) -> int:
        """The rate of the links up."""
        return max(kind.gbps for kind in self.kinds)


def least_cost(asked: Asked) -> int | None:
    """Return the least cost of switches and links; None where no sizes will do."""
    slots = product(*(range(1, kind.count + 1) for kind in asked.kinds))
    return min((cost for each in slots for cost in _costs(asked, each)), default=None)


def _costs(asked: Asked, slots: Sequence[int]) -> Iterator[int]:
    """Yield the cost of every fabric that has these servers of each kind in a unit."""
    pairs = list(zip(asked.kinds, slots, strict=True))
    units = [-(-kind.count // slot) for kind, slot in pairs]
    leaves = asked.rails * (max(units) if asked.together else sum(units))
    # Of a unit's NICs, dealt in turn, the first rail has most.
    ports = [math.ceil(slot * kind.nics / asked.rails) for kind, slot in pairs]
    hosts, faster = sum(kind.count * kind.nics for kind in asked.kinds), 200 // asked.fastest
    below = [range(len(ports))] if asked.together else [[number] for number in range(len(ports))]
    if any(1 - Fraction(math.ceil(kind.nics / asked.rails), kind.nics) < asked.leaf_loss for kind in asked.kinds):
        return
    for spines, copies in product(range(1, faster * asked.ports + 1), range(1, faster * LIMIT + 1)):
        fits = leaves * copies <= faster * asked.ports
        sides = [[(asked.kinds[k], ports[k]) for k in some] for some in below]
        if fits and all(_fits(asked, side, spines, copies) for side in sides):
            yield (leaves + spines) * asked.price + (hosts + leaves * spines * copies) * asked.link_price


def _fits(asked: Asked, down: Sequence[tuple[Kind, int]], spines: int, copies: int) -> bool:
    """Say whether the links of a leaf fit its ports, each split for one rate, and the bandwidth down that up.

    Without a spine a leaf has the others' links up: enough of all it had, or of what its servers send.
    """
    up, links = spines * copies, {100: 0, 200: 0}
    for kind, ports in down:
        links[kind.gbps] += ports
    sent = sum(rate * count for rate, count in links.items())
    links[asked.fastest] += up
    left = (up - copies) * asked.fastest
    if left < asked.spine_loss * min(sent, up * asked.fastest):
        return False
    return links[200] + math.ceil(links[100] / 2) <= asked.ports and sent <= asked.ratio * up * asked.fastest
