"""The neighbours that LLDP must report on every device of a fabric that is cabled as planned."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fabric.export.ethernet.batches import Batches
from fabric.export.ethernet.ethernet_plan import EthernetPlan, SwitchEnds, refuse_others
from fabric.export.ethernet.texts import join_texts, pick_texts
from fabric.export.file_format import Witness
from fabric.export.link_layer import require_ethernet
from fabric.export.plan import Plan, PlanFormat

__all__ = ["LLDP", "LLDP_JSON", "write_neighbours", "write_reports"]

HEAD = "device,port,neighbour,neighbour_port\n"
"""The columns: a device and its port, and what LLDP reports there."""

BATCH = 1 << 17
"""The rows of a piece of text."""


def write_neighbours(plan: Plan) -> Iterator[str]:
    """Yield the table of neighbours as CSV, a row for each end of each cable, device by device.

    A server of several trays is several devices. Ports have the names of the devices' own operating systems, as in
    `fabric wiring`; those of hosts are of their NICs.
    """
    network, names = plan.network, (*plan.device_names, *plan.hosts.names)
    host = plan.host + network.devices
    lower = np.where(plan.host >= 0, host, plan.lower.device)
    device = np.concatenate([lower, plan.upper.device])
    ports = (*plan.lower.names, *plan.upper.names)
    port = np.concatenate([plan.lower.name, plan.upper.name + len(plan.lower.names)])
    order = np.lexsort((np.concatenate([network.lower_port, network.upper_port]), device))
    far = (order + network.links) % (2 * network.links)
    yield HEAD
    for first in range(0, len(order), BATCH):
        rows = order[first : first + BATCH], far[first : first + BATCH]
        near, other = (join_texts(pick_texts(names, device[own]), ",", pick_texts(ports, port[own])) for own in rows)
        yield "".join(join_texts(near, ",", other, "\n").to_pylist())


def write_reports(plan: EthernetPlan) -> Iterator[tuple[str, Iterator[str]]]:
    """Yield what `lldpcli -f json0 show neighbors` must report on every switch, a file by its name.

    Of each port these have the name and the port of its neighbour; a switch tells more, such as its addresses.
    """
    lines = Batches(plan.ports.start, lambda rows: _list_reports(plan.list_ends(plan.plan, rows)))
    for row, name in enumerate(plan.switch_names):
        yield f"{name}.json", _write_report(row, lines)


def _write_report(row: int, lines: Batches[list[str]]) -> Iterator[str]:
    """Yield the pieces of a switch's report."""
    ports, own = lines.of(row)
    yield '{"lldp": [{"interface": [\n'
    yield ",\n".join(ports[own])
    yield "\n]}]}\n"


def _list_reports(ends: SwitchEnds) -> list[str]:
    """Return what is reported on each port, as JSON."""
    port = join_texts('"port": [{"id": [{"type": "ifname", "value": "', ends.peer_port, '"}]}]')
    head = join_texts('{"name": "', ends.name, '", "chassis": [{"name": [{"value": "', ends.peer, '"}]}], ')
    rows: list[str] = join_texts(head, port, "}").to_pylist()
    return rows


LLDP = PlanFormat(
    "lldp",
    (),
    "comparison with what lldpcli reports",
    "the neighbour of each port",
    lambda plan: iter([("neighbours.csv", write_neighbours(plan))]),
    lambda plan: require_ethernet(plan.blueprint, "LLDP is of Ethernet"),
    witness=Witness("run", "lldpd 1.0.16"),
)
"""The format of the table of neighbours."""

LLDP_JSON = PlanFormat(
    "lldp-json",
    (),
    "what reads lldpcli -f json0",
    "the neighbour of each port of each switch",
    lambda plan: write_reports(EthernetPlan(plan)),
    refuse_others,
    folder=True,
    witness=Witness("run", "lldpd 1.0.16"),
)
"""The format of the reports of LLDP."""
