"""The ports of switches as limits: one limit for all tiers that have the same choice of models, else one for each."""

from __future__ import annotations

from collections.abc import Iterable, Set

from fabric.request import Spec
from fabric.topology.topology import Topology

__all__ = ["PORTS", "drops_ports", "port_limits", "port_role"]

PORTS = "ports"
"""The limit on the ports of all switches; of one tier, `ports.ROLE`."""

ANY_ROLE = "*"
"""The key of the models of every role that has no key of its own."""


def port_limits(spec: Spec, topologies: Iterable[Topology]) -> list[str]:
    """Return the limits on ports: that of all tiers, or where the request names models by tier, one for each tier."""
    if set(spec.switches) <= {ANY_ROLE}:
        return [PORTS]
    roles = dict.fromkeys(role for topology in topologies for role in topology.roles)
    return [f"{PORTS}.{role}" for role in roles if spec.models(role)]


def port_role(limit: str) -> str | None:
    """Return the role whose ports a limit bounds, empty for all roles; None where it bounds no ports."""
    kind, _, role = limit.partition(".")
    return role if kind == PORTS else None


def drops_ports(relaxed: Set[str], role: str) -> bool:
    """Say whether the limit on the ports of `role` is among those relaxed."""
    return PORTS in relaxed or f"{PORTS}.{role}" in relaxed
