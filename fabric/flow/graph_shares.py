"""What a direct network leaves to flows in closed form, from the load that uniform traffic puts on its links."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from fabric.flow.algorithms import Traffic
from fabric.flow.ecmp_model import Subflows
from fabric.flow.fabric_summary import FabricSummary
from fabric.flow.routings import RoutingPolicy
from fabric.flow.steps import Step

__all__ = ["detour_share", "deviation_of", "fits_surely", "graph_shares"]

SPRAYED_WITHIN, HASHED_WITHIN = 1.8, 2.5
"""The factor within which flows are of the closed form, either way, where packets are sprayed and where hashes choose:
measured of rings and trees on every family. Sprayed ones gain most by flows on a dragonfly, hashed ones on a BCube."""

SMOOTH = 10_000.0
"""The flows on a link from which their number counts as exact: it varies by less than 1 %."""


def graph_shares(
    summary: FabricSummary, policy: RoutingPolicy, traffic: Traffic, in_order: bool, sent: Subflows
) -> tuple[float, str, float]:
    """Return the share of line rate that is left to the slowest NIC, what limits it, and the mean share.

    A ring in order leaves a switch of m servers by one of them, other traffic by all. Sprayed packets take longer paths
    where these are less loaded; uniform traffic needs none.
    """
    assert policy.slowest_share is not None
    step = Step(1.0, (), in_order=in_order and traffic.ring)
    servers = summary.peers[0] if step.in_order else 1
    load = summary.ratios[0] * (1.0 if step.in_order else summary.beyond_server) / servers
    shares = {
        "NIC": 1.0,
        "oversubscription": 1 / load,
        "detours": 1.0 if traffic.uniform or not policy.sprays else detour_share(load, _group(summary, sent)),
        "collisions": policy.slowest_share(summary, step, sent),
    }
    limit = min(shares, key=lambda name: shares[name])
    least = shares[limit]
    if policy.mean_share is None or step.in_order:
        return least, limit, least
    return least, limit, policy.mean_share(summary, step, sent)


def deviation_of(policy: RoutingPolicy) -> float:
    """Return the factor within which flows are of the closed form where that is only near."""
    return SPRAYED_WITHIN if policy.sprays else HASHED_WITHIN


def _group(summary: FabricSummary, sent: Subflows) -> float:
    """Return what a server sends to another on one path at line rate, over what a link carries."""
    return summary.server.nics * summary.inverse_path_diversity / sent.partners


@lru_cache(maxsize=4096)
def detour_share(load: float, group: float) -> float:
    """Return the share s of line rate at which packets that make detours fill all links, at most 1.

    At line rate the links have the mean `load`, in groups of flows, each `group` times what a link carries, that take
    the same links: X of them by Poisson's law of mean load / group. What more than fills a link takes a path of one
    link more, and all links together have room for s load + E[max(0, s group X - 1)] = 1. So s is never below one over
    twice the load, which Valiant's paths guarantee, nor above one over the load. Both terms grow with load and group.
    """
    mean = load / group if group * SMOOTH > load else math.inf
    if mean > SMOOTH:
        return min(1.0, 1 / load)
    counts = np.arange(math.ceil(mean + 12 * math.sqrt(mean)) + 40)
    logs = np.concatenate([[-mean], np.log(mean) - np.log(counts[1:])])
    sent, chances = counts * group, np.exp(np.cumsum(logs))
    share = 1.0
    # The sum is convex and piecewise linear in s, so that Newton's steps come down to its root and end there.
    while True:
        full = sent * share > 1
        excess, chance = float(sent[full] @ chances[full]), float(chances[full].sum())
        if share * (load + excess) - chance <= 1 + 1e-12:
            return share
        share = (1 + chance) / (load + excess)


def fits_surely(summary: FabricSummary, traffic: Traffic, in_order: bool) -> bool:
    """Say whether sprayed packets have room whatever the placement: by way of intermediate switches drawn at random.

    So sent, any traffic loads links as uniform traffic does twice (L. Valiant 1982, doi 10.1137/0211027), where
    each switch sends no more than the NICs of one server of those below it if a ring runs over them in order.
    """
    return 2 * summary.ratios[0] <= (summary.peers[0] if in_order and traffic.ring else 1)
