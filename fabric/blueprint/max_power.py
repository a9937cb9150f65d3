"""The most power that the switches and modules of a fabric draw, which limits on power count."""

from __future__ import annotations

from fabric.blueprint.blueprint import Blueprint
from fabric.blueprint.prices import Prices, unknown_maxima

__all__ = ["max_power_w", "typical_parts"]


def max_power_w(blueprint: Blueprint, prices: Prices) -> float | None:
    """Return the power of all switches and modules in W at their maximum, or at typical where that is not known.

    None where a part has neither. Servers are not counted.
    """
    counts = [pair for role in blueprint.topology.roles for pair in blueprint.model_counts(role)]
    parts = [(model.peak_power_w, count) for model, count in counts]
    bundles = blueprint.topology.bundles
    parts += [(prices.link_max_power_w(bundle.name), blueprint.priced_links(bundle)) for bundle in bundles]
    known = [each * count for each, count in parts if each is not None]
    return sum(known) if len(known) == len(parts) else None


def typical_parts(blueprint: Blueprint, prices: Prices) -> tuple[str, ...]:
    """Return the parts in use that count at their typical power because their maximum is not known."""
    models = [model for role in blueprint.topology.roles for model, _ in blueprint.model_counts(role)]
    return unknown_maxima(prices, models, (bundle.name for bundle in blueprint.topology.bundles))
