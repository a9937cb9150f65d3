"""Every address of a fabric in one table, with the AS number, the place, the rail and the plane of its device."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fabric.export.ethernet.addresses import PORT_LENGTH
from fabric.export.ethernet.ethernet_plan import EthernetPlan, refuse_others
from fabric.export.ethernet.texts import (
    choose_texts,
    join_texts,
    number_texts,
    pick_texts,
    spell_addresses,
)
from fabric.export.file_format import Witness
from fabric.export.plan import PlanFormat

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["COLUMNS", "IPAM", "write_addresses"]

COLUMNS = (
    "kind",
    "address",
    "device",
    "port",
    "role",
    "rack",
    "unit",
    "rail",
    "plane",
    "asn",
    "gateway",
    "route",
    "neighbour",
    "neighbour_port",
)
"""The columns. `kind` says what an address is: the `loopback` or `host prefix` of a switch, that of its `port` to a
host, or that of a `host`, which reaches all hosts of its rail and plane, `route`, by its `gateway`."""

BATCH = 1 << 17
"""The rows of a piece of text."""

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class _Part:
    """Rows of one kind; a column of texts may be one text for all of them."""

    kind: str
    """What their addresses are."""
    address: pa.StringArray
    """The address or prefix."""
    device: Rows
    """The network's row of the device."""
    name: pa.StringArray
    """Its name."""
    places: tuple[Rows, Rows]
    """The rail and the plane, -1 where there is none."""
    port: pa.StringArray | str = ""
    """The port."""
    asn: pa.StringArray | str = ""
    """The AS number."""
    rest: tuple[pa.StringArray | str, ...] = ("", "", "", "")
    """The last four columns."""


def write_addresses(plan: EthernetPlan) -> Iterator[str]:
    """Yield the table as CSV: the loopbacks, the host prefixes, and the two ends of every link to a host.

    Rails and planes are counted from 0, as in the names of devices, and are empty where there are none.
    """
    yield ",".join(COLUMNS) + "\n"
    network, layout = plan.plan.network, plan.plan.layout
    racks, roles, role = tuple(layout.rack_names()), tuple(group.role for group in network.groups), network.role
    for part in _list_parts(plan):
        columns = (
            *(part.kind, part.address, part.name, part.port, pick_texts(roles, role[part.device])),
            *(pick_texts(racks, layout.device_rack[part.device]), number_texts(layout.device_unit[part.device])),
            *(choose_texts(digits >= 0, number_texts(digits), "") for digits in part.places),
            *(part.asn, *part.rest),
        )
        cells = [cell for column in columns for cell in (column, ",")]
        yield "".join(join_texts(*cells[:-1], "\n").to_pylist())


def _list_parts(plan: EthernetPlan) -> Iterator[_Part]:
    """Yield the rows of the table, kind by kind."""
    addresses, first, names = plan.addresses, plan.addresses.first_switch, plan.plan.device_names
    rail, plane = plan.plan.device_rail, plan.plan.device_plane
    for rows in _batches(np.arange(len(addresses.asn))):
        device, asn = rows + first, number_texts(addresses.asn[rows])
        text = join_texts(spell_addresses(addresses.loopback[rows]), "/32")
        yield _Part("loopback", text, device, pick_texts(names, device), (rail[device], plane[device]), "lo", asn)
    for rows in _batches(np.flatnonzero(addresses.has_hosts)):
        device, asn = rows + first, number_texts(addresses.asn[rows])
        text = join_texts(spell_addresses(addresses.host_prefix[rows]), f"/{addresses.prefix_length}")
        own, rest = pick_texts(names, device), ("", plan.spell_routes(rows), "", "")
        yield _Part("host prefix", text, device, own, (rail[device], plane[device]), "", asn, rest)
    for rows in _batches(np.arange(len(addresses.host_link))):
        yield from _list_ports(plan, rows)


def _list_ports(plan: EthernetPlan, rows: Rows) -> Iterator[_Part]:
    """Yield the two ends of some links to hosts."""
    addresses, fabric = plan.addresses, plan.plan
    links, gateway = addresses.host_link[rows], addresses.gateway[rows]
    lower, upper = fabric.lower, fabric.upper
    switch, server = upper.device[links], lower.device[links]
    names = pick_texts(fabric.device_names, switch), pick_texts(fabric.hosts.names, fabric.host[links])
    ports = pick_texts(upper.names, upper.name[links]), pick_texts(lower.names, lower.name[links])
    places, own = (fabric.link_rail[links], fabric.link_plane[links]), switch - addresses.first_switch
    text, asn = join_texts(spell_addresses(gateway), f"/{PORT_LENGTH}"), number_texts(addresses.asn[own])
    yield _Part("port", text, switch, names[0], places, ports[0], asn, ("", "", names[1], ports[1]))
    text = join_texts(spell_addresses(gateway + 1), f"/{PORT_LENGTH}")
    rest = spell_addresses(gateway), plan.spell_routes(own), names[0], ports[0]
    yield _Part("host", text, server, names[1], places, ports[1], rest=rest)


def _batches(rows: Rows) -> Iterator[Rows]:
    """Return rows in parts of `BATCH`."""
    return (rows[first : first + BATCH] for first in range(0, len(rows), BATCH))


IPAM = PlanFormat(
    "ipam",
    (),
    "address management, spreadsheets",
    "addresses, AS numbers, racks, rails, planes, gateways",
    lambda plan: iter([("addresses.csv", write_addresses(EthernetPlan(plan)))]),
    refuse_others,
    witness=Witness("run", "FRR 8.4.4 boots with these addresses"),
)
"""The format of the table of addresses."""
