"""What flows at line rate put on every link, over what it carries: the load by which routings are told apart."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.flow.throughput import ideal_gbps
from fabric.flow.tiered_router import TieredRouter
from fabric.flow.tiered_routes import ADAPTIVE, Routing, leaving, route
from fabric.flow.traffic import Phase
from fabric.topology.graph_form import GraphForm

__all__ = ["link_loads"]


def link_loads(blueprint: Blueprint, phase: Phase, routing: Routing = ADAPTIVE) -> npt.NDArray[np.float64]:
    """Return the load of each link upwards and downwards, shape (2, links): 1 is as much as the link carries.

    All flows of the phase send at the rate that they would have were their NICs the only limit, whatever the fabric
    lets through; so at a load of 2 the flows on that link get half at the most. Flows that no path joins load nothing.
    Raises as `route` does.
    """
    phase = leaving(blueprint, phase, pxn=routing.pxn)
    routes = route(blueprint, phase, routing)
    each = np.repeat(ideal_gbps(blueprint, phase), routes.flows // max(1, phase.flows))
    each = each * (phase.flows / max(1, routes.flows))
    total = np.zeros(len(routes.capacity))
    for column in range(routes.arcs.shape[1]):
        total += np.bincount(routes.arcs[:, column], each, len(total))
    loads = (total / routes.capacity)[:-1].reshape(2, -1)
    if routing.name == "adaptive" and not isinstance(blueprint.topology, GraphForm):
        lattice = TieredRouter(blueprint)
        return np.asarray(loads[:, lattice.pools_of(np.arange(lattice.links))])
    return np.asarray(loads)
