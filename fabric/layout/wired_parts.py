"""The parts of links as they were laid out: modules by the cages in use, fibres and cables by length as sold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.blueprint.part_counts import LinkUse, PartCounts
from fabric.blueprint.physical import Joint, ModuleKind, Modules, describe_joint, module_kind
from fabric.blueprint.port_rules import ports_of
from fabric.layout.link_ports import number_models
from fabric.layout.wiring import Wiring
from fabric.topology.topology import Group

__all__ = ["count_wired_parts"]

Ints = npt.NDArray[np.int64]


def count_wired_parts(blueprint: Blueprint, wiring: Wiring) -> PartCounts:
    """Return the links of a laid-out fabric, with the modules, fibres and cables that they need."""
    return PartCounts(tuple(_list_links(wiring)), tuple(_list_modules(blueprint, wiring)), tuple(_list_joints(wiring)))


def _list_links(wiring: Wiring) -> Iterator[LinkUse]:
    counts = np.bincount(wiring.kind, minlength=len(wiring.kinds)).tolist()
    for number, (kind, links) in enumerate(zip(wiring.kinds, counts, strict=True)):
        if kind.found is None or not kind.found.priced_by_metre or not links:
            yield LinkUse(kind.like, kind.bundle, kind.found, links)
            continue
        lengths = zip(*np.unique(wiring.length_m[wiring.kind == number], return_counts=True), strict=True)
        for metres, count in lengths:
            yield LinkUse(kind.like, kind.bundle, replace(kind.found, length_m=float(metres)), int(count))


def _list_modules(blueprint: Blueprint, wiring: Wiring) -> Iterator[Modules]:
    """Yield the modules of servers, of switches tier by tier, and of appliances."""
    for group in blueprint.topology.groups:
        found: dict[_Key, list[Ints]] = {}
        for number, kind in enumerate(wiring.kinds):
            bundle = next(each for each in blueprint.topology.bundles if each.name == kind.like)
            if group == bundle.upper:
                _add_cages(found, blueprint, wiring, group, number, upper=True)
            if group == bundle.lower and not kind.is_appliance:
                _add_cages(found, blueprint, wiring, group, number, upper=False)
        for (module, gbps, links), cages in found.items():
            yield _make_modules(group.role, links, gbps, cages, module)
    for number, kind in enumerate(wiring.kinds):
        module, end = module_kind(kind.found, below=False), wiring.prices.ends[kind.like][0]
        if kind.is_appliance and module.optical:
            gbps, (_, boxed) = wiring.prices.rate(kind.like), _find_cages(wiring, number, upper=False)
            yield _make_modules(kind.bundle, end.links if end else 1, gbps, [boxed], module)


_Key = tuple[ModuleKind, int, int]
"""The kind of modules, the rate of a link in Gb/s, and the links of a cage."""


def _add_cages(
    found: dict[_Key, list[Ints]], blueprint: Blueprint, wiring: Wiring, group: Group, number: int, *, upper: bool
) -> None:
    """Add the cages with modules that links of a kind have at the devices of a group."""
    kind = wiring.kinds[number]
    module, gbps = module_kind(kind.found, below=upper), wiring.prices.rate(kind.like)
    if not module.optical:
        return
    devices, cages = _find_cages(wiring, number, upper=upper)
    if group in blueprint.topology.server_groups:
        links = blueprint.servers_by_role[group.role].links_per_cage(blueprint.planes)
        found.setdefault((module, gbps, links), []).append(cages)
        return
    models = number_models(blueprint, wiring.network, group.role, devices)
    for index, (model, _) in enumerate(blueprint.model_counts(group.role)):
        links = ports_of(model, upward=not upper).links_per_cage(gbps)
        found.setdefault((module, gbps, links), []).append(cages[models == index])


def _find_cages(wiring: Wiring, kind: int, *, upper: bool) -> tuple[npt.NDArray[np.int32], Ints]:
    """Return the device at one end of each link of a kind, and a number of its cage that no other has."""
    rows = np.flatnonzero(wiring.kind == kind)
    devices = (wiring.network.upper if upper else wiring.network.lower)[rows]
    cages = (wiring.b_cage if upper else wiring.a_cage)[rows]
    width = 1 + max(int(each.max(initial=0)) for each in (wiring.a_cage, wiring.b_cage))
    return devices, devices.astype(np.int64) * width + cages


def _make_modules(role: str, links: int, gbps: int, cages: list[Ints], module: ModuleKind) -> Modules:
    # By marking those in use: to sort millions would take longer.
    used = np.zeros(max((int(each.max(initial=-1)) for each in cages), default=-1) + 1, np.bool_)
    for each in cages:
        used[each] = True
    return Modules(role, links, gbps, int(used.sum()), module.part if module.apart else None)


def _list_joints(wiring: Wiring) -> Iterator[tuple[Joint, float]]:
    for kind, counts in wiring.count_lengths():
        joint = describe_joint(kind.like, kind.found, wiring.prices.ends[kind.like])
        used_for = kind.bundle if kind.is_appliance else ""
        for metres, count in (counts or {0.0: 0}).items():
            yield replace(joint, count=count, used_for=used_for), metres
