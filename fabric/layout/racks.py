"""What stands in which rack, before racks stand anywhere: servers by unit, switches with them or in network racks.

A unit's servers stand together in as few racks as units, power and weight allow, evenly spread; small units share a
rack. Unlike servers have racks of their own, kind by kind in a unit, where a unit does not fit into one. Whole units
make a group of `Site.group_racks` server racks. Switches above the leaves have network racks for their part of the
fabric; in a part of one group they stand in those of its leaves, where these have racks of their own. An appliance
stands with the first switch that it is joined to.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.blueprint.metrics import metrics_of
from fabric.layout.appliances import list_appliance_links
from fabric.layout.device_facts import appliance_facts, server_facts, switch_facts
from fabric.layout.network_racks import fill_network_racks
from fabric.layout.rack_contents import Block, RackContents, count_before
from fabric.layout.unit_racks import UnitRacks, plan_unit_racks
from fabric.network import Devices
from fabric.network.expand import lay_devices
from fabric.request.site import Site

__all__ = ["fill_racks"]

Ints = npt.NDArray[np.int64]


def fill_racks(blueprint: Blueprint, site: Site) -> RackContents:
    """Return what stands in which rack; raises InputError for a device that fits no rack."""
    groups = lay_devices(blueprint)
    servers, switches = server_facts(blueprint, site), switch_facts(blueprint, site)
    part = _least_part(blueprint)
    units = plan_unit_racks(blueprint, site, groups, {**servers, **switches}, part)
    contents = _start(blueprint, site, groups)
    rack = units.server_rack
    contents.rack[: blueprint.servers] = rack
    contents.server_racks = units.total
    first, foot = 0, np.ones(units.total, np.int64)
    for role, server in servers.items():
        rows = slice(first, first + groups[role].count)
        contents.unit[rows] = foot[rack[rows]] + count_before(rack[rows]) * server.units
        foot += np.bincount(rack[rows], minlength=units.total) * server.units
        first = rows.stop
    _place_switches(blueprint, site, groups, units, contents)
    if not contents.placed.all():
        _place_among_servers(contents, site, blueprint.servers)
        _place_other_appliances(contents, site)
    contents.drop_empty_racks()
    return contents


def _start(blueprint: Blueprint, site: Site, groups: Mapping[str, Devices]) -> RackContents:
    """Return the contents with the facts of every device, and nothing placed."""
    switches, boxes = switch_facts(blueprint, site), appliance_facts(blueprint, site)
    rows = [(facts, groups[role].count) for role, facts in server_facts(blueprint, site).items()]
    for role in blueprint.topology.roles:
        rows += [(switches[model.name], count) for model, count in blueprint.model_counts(role)]
    homes = [np.zeros(0, np.int64)]
    for each in list_appliance_links(blueprint):
        rows.append((boxes[each.attached.appliance.name], each.attached.copies))
        homes.append(groups[each.attached.appliance.tier].first + each.home)
    counts = [count for _, count in rows]
    devices, appliances = sum(counts), sum(map(len, homes))
    return RackContents(
        np.zeros(devices, np.int64),
        np.ones(devices, np.int64),
        np.repeat([each.units for each, _ in rows], counts),
        np.repeat([np.nan if each.power_w is None else each.power_w for each, _ in rows], counts),
        np.repeat([np.nan if each.weight_kg is None else each.weight_kg for each, _ in rows], counts),
        0,
        facts=tuple({each.name: each for each, _ in rows}.values()),
        appliances=np.arange(devices - appliances, devices),
        homes=np.concatenate(homes),
        placed=np.zeros(appliances, np.bool_),
    )


def _place_among_servers(contents: RackContents, site: Site, servers: int) -> None:
    """Put appliances between the servers and the switches of the rack of their first switch, where these leave room."""
    kind, racks = site.racks["server"], contents.server_racks
    others = np.arange(servers, len(contents.rack) - len(contents.appliances))
    others = others[contents.rack[others] < racks]
    foot, top = np.ones(racks, np.int64), np.full(racks, kind.units + 1)
    np.maximum.at(foot, contents.rack[:servers], (contents.unit + contents.height)[:servers])
    np.minimum.at(top, contents.rack[others], contents.unit[others])
    used = np.concatenate([np.arange(servers), others])
    power_w, weight_kg = np.nan_to_num(contents.power_w), np.nan_to_num(contents.weight_kg)
    watts, mass = (np.bincount(contents.rack[used], each[used], racks) for each in (power_w, weight_kg))
    limits = (np.inf if kind.most_kw is None else kind.most_kw * 1000, kind.weight_kg or np.inf)
    for number in np.flatnonzero(~contents.placed).tolist():
        row, rack = contents.appliances[number], contents.rack[contents.homes[number]]
        height, draws, weighs = contents.height[row], power_w[row], weight_kg[row]
        if foot[rack] + height > top[rack] or watts[rack] + draws > limits[0] or mass[rack] + weighs > limits[1]:
            continue
        contents.rack[row], contents.unit[row], contents.placed[number] = rack, foot[rack], True
        foot[rack], watts[rack], mass[rack] = foot[rack] + height, watts[rack] + draws, mass[rack] + weighs


def _place_other_appliances(contents: RackContents, site: Site) -> None:
    """Put the appliances that have no room near their switches into network racks of their own, in the middle."""
    rows = contents.appliances[~contents.placed]
    if len(rows):
        block = Block(fill_network_racks(contents, site, rows), "appliance", central=len(contents.blocks) > 2)
        contents.blocks.insert(len(contents.blocks) // 2, block)


def _place_switches(
    blueprint: Blueprint, site: Site, groups: Mapping[str, Devices], units: UnitRacks, contents: RackContents
) -> None:
    """Place all switches, and list the blocks of racks."""
    topology = blueprint.topology
    leaf = topology.switch_groups[0]
    unit_of_leaf = _unit_of(blueprint, groups[leaf.role], units)
    upper = [(group.role, *_areas_of(blueprint, groups[group.role], units)) for group in topology.switch_groups[1:]]
    part = _least_part(blueprint)
    bounds = units.group_bounds(part, site.group_racks)
    single = [start for start, end in bounds if end - start >= min(part, units.units - start)]
    own = site.layout in ("middle-of-row", "end-of-row")
    if site.layout == "in-rack":
        _put_leaves_in_racks(contents, site, groups[leaf.role], unit_of_leaf, units)
    items: list[tuple[int, Block]] = []
    joined = {role for role, _, span in upper if span == part and own and len(single) == len(bounds)} - set(site.places)
    for start, end in bounds:
        racks = units.between(start, end)
        devices = (
            [groups[leaf.role].first + np.flatnonzero((unit_of_leaf >= start) & (unit_of_leaf < end))] if own else []
        )
        for role, area, span in upper:
            if role in joined:
                devices.append(groups[role].first + np.flatnonzero(area == start // span))
        apart = leaf.role in site.places
        network = fill_network_racks(contents, site, np.concatenate(devices)) if devices else np.zeros(0, np.int64)
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
                    racks = fill_network_racks(contents, site, devices)
                    blocks.append((inside[0][0], Block(racks, role, central=len(parts) == 1 and len(inside) > 2)))
            half = len(inside) // 2
            items += [*inside[:half], *blocks, *inside[half:]]
    return [block for _, block in items]


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


def _least_part(blueprint: Blueprint) -> int:
    """Return the units of the smallest part of the fabric above a unit that has switches of its own."""
    topology, (_, _, units) = blueprint.topology, metrics_of(blueprint).unit()
    above = [topology.placement_axes(group) for group in topology.switch_groups[1:]]
    return min((_units_below(blueprint, places) if places else units for places in above), default=units)


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
    contents.rack[rows] = units.first[unit] + count_before(unit) * units.racks[unit] // units.leaves
    kind, rank = site.racks["server"], count_before(contents.rack[rows])
    stated = np.array(kind.switch_units, np.int64)
    from_top = kind.units + 1 - (rank + 1) * contents.height[rows]
    contents.unit[rows] = np.where(rank < len(stated), np.append(stated, 0)[np.minimum(rank, len(stated))], from_top)
