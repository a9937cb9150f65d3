"""The link layers of switches: a fabric has one, so that all its switches can be joined."""

from __future__ import annotations

from fabric.catalog import Switch
from fabric.request import Spec
from fabric.topology.topology import Topology, title

__all__ = ["LAYERS", "describe_clash", "list_link_layers", "with_link_layer"]

LAYERS = {"ethernet": "Ethernet", "infiniband": "InfiniBand"}
"""What link layers are called."""


def list_link_layers(spec: Spec, topology: Topology) -> list[str | None]:
    """Return the link layers that every role has a switch of, each for a fabric of its own; None where any will do."""
    layers = {model.link_layer for models in spec.switches.values() for model in models if model.link_layer}
    common = [layer for layer in sorted(layers) if not _lacking_roles(spec, topology, layer)]
    return [*common] if layers else [None]


def _lacking_roles(spec: Spec, topology: Topology, layer: str) -> list[str]:
    """Return the roles that have switches, but none of a link layer."""
    return [role for role in topology.roles if spec.models(role) and not with_link_layer(spec.models(role), layer)]


def describe_clash(spec: Spec, topology: Topology) -> str | None:
    """Return which switches have no link layer in common; None where there is one for all tiers."""
    lacking = {layer: _lacking_roles(spec, topology, layer) for layer in LAYERS}
    if not all(lacking.values()):
        return None
    speakers = {roles[0]: other for layer, roles in lacking.items() for other in LAYERS if other != layer}
    each = (
        f"the {title(role)} ({' or '.join(model.name for model in spec.models(role))}) is {LAYERS[speakers[role]]}"
        for role in topology.roles
        if role in speakers
    )
    return f"{' and '.join(each)}: one fabric has one link layer"


def with_link_layer(models: tuple[Switch, ...], layer: str | None) -> tuple[Switch, ...]:
    """Return the models that speak a link layer, or of which it is not said what they speak; all where it is None."""
    return tuple(model for model in models if layer is None or model.link_layer in (None, layer))
