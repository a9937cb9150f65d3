"""Every cable of a fabric on its site: the device, the rack, the rack unit and the port at both ends, and its length.

A row is a link of the network, in its order; the lower end is `a`. Lengths are those sold, at least as long as the way;
the links of a splitter have the length of the longest of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.blueprint.appliances import attach_appliances
from fabric.blueprint.composition import Composition
from fabric.blueprint.prices import Prices, prices_of
from fabric.catalog import LinkPart
from fabric.errors import InputError
from fabric.frozen import FrozenMapping
from fabric.frozen_columns import FrozenColumns
from fabric.layout.appliance_ports import list_port_places
from fabric.layout.cables import group_longest, number_cables
from fabric.layout.layout import Layout
from fabric.layout.ports import PortTable, list_nic_names, list_port_tables
from fabric.layout.routes import cable_metres
from fabric.network import Network
from fabric.request import Spec
from fabric.request.site import Site

__all__ = ["USUAL_LENGTHS_M", "Wiring", "name_ports", "number_models", "wire"]

USUAL_LENGTHS_M = (0.5, 1, 1.5, 2, 2.5, 3, 5, 7, 10, 15, 20, 25, 30, 35, 40, 45, 50)
"""The lengths of cables and fibres whose sold lengths are not known, in metres; above them every 10 m."""

Ints = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Wiring(FrozenColumns):
    """The cables of a fabric; columns are read-only, shape (links,), in the order of the network's links."""

    network: Network
    """The devices and links."""
    layout: Layout
    """The racks."""
    port_names: tuple[str, ...]
    """The names of ports that `a_port` and `b_port` point to."""
    a_port: Ints
    """The index of the port's name at the lower end."""
    b_port: Ints
    """The index of the port's name at the upper end."""
    way_m: npt.NDArray[np.float32]
    """The length of the way with slack, in metres."""
    cable: Ints
    """The number of the cable or fibre, from 0, which the links of a splitter share."""
    length_m: npt.NDArray[np.float32]
    """The length of the cable or fibre as it is sold, in metres."""
    prices: Prices
    """The parts and prices of links, chosen by the longest of each bundle."""
    compositions: Mapping[str, Composition | None]
    """The parts of one link of each bundle, and of the links of each appliance, by name; None where none is known."""
    stage: npt.NDArray[np.int8]
    """The stage of growth that brings each link: 0 for what is bought first."""
    unsold: tuple[str, ...] = ()
    """The parts whose sold lengths are not known, or not that far, for which the usual ones are taken."""

    @cached_property
    def parts(self) -> Mapping[str, str]:
        """The cable, the fibre or the whole link of each bundle, by the bundle's name; empty where none is known."""
        return FrozenMapping({name: found.joint.name if found else "" for name, found in self.compositions.items()})

    @property
    def total_m(self) -> float:
        """The length of all cables as sold, in metres; a splitter counts once."""
        _, firsts = np.unique(self.cable, return_index=True)
        return float(self.length_m[firsts].sum(dtype=np.float64))

    def count_lengths(self) -> dict[str, dict[float, int]]:
        """Return the number of cables of each length as sold, in metres and ascending, by the name of the bundle."""
        found = {}
        for number, name in enumerate(self.network.bundles):
            rows = np.flatnonzero(self.network.bundle == number)
            _, firsts = np.unique(self.cable[rows], return_index=True)
            lengths, counts = np.unique(self.length_m[rows[firsts]], return_counts=True)
            found[name] = dict(zip(lengths.tolist(), counts.tolist(), strict=True))
        return found


def wire(spec: Spec, blueprint: Blueprint, layout: Layout) -> Wiring:
    """Return the cables of a fabric and its appliances on its layout; those of appliances are like others at the tier.

    Raises InputError where no part reaches the longest link of a bundle, and for ports that the site numbers wrongly.
    """
    network = layout.network
    way = cable_metres(layout, network.lower, network.upper)
    alike = {each.appliance.name: each.bundle for each in attach_appliances(blueprint)}
    longest = dict.fromkeys((bundle.name for bundle in blueprint.topology.bundles), 0.0)
    for number, name in enumerate(network.bundles):
        like = alike.get(name, name)
        longest[like] = max(longest[like], float(way[network.bundle == number].max(initial=0)))
    prices = _price_lengths(spec, blueprint, longest)
    parts = {name: prices.parts(alike.get(name, name)) for name in network.bundles}
    cable = number_cables(blueprint, network, parts, prices.ends)
    needed = group_longest(cable, way)[cable]
    length, unsold = np.empty(network.links, np.float32), []
    for number, name in enumerate(network.bundles):
        rows, found = network.bundle == number, parts[name]
        joint = found.joint if found else None
        length[rows] = _round_up(needed[rows], joint)
        if joint and longest[alike.get(name, name)] > max(joint.lengths_m, default=0):
            unsold.append(joint.name)
    names, a_port, b_port = name_ports(blueprint, network, parts, layout.site)
    return Wiring(
        network,
        layout,
        names,
        a_port,
        b_port,
        way.astype(np.float32),
        cable,
        length,
        prices,
        FrozenMapping(parts),
        np.zeros(network.links, np.int8),
        tuple(dict.fromkeys(unsold)),
    )


