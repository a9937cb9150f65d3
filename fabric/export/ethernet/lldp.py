"""The neighbours that LLDP must report on every device of a fabric that is cabled as planned."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fabric.export.ethernet.texts import join_texts, pick_texts
from fabric.export.file_format import Witness
from fabric.export.plan import Plan, PlanFormat

__all__ = ["LLDP", "write_neighbours"]

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


LLDP = PlanFormat(
    "lldp",
    (),
    "comparison with what lldpcli reports",
    "the neighbour of each port",
    lambda plan: iter([("neighbours.csv", write_neighbours(plan))]),
    witness=Witness("run", "lldpd 1.0.16"),
)
"""The format of the table of neighbours."""
