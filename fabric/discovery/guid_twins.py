"""Devices with the same GUID, such as a switch whose memory was copied: records of one GUID that lead elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from fabric.discovery.text_lines import Matches

__all__ = ["Twins", "part_twins"]

Codes = npt.NDArray[np.int32]
Rows = npt.NDArray[np.integer]


@dataclass(frozen=True)
class Twins:
    """The devices of records and ports where several have one GUID."""

    own: Codes
    """The device of each record."""
    peer: Codes
    """The device at the other end of each port."""
    first_of: dict[int, int] = field(default_factory=dict)
    """For each device beyond the first of its GUID, that first one."""


def part_twins(guids: list[str], records: Matches, own: Codes, owner: Rows, ports: Matches, peer: Codes) -> Twins:
    """Return the devices of records and ports; `guids` gets a further item for each device beyond the first of a GUID.

    `own` is the device of each record by its GUID, `owner` the record of each port, and `peer` the device at the other
    end. Records of one GUID are of two devices where their descriptions differ and a port of both leads elsewhere. A
    neighbour means the one whose port leads back to it.
    """
    again = np.flatnonzero(np.bincount(own, minlength=len(guids)) > 1)
    if not len(again):
        return Twins(own, peer)
    texts, numbers = records.group("text").to_pylist(), ports.group("port").to_pylist()
    far_numbers = ports.group("peer_port").to_pylist()
    known, twins, first_of = own, Twins(own.copy(), peer.copy()), dict[int, int]()
    for device in again.tolist():
        rows: dict[str, list[int]] = {}
        for row in np.flatnonzero(known == device).tolist():
            rows.setdefault(texts[row] or "", []).append(row)
        named = list(rows.values())
        lines = [np.flatnonzero(np.isin(owner, mine)).tolist() for mine in named]
        led = [{numbers[at]: (int(peer[at]), far_numbers[at]) for at in each} for each in lines]
        for place in range(1, len(named)):
            if any(led[0].get(port, far) != far for port, far in led[place].items()):
                first_of[len(guids)] = device
                twins.own[named[place]] = len(guids)
                for at in np.flatnonzero(peer == device).tolist():
                    if led[place].get(far_numbers[at]) == (int(known[owner[at]]), numbers[at]):
                        twins.peer[at] = len(guids)
                guids.append(guids[device])
    return Twins(twins.own, twins.peer, first_of)