def _price_lengths(spec: Spec, blueprint: Blueprint, longest: Mapping[str, float]) -> Prices:
    """Return the prices with parts that reach the longest link of each bundle."""
    lengths = {name: float(np.ceil(metres * 10) / 10) for name, metres in longest.items()}
    prices = prices_of(replace(spec, lengths_m=lengths), blueprint)
    for name in longest:
        if refusal := prices.refusal(name):
            raise InputError([spec.mistake(refusal[0], refusal[1])])
    return prices


def _round_up(way: npt.NDArray[np.float64], part: LinkPart | None) -> npt.NDArray[np.float32]:
    """Return each length rounded up to one that is sold."""
    sold = np.array((part and part.lengths_m) or USUAL_LENGTHS_M, np.float64)
    at = np.searchsorted(sold, way - 1e-6)
    rounded = np.append(sold, 0)[at]
    return np.asarray(np.where(at < len(sold), rounded, np.ceil(way / 10 - 1e-6) * 10), np.float32)


def name_ports(
    blueprint: Blueprint, network: Network, parts: Mapping[str, Composition | None], site: Site
) -> tuple[tuple[str, ...], Ints, Ints]:
    """Return the names of ports as `site` has them, and for each link the index of that at its lower and upper end.

    `network` has the links of appliances too, and `parts` are those of a link of each bundle. Raises InputError as
    `list_port_tables` does.
    """
    tables = list_port_tables(blueprint, parts, site)
    rails = len(blueprint.topology.rail_axes) and blueprint.sizes.get("rail", 1)
    names: dict[str, int] = {}
    ends = np.empty(network.links, np.int32), np.empty(network.links, np.int32)
    for number, bundle in enumerate(blueprint.topology.bundles):
        rows = np.flatnonzero(network.bundle == number)
        for group, devices, ports, codes in (
            (bundle.lower, network.lower, network.lower_port, ends[0]),
            (bundle.upper, network.upper, network.upper_port, ends[1]),
        ):
            if group in blueprint.topology.server_groups:
                nics = list_nic_names(blueprint.servers_by_role[group.role], blueprint.planes, rails)
                codes[rows] = np.array([names.setdefault(each, len(names)) for each in nics], np.int32)[ports[rows]]
                continue
            found = tables[group.role, bundle.name]
            model = number_models(blueprint, network, group.role, devices[rows])
            codes[rows] = _codes(found, names)[model, ports[rows].astype(np.int64) - found[0].first]
    for number, each in enumerate(attach_appliances(blueprint), len(blueprint.topology.bundles)):
        rows = np.flatnonzero(network.bundle == number)
        model = number_models(blueprint, network, each.appliance.tier, network.upper[rows])
        places = list_port_places(blueprint, network, each, rows, model, tables)
        uppers = [table.names[place] for table, place in places]
        lowers = [f"port{port + 1}" for port in network.lower_port[rows].tolist()]
        for codes, texts in zip(ends, (lowers, uppers), strict=True):
            codes[rows] = [names.setdefault(text, len(names)) for text in texts]
    return tuple(names), *ends


def _codes(tables: tuple[PortTable, ...], names: dict[str, int]) -> Ints:
    """Return the index of the name of each port of each model, shape (models, ports)."""
    return np.array([[names.setdefault(each, len(names)) for each in table.names] for table in tables], np.int32)


def number_models(blueprint: Blueprint, network: Network, role: str, devices: Ints) -> npt.NDArray[np.int64]:
    """Return which of the models of a role each device has, as its number among them, shape (devices,)."""
    ends = np.cumsum([count for _, count in blueprint.model_counts(role)])
    return np.searchsorted(ends, devices - network.group(role).first, side="right")
