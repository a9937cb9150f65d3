"""What ECMP leaves of a link's rate, when every NIC sends at line rate and all wait for the slowest."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from fabric.blueprint.hop_shares import hop_shares
from fabric.flow.fabric_summary import FabricSummary

__all__ = [
    "Subflows",
    "ecmp_bottleneck",
    "ecmp_mean",
    "mean_hashed_share",
    "oversubscribed_share",
    "slowest_hashed_share",
]

NEVER = 1e-9
"""A probability so small that it is left out of an average."""

MOST = 1 - 1e-15
"""A probability that rounding keeps below 1."""


@dataclass(frozen=True)
class Subflows:
    """What a NIC sends at the same time, each part of it hashed on its own."""

    qps: float
    """The queue pairs to each of its partners."""
    partners: int = 1
    """The NICs that it sends to."""

    def in_plane(self, planes: int) -> float:
        """Return the sub-flows in each plane: a NIC deals its queue pairs over the planes, at least one in each."""
        return self.partners * max(1.0, self.qps / planes)

    def averaged(self, planes: int) -> float:
        """Return the sub-flows of one flow in each plane that would get as much on average.

        Those to one partner make up for each other and those to several do not, so that partners count to the power
        of 0.8: fitted to explicit flows of trees on two and three tiers, within 5 points.
        """
        return math.pow(self.partners, -0.2) * self.in_plane(planes)


def slowest_hashed_share(summary: FabricSummary, in_order: bool, sent: Subflows) -> float:
    """Return the share of line rate that ECMP leaves to the slowest NIC where each NIC sends `sent`.

    1 where there is only one path; else the lock-step bottleneck of the hash (see `ecmp_bottleneck`) at the tier where
    it is worst, each uplink taking as many times more flows as the oversubscription up to there. When a ring runs over
    servers `in_order`, only one server sends out of a locality of m, so an m-th of the flows cross, and an uplink of a
    leaf has no more than those of the server's NICs there: on rails, where that is one, a ring in order meets no
    collision below the spine. Where there are few paths from one server's NICs to another's, they collide together:
    what Poisson's law counts is then such single-path groups of flows.
    """
    if summary.tiers == 1 or not summary.several_paths:
        return 1.0
    ports = 2 * summary.servers * summary.server.nics * summary.planes * (summary.tiers - 1)
    subflows, group = sent.in_plane(summary.planes), _single_path_flows(summary, sent)
    speeds = summary.speeds or (1.0,) * len(summary.ratios)
    # Of links that are faster there are fewer, and on each as many times more sub-flows even out.
    if not in_order:
        ratio, speed = max(summary.ratios), min(speeds)
        return ecmp_bottleneck(ports / ratio / speed, subflows * speed / group, ratio)
    together = (summary.leaf_nics, *(summary.server.nics,) * (summary.tiers - 2))
    tiers = zip(summary.ratios, speeds, summary.peers, together, strict=True)
    shares = (
        ecmp_bottleneck(ports / ratio / speed, subflows * speed / group, ratio / peers, subflows * nics / group)
        for ratio, speed, peers, nics in tiers
        if summary.servers > peers
    )
    return min((1.0, *shares))


def mean_hashed_share(summary: FabricSummary, sent: Subflows) -> float:
    """Return the mean share of line rate of random pairs under ECMP; pairs below one leaf don't collide."""
    below_leaf = float(hop_shares(summary.servers, summary.peers, summary.unmet_rails)[0])
    subflows = sent.averaged(summary.planes) * min(summary.speeds, default=1.0)
    mean = ecmp_mean(summary.ratios, subflows / _single_path_flows(summary, sent))
    return below_leaf + (1 - below_leaf) * mean


def _single_path_flows(summary: FabricSummary, sent: Subflows) -> float:
    """Return the sub-flows between two servers that share one path, at least one."""
    to_one = Subflows(sent.qps).in_plane(summary.planes)
    return max(1.0, summary.server.nics * to_one * summary.inverse_path_diversity)


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
    # Climb to the largest count that any link has with a probability worth counting, then sum from there down: the tail
    # P(more than k) is then summed from its smallest terms, so that it keeps its precision.
    k = math.ceil(mean)
    weight = math.exp(k * math.log(mean) - mean - math.lgamma(k + 1))
    while weight * links > NEVER:
        k += 1
        weight *= mean / k
    tail, share, fewer = 0.0, 0.0, 1.0
    while fewer > NEVER and k:
        tail += weight
        # All links have fewer than k with the probability (1 - tail)^links; log1p keeps tails far below one.
        fewer, all_below = math.exp(links * math.log1p(-min(tail, MOST))), fewer
        share += min(1.0, subflows / min(k, at_most)) * (all_below - fewer)
        weight *= k / mean
        k -= 1
    return share if k else share + fewer


def ecmp_mean(ratios: Sequence[float], subflows: float) -> float:
    """Return the mean share of line rate of a random permutation under ECMP, max-min fair.

    Every NIC sends to another by `subflows` sub-flows in each plane, hashed one by one. `ratios` are those of
    `FabricSummary`: for each tier below the top, bandwidth sent over bandwidth up. Where all are 1 the odds of the
    share on t tiers are n^g / d^0.53 with n sub-flows on a link, d = t - 1 and g = 1.02 / d^0.155: fitted to explicit
    flows of 1 to 32 sub-flows on two to four tiers, within 2 points. The greatest ratio R puts n = R * subflows on a
    link and leaves a NIC the R-th part, and a tier of ratio r counts for (r / R)^3 of one. On one tier the share is 1.
    """
    if not ratios:
        return 1.0
    greatest = max(ratios)
    depth = math.fsum((ratio / greatest) ** 3 for ratio in ratios)
    odds = math.pow(subflows * greatest, 1.02 / math.pow(depth, 0.155)) / math.pow(depth, 0.53)
    return odds / (1 + odds) / greatest


def oversubscribed_share(summary: FabricSummary, *, in_order: bool, load_factor: float = 1.0) -> float:
    """Return the share of line rate that oversubscription leaves to traffic of `load_factor` times the usual load.

    A ring over servers `in_order` leaves a locality of m servers by one of them, so the oversubscription r there costs
    it nothing while m >= r; traffic in random order, nearly all of which leaves where there are many localities, gets
    1/r. Ratios multiply going up.
    """
    peers = summary.peers if in_order else (1,) * len(summary.peers)
    return min((1.0, *(servers / (load_factor * ratio) for servers, ratio in zip(peers, summary.ratios, strict=True))))
