"""Lay a fabric out on its site: racks filled, placed in halls and numbered row by row."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.layout.appliances import add_appliances
from fabric.layout.assignment import assign_network_racks
from fabric.layout.device_facts import describe_rack_limits
from fabric.layout.device_names import list_device_names
from fabric.layout.floor import place_blocks
from fabric.layout.layout import Layout
from fabric.layout.rack_contents import RackContents
from fabric.layout.racks import fill_racks
from fabric.network import Network
from fabric.request.site import Site

__all__ = ["lay_out", "take_devices"]

Floats = npt.NDArray[np.float64]
Known = npt.NDArray[np.bool_]


def lay_out(blueprint: Blueprint, site: Site, network: Network) -> Layout:
    """Return the layout of a fabric with its appliances on a site; `network` has its links.

    Raises InputError for devices that fit no rack, for halls with too few positions (with the racks missing), and for
    names of the site that two devices would have.
    """
    network = add_appliances(blueprint, network)
    contents = fill_racks(blueprint, site)
    racks = contents.server_racks + contents.network_racks
    places = place_blocks(site, contents.blocks, racks, limits=describe_rack_limits(blueprint, site))
    ways = [places, place_blocks(site, contents.blocks, racks, near=True)] if len(places.halls) > 1 else [places]
    places = assign_network_racks(site, ways, contents.blocks, contents.rack, network)
    order = np.lexsort((places.position, places.row, places.hall))
    number = np.empty(racks, np.int64)
    number[order] = np.arange(racks)
    device_rack = number[contents.rack]
    facts = contents.facts
    layout = Layout(
        site,
        network,
        places.halls,
        places.hall[order].astype(np.int32),
        places.row[order].astype(np.int32),
        places.position[order].astype(np.int32),
        order < contents.server_racks,
        device_rack.astype(np.int32),
        contents.unit.astype(np.int32),
        contents.height.astype(np.int32),
        *_sum_racks(contents, device_rack, racks),
        tuple(each.name for each in facts if each.assumed),
        tuple(each.name for each in facts if each.power_w is None),
        tuple(each.name for each in facts if each.weight_kg is None),
        any(each.own_rack for each in facts),
    )
    if site.names:
        list_device_names(layout, network)  # refuses names that two devices would have
    return layout


def take_devices(blueprint: Blueprint, network: Network, whole: Layout, rows: npt.NDArray[np.integer]) -> Layout:
    """Return the layout of an earlier stage of a fabric: its devices where they stand in the layout of the `whole`.

    `network` has its links, and `rows` are its devices among those of the whole, in order. Racks in which none of them
    stands are left out.
    """
    contents = fill_racks(blueprint, whole.site)  # for the power and the weight of each device
    racks, device_rack = np.unique(whole.device_rack[rows], return_inverse=True)
    rack_w, rack_kg, power_known, weight_known = _sum_racks(contents, device_rack, len(racks))
    names, later = {each.name for each in contents.facts}, np.ones(whole.racks, np.bool_)
    later[racks] = False
    return replace(
        whole,
        network=add_appliances(blueprint, network),
        hall=whole.hall[racks],
        row=whole.row[racks],
        position=whole.position[racks],
        holds_servers=whole.holds_servers[racks],
        device_rack=device_rack.astype(np.int32),
        device_unit=whole.device_unit[rows],
        device_height=whole.device_height[rows],
        rack_w=rack_w,
        rack_kg=rack_kg,
        power_known=power_known,
        weight_known=weight_known,
        assumed_heights=tuple(name for name in whole.assumed_heights if name in names),
        unknown_power=tuple(name for name in whole.unknown_power if name in names),
        unknown_weights=tuple(name for name in whole.unknown_weights if name in names),
        reserved=np.stack([whole.hall, whole.row, whole.position], axis=1)[later],
        reserved_units=_reserve_units(whole, rows, racks),
    )


def _sum_racks(
    contents: RackContents, device_rack: npt.NDArray[np.integer], racks: int
) -> tuple[Floats, Floats, Known, Known]:
    """Return the known power and weight of each rack, and whether that is all of it."""
    sums, known = [], []
    for values in (contents.power_w, contents.weight_kg):
        sums.append(np.asarray(np.bincount(device_rack, np.nan_to_num(values), racks), np.float64))
        known.append(np.bincount(device_rack, np.isnan(values), racks) == 0)
    return sums[0], sums[1], known[0], known[1]


def _reserve_units(
    whole: Layout, rows: npt.NDArray[np.integer], racks: npt.NDArray[np.integer]
) -> npt.NDArray[np.int32]:
    """Return rack, rack unit and height of the devices of the whole that are not in `rows` but in one of the racks."""
    number = np.full(whole.racks, -1, np.int32)
    number[racks] = np.arange(len(racks))
    coming = np.ones(len(whole.device_rack), np.bool_)
    coming[rows] = False
    coming &= number[whole.device_rack] >= 0
    columns = (number[whole.device_rack[coming]], whole.device_unit[coming], whole.device_height[coming])
    return np.stack(columns, axis=1)
