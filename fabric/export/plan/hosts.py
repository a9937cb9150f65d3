"""The hosts of a fabric: a server or each of its trays, and every appliance, as an operating system sees itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.errors import InputError
from fabric.export.plan.device_names import HOST_NAME
from fabric.frozen_columns import FrozenColumns
from fabric.network import Network

__all__ = ["HostTable", "list_hosts"]

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class HostTable(FrozenColumns):
    """The hosts, in the order of the network's devices; columns are read-only, shape (hosts,)."""

    names: tuple[str, ...]
    """The name of each: the device's, of a tray with its number from 1, such as `server-b0-s3-tray01`."""
    device: Rows
    """The network's row of the server or appliance."""
    tray: Rows
    """The tray, from 0; 0 where a server has but one."""
    first: Rows
    """The first host of every device, and the number of all, shape (devices + 1,); switches have none."""
    gpus: Rows
    """The GPUs of each; 0 of appliances."""

    def __len__(self) -> int:
        return len(self.names)

    def of(self, device: npt.NDArray[np.integer], tray: npt.NDArray[np.integer]) -> Rows:
        """Return the host that is a tray of a device, for each pair, of their shape."""
        return np.asarray(self.first[device] + tray)


def list_hosts(blueprint: Blueprint, network: Network, names: tuple[str, ...]) -> HostTable:
    """Return the hosts of a network, given the name of every device.

    Raises InputError where the name of a tray is too long for a host, or that of another device.
    """
    trays, gpus = np.zeros(network.devices, np.int64), np.zeros(network.devices, np.int64)
    for group in network.groups[: network.kinds]:
        server = blueprint.servers_by_role[group.role]
        rows = slice(group.first, group.first + group.count)
        trays[rows], gpus[rows] = server.trays, server.gpus
    for group in network.groups[len(network.groups) - network.appliances :]:
        trays[group.first : group.first + group.count] = 1
    first = np.concatenate([[0], np.cumsum(trays)])
    device = np.repeat(np.arange(network.devices), trays)
    tray = np.arange(len(device)) - first[device]
    own = trays[device] > 1
    words = [
        f"{names[row]}-tray{number + 1:02d}" if split else names[row]
        for row, number, split in zip(device.tolist(), tray.tolist(), own.tolist(), strict=True)
    ]
    _refuse_trays([word for word, split in zip(words, own.tolist(), strict=True) if split], names)
    # GPUs of a server are numbered tray by tray, and the first trays have one more where they don't come out even.
    each = gpus[device] // np.maximum(1, trays[device]) + (tray < gpus[device] % np.maximum(1, trays[device]))
    return HostTable(tuple(words), device, tray, first, each)


def _refuse_trays(trays: list[str], devices: tuple[str, ...]) -> None:
    taken = {name.lower() for name in devices} if trays else set()
    for tray in trays:
        if not HOST_NAME.fullmatch(tray):
            raise InputError(
                f"the tray '{tray:.80}' has {len(tray)} characters, and a host's name at most 63; give the servers"
                " shorter names in site.names"
            )
        if tray.lower() in taken:
            raise InputError(f"the tray '{tray:.80}' has the name of another device; give one another in site.names")
