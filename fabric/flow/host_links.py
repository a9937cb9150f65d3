"""The servers' links as NICs have them: which links are whose, on every form."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.flow.tiered_router import TieredRouter
from fabric.topology.graph_form import GraphForm

__all__ = ["line_gbps", "nic_of_links", "rows_of"]


def line_gbps(blueprint: Blueprint) -> int:
    """Return what a NIC sends at most, over all planes, in Gb/s."""
    return blueprint.link_gbps * blueprint.planes


def nic_of_links(blueprint: Blueprint) -> npt.NDArray[np.int64]:
    """Return the NIC row (server * NICs + nic) of each of the servers' links, which come first in a network."""
    if not isinstance(blueprint.topology, GraphForm):
        layer = TieredRouter(blueprint).layers[0]
        return layer.pool_of(np.arange(layer.links))
    nics = np.arange(blueprint.servers * blueprint.server.nics)
    levels = blueprint.topology.routing.nic_levels
    return np.tile(nics, levels) if levels else np.repeat(nics, blueprint.planes)


def rows_of(blueprint: Blueprint) -> dict[str, tuple[int, int]]:
    """Return the first link row of every bundle, and the first beyond it."""
    found, first = {}, 0
    for bundle in blueprint.topology.bundles:
        found[bundle.name] = first, first + blueprint.links(bundle)
        first += blueprint.links(bundle)
    return found
