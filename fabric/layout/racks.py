"""What stands in which rack, before racks stand anywhere: servers by unit, switches with them or in network racks.

A unit's servers stand together in as few racks as units, power and weight allow, evenly spread; small units share a
rack. Whole units make a group of `Site.group_racks` server racks. Switches above the leaves have network racks for
their part of the fabric; in a part of one group they stand in those of its leaves, where these have racks of their own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.errors import InputError
from fabric.layout.device_facts import DeviceFacts, server_facts, switch_facts
from fabric.layout.unit_racks import UnitRacks, plan_unit_racks
from fabric.network import Devices
from fabric.network.expand import lay_devices
from fabric.request.site import RackKind, Site

__all__ = ["Block", "RackContents", "fill_racks"]

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Block:
    """Racks that stand side by side, in their order."""

    racks: Ints
    """The racks, shape (racks,)."""
    role: str = ""
    """The role of the switches in network racks that stand alone; empty where servers are among them."""
    central: bool = False
    """Whether its switches serve all of a fabric of several blocks: it then stands in the middle of the floor."""


@dataclass
class RackContents:
    """The rack of every device, and the blocks of racks in the order in which they fill the floor."""

    rack: Ints
    """The rack of each device, shape (devices,)."""
    unit: Ints
    """The lowest rack unit of each device, from 1, shape (devices,)."""
    height: Ints
    """The height of each device in rack units, shape (devices,)."""
    power_w: npt.NDArray[np.float64]
    """The most power of each device in W, nan where it is not known, shape (devices,)."""
    weight_kg: npt.NDArray[np.float64]
    """The weight of each device in kg, nan where it is not known, shape (devices,)."""
    server_racks: int
    """The racks for servers, which have the first numbers."""
    network_racks: int = 0
    """The network racks, which have the numbers after them."""
    blocks: list[Block] = field(default_factory=list)
    """The blocks in order."""
    facts: Mapping[str, DeviceFacts] = field(default_factory=dict)
    """The facts of every model, by name."""


def fill_racks(blueprint: Blueprint, site: Site) -> RackContents:
    """Return what stands in which rack; raises InputError for a device that fits no rack, and for unlike servers."""
    if blueprint.kinds:
        raise InputError(f"{blueprint.name}: the layout of unlike servers is not supported yet")
    groups = lay_devices(blueprint)
    facts = switch_facts(blueprint, site)
    server = next(iter(server_facts(blueprint, site).values()))
    units = plan_unit_racks(blueprint, site, server, facts)
    units = units.within(_least_part(blueprint, units))
    contents = _start(blueprint, server, facts)
    unit = np.arange(blueprint.servers) // units.servers
    slot = np.arange(blueprint.servers) % units.servers
    rack = units.rack_of(unit, slot)
    contents.rack[: blueprint.servers] = rack
    contents.unit[: blueprint.servers] = 1 + _rank(rack) * server.units
    contents.server_racks = -(-units.units // units.share) * units.racks
    _place_switches(blueprint, site, groups, units, contents)
    _drop_empty_racks(contents)
    return contents


def _drop_empty_racks(contents: RackContents) -> None:
    """Leave out the racks of places without servers, and number the others anew."""
    used = np.zeros(contents.server_racks + contents.network_racks, np.bool_)
    used[contents.rack] = True
    number = np.cumsum(used) - 1
    contents.rack = number[contents.rack]
    contents.server_racks = int(used[: contents.server_racks].sum())
    blocks = (replace(block, racks=number[block.racks[used[block.racks]]]) for block in contents.blocks)
    contents.blocks = [block for block in blocks if len(block.racks)]


def _start(blueprint: Blueprint, server: DeviceFacts, facts: Mapping[str, DeviceFacts]) -> RackContents:
    """Return the contents with the facts of every device, and nothing placed."""
    rows = [(server, blueprint.servers)]
    for role in blueprint.topology.roles:
        rows += [(facts[model.name], count) for model, count in blueprint.model_counts(role)]
    counts = [count for _, count in rows]
    devices = sum(counts)
    return RackContents(
        np.zeros(devices, np.int64),
        np.ones(devices, np.int64),
        np.repeat([each.units for each, _ in rows], counts),
        np.repeat([np.nan if each.power_w is None else each.power_w for each, _ in rows], counts),
        np.repeat([np.nan if each.weight_kg is None else each.weight_kg for each, _ in rows], counts),
        0,
        facts={server.name: server, **facts},
    )


def _place_switches(
    blueprint: Blueprint, site: Site, groups: Mapping[str, Devices], units: UnitRacks, contents: RackContents
) -> None:
    """Place all switches, and list the blocks of racks."""
    topology = blueprint.topology
    leaf = topology.switch_groups[0]
    unit_of_leaf = _unit_of(blueprint, groups[leaf.role], units)
    upper = [(group.role, *_areas_of(blueprint, groups[group.role], units)) for group in topology.switch_groups[1:]]
    part = _least_part(blueprint, units)
    bounds = _group_bounds(site, units, part)
    single = [start for start, end in bounds if end - start >= min(part, units.units - start)]
    own = site.layout in ("middle-of-row", "end-of-row")
    if site.layout == "in-rack":
        _put_leaves_in_racks(contents, site, groups[leaf.role], unit_of_leaf, units)
    items: list[tuple[int, Block]] = []
    joined = {role for role, _, span in upper if span == part and own and len(single) == len(bounds)} - set(site.places)
    for start, end in bounds:
        racks = np.arange(start // units.share * units.racks, -(-end // units.share) * units.racks)
        devices = (
            [groups[leaf.role].first + np.flatnonzero((unit_of_leaf >= start) & (unit_of_leaf < end))] if own else []
        )
        for role, area, span in upper:
            if role in joined:
                devices.append(groups[role].first + np.flatnonzero(area == start // span))
        apart = leaf.role in site.places
        network = _fill_network_racks(contents, site, np.concatenate(devices)) if devices else np.zeros(0, np.int64)
        half = len(racks) // 2 if site.layout == "middle-of-row" else len(racks)
        if apart:
            items.append((start, Block(network, leaf.role)))
            network = network[:0]
        items.append((start, Block(np.concatenate([racks[:half], network, racks[half:]]))))
    if site.layout == "network-rows":
        upper.insert(0, (leaf.role, unit_of_leaf // part, part))
    contents.blocks = _insert_network_blocks(
        contents, site, groups, items, [each for each in upper if each[0] not in joined]
    )


def _insert_network_blocks(
    contents: RackContents,
    site: Site,
    groups: Mapping[str, Devices],
    items: list[tuple[int, Block]],
    upper: Sequence[tuple[str, Ints, int]],
) -> list[Block]:
    """Return the blocks with the network racks of each part of the fabric in the middle of that part's."""
    for span in sorted({span for _, _, span in upper}):
        parts: dict[int, list[tuple[int, Block]]] = {}
        for start, block in items:
            parts.setdefault(start // span, []).append((start, block))
        items = []
        for number, inside in parts.items():
            blocks = []
            for role, area, wide in upper:
                devices = groups[role].first + np.flatnonzero(area == number)
                if wide == span and len(devices):
                    racks = _fill_network_racks(contents, site, devices)
                    blocks.append((inside[0][0], Block(racks, role, central=len(parts) == 1 and len(inside) > 2)))
            half = len(inside) // 2
            items += [*inside[:half], *blocks, *inside[half:]]
    return [block for _, block in items]


def _group_bounds(site: Site, units: UnitRacks, part: int) -> list[tuple[int, int]]:
    """Return the first and the last unit, excluded, of each group; a group lies in one part of the fabric."""
    each = max(1, site.group_racks * units.share // units.racks)
    starts = [
        start for first in range(0, units.units, part) for start in range(first, min(first + part, units.units), each)
    ]
    return list(zip(starts, [*starts[1:], units.units], strict=True))


def _unit_of(blueprint: Blueprint, leaves: Devices, units: UnitRacks) -> Ints:
    """Return the unit of each leaf, shape (leaves,)."""
    group = blueprint.topology.group(leaves.role)
    places = blueprint.topology.placement_axes(group)
    if not places:
        return np.arange(leaves.count) // max(1, units.leaves)
    return _flat_place(blueprint, leaves, places)


def _areas_of(blueprint: Blueprint, devices: Devices, units: UnitRacks) -> tuple[Ints, int]:
    """Return the part of the fabric that each switch serves, shape (switches,), and the units of a full part."""
    topology = blueprint.topology
    places = topology.placement_axes(topology.group(devices.role))
    if not places:
        return np.zeros(devices.count, np.int64), units.units
    return _flat_place(blueprint, devices, places), _units_below(blueprint, places)


def _units_below(blueprint: Blueprint, places: Sequence[str]) -> int:
    """Return the units of a full part of the fabric that these axes number."""
    return math.prod(blueprint.sizes[axis] for axis in blueprint.topology.server.axes[len(places) : -1])


def _least_part(blueprint: Blueprint, units: UnitRacks) -> int:
    """Return the units of the smallest part of the fabric above a unit that has switches of its own."""
    topology = blueprint.topology
    above = [topology.placement_axes(group) for group in topology.switch_groups[1:]]
    return min((_units_below(blueprint, places) if places else units.units for places in above), default=units.units)


def _flat_place(blueprint: Blueprint, devices: Devices, places: Sequence[str]) -> Ints:
    """Return the number of each device's place, numbered over all places."""
    coordinates = devices.coordinates()
    flat = np.zeros(devices.count, np.int64)
    for axis in places:
        flat = flat * blueprint.sizes[axis] + coordinates[axis]
    return flat


def _put_leaves_in_racks(contents: RackContents, site: Site, leaves: Devices, unit: Ints, units: UnitRacks) -> None:
    """Put the leaves of a unit into the racks of its servers, evenly, from the top down."""
    rows = leaves.first + np.arange(leaves.count)
    if units.share > 1:
        contents.rack[rows] = unit // units.share
    else:
        contents.rack[rows] = unit * units.racks + _rank(unit) * units.racks // units.leaves
    kind, rank = site.racks["server"], _rank(contents.rack[rows])
    stated = np.array(kind.switch_units, np.int64)
    from_top = kind.units + 1 - (rank + 1) * contents.height[rows]
    contents.unit[rows] = np.where(rank < len(stated), np.append(stated, 0)[np.minimum(rank, len(stated))], from_top)


def _fill_network_racks(contents: RackContents, site: Site, devices: Ints) -> Ints:
    """Put devices into new network racks, evenly, from the foot up; return the racks."""
    kind = site.racks["network"]
    racks, units = _pack(contents, kind, devices, len(devices))
    if racks[-1]:
        racks, units = _pack(contents, kind, devices, -(-len(devices) // int(racks[-1] + 1)))
    first = contents.server_racks + contents.network_racks
    contents.rack[devices], contents.unit[devices] = first + racks, units
    contents.network_racks += int(racks[-1]) + 1
    return first + np.arange(int(racks[-1]) + 1)


def _pack(contents: RackContents, kind: RackKind, devices: Ints, most: int) -> tuple[Ints, Ints]:
    """Return the rack, from 0, and the rack unit of each device in order, at most `most` of them in a rack."""
    room_w = np.inf if kind.most_kw is None else kind.most_kw * 1000 * (1 + 1e-9)
    room_kg = kind.weight_kg or np.inf
    racks, units = [], []
    rack = held = 0
    unit, watts, weight = 1, 0.0, 0.0
    values = zip(
        contents.height[devices].tolist(),
        np.nan_to_num(contents.power_w[devices]).tolist(),
        np.nan_to_num(contents.weight_kg[devices]).tolist(),
        strict=True,
    )
    for height, power, mass in values:
        at = kind.switch_units[held] if held < len(kind.switch_units) else unit
        if held and (
            held == most
            or at + height - 1 > kind.units
            or watts + power > room_w
            or weight + mass > room_kg
            or (kind.switch_units and held == len(kind.switch_units))
        ):
            rack, held, unit, watts, weight = rack + 1, 0, 1, 0.0, 0.0
            at = kind.switch_units[0] if kind.switch_units else unit
        if at + height - 1 > kind.units or power > room_w or mass > room_kg:
            raise InputError(
                f"site.rack: a switch of {height} rack units and {power / 1000:g} kW fits no network rack of "
                f"{kind.units} rack units; give network racks more room"
            )
        racks.append(rack)
        units.append(at)
        held, unit, watts, weight = held + 1, at + height, watts + power, weight + mass
    return np.array(racks, np.int64), np.array(units, np.int64)


def _rank(values: Ints) -> Ints:
    """Return how many times each value has been there before, shape (values,)."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    ranks = np.empty(len(values), np.int64)
    ranks[order] = np.arange(len(values)) - np.repeat(starts, np.diff(np.append(starts, len(values))))
    return ranks
