"""Transports as data: what each leaves of the rates at which links could be shared."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Delivery", "Transport"]


@dataclass(frozen=True)
class Delivery:
    """What a transport delivers in one order of packets."""

    share: float
    """The share of line rate that is left on paths through one tier."""
    tier_cost: float
    """The share of the rest that each further tier costs which a path climbs."""
    lone_pays: bool = True
    """Whether flows that get all of their rate, as no link is short of room for them, pay for tiers too."""


@dataclass(frozen=True)
class Transport:
    """A transport protocol of NICs."""

    name: str
    """The word by which it is asked for."""
    label: str
    """Its name for people, such as `RDMA`."""
    description: str
    """What it is, in a few words."""
    ordered: Delivery
    """What it delivers where the packets of a sub-flow keep to one path, in order."""
    sprayed: Delivery | None
    """What it delivers where packets of one message take several paths; None where that was not measured."""
    stream_rebalance: float
    """How much of the load that slow sub-flows do not carry the others of a flow take over in the long run: from 0, all
    carry as much as the slowest, to 1, each carries what it can."""
    message_rebalance: float
    """The same within one message, for which a collective waits."""

    def delivery(self, *, sprays: bool, queue_pairs: int) -> Delivery | None:
        """Return what it delivers on fabrics that spray packets, or that hash each of `queue_pairs` sub-flows.

        Packets also arrive out of order where the sub-flows of one message share its load; None where not measured.
        """
        return self.sprayed if sprays or (queue_pairs > 1 and self.message_rebalance) else self.ordered
