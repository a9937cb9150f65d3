"""The neighbours that LLDP must report on every device of a fabric that is cabled as planned."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fabric.export.ethernet.ethernet_plan import EthernetPlan
from fabric.export.ethernet.texts import join_texts, pick_texts

__all__ = ["write_neighbours"]

HEAD = "device,port,neighbour,neighbour_port\n"
"""The columns: a device and its port, and what LLDP reports there."""

BATCH = 1 << 17
"""The rows of a piece of text."""


def write_neighbours(plan: EthernetPlan) -> Iterator[str]:
    """Yield the table of neighbours as CSV, a row for each end of each cable, device by device.

    Ports have the names of the devices' own operating systems, as in `fabric wiring`.
    """
    wiring, network = plan.wiring, plan.wiring.network
    device = np.concatenate([network.lower, network.upper])
    port = np.concatenate([wiring.a_port, wiring.b_port])
    order = np.lexsort((np.concatenate([network.lower_port, network.upper_port]), device))
    far = (order + network.links) % (2 * network.links)
    yield HEAD
    for first in range(0, len(order), BATCH):
        near, other = order[first : first + BATCH], far[first : first + BATCH]
        ends = [
            column
            for rows in (near, other)
            for column in (
                pick_texts(plan.device_names, device[rows]),
                ",",
                pick_texts(wiring.port_names, port[rows]),
                ",",
            )
        ]
        yield "".join(join_texts(*ends[:-1], "\n").to_pylist())
