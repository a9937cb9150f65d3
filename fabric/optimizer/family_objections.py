"""Why a family cannot build what a request asks for, whatever its sizes."""

from __future__ import annotations

from collections.abc import Iterator

from fabric.errors import InputError, nearest
from fabric.request import Spec
from fabric.topology.families import family
from fabric.topology.topology import Topology

__all__ = ["EQUAL_SERVERS", "check_names", "object_to_family"]

EQUAL_SERVERS = "its servers are equal; unlike `servers` need a family of tiers, such as fat-tree"
"""Why a direct or server-centric network does not take unlike servers."""


def object_to_family(spec: Spec, topology: Topology, planes: int) -> Iterator[str]:
    """Yield why a topology cannot be what the request asks for."""
    if spec.kinds:
        yield from _unlike_objections(spec, topology)
    least = family(topology.family).least_planes
    if planes < least:
        yield f"each NIC has a port in each of several planes: planes must be {least} or more"
    levels = topology.routing.nic_levels
    if levels and planes != levels:
        ratio = f", and oversubscription about {levels}" if topology.routing.server_relay else ""
        yield f"each NIC has a port for each of {levels} levels: planes must be {levels}{ratio}"
    yield from _appliance_objections(spec, topology)
    if spec.pod_gpus and topology.servers_sharing(2) is None:
        yield "it has no pods, whose size is asked for by pod_gpus"
    if spec.grown_servers > spec.servers and not topology.can_grow:
        yield "it can't grow without moving cables"
    if invalid := topology.invalid_size(spec.pinned):
        yield f"pinned.{invalid}"


def _unlike_objections(spec: Spec, topology: Topology) -> Iterator[str]:
    rails = spec.rails[0] if "rail" in topology.rail_axes else 1
    short = [kind.name for kind in spec.kinds if kind.server.nics % rails]
    if topology.rails_meet_at is None and short:
        yield f"its {rails} rails never meet, and {' and '.join(short)} has not a NIC for each of them"
    if any(each.tier == topology.roles[0] for each in spec.appliances):
        yield "appliances are not yet placed at leaves of unlike servers; write another `tier`"


def _appliance_objections(spec: Spec, topology: Topology) -> Iterator[str]:
    for each in spec.appliances:
        if each.tier not in topology.roles:
            yield f"it has no {each.tier}, to which {each.name} of appliances is joined"
        elif each.per_unit and topology.units_of(topology.group(each.tier)) is None:
            yield f"its {each.tier} is not inside a unit, in which {each.name} of appliances takes ports"


def check_names(spec: Spec, topologies: list[Topology]) -> None:
    """Raise InputError for a pin or an appliance whose axis or tier no allowed topology has."""
    _check_pinned(spec, topologies)
    _check_appliances(spec, topologies)


def _check_appliances(spec: Spec, topologies: list[Topology]) -> None:
    for each in spec.appliances:
        having = [form for form in topologies if each.tier in form.roles]
        if not having and topologies:
            roles = ", ".join(dict.fromkeys(role for form in topologies for role in form.roles))
            text = f"{each.name}: no allowed topology has the tier '{each.tier}'; known: {roles}"
            raise InputError([spec.mistake("appliances", text)])
        if each.per_unit and having and all(form.units_of(form.group(each.tier)) is None for form in having):
            text = f"{each.name}: the {each.tier} is not inside a unit; write per: fabric, or the tier of the leaves"
            raise InputError([spec.mistake("appliances", text)])


def _check_pinned(spec: Spec, topologies: list[Topology]) -> None:
    known = {name for topology in topologies for name in topology.size_names}
    for axis in spec.pinned:
        if topologies and axis not in known:
            raise InputError(f"pinned: {axis}: no allowed topology has such an axis or bundle{nearest(axis, known)}")
