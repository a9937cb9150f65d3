"""The fabric as a SimGrid platform: the same links and paths, for an independent simulator of flows (simgrid.org)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from xml.sax.saxutils import quoteattr

import numpy as np

from fabric import units
from fabric.blueprint import Blueprint
from fabric.catalog import collectives
from fabric.errors import InputError, TooLarge
from fabric.export.file_format import Witness
from fabric.export.plan import Plan, PlanFormat, PlanText
from fabric.flow import Phase, Routing, cross_rails, route, slowest_ns
from fabric.flow.placements import NO_GPUS
from fabric.network import Network
from fabric.network.expand import expand

__all__ = ["ROUTES", "SIMGRID", "to_simgrid"]

ROUTES = 1_000_000
"""The most routes written: SimGrid holds one for each ordered pair of NICs, so 1,000 NICs."""

BYTES_PER_HOP = 70
"""What one link of a route takes in the file, about."""

NO_LIMIT_GBPS = 10**6
"""The rate inside a server whose NVLink is unknown: no limit, as the flow model takes it."""

NO_LIMIT = "<!-- The NVLink bandwidth of the servers is not known; here it limits nothing. -->"
"""What a file says where it has that rate."""

HEAD = """<?xml version="1.0"?>
<!DOCTYPE platform SYSTEM "https://simgrid.org/simgrid.dtd">
<platform version="4.1">
<zone id={name} routing="Full">"""


def to_simgrid(blueprint: Blueprint, *, latencies: bool = True) -> str:
    """Return the fabric as a SimGrid platform file (XML, version 4.1) whose paths are those of destination-mod-k.

    A host is a NIC, `server[block=0,slot=3].nic0`; its speed means nothing. A link is a cable, named by its lower end
    and the port there, `leaf[block=0,stripe=0,plane=0]:32`, with its rate each way; switches are where they meet. NICs
    of one server reach each other by NVLink, at the rate of the GPUs for which each stands, and so does a flow that
    must change rails where these never meet. With more planes than one, a pair of NICs uses one of them.

    A link's latency is its cable's and half of each end's switch's (catalog/data/collectives.yaml where unknown).
    SimGrid shares a link in inverse proportion to the latencies of its flows; without `latencies`, shares are max-min
    fair. Raises TooLarge, with the estimate, above ROUTES, and InputError for unlike servers.
    """
    _check(blueprint)
    network = expand(blueprint)
    hosts = [f"{network.name(row)}.nic{nic}" for row, nic in np.ndindex(blueprint.servers, _nics(blueprint))]
    unknown = blueprint.server.nvlink_GBps is None and _nics(blueprint) > 1
    body = chain(
        [NO_LIMIT] if unknown else [],
        (f'<host id="{host}" speed="1Gf"/>' for host in hosts),
        _links(blueprint, network, hosts, latencies=latencies),
        _routes(blueprint, network, hosts),
    )
    return "\n".join([HEAD.format(name=quoteattr(blueprint.name)), *body, "</zone>", "</platform>", ""])


def _links(blueprint: Blueprint, network: Network, hosts: list[str], *, latencies: bool) -> Iterator[str]:
    constants, server = collectives(), blueprint.server
    half = {
        role: slowest_ns(model for model, _ in blueprint.model_counts(role)) / 2 for role in blueprint.topology.roles
    }
    cable = constants.fibre_ns_per_m * constants.cable_m
    ends = [(bundle.lower.role, bundle.upper.role) for bundle in blueprint.topology.bundles]
    delays = [cable + sum(half.get(role, 0.0) for role in pair) if latencies else 0.0 for pair in ends]
    for name, bundle in zip(_cables(network), network.bundle.tolist(), strict=True):
        yield _link(name, network.bundle_gbps[bundle] / 8, delays[bundle])
    if _nics(blueprint) > 1:
        rate = (server.nvlink_GBps or NO_LIMIT_GBPS) * server.gpus / _nics(blueprint)
        yield from (_link(f"{host}.nvlink", rate, 0.0) for host in hosts)


def _link(name: str, rate_GBps: float, latency_ns: float) -> str:
    return f'<link id="{name}" bandwidth="{rate_GBps:g}GBps" latency="{latency_ns:g}ns" sharing_policy="SPLITDUPLEX"/>'


def _routes(blueprint: Blueprint, network: Network, hosts: list[str]) -> Iterator[str]:
    """Write the route of every ordered pair of NICs: perhaps by NVLink to the NIC where it leaves, then over cables."""
    cables, nvlinks = _cables(network), [f"{host}.nvlink" for host in hosts]
    hops = [*_hops(cables, "UP"), *_hops(cables, "DOWN"), "", *_hops(nvlinks, "UP"), *_hops(nvlinks, "DOWN")]
    padding, nics, rows = 2 * len(cables), _nics(blueprint), np.arange(len(hosts))
    for source in range(len(hosts)):
        target = np.delete(rows, source)
        exit_ = cross_rails(blueprint, Phase(np.full_like(target, source), target), pxn=False).source
        exit_ = np.where(target // nics == source // nics, target, exit_)
        up = np.where(exit_ == source, padding, padding + 1 + source)
        down = np.where(exit_ == source, padding, padding + 1 + len(hosts) + exit_)
        arcs = route(blueprint, Phase(exit_, target), Routing("dmodk")).arcs
        for host, path in zip(target.tolist(), np.column_stack([up, down, arcs]).tolist(), strict=True):
            links = "".join(hops[arc] for arc in path)
            yield f'<route src="{hosts[source]}" dst="{hosts[host]}" symmetrical="NO">{links}</route>'


def _hops(names: list[str], direction: str) -> list[str]:
    return [f'<link_ctn id="{name}" direction="{direction}"/>' for name in names]


def _cables(network: Network) -> list[str]:
    """Return the name of each link: its lower end's, and the port there."""
    names = {row: network.name(row) for row in np.unique(network.lower).tolist()}
    ends = zip(network.lower.tolist(), network.lower_port.tolist(), strict=True)
    return [f"{names[row]}:{port}" for row, port in ends]


def _nics(blueprint: Blueprint) -> int:
    """Return the NICs of a server."""
    return blueprint.leaves_per_server * blueprint.sizes[blueprint.topology.bundles[0].name]


def _check(blueprint: Blueprint) -> None:
    """Raise what `to_simgrid` does for a fabric that it can't write."""
    if blueprint.kinds:
        raise InputError(f"{blueprint.name}: a SimGrid platform has equal servers; write one `server`")
    if not blueprint.gpus:
        raise InputError(f"{blueprint.name}: {NO_GPUS}")
    hosts = blueprint.servers * _nics(blueprint)
    routes = hosts * (hosts - 1)
    if routes > ROUTES:
        size = units.size(routes * (2 * blueprint.tiers + 1) * BYTES_PER_HOP)
        raise TooLarge(
            f"{blueprint.name}: a SimGrid platform has a route for each pair of {units.count(hosts)} NICs,"
            f" {units.count(routes)} or some {size}, and at most {units.count(ROUTES)} are written;"
            " export a smaller fabric of the same form"
        )


def _list_files(plan: Plan) -> PlanText:
    yield "platform.xml", iter([to_simgrid(plan.blueprint)])


SIMGRID = PlanFormat(
    "simgrid",
    (),
    "SimGrid",
    "NICs, links with rates and latencies, routes",
    _list_files,
    lambda plan: _check(plan.blueprint),
    witness=Witness("run", "SimGrid 3.32"),
)
"""The format of SimGrid."""
