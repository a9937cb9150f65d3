"""Upper bounds on throughput under any routing: the bottleneck cut, and the tighter linear program."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.errors import FabricError, TooLarge
from fabric.flow.host_links import ideal_gbps
from fabric.flow.phase import Phase, cross_rails
from fabric.flow.router import router_of
from fabric.network import Network
from fabric.network.expand import expand

__all__ = ["LARGEST_PROGRAM", "cut_bound", "lp_bound"]

LARGEST_PROGRAM = 100_000
"""The variables of the largest linear program that is tried: up to half a minute; half as many take a quarter."""

Mask = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int64]


def cut_bound(blueprint: Blueprint, phase: Phase, up: Mask | None = None, *, pxn: bool = False) -> float:
    """Return the share of line rate beyond which some cut is too small for the flows together, at any scale.

    On a Clos the cuts are those around the devices below every equal-cost group of links, from a NIC to a pod: where
    all links are up, adaptive routing reaches the bound. On a graph topology they are those around each NIC and leaf.
    """
    if not phase.flows:
        return 1.0
    return router_of(blueprint, up).cut_bound(cross_rails(blueprint, phase, pxn=pxn))


@dataclass(frozen=True)
class _Columns:
    """Variables of one kind, one for each flow on an arc."""

    capacity: Rows
    """The row of the arc's capacity."""
    leaves: Rows
    """The row of the balance that the flow leaves."""
    enters: Rows
    """The row of the balance that it enters."""


def lp_bound(
    blueprint: Blueprint, phase: Phase, up: Mask | None = None, *, pxn: bool = False, most: int = LARGEST_PROGRAM
) -> float:
    """Return the share of line rate that the best of all routings, on any paths, leaves to the slowest flow.

    The greatest share of all flows' demands that the links carry at the same time (maximum concurrent flow; F.
    Shahrokhi and D. Matula 1990, doi 10.1145/77600.77620), by OR-Tools. Flows whose NICs share their leaves are one
    commodity, except on several planes with failed links, where each NIC may have lost another plane. Servers forward
    only where nothing else joins the switches. Raises TooLarge beyond `most` variables.
    """
    if not phase.flows:
        return 1.0
    up = np.ones(blueprint.links_total, bool) if up is None else up
    program = _relayed if blueprint.topology.routing.server_relay else _program
    return min(1.0, program(blueprint, cross_rails(blueprint, phase, pxn=pxn), up, most))


def _relayed(blueprint: Blueprint, phase: Phase, up: Mask, most: int) -> float:
    """Solve the program of a fabric whose links all end at NICs, which forward traffic; a commodity is a source NIC."""
    sources, source = np.unique(phase.source, return_inverse=True)
    links = np.flatnonzero(up)
    _refuse_too_large(blueprint, 2 * len(sources) * len(links), most)
    network, nic = expand(blueprint), router_of(blueprint).nic_of_links()
    nics = blueprint.nics
    switch, nodes = nics + network.upper.astype(np.int64) - network.server_count, nics + blueprint.switches
    each, arcs = np.repeat(np.arange(len(sources)), len(links)) * nodes, np.tile(links, len(sources))
    at, to = each + nic[arcs], each + switch[arcs]
    ideal, demand = ideal_gbps(blueprint, phase), np.zeros(len(sources) * nodes)
    np.add.at(demand, source * nodes + phase.source, ideal)
    np.add.at(demand, source * nodes + phase.target, -ideal)
    parts = [_Columns(arcs, at, to), _Columns(network.links + arcs, to, at)]
    return _solved(parts, demand, network, blueprint.link_gbps)


