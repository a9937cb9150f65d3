"""Bounds that keep every count of a model within the solver's integers."""

from __future__ import annotations

import math

from fabric.blueprint.prices import SHARES
from fabric.errors import InputError
from fabric.optimizer.candidates import Candidate

MOST_PINNED = 2**30
"""The most servers of a place that pinned sizes may stand for in that bound."""

__all__ = ["LARGEST_TOTAL", "MOST_PORTS", "any_width", "ceiling"]

LARGEST_TOTAL = 2**61
"""The largest total of one tier: several of them still add up within the solver's 64 bits."""

MOST_PORTS = 512
"""The ports of a switch up to which tables of sizes have rows: more than any switch has."""


def any_width(candidate: Candidate, widest: int) -> int:
    """Return a number of ports with which every count of a fabric fits on one switch, at least 4096 times `widest`.

    It bounds the search for the ports that would be needed.
    """
    spec, roles = candidate.spec, candidate.topology.roles
    steepest = max(-(-spec.ratio(role).denominator // spec.ratio(role).numerator) for role in roles)
    pinned = math.prod(size for name, size in spec.pinned.items() if name in candidate.topology.axes)
    ends = max(spec.grown_servers, min(pinned, MOST_PINNED)) * max(server.nics for server in spec.every_server)
    return max(4096 * widest, ends * (1 + steepest) + max(spec.spare_ports(role) for role in roles))


def _most_links_per_port(candidate: Candidate) -> int:
    """Return the most links up that share a port of the lower switch."""
    ends = (
        (model, bundle) for bundle in candidate.topology.fabric_bundles for model in candidate.models[bundle.lower.role]
    )
    return max((model.upward.links_per_port(candidate.rate(bundle)) for model, bundle in ends), default=1)


def ceiling(candidate: Candidate) -> int:
    """Return a bound on every count that keeps the cost within the solver's integers, far above any useful fabric's.

    Raises InputError when prices are so large that no such bound is left.
    """
    prices, topology = candidate.prices, candidate.topology
    coefficients = [prices.switch_cents(model) or 1 for role in topology.roles for model in candidate.models[role]]
    coefficients += [prices.link_cents(bundle.name) or 1 for bundle in topology.bundles]
    totals = [prices.switch_total(model) or 1 for role in topology.roles for model in candidate.models[role]]
    totals += [prices.link_total(bundle.name) or 1 for bundle in topology.bundles]
    totals, coefficients = [*totals, SHARES // 100 * prices.nic_cents], [*coefficients, prices.nic_cents]
    ratios = [each(role) for role in topology.roles for each in (candidate.spec.ratio, candidate.spec.least_ratio)]
    factors = [candidate.widest(role) for role in topology.roles]
    factors.append(candidate.spec.limits.parallel_links * _most_links_per_port(candidate))
    factors += [max(ratio.numerator, ratio.denominator) for ratio in ratios]
    ceiling = LARGEST_TOTAL // max(sum(coefficients), sum(totals), 4 * max(factors))
    host_links = candidate.spec.nics * candidate.planes
    if ceiling < 8 * host_links:
        most, counted = max(max(coefficients) / 100, max(totals) / SHARES), candidate.spec.electricity is not None
        running = f" with its electricity over {candidate.spec.years:,.10g} years" if counted else ""
        amount = f"{most:,.0f} {candidate.spec.currency}"
        raise InputError(f"up to {amount} per part{running}: prices are too large to add up exactly")
    return ceiling
