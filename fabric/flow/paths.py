"""A shortest path between two GPUs, device by device."""

from __future__ import annotations

from fabric.blueprint import Blueprint
from fabric.blueprint.hosts import Hosts
from fabric.errors import InputError, is_whole
from fabric.flow.router import router_of
from fabric.network.expand import lay_devices
from fabric.units import count

__all__ = ["crosses_nvlink", "shortest_path"]


def shortest_path(blueprint: Blueprint, source: int, target: int) -> tuple[str, ...]:
    """Return the names of the devices on a shortest path from one GPU's NIC to another's, both servers included.

    GPUs are numbered from 0 through all servers. Of equal paths it is the one by the least numbers, in the first plane;
    within a server there is only the server. Where the NICs' rails never meet, the first server crosses to the target's
    rail by NVLink. Raises InputError for an unknown GPU, and where no path joins the two.
    """
    ends = _nic(blueprint, source), _nic(blueprint, target)
    hosts, laid = Hosts.of(blueprint), lay_devices(blueprint)
    first, last = (int(hosts.server_of_nic(nic)) for nic in ends)
    if first == last:
        return (next(group for group in laid.values() if first < group.first + group.count).name(first),)
    path = router_of(blueprint).shortest_path(*ends)
    if path is None:
        raise InputError(f"path:{source},{target}: no path of {blueprint.name} joins these two")
    return path


def crosses_nvlink(blueprint: Blueprint, ends: tuple[int, int]) -> bool:
    """Return whether a path begins with NVLink: where rails never meet, to the GPU on the rail of the other end."""
    hosts, (first, last) = Hosts.of(blueprint), (_nic(blueprint, gpu) for gpu in ends)
    servers = [hosts.server_of_nic(nic) for nic in (first, last)]
    if blueprint.topology.rails_meet_at is not None or servers[0] == servers[1]:
        return False
    return bool(first - hosts.first_nic_of(servers[0]) != last - hosts.first_nic_of(servers[1]))


def _nic(blueprint: Blueprint, gpu: int) -> int:
    """Return the NIC that a GPU sends from; raises InputError for an unknown GPU."""
    if not is_whole(gpu, 0) or gpu >= blueprint.gpus:
        raise InputError(f"GPU {gpu!r:.40}: {blueprint.name} has {count(blueprint.gpus)}, numbered from 0")
    return int(Hosts.of(blueprint).nic_of_gpu(int(gpu)))
