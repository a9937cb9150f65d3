"""Failures of links, switches, servers, NICs and planes, by name, number or rate, as a mask of links that are up."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.blueprint.hosts import Hosts
from fabric.errors import InputError, nearest
from fabric.flow.host_links import bundle_rows
from fabric.flow.phase import Phase
from fabric.flow.router import router_of
from fabric.network import Devices, axis_label
from fabric.network.expand import expand, lay_devices
from fabric.topology.topology import PLANE

__all__ = ["fail", "failover", "nics_left", "servers_up"]

Mask = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int64]

_WORD = re.compile(r"([a-z][\w-]*)(?:\[(.*)\]|:(\d{1,12})|:(\d{0,12}\.?\d{1,12})%)")


def fail(blueprint: Blueprint, failures: Iterable[str], seed: int = 0) -> Mask:
    """Return which links are up after `failures`, a bool array of shape (links,), in the network's order of links.

    A failure is a kind with a number: `leaf:3` (three of them, drawn by `seed`), a share: `link:1%` (rounded to the
    nearest whole number), or axes: `leaf[pod=3,rail=5]` or `plane[plane=0]` (all devices with these values). Kinds are
    `link`, the bundles (`leaf-spine`), the switch roles, `server`, `nic` and `plane`. A failed device takes all its
    links down. With one seed a larger number fails all that a smaller one does. Raises InputError, with every word that
    is not a failure.
    """
    up = np.ones(blueprint.links_total, bool)
    words, mistakes = list(failures), list[str]()
    for number, word in enumerate(words):
        try:
            up &= _fail_one(blueprint, word, np.random.default_rng([seed, number]))
        except InputError as error:
            mistakes.append(f"failure '{word}': {error}")
    if mistakes:
        raise InputError("\n".join(mistakes))
    return up


def nics_left(blueprint: Blueprint, up: Mask) -> npt.NDArray[np.float64]:
    """Return the share of each NIC's links that is up, shape (NICs,)."""
    nic = router_of(blueprint).nic_of_links()
    return np.bincount(nic, up[: len(nic)]) / np.bincount(nic)


def servers_up(blueprint: Blueprint, up: Mask) -> Mask:
    """Return which servers have a NIC with a link that is up, shape (servers,)."""
    left = np.flatnonzero(nics_left(blueprint, up) > 0)
    found = np.zeros(blueprint.servers, bool)
    found[Hosts.of(blueprint).server_of_nic(left)] = True
    return found


def failover(phase: Phase, left: npt.NDArray[np.float64], hosts: Hosts) -> Phase:
    """Return one job's flows as `hosts` spread them over their NICs when a share `left` of each NIC's links is up.

    A flow whose NICs have lost more links, at either end, than those of the other rails keeps what they can carry in
    the time of all, and NVLink takes the rest to the other rails; where a flow goes that way already, it grows by its
    part. Where no rail is up at both ends, a flow goes between the first NICs that are. The flows of a server without
    any NIC will have no path.
    """
    hit = np.minimum(left[phase.source], left[phase.target]) < 1
    if not hit.any():
        return phase
    source, target, share = phase.source[hit], phase.target[hit], phase.shares[hit]
    by_server = _by_server(left, hosts)
    servers = (hosts.server_of_nic(source), hosts.server_of_nic(target))
    firsts = tuple(hosts.first_nic_of(server) for server in servers)
    rails = np.minimum(by_server[servers[0]], by_server[servers[1]])
    width = np.minimum(hosts.nics_of(servers[0]), hosts.nics_of(servers[1]))
    stays, moves = _spread(np.minimum(left[source], left[target]), rails, width)
    flow, rail = np.nonzero(moves)
    # Servers without a rail in common still reach each other above the leaves, from the first NIC of each that is up.
    alone = np.flatnonzero(~rails.any(axis=1))
    pairs = zip(servers, firsts, strict=True)
    lone = [first[alone] + (by_server[server[alone]] > 0).argmax(axis=1) for server, first in pairs]
    return _merge(
        phase,
        np.concatenate([phase.source[~hit], source[stays > 0], firsts[0][flow] + rail, lone[0]]),
        np.concatenate([phase.target[~hit], target[stays > 0], firsts[1][flow] + rail, lone[1]]),
        np.concatenate([phase.shares[~hit], (share * stays)[stays > 0], share[flow] * moves[flow, rail], share[alone]]),
    )


def _by_server(left: npt.NDArray[np.float64], hosts: Hosts) -> npt.NDArray[np.float64]:
    """Return the share left of every NIC by server, shape (servers, most NICs), 0 where a server has fewer."""
    if hosts.alike:
        return left.reshape(-1, int(hosts.nics[0]))
    server = hosts.server_of_nic(np.arange(len(left)))
    found = np.zeros((int(hosts.first_server[-1]), int(hosts.nics.max())))
    found[server, np.arange(len(left)) - hosts.first_nic_of(server)] = left
    return found


