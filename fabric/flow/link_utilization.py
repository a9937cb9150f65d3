"""The load of every link when flows send at line rate: what shows how evenly a routing spreads them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.flow.checked_arrays import read_mask
from fabric.flow.host_links import ideal_gbps
from fabric.flow.phase import Phase, cross_rails
from fabric.flow.router import route, router_of
from fabric.flow.routings import ADAPTIVE, Routing
from fabric.network.expand import expand

__all__ = ["BusiestLink", "find_busiest_link", "link_loads"]


@dataclass(frozen=True)
class BusiestLink:
    """The link with the greatest load in one direction."""

    source: str
    """The name of the device that sends into it."""
    target: str
    """The name of the device at its other end."""
    load: float
    """The load over its capacity when all flows send at the rate that their NICs would allow; may be above 1."""


def link_loads(
    blueprint: Blueprint, phase: Phase, routing: Routing = ADAPTIVE, up: npt.NDArray[np.bool_] | None = None
) -> npt.NDArray[np.float64]:
    """Return the load of each link upwards and downwards over its capacity, shape (2, links).

    All flows of the phase send at the rate that they would have were their NICs the only limit, whatever the fabric
    lets through; so at a load of 2 the flows on that link get at most half. Flows that no path joins load nothing, and
    links that are not `up`, shape (links,), carry nothing. Packets sprayed over a Clos load those of each equal-cost
    group that are up alike. Raises as `route` does, and InputError for an `up` that is not a boolean for each link.
    """
    up = None if up is None else read_mask(up, "up", blueprint.links_total)
    phase, router = cross_rails(blueprint, phase, pxn=routing.pxn), router_of(blueprint, up)
    routes = route(blueprint, phase, routing, up, router)
    each = np.repeat(ideal_gbps(blueprint, phase), routes.flows // max(1, phase.flows))
    each = each * (phase.flows / max(1, routes.flows))
    total = routes.loads(each)
    load = np.divide(total, routes.capacity, out=np.zeros_like(total), where=total > 0)[:-1].reshape(2, -1)
    spread = router.spread_over_links(load, routing)
    return spread if up is None else np.where(up, spread, 0.0)


def find_busiest_link(
    blueprint: Blueprint, phase: Phase, routing: Routing = ADAPTIVE, up: npt.NDArray[np.bool_] | None = None
) -> BusiestLink:
    """Return the link of greatest load (see `link_loads`), the first of equal ones."""
    loads, network = link_loads(blueprint, phase, routing, up), expand(blueprint)
    down, link = np.unravel_index(int(loads.argmax()), loads.shape)
    ends = [network.name(int(rows[link])) for rows in (network.lower, network.upper)]
    source, target = reversed(ends) if down else ends
    return BusiestLink(source, target, float(loads[down, link]))
