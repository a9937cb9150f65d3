"""What ECMP leaves of a link's rate, when every NIC sends at line rate and all wait for the slowest."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from fabric.blueprint.hop_shares import hop_shares
from fabric.flow.fabric_summary import FabricSummary
from fabric.flow.hash_laws import Law, expected_greatest, poisson_law, thrown_law
from fabric.flow.steps import Step
from fabric.flow.subflows import Subflows

__all__ = [
    "Subflows",
    "ecmp_bottleneck",
    "ecmp_mean",
    "few_links",
    "mean_hashed_share",
    "slowest_hashed_share",
]

MOST_THROWN = 256
"""The most sub-flows out of one place that are thrown one by one; of more, Poisson's law errs by less than a point."""

FEWEST_LINKS = 8
"""The fewest links up from a place that share a random order's sub-flows about as independent ones would."""

NEVER = 1e-9
"""A probability so small that it is left out of an average."""

MOST = 1 - 1e-15
"""A probability that rounding keeps below 1."""


def slowest_hashed_share(summary: FabricSummary, step: Step, sent: Subflows) -> float:
    """Return the share of line rate that ECMP leaves to the slowest NIC in a step where each NIC sends `sent`.

    It is one over the expected load of the busiest link, at least 1. On a Clos, the sub-flows that leave a place are
    hashed onto its links up: as many as in random order by Poisson's law, and the few that leave it in order as balls
    thrown into boxes.
    """
    if not summary.several_paths:
        return 1.0
    if not summary.ratios_are_cuts:
        return _slowest_on_graph(summary, step.in_order, sent)
    subflows, found = step.multiple * sent.in_plane(summary.planes), list[tuple[Law, float]]()
    mirrors = summary.mirrors or (False,) * len(summary.ratios)
    for ratio, speed, mirrored, cuts in zip(summary.ratios, _speeds(summary), mirrors, step.cuts, strict=True):
        up = cuts.nics / (ratio * speed)
        # Where all that leaves a place goes to one other, links down may carry just what links up do.
        alike = 2 if mirrored and step.partners == 1 and not cuts.drawn else 1
        for load, number in cuts.loads:
            flows, cuts_alike = load * cuts.nics * subflows, number * summary.planes / alike
            if not flows:
                continue
            if cuts.drawn or flows > MOST_THROWN:
                law = poisson_law(flows / up, up * cuts_alike)
            else:
                law = thrown_law(max(1, round(flows)), max(1, round(up)), cuts_alike)
            found.append((law, subflows * speed))
    return 1 / expected_greatest(found)


def few_links(summary: FabricSummary, step: Step, sent: Subflows) -> bool:
    """Return whether so few links lead up from a place that Poisson's law, which takes each by itself, is far off."""
    if not summary.several_paths:
        return False
    subflows = step.multiple * sent.in_plane(summary.planes)
    return any(
        cuts.nics / (ratio * speed) < FEWEST_LINKS
        and (cuts.drawn or max(load for load, _ in cuts.loads) * cuts.nics * subflows > MOST_THROWN)
        for ratio, speed, cuts in zip(summary.ratios, _speeds(summary), step.cuts, strict=True)
        if cuts.crossing
    )


def _slowest_on_graph(summary: FabricSummary, in_order: bool, sent: Subflows) -> float:
    """Return the same on a direct network, where the links of a switch are one tier.

    Where there are few paths from one server's NICs to another's, they collide together: what Poisson's law counts is
    then such single-path groups of flows. Out of a switch of m servers only one sends `in_order`, by no more sub-flows
    than its own.
    """
    (ratio,), (speed,), (peers,) = summary.ratios, _speeds(summary), summary.peers
    nics = summary.server.nics
    ports = 2 * summary.servers * nics * summary.planes
    subflows, group = sent.in_plane(summary.planes), _single_path_flows(summary, sent)
    if not in_order:
        return ecmp_bottleneck(ports / ratio / speed, subflows * speed / group, ratio * summary.beyond_server)
    if summary.servers <= peers:
        return 1.0
    return ecmp_bottleneck(ports / ratio / speed, subflows * speed / group, ratio / peers, subflows * nics / group)


def mean_hashed_share(summary: FabricSummary, step: Step, sent: Subflows) -> float:
    """Return the mean share of line rate under ECMP in a step; flows that leave no place don't collide.

    A sub-flow shares links with those of other NICs, so where few NICs send out of a place there are fewer.
    """
    if not summary.ratios:
        return 1.0
    subflows = step.multiple * sent.averaged(summary.planes) * min(_speeds(summary)) / _single_path_flows(summary, sent)
    if not summary.ratios_are_cuts:
        below_leaf = float(hop_shares(summary.servers, summary.peers, summary.unmet_rails)[0])
        return below_leaf + (1 - below_leaf) * ecmp_mean(summary.ratios, subflows)
    shared = [
        ratio * (sum(load * part for load, part in cuts.by_bytes) - 1 / cuts.nics)
        for ratio, cuts in zip(summary.ratios, step.cuts, strict=True)
    ]
    crossing = [cuts.crossing for cuts in step.cuts]
    # Flows that turn at a tier collide on all tiers below it.
    found = 1 - crossing[0]
    for tier, (own, further) in enumerate(pairwise([*crossing, 0.0]), 1):
        loads = [load for load in shared[:tier] if load > 0]
        found += (own - further) * (ecmp_mean(loads, subflows) if loads else 1.0)
    return found


def _speeds(summary: FabricSummary) -> tuple[float, ...]:
    return summary.speeds or (1.0,) * len(summary.ratios)


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
    full = max(1.0, greatest)
    odds = math.pow(subflows * full**2 / greatest, 1.02 / math.pow(depth, 0.155)) / math.pow(depth, 0.53)
    return odds / (1 + odds) / full
