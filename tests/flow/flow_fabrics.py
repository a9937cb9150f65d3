"""Fabrics and traffic for the tests of explicit flows, and slow textbook witnesses of them."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import numpy as np

from fabric.blueprint import Blueprint
from fabric.catalog import Server, Switch
from fabric.flow import COLLECTIVES, Phase, Routes
from fabric.flow.algorithms import algorithms_of
from fabric.flow.tiered_links import TieredLinks
from fabric.testing import random_blueprint
from fabric.topology.families import CLOS, families
from fabric.topology.graph_form import GraphForm
from fabric.topology.topology import Topology

GBPS = 400

WITH_FLOWS = tuple(
    (collective.name, algorithm.name)
    for collective in COLLECTIVES.values()
    for algorithm in algorithms_of(collective)
    if algorithm.flows
)
"""The collectives with each of their algorithms that has explicit flows."""


def sized(form: Topology, servers: int, gpus: int = 1, **sizes: int) -> Blueprint:
    """Return a blueprint of `form` with these sizes, one where none is given, and as many GPUs as NICs in a server."""
    full = dict.fromkeys([*form.axes, *(bundle.name for bundle in form.bundles)], 1) | sizes
    if isinstance(form, GraphForm):
        full = form.complete_sizes(full, gpus, servers)
    server = Server("box", gpus=gpus, nics=gpus, nic_gbps=GBPS * full["plane"], nvlink_GBps=900)
    models = dict.fromkeys(form.roles, Switch("any", ports=10**4, rate_gbps=GBPS))
    placed = full if isinstance(form, GraphForm) else form.complete_sizes(full, 8, servers)
    return Blueprint("sized", form, placed, models, server, servers * gpus, GBPS)


def form_of(family: str, tiers: int) -> Topology:
    """Return the family's first form with this number of tiers."""
    return next(form for form in families()[family].forms if form.tiers == tiers)


def fat_tree(tiers: int, half: int, places: int, ratio: int = 1) -> Blueprint:
    """Return a fat tree of hosts with one NIC each, on switches of 2 * `half` ports, with `places` at the top.

    `ratio` is that of the leaf.
    """
    up = half // ratio
    sizes = {
        2: {"block": places, "slot": half, "spine": up},
        3: {"pod": places, "block": half, "slot": half, "group": up, "core": half},
        4: {"zone": places, "pod": half, "block": half, "slot": half, "group": up, "bank": half, "super": half},
    }[tiers]
    return sized(form_of("fat-tree", tiers), places * half ** (tiers - 1), **sizes)


def rails(servers: int = 32) -> Blueprint:
    """Return a 1:1 fabric of eight rails, four units of eight servers."""
    return sized(form_of("rail-optimized", 2), servers, gpus=8, block=4, slot=8, rail=8, spine=8)


def small_fabrics(trials: int, *, balanced: bool = False) -> Iterator[tuple[Blueprint, int]]:
    """Yield random small blueprints of every built-in form that have two servers or more, each with its seed."""
    for family in CLOS:
        for form in family.forms[1:] if balanced else family.forms:
            for seed in range(trials):
                plan = random_blueprint(form.balanced() if balanced else form, Random(f"{form.text}{seed}"))
                if plan.servers > 1:
                    yield plan, seed


def links_of(plan: Blueprint) -> TieredLinks:
    """Return the links of a Clos as arithmetic."""
    return TieredLinks(plan, plan.topology)


def crossing(plan: Blueprint, phase: Phase) -> Phase:
    """Return the flows of a phase that leave their servers."""
    nics = links_of(plan).nics
    apart = phase.source // nics != phase.target // nics
    return Phase(phase.source[apart], phase.target[apart])


def progressive_filling(
    arcs: list[list[int]], capacity: list[float], weights: list[float] | None = None
) -> list[float]:
    """Return max-min fair rates as the textbook does: raise all rates together, stop those on each arc as it fills.

    Rates rise in proportion to the weights.
    """
    weights = [1.0] * len(arcs) if weights is None else weights
    rates, growing, room = [0.0] * len(arcs), set(range(len(arcs))), list(capacity)
    while growing:
        on = {arc: [flow for flow in growing if arc in arcs[flow]] for flow in growing for arc in arcs[flow]}
        load = {arc: sum(weights[flow] for flow in flows) for arc, flows in on.items()}
        step = min(room[arc] / load[arc] for arc in on)
        full = [arc for arc in on if room[arc] / load[arc] <= step * (1 + 1e-12)]
        for arc in on:
            room[arc] -= step * load[arc]
        for flow in growing:
            rates[flow] += step * weights[flow]
        growing -= {flow for arc in full for flow in on[arc]}
    return rates


def fill_in_rounds(routes: Routes) -> np.ndarray:
    """Return max-min fair rates by rounds over all arcs at once: those on which every flow is offered least are filled.

    Slower than `max_min`, which looks at few arcs in a round, and simpler.
    """
    rates, capacity = np.where(routes.disconnected, 0.0, np.inf), routes.capacity.copy()
    weights = np.ones(routes.flows) if routes.weights is None else routes.weights
    flows, depth = np.flatnonzero((routes.arcs != len(capacity) - 1).any(axis=1)), routes.arcs.shape[1]
    while len(flows):
        arcs, weight = routes.arcs[flows], weights[flows]
        load = np.bincount(arcs.reshape(-1), np.repeat(weight, depth), len(capacity))
        offered = capacity[arcs] / load[arcs]
        least = offered.min(axis=1)
        waiting = np.zeros(len(capacity), bool)
        waiting[arcs[offered * (1 - 1e-9) > least[:, None]]] = True
        done = ~waiting[arcs].all(axis=1)
        rates[flows[done]] = least[done] * weight[done]
        capacity -= np.bincount(arcs[done].reshape(-1), np.repeat(rates[flows[done]], depth), len(capacity))
        capacity, flows = np.maximum(capacity, 0.0), flows[~done]
    return rates


def arc_ends(plan: Blueprint, arcs: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the devices from and to which arcs lead."""
    links = plan.links_total
    row, down = arcs % links, arcs >= links
    return np.where(down, upper[row], lower[row]), np.where(down, lower[row], upper[row])
