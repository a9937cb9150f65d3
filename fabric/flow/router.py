"""Routers: what flows ask of a fabric, by the kind of its topology, distinguished in one place."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.errors import InputError
from fabric.flow.fabric_summary import FabricSummary
from fabric.flow.given_paths import GivenPaths, Paths
from fabric.flow.graph_router import GraphRouter
from fabric.flow.phase import Phase, cross_rails
from fabric.flow.routes import Routes
from fabric.flow.routings import ADAPTIVE, Routing
from fabric.flow.tiered_router import TieredRouter
from fabric.flow.unlike_router import UnlikeRouter
from fabric.resources import Work, refuse_excess
from fabric.topology.clos import ClosForm
from fabric.topology.graph_form import GraphForm
from fabric.topology.unlike_servers import UnlikeForm

__all__ = ["FEWER_FLOWS", "Router", "route", "route_by_paths", "router_of", "summarize"]

FEWER_FLOWS = "take fewer GPUs or queue pairs, or engine closed"
"""What to do where flows are too many."""

Mask = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int64]
Shares = npt.NDArray[np.float64]


class Router(Protocol):
    """What flows ask of a fabric whose links are up as `up` says."""

    @property
    def blueprint(self) -> Blueprint:
        """The fabric."""

    @property
    def up(self) -> Mask | None:
        """Which links are up, shape (links,); None for all."""

    def summarize(self) -> FabricSummary:
        """Return the fabric as closed forms see it, all links up."""

    def nic_of_links(self) -> Rows:
        """Return the NIC row (server * NICs + nic) of each of the servers' links, which come first in a network."""

    def route(self, phase: Phase, routing: Routing) -> Routes:
        """Return the routes of flows that leave their servers as they are (see `cross_rails`)."""

    def work(self, flows: float, routing: Routing, *, failed: bool = False) -> Work:
        """Return what routing as many flows and solving them takes; `failed` where links will be down."""

    def joins(self, source: Rows, target: Rows) -> Mask:
        """Return which pairs of NICs of different servers are joined by a path that is up, shape (pairs,)."""

    def spread_over_links(self, loads: Shares, routing: Routing) -> Shares:
        """Return the load of every link, shape (2, links), from that of the arcs of `route`, shape (2, arcs)."""

    def cut_bound(self, phase: Phase) -> float:
        """Return the share of line rate beyond which some cut is too small for the flows together."""

    @property
    def reaches_cut(self) -> bool:
        """Whether some routing is known to reach the cut bound of any flows."""

    @property
    def instead_of_program(self) -> str:
        """What to do where the linear program is too large."""

    @property
    def links_tried(self) -> int:
        """The links of a switch among which a flow finds its next one by trying them; 0 where its digits name it."""

    def commodities(self, source: Rows) -> Rows:
        """Return a number for each source NIC, the same for those whose host links lead to the same leaves."""

    def lines(self) -> list[int]:
        """Return the sizes of nested localities, innermost first, which adversarial traffic is made of."""

    def shortest_path(self, source: int, target: int) -> tuple[str, ...] | None:
        """Return the devices of a shortest path between NICs of different servers; None where no path joins them."""


def router_of(blueprint: Blueprint, up: Mask | None = None) -> Router:
    """Return the router of a blueprint over the links that are `up`, shape (links,), by default all.

    This is the one place of this package where the kinds of topology are distinguished.
    """
    match blueprint.topology:
        case UnlikeForm() as form:
            return UnlikeRouter(blueprint, form, up)
        case ClosForm() as form:
            return TieredRouter(blueprint, form, up)
        case GraphForm() as form:
            return GraphRouter(blueprint, form, up)
        case other:
            raise TypeError(f"no router of a {type(other).__name__}")


def summarize(blueprint: Blueprint) -> FabricSummary:
    """Return a blueprint as closed forms see it."""
    return router_of(blueprint).summarize()


def route(
    blueprint: Blueprint,
    phase: Phase,
    routing: Routing = ADAPTIVE,
    up: Mask | None = None,
    router: Router | None = None,
) -> Routes:
    """Route the flows of `phase` over the links that are `up`, shape (links,), by default all.

    `router` is that of the blueprint and `up`, where it is at hand: what it computes is then computed once. Sub-flows
    weigh as the bytes that they carry. Raises InputError where the topology does not have the paths that the routing
    takes, and TooLarge, with the estimate, where they need more memory or time than a run may.
    """
    policy, topology = routing.policy, blueprint.topology
    if policy.paths not in topology.virtual_channels:
        need = "a direct network" if policy.paths == "valiant" else f"{policy.paths} paths"
        kind = "a server-centric network" if topology.routing.nic_levels else "a Clos"
        raise InputError(f"{policy.label} routing needs {need}; {topology.family} is {kind}")
    router = router or router_of(blueprint, up)
    refuse_excess(f"{blueprint.name}: {phase.flows:,} flows", router.work(phase.flows, routing), FEWER_FLOWS)
    phase = cross_rails(blueprint, phase, pxn=routing.pxn)
    if policy.choose_paths:
        chosen = policy.choose_paths(blueprint, phase, routing, router.up)
        routes = _lay_paths(blueprint, phase, chosen, router, f"{policy.label} routing: ", optional=True)
        if routes.flows != phase.flows * routing.qps:
            wanted = f"{phase.flows:,} flows of {routing.qps} queue pairs"
            raise InputError(f"{policy.label} routing returned {routes.flows:,} paths of {wanted}; return one for each")
    else:
        routes = router.route(phase, routing)
    return _weighted(routes, phase)


def route_by_paths(blueprint: Blueprint, phase: Phase, paths: Paths, up: Mask | None = None) -> Routes:
    """Route the flows of `phase` by paths of one's own over the links that are `up`, shape (links,), by default all.

    `paths` are for each flow its links, as rows in the network, or the names of its devices from server to server (see
    `fabric.flow.given_paths.Paths`); where rails never meet, it leaves by the NIC on its target's rail. Raises
    InputError with the first path that does not begin and end at the NICs of its flow, whose links do not meet or are
    down, or that passes through a server which does not forward.
    """
    phase, router = cross_rails(blueprint, phase, pxn=False), router_of(blueprint, up)
    return _weighted(_lay_paths(blueprint, phase, paths, router), phase)


def _lay_paths(
    blueprint: Blueprint, phase: Phase, paths: Paths, router: Router, whose: str = "", *, optional: bool = False
) -> Routes:
    """Return the routes of flows as they leave their servers by given paths; a mistake says `whose` these are."""
    given = GivenPaths(blueprint, router.nic_of_links(), router.up, whose)
    return given.route(phase, paths, optional=optional)


def _weighted(routes: Routes, phase: Phase) -> Routes:
    """Return routes whose sub-flows weigh as the bytes that they carry."""
    return routes if phase.alike else replace(routes, weights=np.repeat(phase.shares, routes.flows // phase.flows))
