"""The load of every link when flows send at line rate: what shows how evenly a routing spreads them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.flow.host_links import ideal_gbps
from fabric.flow.phase import Phase, cross_rails
from fabric.flow.router import route, router_of
from fabric.flow.routings import ADAPTIVE, Routing

__all__ = ["link_loads"]


def link_loads(blueprint: Blueprint, phase: Phase, routing: Routing = ADAPTIVE) -> npt.NDArray[np.float64]:
    """Return the load of each link upwards and downwards over its capacity, shape (2, links).

    All flows of the phase send at the rate that they would have were their NICs the only limit, whatever the fabric
    lets through; so at a load of 2 the flows on that link get at most half. Flows that no path joins load nothing.
    Raises as `route` does.
    """
    phase, router = cross_rails(blueprint, phase, pxn=routing.pxn), router_of(blueprint)
    routes = route(blueprint, phase, routing, router=router)
    each = np.repeat(ideal_gbps(blueprint, phase), routes.flows // max(1, phase.flows))
    each = each * (phase.flows / max(1, routes.flows))
    total = np.zeros(len(routes.capacity))
    for column in range(routes.arcs.shape[1]):
        total += np.bincount(routes.arcs[:, column], each, len(total))
    return router.spread_over_links((total / routes.capacity)[:-1].reshape(2, -1), routing)
