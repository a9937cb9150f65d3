"""The links as flows use them: the rate of each, what a NIC sends, and the rows of every bundle."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.flow.phase import Phase

__all__ = ["bundle_rows", "ideal_gbps", "line_gbps", "rate_of_links"]


def line_gbps(blueprint: Blueprint) -> int:
    """Return the most that a NIC sends over all planes, in Gb/s."""
    return blueprint.link_gbps * blueprint.planes


def ideal_gbps(blueprint: Blueprint, phase: Phase) -> npt.NDArray[np.float64]:
    """Return the rate of each flow at which the busiest NIC runs at line rate and all end together, shape (flows,)."""
    return phase.shares * (line_gbps(blueprint) / phase.busiest)


def rate_of_links(blueprint: Blueprint) -> npt.NDArray[np.float64]:
    """Return the rate of every link in Gb/s, one direction, shape (links,)."""
    bundles = blueprint.topology.bundles
    return np.repeat([float(blueprint.rate(each)) for each in bundles], [blueprint.links(each) for each in bundles])


def bundle_rows(blueprint: Blueprint) -> dict[str, tuple[int, int]]:
    """Return the first link row of every bundle, and the first beyond it."""
    found, first = {}, 0
    for bundle in blueprint.topology.bundles:
        found[bundle.name] = first, first + blueprint.links(bundle)
        first += blueprint.links(bundle)
    return found