def _program(blueprint: Blueprint, phase: Phase, up: Mask, most: int) -> float:
    """Lay the program out as columns and solve it.

    Balances: one for each commodity and switch, then one for each source NIC, then one for each commodity and target
    NIC. A source's balance takes its demand times the share in, and a target's as much out.
    """
    router, nics = router_of(blueprint), blueprint.nics
    nic = router.nic_of_links()
    hosts, hosts_up = len(nic), up[: len(nic)]
    fabric = hosts + np.flatnonzero(up[hosts:])
    # Fewer commodities make a smaller program: NICs below one leaf send alike unless each has lost another plane.
    alike = blueprint.planes == 1 or up.all()
    commodity = router.commodities(phase.source) if alike else np.unique(phase.source, return_inverse=True)[1]
    count = int(commodity.max()) + 1
    _refuse_too_large(blueprint, 2 * count * len(fabric), most)
    network, ideal = expand(blueprint), ideal_gbps(blueprint, phase)
    servers, switches = network.server_count, network.devices - network.server_count
    lower, upper = (column.astype(np.int64) - servers for column in (network.lower, network.upper))
    sources, source = np.unique(phase.source, return_inverse=True)
    pairs, pair = _pairs(commodity, phase.target, nics)
    first_source, first_pair = count * switches, count * switches + len(sources)
    each, arcs = np.repeat(np.arange(count), len(fabric)) * switches, np.tile(fabric, count)
    of_source = np.flatnonzero(hosts_up & np.isin(nic, sources))
    sends = np.searchsorted(sources, nic[of_source])
    commodity_of = np.zeros(len(sources), np.int64)
    commodity_of[source] = commodity
    by_pair = _matches(nic, hosts_up, pairs % nics)
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
    return _solved(parts, demand, network, blueprint.link_gbps)


def _pairs(commodity: Rows, target: Rows, nics: int) -> tuple[Rows, Rows]:
    """Return each commodity and target NIC that flows join, as one number, and each flow's row among them."""
    pairs, pair = np.unique(commodity * nics + target, return_inverse=True)
    return pairs, pair


def _matches(nic: Rows, up: Mask, wanted: Rows) -> tuple[Rows, Rows]:
    """Return the host links of each wanted NIC that are `up`: rows of `wanted`, and of the links."""
    order = np.argsort(nic, kind="stable")
    start = np.searchsorted(nic[order], wanted)
    width = np.searchsorted(nic[order], wanted, side="right") - start
    rows = np.repeat(np.arange(len(wanted)), width)
    links = order[np.arange(len(rows)) - np.repeat(np.cumsum(width) - width, width) + start[rows]]
    return rows[up[links]], links[up[links]]


def _solved(parts: list[_Columns], demand: npt.NDArray[np.float64], network: Network, gbps: int) -> float:
    """Return the greatest share; the last variable is the share of each balance's demand.

    Flows count in host links, which have `gbps`. GLOP may end without a solution where shares differ by many orders of
    magnitude; then HiGHS solves it.
    """
    from ortools.math_opt import model_pb2
    from ortools.math_opt.python import mathopt

    capacity, leaves, enters = (np.concatenate([getattr(part, name) for part in parts]) for name in _KEYS)
    flows, arcs = len(capacity), 2 * network.links
    room = np.tile(network.rate_gbps / gbps, 2).tolist()
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
    model.linear_constraints.upper_bounds.extend(room + [0.0] * len(demand))
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
    none = mathopt.SparseVectorFilter(filtered_items=[])
    only_objective = mathopt.ModelSolveParameters(
        variable_values_filter=none, dual_values_filter=none, reduced_costs_filter=none
    )
    for solver in (mathopt.SolverType.GLOP, mathopt.SolverType.HIGHS):
        result = mathopt.solve(program, solver, model_params=only_objective)
        if result.termination.reason == mathopt.TerminationReason.OPTIMAL:
            return float(result.objective_value())
    raise FabricError("the linear program was not solved: its coefficients differ by too many orders of magnitude")


_KEYS = ("capacity", "leaves", "enters")


def _sorted(rows: Rows, columns: Rows, values: npt.NDArray[np.float64]) -> tuple[Any, Any, Any]:
    """Return a matrix's entries in the order of its rows."""
    order = np.lexsort((columns, rows))
    return rows[order], columns[order], values[order]


def _refuse_too_large(blueprint: Blueprint, variables: int, most: int) -> None:
    if variables > most:
        raise TooLarge(
            f"{blueprint.name}: the linear program of one phase has {variables:,} variables; the largest solved within"
            f" half a minute has {most:,}; {router_of(blueprint).instead_of_program}"
        )
