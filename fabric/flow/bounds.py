"""How much of line rate any routing could leave to traffic: the bottleneck cut, and the linear program below it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.errors import FabricError, TooLarge
from fabric.flow.host_links import nic_of_links
from fabric.flow.throughput import ideal_gbps
from fabric.flow.tiered_router import TieredRouter
from fabric.flow.tiered_routes import leaving, pools
from fabric.flow.traffic import Phase
from fabric.network.expand import expand
from fabric.topology.graph_form import GraphForm

__all__ = ["LARGEST_PROGRAM", "cut_bound", "lp_bound"]

LARGEST_PROGRAM = 100_000
"""The variables of the largest linear program that is tried: up to half a minute, and four times less for half."""

Mask = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int64]


def cut_bound(blueprint: Blueprint, phase: Phase, up: Mask | None = None, *, pxn: bool = False) -> float:
    """Return the share of line rate beyond which some cut is too small for the flows together, at any scale.

    The cuts are those around the devices below every pool of links, from a NIC to a pod: on a fabric that is whole the
    bound is reached, by adaptive routing.
    """
    if not phase.flows:
        return 1.0
    phase = leaving(blueprint, phase, pxn=pxn)
    if isinstance(blueprint.topology, GraphForm):
        return _around_leaves(blueprint, phase, up)
    routes, ideal = pools(TieredRouter(blueprint), phase, up), ideal_gbps(blueprint, phase)
    if routes.apart.any():
        return 0.0
    load = np.zeros(len(routes.capacity))
    for column in routes.arcs.T:
        load += np.bincount(column, ideal, len(load))
    loaded = load > 0
    return float(min(1.0, (routes.capacity[loaded] / load[loaded]).min()))


def _around_leaves(blueprint: Blueprint, phase: Phase, up: Mask | None) -> float:
    """Return the bound of the cuts of a wired fabric around each NIC, and, without levels, around each leaf."""
    form, ideal, hosts = blueprint.topology, ideal_gbps(blueprint, phase), nic_of_links(blueprint)
    live = np.ones(blueprint.links_total, bool) if up is None else up
    found = _cut(phase.source, phase.target, ideal, np.bincount(hosts, live[: len(hosts)]) * blueprint.link_gbps)
    if isinstance(form, GraphForm) and form.routing.nic_levels:
        return found
    network, leaf = expand(blueprint), blueprint.sizes["slot"] * blueprint.server.nics
    group, fabric = network.group(form.roles[0]), np.arange(len(hosts), network.links)
    fabric = fabric[live[fabric]]
    ends = sum(np.bincount(end[fabric], minlength=network.devices) for end in (network.lower, network.upper))
    ports = np.asarray(ends)[group.first : group.first + group.count].reshape(-1, blueprint.planes).sum(axis=1)
    source, target = phase.source // leaf, phase.target // leaf
    apart = source != target
    return min(found, _cut(source[apart], target[apart], ideal[apart], ports * blueprint.link_gbps))


def _cut(source: Rows, target: Rows, ideal: npt.NDArray[np.float64], most: npt.NDArray[Any]) -> float:
    """Return the share of flows between places that each may send and take so much, at most 1."""
    loads = np.concatenate([np.bincount(side, ideal, len(most)) for side in (source, target)])
    used = loads > 0
    return float((np.tile(most, 2)[used] / loads[used]).min(initial=1.0))


@dataclass(frozen=True)
class _Columns:
    """Variables of one kind, a row each: the arc's capacity row, and the balances it leaves and enters (-1: none)."""

    capacity: Rows
    leaves: Rows
    enters: Rows


def lp_bound(
    blueprint: Blueprint, phase: Phase, up: Mask | None = None, *, pxn: bool = False, most: int = LARGEST_PROGRAM
) -> float:
    """Return the share of line rate that the best of all routings, on any paths, leaves to the slowest flow.

    The greatest share of all flows' demands that the links carry at one time (maximum concurrent flow; F. Shahrokhi
    and D. Matula 1990, doi 10.1145/77600.77620), by OR-Tools. Flows whose NICs share their leaves are one
    commodity, but on several planes that are not whole, where each NIC may have lost another. Servers forward only
    where they alone join the switches. Raises TooLarge beyond `most` variables.
    """
    if not phase.flows:
        return 1.0
    up = np.ones(blueprint.links_total, bool) if up is None else up
    program = (
        _relayed if isinstance(blueprint.topology, GraphForm) and blueprint.topology.routing.server_relay else _program
    )
    return min(1.0, program(blueprint, leaving(blueprint, phase, pxn=pxn), up, most))


