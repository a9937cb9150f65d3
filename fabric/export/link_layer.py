"""What the files of a network's programs can be of: one link layer, and switches alone that forward."""

from __future__ import annotations

from fabric.blueprint import Blueprint
from fabric.catalog import Switch
from fabric.errors import InputError

__all__ = ["list_models", "refuse_relays", "require_ethernet", "require_infiniband"]

OF_ETHERNET = "frr, sonic, cumulus, lldp or ptm"
"""Formats of Ethernet fabrics, to be used in place of those of InfiniBand."""

OF_INFINIBAND = "ibnetdiscover or ib-topology"
"""Formats of InfiniBand fabrics, to be used in place of those of Ethernet."""

OF_ANY = "point-to-point or netbox"
"""Formats of cables, whatever the switches are."""


def list_models(blueprint: Blueprint) -> tuple[Switch, ...]:
    """Return the models of the switches, each once, tier by tier."""
    roles = blueprint.topology.roles
    return tuple({model.name: model for role in roles for model, _ in blueprint.model_counts(role)}.values())


def require_ethernet(blueprint: Blueprint, reason: str) -> None:
    """Raise InputError for an InfiniBand fabric, with the reason why the format is not for it."""
    _refuse_layer(blueprint, "infiniband", "an InfiniBand switch", f"{reason}; use {OF_INFINIBAND}")


def require_infiniband(blueprint: Blueprint, reason: str) -> None:
    """Raise InputError for an Ethernet fabric, with the reason why the format is not for it."""
    _refuse_layer(blueprint, "ethernet", "an Ethernet switch", f"{reason}; use {OF_ETHERNET}")


def _refuse_layer(blueprint: Blueprint, layer: str, words: str, rest: str) -> None:
    for model in list_models(blueprint):
        if model.link_layer == layer:
            raise InputError(f"{blueprint.name}: {model.name} is {words}, and {rest}; for cables {OF_ANY}")


def refuse_relays(blueprint: Blueprint, reason: str) -> None:
    """Raise InputError where servers forward traffic of others, with the reason why the format has no such servers."""
    if blueprint.topology.routing.server_relay:
        raise InputError(
            f"{blueprint.name}: servers of a {blueprint.topology.family} forward traffic of others, which"
            f" {reason}; for cables {OF_ANY}"
        )
