"""The ports of switches as limits: one limit for all tiers that have the same choice of models, else one for each."""

from __future__ import annotations

from collections.abc import Iterable, Set

from fabric.request import Spec
from fabric.topology.topology import Topology

__all__ = ["PORTS", "UPLINKS", "drops_ports", "port_limits", "port_role"]

PORTS = "ports"
"""The limit on the ports of all switches; of one tier, `ports.ROLE`."""

UPLINKS = "uplinks"
"""The limit on the ports that only links up use, of one tier: `uplinks.ROLE`."""

ANY_ROLE = "*"
"""The key of the models of every role that has no key of its own."""


def port_limits(spec: Spec, topologies: Iterable[Topology]) -> list[str]:
    """Return the limits on ports: that of all tiers, or where the request names models by tier, one for each tier.

    Uplinks of their own are a limit of their own in each tier.
    """
    roles = dict.fromkeys(role for topology in topologies for role in topology.roles)
    uplinks = [f"{UPLINKS}.{role}" for role in roles if any(model.uplinks for model in spec.models(role))]
    if set(spec.switches) <= {ANY_ROLE}:
        return [PORTS, *uplinks]
    return [*(f"{PORTS}.{role}" for role in roles if spec.models(role)), *uplinks]


def port_role(limit: str) -> str | None:
    """Return the role whose ports a limit bounds, empty for all roles; None where it bounds no ports."""
    kind, _, role = limit.partition(".")
    return role if kind in (PORTS, UPLINKS) else None


def drops_ports(relaxed: Set[str], role: str) -> bool:
    """Say whether a limit on the ports of `role` is among those relaxed."""
    return not relaxed.isdisjoint((PORTS, f"{PORTS}.{role}", f"{UPLINKS}.{role}"))
