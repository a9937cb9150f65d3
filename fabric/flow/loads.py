"""What flows put on each link, as a share of its rate, one direction and the other."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.flow.lattice import Lattice
from fabric.flow.routes import Routing, leaving, route
from fabric.flow.shares import ideal_gbps
from fabric.flow.traffic import Phase
from fabric.wired import Wired

__all__ = ["link_loads"]


def link_loads(blueprint: Blueprint, phase: Phase, routing: Routing) -> npt.NDArray[np.float64]:
    """Return what flows at line rate ask of every link over what it carries, upward and downward, shape (2, links).

    Over 1 the flows of a link must slow down. A pool of adaptive routing loads its links alike. Raises TooLarge as
    `route` does.
    """
    phase = leaving(blueprint, phase, pxn=routing.pxn)
    if not phase.flows:
        return np.zeros((2, blueprint.links_total))
    routes = route(blueprint, phase, routing)
    each = np.repeat(ideal_gbps(blueprint, phase), routes.flows // phase.flows) * (phase.flows / routes.flows)
    asked = np.zeros(len(routes.capacity))
    for column in routes.arcs.T:
        asked += np.bincount(column, each, len(asked))
    loads = (asked / routes.capacity)[:-1].reshape(2, -1)
    if routing.name == "adaptive" and not isinstance(blueprint.form, Wired):
        return loads[:, Lattice(blueprint).pools_of(np.arange(blueprint.links_total))]
    return loads
