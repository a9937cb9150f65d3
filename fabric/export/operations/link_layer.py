"""The link layer of a fabric, which some formats are of one of."""

from __future__ import annotations

from fabric.blueprint import Blueprint
from fabric.errors import InputError

__all__ = ["is_infiniband", "require_ethernet"]


def is_infiniband(blueprint: Blueprint) -> bool:
    """Say whether the switches of a fabric are of InfiniBand; those of no known link layer are not."""
    roles = blueprint.topology.roles
    return any(model.link_layer == "infiniband" for role in roles for model, _ in blueprint.model_counts(role))


def require_ethernet(blueprint: Blueprint, reason: str) -> None:
    """Raise InputError for an InfiniBand fabric, with the reason why the format is not for it."""
    if is_infiniband(blueprint):
        raise InputError(f"{blueprint.name}: this is an InfiniBand fabric; {reason}, so the format is of Ethernet")