def _relayed(blueprint: Blueprint, phase: Phase, up: Mask, most: int) -> float:
    """Solve the program of a fabric whose links all end at NICs, which pass traffic on; a commodity is a source NIC."""
    network, nic, nics = expand(blueprint), nic_of_links(blueprint), blueprint.servers * blueprint.server.nics
    switch, nodes = nics + network.upper.astype(np.int64) - network.servers.count, nics + blueprint.switches
    sources, source = np.unique(phase.source, return_inverse=True)
    links = np.flatnonzero(up)
    _refuse_too_large(blueprint, 2 * len(sources) * len(links), most)
    each, arcs = np.repeat(np.arange(len(sources)), len(links)) * nodes, np.tile(links, len(sources))
    at, to = each + nic[arcs], each + switch[arcs]
    ideal, demand = ideal_gbps(blueprint, phase), np.zeros(len(sources) * nodes)
    np.add.at(demand, source * nodes + phase.source, ideal)
    np.add.at(demand, source * nodes + phase.target, -ideal)
    parts = [_Columns(arcs, at, to), _Columns(network.links + arcs, to, at)]
    return _solved(parts, demand, 2 * network.links, blueprint.link_gbps)


def _program(blueprint: Blueprint, phase: Phase, up: Mask, most: int) -> float:
    """Lay the program out as columns and solve it.

    Balances: one for each commodity and switch, then one for each source NIC, then one for each commodity and target
    NIC. A source's balance takes its demand times the share in, and a target's as much out.
    """
    ideal, network, nics = ideal_gbps(blueprint, phase), expand(blueprint), blueprint.servers * blueprint.server.nics
    nic = nic_of_links(blueprint)
    hosts = len(nic)
    servers, switches = network.servers.count, network.devices - network.servers.count
    lower, upper = (column.astype(np.int64) - servers for column in (network.lower, network.upper))
    alike = blueprint.planes == 1 or up.all()
    commodity = _commodities(blueprint, phase.source) if alike else np.unique(phase.source, return_inverse=True)[1]
    sources, source = np.unique(phase.source, return_inverse=True)
    (pairs, pair), count = _pairs(commodity, phase.target, nics), int(commodity.max()) + 1
    first_source, first_pair = count * switches, count * switches + len(sources)
    fabric, live = np.arange(hosts, network.links), up[:hosts]
    fabric = fabric[up[fabric]]
    _refuse_too_large(blueprint, 2 * count * len(fabric), most)
    each, arcs = np.repeat(np.arange(count), len(fabric)) * switches, np.tile(fabric, count)
    of_source = np.flatnonzero(live & np.isin(nic, sources))
    sends = np.searchsorted(sources, nic[of_source])
    commodity_of = np.zeros(len(sources), np.int64)
    commodity_of[source] = commodity
    by_pair = _matches(nic, live, pairs % nics)
    parts = [
        _Columns(arcs, each + lower[arcs], each + upper[arcs]),
        _Columns(network.links + arcs, each + upper[arcs], each + lower[arcs]),
        _Columns(of_source, first_source + sends, commodity_of[sends] * switches + upper[of_source]),
        _Columns(
            network.links + by_pair[1],
            pairs[by_pair[0]] // nics * switches + upper[by_pair[1]],
            first_pair + by_pair[0],
        ),
    ]
    demand = np.zeros(first_pair + len(pairs))
    demand[first_source:first_pair] = np.bincount(source, ideal)
    demand[first_pair:] = -np.bincount(pair, ideal)
    return _solved(parts, demand, 2 * network.links, blueprint.link_gbps)


