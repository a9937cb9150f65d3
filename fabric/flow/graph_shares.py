"""What a direct network leaves to flows in closed form, from the load that uniform traffic puts on its links."""

from __future__ import annotations

from fabric.flow.algorithms import Traffic
from fabric.flow.ecmp_model import Subflows
from fabric.flow.fabric_summary import FabricSummary
from fabric.flow.routings import RoutingPolicy
from fabric.flow.steps import Step

__all__ = ["fits_surely", "graph_shares"]


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
    load = summary.ratios[0] * (1.0 if step.in_order else summary.beyond_server)
    detour = summary.load_factor if policy.sprays and not traffic.uniform else 1.0
    shares = {
        "NIC": 1.0,
        "oversubscription": servers / load,
        "detours": servers / (detour * load),
        "collisions": policy.slowest_share(summary, step, sent),
    }
    limit = min(shares, key=lambda name: shares[name])
    least = shares[limit]
    if policy.mean_share is None or step.in_order:
        return least, limit, least
    return least, limit, policy.mean_share(summary, step, sent)


def fits_surely(summary: FabricSummary, traffic: Traffic, in_order: bool) -> bool:
    """Say whether sprayed packets have room whatever the placement: by way of intermediate switches drawn at random.

    So sent, any traffic loads links as uniform traffic does twice (L. Valiant 1982, doi 10.1137/0211027), where
    each switch sends no more than the NICs of one server of those below it if a ring runs over them in order.
    """
    return 2 * summary.ratios[0] <= (summary.peers[0] if in_order and traffic.ring else 1)
