"""What routing leaves of a link's rate, when every NIC sends at line rate and all wait for the slowest."""

from __future__ import annotations

import math
from collections.abc import Sequence

from fabric.catalog import collectives
from fabric.flow.fabric_summary import FabricSummary

__all__ = [
    "ROUTINGS",
    "ecmp_bottleneck",
    "ecmp_mean",
    "lot_of",
    "oversubscribed_share",
    "plane_subflows",
    "routed_share",
]

ROUTINGS = ("adaptive", "ecmp")
"""Per-packet adaptive routing or spraying; and a hash of each queue pair onto one of the equal paths."""

NEVER = 1e-9
"""A chance so small that it is left out of a mean."""

MOST = 1 - 1e-15
"""A chance that rounding keeps below 1."""


def routed_share(shape: FabricSummary, routing: str, *, contiguous: bool, partners: int = 1) -> float:
    """Return the share of line rate that `routing` leaves to the slowest NIC, which sends to `partners` at one time.

    1 when there is only one path, and for `adaptive`. For `ecmp` the lock-step bottleneck of the hash (see
    `ecmp_bottleneck`) at the tier where it is worst, each uplink taking as many times more flows as the ratio up to
    there. A NIC deals its queue pairs over the planes, one at least in each. Of a ring over servers in order
    only one server leaves a place of m, so an m-th of the flows cross, and no uplink of a leaf has more than those of
    the server's NICs there: on rails, where that is one, a ring in order meets no collision below the spine. Where a
    server's NICs have few ways to another's they collide together: by Poisson's law it is such lots that meet.
    """
    if shape.tiers == 1 or not shape.several_paths or routing == "adaptive":
        return 1.0
    ports = 2 * shape.servers * shape.server.nics * shape.planes * (shape.tiers - 1)
    subflows = plane_subflows(shape, partners)
    lot = lot_of(shape)
    if not contiguous:
        ratio = max(shape.ratios)
        return ecmp_bottleneck(ports / ratio, subflows / lot, ratio)
    together = (shape.leaf_nics, *(shape.server.nics,) * (shape.tiers - 2))
    tiers = zip(shape.ratios, shape.peers, together, strict=True)
    shares = (
        ecmp_bottleneck(ports / ratio, subflows / lot, ratio / peers, subflows * nics / lot)
        for ratio, peers, nics in tiers
        if shape.servers > peers
    )
    return min((1.0, *shares))


def plane_subflows(shape: FabricSummary, partners: int) -> float:
    """Return the sub-flows of a NIC in each plane, which sends to `partners` at one time by the usual queue pairs."""
    return partners * max(1.0, collectives().ecmp_subflows / shape.planes)


def lot_of(shape: FabricSummary) -> float:
    """Return the sub-flows between two servers that share a way, one at least."""
    return max(1.0, shape.server.nics * plane_subflows(shape, 1) * shape.crowding)


def ecmp_bottleneck(links: float, subflows: float, crossing: float, at_most: float = math.inf) -> float:
    """Return the mean share of line rate of the slowest of flows hashed onto `links` links at risk, at least one.

    A NIC splits its traffic in a plane evenly over `subflows`, of which the share `crossing` uses the links. A link
    carries k of them by Poisson's law of mean subflows * crossing, the busiest link k with the probability that all
    have at most k less that all have fewer, and min(1, subflows / k) is left: within 2 points of a Monte Carlo. No
    link has more than `at_most` sub-flows to carry.
    """
    mean, links = subflows * crossing, max(1.0, links)
    if not mean or at_most <= subflows:
        return 1.0
    k = math.ceil(mean)
    weight = math.exp(k * math.log(mean) - mean - math.lgamma(k + 1))
    while weight * links > NEVER:
        k += 1
        weight *= mean / k
    tail, share, fewer = 0.0, 0.0, 1.0
    while fewer > NEVER and k:
        tail += weight
        fewer, all_below = math.exp(links * math.log1p(-min(tail, MOST))), fewer
        share += min(1.0, subflows / min(k, at_most)) * (all_below - fewer)
        weight *= k / mean
        k -= 1
    return share if k else share + fewer


def ecmp_mean(ratios: Sequence[float], subflows: float) -> float:
    """Return the mean share of line rate of a random permutation under ECMP, max-min fair.

    Every NIC sends to another by `subflows` sub-flows in each plane, hashed one by one. `ratios` are those of `Shape`:
    for each tier below the top, bandwidth sent over bandwidth up. Where all are 1 the odds of the share on t tiers are
    n^g / d^0.53 with n sub-flows on a link, d = t - 1 and g = 1.02 / d^0.155: fitted to explicit flows of 1 to 32 sub-
    flows on two to four tiers, within 2 points. The greatest ratio R puts n = R * subflows on a link and leaves a NIC
    the R-th part, and a tier of ratio r counts for (r / R)^3 of one. With one tier the share is 1.
    """
    if not ratios:
        return 1.0
    greatest = max(ratios)
    depth = math.fsum((ratio / greatest) ** 3 for ratio in ratios)
    odds = math.pow(subflows * greatest, 1.02 / math.pow(depth, 0.155)) / math.pow(depth, 0.53)
    return odds / (1 + odds) / greatest


def oversubscribed_share(shape: FabricSummary, *, contiguous: bool, detour: float = 1.0) -> float:
    """Return the share of line rate that oversubscription leaves to traffic that loads links `detour` times as much.

    A ring over servers in order leaves a place of m servers by one of them, so the place's ratio r costs it nothing
    while m >= r; traffic in random order, nearly all of which leaves where there are many places, gets 1/r. Ratios
    multiply going up.
    """
    peers = shape.peers if contiguous else (1,) * len(shape.peers)
    return min((1.0, *(servers / (detour * ratio) for servers, ratio in zip(peers, shape.ratios, strict=True))))