def _commodities(blueprint: Blueprint, source: Rows) -> Rows:
    """Return a number for each flow, the same for sources whose host links lead to the same leaves."""
    if isinstance(blueprint.topology, GraphForm):
        each = 1 if blueprint.topology.routing.nic_levels else blueprint.sizes["slot"] * blueprint.server.nics
        return np.unique(source // each, return_inverse=True)[1].astype(np.int64)
    lattice = TieredRouter(blueprint)
    ends = lattice.ends(source)
    layer = lattice.layers[1] if lattice.tiers > 1 else None
    leaf = ends.server // layer.servers if layer else np.zeros(len(source), np.int64)
    for axis, size in lattice.lanes.items():
        leaf = leaf * size + ends.lanes[axis]
    return np.unique(leaf, return_inverse=True)[1].astype(np.int64)


def _pairs(commodity: Rows, target: Rows, nics: int) -> tuple[Rows, Rows]:
    """Return each commodity and target NIC that flows join, as one number, and each flow's row among them."""
    pairs, pair = np.unique(commodity * nics + target, return_inverse=True)
    return pairs, pair


def _matches(nic: Rows, live: Mask, wanted: Rows) -> tuple[Rows, Rows]:
    """Return the live host links of each wanted NIC: rows of `wanted`, and of the links."""
    order = np.argsort(nic, kind="stable")
    start = np.searchsorted(nic[order], wanted)
    width = np.searchsorted(nic[order], wanted, side="right") - start
    rows = np.repeat(np.arange(len(wanted)), width)
    links = order[np.arange(len(rows)) - np.repeat(np.cumsum(width) - width, width) + start[rows]]
    return rows[live[links]], links[live[links]]


def _solved(parts: list[_Columns], demand: npt.NDArray[np.float64], arcs: int, gbps: int) -> float:
    """Return the greatest share; flows count in links, and the last variable is the share of each balance's demand.

    GLOP may end without an answer where shares differ by many orders; then HiGHS is asked.
    """
    from ortools.math_opt import model_pb2
    from ortools.math_opt.python import mathopt

    capacity, leaves, enters = (np.concatenate([getattr(part, name) for part in parts]) for name in _KEYS)
    flows = len(capacity)
    model = model_pb2.ModelProto()
    model.variables.ids.extend(range(flows + 1))
    model.variables.lower_bounds.extend([0.0] * (flows + 1))
    model.variables.upper_bounds.extend([np.inf] * (flows + 1))
    model.variables.integers.extend([False] * (flows + 1))
    model.objective.maximize = True
    model.objective.linear_coefficients.ids.append(flows)
    model.objective.linear_coefficients.values.append(1.0)
    rows = arcs + len(demand)
    model.linear_constraints.ids.extend(range(rows))
    model.linear_constraints.lower_bounds.extend([-np.inf] * arcs + [0.0] * len(demand))
    model.linear_constraints.upper_bounds.extend([1.0] * arcs + [0.0] * len(demand))
    column = np.arange(flows)
    share = np.flatnonzero(demand)
    entries = _sorted(
        np.concatenate([capacity, arcs + leaves, arcs + enters, arcs + share]),
        np.concatenate([column, column, column, np.full(len(share), flows)]),
        np.concatenate([np.ones(flows), -np.ones(flows), np.ones(flows), demand[share] / gbps]),
    )
    for name, values in zip(("row_ids", "column_ids", "coefficients"), entries, strict=True):
        getattr(model.linear_constraint_matrix, name).extend(values.tolist())
    program = mathopt.Model.from_model_proto(model)
    for solver in (mathopt.SolverType.GLOP, mathopt.SolverType.HIGHS):
        result = mathopt.solve(program, solver)
        if result.termination.reason == mathopt.TerminationReason.OPTIMAL:
            return float(result.objective_value())
    raise FabricError("the linear program was not solved: its numbers are too far apart")


_KEYS = ("capacity", "leaves", "enters")


def _sorted(rows: Rows, columns: Rows, values: npt.NDArray[np.float64]) -> tuple[Any, Any, Any]:
    """Return a matrix's entries in the order of its rows."""
    order = np.lexsort((columns, rows))
    return rows[order], columns[order], values[order]


def _refuse_too_large(blueprint: Blueprint, variables: int, most: int) -> None:
    if variables > most:
        instead = (
            "engine flows is quicker"
            if isinstance(blueprint.topology, GraphForm)
            else "the cut bound needs none, and on a fabric that is whole it is as tight"
        )
        raise TooLarge(
            f"{blueprint.name}: the linear program of one phase has {variables:,} variables, where {most:,} are the"
            f" most that is solved within half a minute; {instead}"
        )
