"""Both ends of every link as a technician finds them: the device, its port on the panel, and the part of the port."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.blueprint.appliances import attach_appliances
from fabric.frozen_columns import FrozenColumns
from fabric.layout.appliance_ports import list_port_places
from fabric.layout.link_ports import number_models
from fabric.layout.ports import PortTable, list_port_tables, name_cards, place_nic_ports
from fabric.layout.wiring import Wiring

__all__ = ["LinkEnds", "list_ends"]

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class LinkEnds(FrozenColumns):
    """The lower or the upper ends of all links; columns are read-only, shape (links,), in the order of the network."""

    device: Rows
    """The network's row of the device."""
    tray: Rows
    """The tray of a server, from 0; 0 where it has but one, and at switches and appliances."""
    port: Rows
    """The port on the panel, from 1; of a server's tray its NIC, of an appliance its port."""
    part: Rows
    """The part of a split port, or of a NIC its port to one plane or level of switches, from 0."""
    parts: Rows
    """The parts of that port; 1 where it is whole."""
    name: Rows
    """The index in `names` of the port's name, as its vendor writes it; a server's has no number of the tray."""
    names: tuple[str, ...]
    """The names of ports."""


class _Columns:
    """The columns of one side while they are filled in."""

    def __init__(self, device: npt.NDArray[np.integer]) -> None:
        self.device = device.astype(np.int64)
        self.tray, self.port, self.part, self.name = (np.zeros(len(device), np.int64) for _ in range(4))
        self.parts = np.ones(len(device), np.int64)
        self.codes: dict[str, int] = {}

    def code(self, names: Iterable[str]) -> Rows:
        """Return the index of every name, new ones after the others."""
        return np.array([self.codes.setdefault(name, len(self.codes)) for name in names], np.int64)

    def done(self) -> LinkEnds:
        """Return the ends."""
        return LinkEnds(self.device, self.tray, self.port, self.part, self.parts, self.name, tuple(self.codes))


def list_ends(blueprint: Blueprint, wiring: Wiring) -> tuple[LinkEnds, LinkEnds]:
    """Return the lower and the upper ends of all links."""
    network, tables = wiring.network, list_port_tables(blueprint, wiring.compositions, wiring.layout.site)
    sides = _Columns(network.lower), _Columns(network.upper)
    ports = network.lower_port.astype(np.int64), network.upper_port.astype(np.int64)
    for number, bundle in enumerate(blueprint.topology.bundles):
        rows = np.flatnonzero(network.bundle == number)
        for side, port, group in zip(sides, ports, (bundle.lower, bundle.upper), strict=True):
            if group in blueprint.topology.server_groups:
                _fill_nics(side, rows, port[rows], blueprint, group.role)
                continue
            found = tables[group.role, bundle.name]
            model = number_models(blueprint, network, group.role, side.device[rows].astype(np.int32))
            for own, table in enumerate(found):
                here = rows[model == own]
                _fill_ports(side, here, port[here] - table.first, table)
    for number, each in enumerate(attach_appliances(blueprint), len(blueprint.topology.bundles)):
        rows = np.flatnonzero(network.bundle == number)
        model = number_models(blueprint, network, each.appliance.tier, network.upper[rows])
        places = list_port_places(blueprint, network, each, rows, model, tables)
        for row, (table, place) in zip(rows, places, strict=True):  # some ten links of a fabric
            _fill_ports(sides[1], np.array([row]), np.array([place]), table)
        sides[0].port[rows] = ports[0][rows] + 1
        sides[0].name[rows] = sides[0].code(f"port{port}" for port in sides[0].port[rows].tolist())
    return sides[0].done(), sides[1].done()


def _fill_ports(side: _Columns, rows: Rows, places: Rows, table: PortTable) -> None:
    """Fill in the ends at switches of one model, given the place of each in the table of its ports."""
    columns = np.array([(each.port + 1, each.part, each.parts) for each in table.parts], np.int64).reshape(-1, 3)
    side.port[rows], side.part[rows], side.parts[rows] = columns[places].T
    side.name[rows] = side.code(table.names)[places]


def _fill_nics(side: _Columns, rows: Rows, ports: Rows, blueprint: Blueprint, role: str) -> None:
    """Fill in the ends at servers of one role, given the network's port numbers."""
    server, topology = blueprint.servers_by_role[role], blueprint.topology
    each = topology.routing.nic_levels or blueprint.planes
    per_card = each // server.cards
    tray, place, part = place_nic_ports(server, each, ports, blueprint.rails if topology.rail_axes else 0)
    side.tray[rows], side.port[rows] = tray, place + 1
    side.part[rows], side.parts[rows] = part, per_card
    names = name_cards(server, -(-server.cards_total // server.trays), per_card)
    side.name[rows] = side.code(names)[place * per_card + part]
