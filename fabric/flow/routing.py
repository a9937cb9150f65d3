"""What routing leaves of a link's rate, when every NIC sends at line rate and all wait for the slowest."""

from __future__ import annotations

import math
from itertools import count

from fabric.catalog import collectives
from fabric.flow.shape import Shape

__all__ = ["ROUTINGS", "ecmp_bottleneck", "oversubscribed_share", "routed_share"]

ROUTINGS = ("adaptive", "ecmp")
"""Per-packet adaptive routing or spraying; and a hash of each queue pair onto one of the equal paths."""


def routed_share(shape: Shape, routing: str, *, contiguous: bool) -> float:
    """Return the share of line rate that `routing` leaves to the slowest NIC.

    1 when there is only one path. For `ecmp` the lock-step bottleneck of the hash (see `ecmp_bottleneck`), each uplink
    of an oversubscribed leaf taking so many times more flows, and never better than adaptive routing. Of a ring over
    servers in order only one flow in as many as a leaf has servers leaves the leaf.
    """
    if shape.tiers == 1 or not shape.several_paths:
        return 1.0
    constants = collectives()
    if routing == "adaptive":
        return constants.adaptive_share
    links = 2 * shape.servers * shape.server.nics * shape.planes * (shape.tiers - 1)
    crossing = shape.ratios[0] / (shape.peers[0] if contiguous else 1)
    return min(constants.adaptive_share, ecmp_bottleneck(links, constants.ecmp_subflows, crossing))


def ecmp_bottleneck(links: int, subflows: int, crossing: float) -> float:
    """Return the share of line rate of the slowest of flows hashed onto `links` links at risk.

    A NIC splits its traffic evenly over `subflows`, of which the share `crossing` uses the links. The busiest link
    carries k of them, the largest k with links * P[Poisson(subflows * crossing) >= k] > ln 2, and min(1, subflows / k)
    is left: Poisson occupancy at the median of the maximum, within 3-7 % of a Monte Carlo.
    """
    mean = subflows * crossing
    if not mean:
        return 1.0
    tail = 1.0
    for k in count(max(1, int(mean - 12 * math.sqrt(mean) - 12))):  # below, the tail is 1 to the last bit
        tail -= math.exp((k - 1) * math.log(mean) - mean - math.lgamma(k))
        if links * tail <= math.log(2):
            return min(1.0, subflows / (k - 1)) if k > 1 else 1.0
    raise AssertionError


def oversubscribed_share(shape: Shape, *, contiguous: bool) -> float:
    """Return the share of line rate that oversubscription leaves.

    A ring over servers in order leaves a place of m servers by one of them, so the place's ratio r costs it nothing
    while m >= r; traffic between any two servers (a tree) gets 1/r. Ratios multiply going up.
    """
    peers = shape.peers if contiguous else (1,) * len(shape.peers)
    return min((1.0, *(servers / ratio for servers, ratio in zip(peers, shape.ratios, strict=True))))