def _spread(
    own: npt.NDArray[np.float64], rails: npt.NDArray[np.float64], width: Rows
) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Return the share of each flow that stays, shape (flows,), and that goes to each rail, shape (flows, NICs).

    `own` is the share left of the flow's own NICs, and `rails` that of each rail of its two servers, which have `width`
    NICs in common. When all rails end
    together, a rail carries its share over the mean share; what a flow's own rail can't carry goes to those that can
    carry more, in proportion to their room. With no rail left nothing stays or goes.
    """
    mean = rails.sum(axis=1, keepdims=True) / width[:, None]
    pace = np.divide(rails, mean, out=np.zeros_like(rails), where=mean > 0)
    room = np.maximum(pace - 1, 0.0)
    spare = room.sum(axis=1, keepdims=True)
    stays = np.minimum(np.divide(own, mean[:, 0], out=np.zeros_like(own), where=mean[:, 0] > 0), 1.0)
    stays[(spare[:, 0] == 0) & (mean[:, 0] > 0)] = 1.0
    return stays, (1 - stays)[:, None] * np.divide(room, spare, out=np.zeros_like(room), where=spare > 0)


def _merge(phase: Phase, source: Rows, target: Rows, share: npt.NDArray[np.float64]) -> Phase:
    """Return `phase` with these flows, those between the same NICs merged."""
    ends = np.stack([source, target])
    _, first, inverse = np.unique(ends[0] << 32 | ends[1], return_index=True, return_inverse=True)
    return replace(
        phase, source=source[first], target=target[first], share=np.bincount(inverse, share), planned=phase.busiest
    )


def _fail_one(blueprint: Blueprint, word: str, rng: np.random.Generator) -> Mask:
    """Return which links one failure leaves up."""
    kinds = {"link": (), **{bundle.name: () for bundle in blueprint.topology.bundles}} | _groups_by_kind(blueprint)
    match = _WORD.fullmatch(word)
    if not match:
        raise InputError("write a kind with a number (leaf:3), a share (link:1%) or axes (leaf[pod=3])")
    kind, axes, number, percent = match.groups()
    if kind not in kinds:
        raise InputError(f"unknown kind '{kind}'{nearest(kind, kinds)}")
    links = _links(blueprint, kind)
    group = kinds[kind]
    count = group.count if isinstance(group, Devices) else links[1] - links[0]
    if axes is not None:
        if not isinstance(group, Devices):
            raise InputError(f"a {kind} has no axes; write a number or a share, {kind}:3 or {kind}:1%")
        return _links_without(blueprint, kind, _select(group, axes))
    wanted = int(number) if number else _share(float(percent), count)
    if number and not wanted:
        raise InputError(f"nothing fails; write {kind}:1 or more")
    if wanted > count:
        raise InputError(f"the fabric has only {count:,}")
    failed = np.zeros(count, bool)
    failed[rng.permutation(count)[:wanted]] = True
    if isinstance(group, Devices):
        return _links_without(blueprint, kind, failed)
    up = np.ones(blueprint.links_total, bool)
    up[links[0] : links[1]] = ~failed
    return up


def _share(percent: float, count: int) -> int:
    if percent > 100:
        raise InputError("a share is at most 100%")
    return round(percent * count / 100)


def _groups_by_kind(blueprint: Blueprint) -> dict[str, Devices]:
    """Return the kinds that have axes: the groups of devices, the NICs of the servers and the planes."""
    devices = lay_devices(blueprint)
    return (
        devices
        | _all_servers(blueprint, devices)
        | {PLANE: Devices(PLANE, 0, blueprint.planes, (PLANE,), (blueprint.planes,))}
    )


def _all_servers(blueprint: Blueprint, devices: Mapping[str, Devices]) -> dict[str, Devices]:
    """Return all servers and their NICs by place; unlike ones, whose places differ by kind, are numbered through."""
    if blueprint.kinds:
        counts = {"server": blueprint.servers, "nic": blueprint.nics}
        return {kind: Devices(kind, 0, count, (kind,), (count,)) for kind, count in counts.items()}
    server, nics = devices[blueprint.topology.server.role], blueprint.server.nics
    return {"nic": Devices("nic", 0, server.count * nics, (*server.axes, "nic"), (*server.shape, nics))}


def _select(group: Devices, text: str) -> Mask:
    """Return which devices of a group have the values on axes that `text` names: `pod=3,rail=5`."""
    chosen = np.ones(group.count, bool)
    digits = {axis_label(axis): values for axis, values in group.coordinates().items()}
    for part in text.split(","):
        axis, _, value = (word.strip() for word in part.partition("="))
        if axis not in digits:
            raise InputError(f"a {group.role} has no axis '{axis}'{nearest(axis, digits)}")
        if not (value.isdecimal() and len(value) <= 12):
            raise InputError(f"{axis} takes a whole number, not '{value:.40}'")
        chosen &= digits[axis] == int(value)
    if not chosen.any():
        raise InputError(f"the fabric has no {group.role}[{text}]")
    return chosen


def _links(blueprint: Blueprint, kind: str) -> tuple[int, int]:
    """Return the first link row of a bundle, and the first beyond it; for any other kind, those of all links."""
    return bundle_rows(blueprint).get(kind, (0, blueprint.links_total))


def _links_without(blueprint: Blueprint, kind: str, failed: Mask) -> Mask:
    """Return which links do not end at a failed device of a kind."""
    if kind == "nic":
        up, nic = np.ones(blueprint.links_total, bool), router_of(blueprint).nic_of_links()
        up[: len(nic)] = ~failed[nic]
        return up
    network = expand(blueprint)
    down = np.zeros(network.devices, bool)
    if kind == "server":
        down[: network.server_count] = failed
    for group in network.groups:
        if kind == PLANE and PLANE in group.axes:
            down[group.first : group.first + group.count] = failed[group.coordinates()[PLANE]]
        elif group.role == kind:
            down[group.first : group.first + group.count] = failed
    return ~(down[network.lower] | down[network.upper])
