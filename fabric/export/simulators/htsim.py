"""The topology file of htsim (github.com/Broadcom/csg-htsim, `sim/datacenter/fat_tree_topology.cpp`): a fat tree.

It describes each tier once: the links down and up of a switch, how many of them lead to the same one (`Bundle`), their
rate and delay. A host has one port, so it is a port of a NIC; hosts are numbered leaf by leaf. Planes are alike, and
the file is of one of them. htsim joins every leaf of a pod to every switch above it in the pod, and switch i of every
pod to the i-th share of the cores.
"""

from __future__ import annotations

from collections.abc import Iterator

from fabric.blueprint import Blueprint
from fabric.errors import InputError
from fabric.export.file_format import Witness
from fabric.export.plan import Plan, PlanFormat
from fabric.export.simulators.link_columns import link_columns, switch_ns

__all__ = ["HTSIM"]


def _check(plan: Plan) -> None:
    """Raise InputError for a fabric that is no full fat tree of two or three tiers, as htsim knows it."""
    if reason := _objection(plan.blueprint):
        raise InputError(
            f"{plan.blueprint.name}: htsim reads full fat trees of two or three tiers, and this is none: {reason}"
        )


def _write(plan: Plan) -> Iterator[str]:
    """Yield the text: a head, then a paragraph for each tier; delays are whole ns from 1 on, as htsim has them."""
    blueprint = plan.blueprint
    roles, links = blueprint.topology.roles, link_columns(plan)
    ports = blueprint.ports_down(roles[0])
    leaves = blueprint.devices(roles[0]) // blueprint.planes
    pods = _pods(blueprint)
    if blueprint.planes > 1:
        yield f"# One of {blueprint.planes} planes, which are alike.\n"
    yield f"Nodes {leaves * ports}\nTiers {len(roles)}\nPodsize {leaves // pods * ports}\n"
    for tier, role in enumerate(roles):
        bundle = blueprint.topology.bundles[tier]
        down, up = blueprint.ports_down(role), blueprint.ports_up(role)
        yield f"\nTier {tier}\nDownlink_speed_Gbps {blueprint.rate(bundle)}\nRadix_Down {down}\n"
        if up:
            yield f"Radix_Up {up}\n"
            yield f"Oversubscribed {down // up}\n" if down > up else ""
        if tier and blueprint.sizes[bundle.name] > 1:
            yield f"Bundle {blueprint.sizes[bundle.name]}\n"
        yield f"Downlink_Latency_ns {max(1, round(links.mean_ns(tier, cable=True)))}\n"
        yield f"Switch_Latency_ns {round(switch_ns(plan, role))}\n"


def _objection(blueprint: Blueprint) -> str:
    """Return why a fabric is not such a fat tree; empty where it is one."""
    topology, sizes = blueprint.topology, blueprint.sizes
    roles = topology.roles
    if not topology.layered or not 2 <= len(roles) <= 3:
        return f"it has {topology.size_label} ({topology.family})"
    if blueprint.kinds:
        return "its servers are unlike"
    if partial := topology.partial_places(sizes):
        place = partial[0]
        return f"the last {place.name} has {place.filled} of {place.full} {place.things}; ask for whole ones"
    if topology.balanced_bundles:
        return "its uplinks are not spread evenly; write uplink_spread: even"
    if len(set(blueprint.bundle_rates.values())) > 1:
        return "its links have several rates"
    for role in roles[:-1]:
        if blueprint.ports_down(role) % blueprint.ports_up(role):
            down, up = blueprint.ports_down(role), blueprint.ports_up(role)
            return f"a {role} has {down} links down and {up} up, whose ratio is no whole number"
    return "" if _joins_as_htsim(blueprint) else "its pods or cores are not joined as in one"


def _pods(blueprint: Blueprint) -> int:
    """Return the pods of a plane: the sets of leaves that share switches above them."""
    topology, sizes = blueprint.topology, blueprint.sizes
    leaf, above = topology.roles[:2]
    leaves = blueprint.devices(leaf) // blueprint.planes
    return leaves // (blueprint.ports_down(above) // sizes[topology.bundles[1].name])


def _joins_as_htsim(blueprint: Blueprint) -> bool:
    """Say whether each leaf has links to all switches above it in its pod, and each core to one switch of each pod."""
    topology, sizes, planes = blueprint.topology, blueprint.sizes, blueprint.planes
    leaf, above, *core = topology.roles
    in_pod = blueprint.ports_up(leaf) // sizes[topology.bundles[1].name]
    pods = _pods(blueprint)
    hosts = blueprint.devices(leaf) * blueprint.ports_down(leaf)
    if in_pod * pods * planes != blueprint.devices(above) or hosts != blueprint.nics * planes:
        return False
    return pods == 1 if not core else blueprint.ports_down(core[0]) == pods * sizes[topology.bundles[2].name]


HTSIM = PlanFormat(
    "htsim",
    (),
    "htsim",
    "tiers with links down and up, rates and delays",
    lambda plan: iter([("fabric.topo", _write(plan))]),
    _check,
    witness=Witness("grammar", "FatTreeTopology of csg-htsim"),
)
"""The format of htsim."""
