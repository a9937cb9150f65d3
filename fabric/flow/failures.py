"""What is broken: links, switches, servers, NICs and planes, by name, by number or by rate, as a mask of what is up."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.errors import InputError, nearest
from fabric.flow.host_links import bundle_rows
from fabric.flow.phase import Phase
from fabric.flow.router import router_of
from fabric.network import Devices
from fabric.network.expand import expand, lay_devices
from fabric.topology.topology import PLANE

__all__ = ["fail", "failover", "nics_left", "servers_up"]

Mask = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int64]

_WORD = re.compile(r"([a-z][\w-]*)(?:\[(.*)\]|:(\d{1,12})|:(\d{0,12}\.?\d{1,12})%)")


def fail(blueprint: Blueprint, failures: Iterable[str], seed: int = 0) -> Mask:
    """Return which links are up after `failures`, a bool array of shape (links,), in the network's order of links.

    A failure is a kind with how many: `leaf:3` (three of them, drawn by `seed`), `link:1%` (that share, rounded to the
    nearest whole), or those on the named axes, `leaf[pod=3,rail=5]`, in every other place, `plane[plane=0]`. Kinds are
    `link`, the bundles (`leaf-spine`), the switch roles, `server`, `nic` and `plane`. A device that fails takes all its
    links with it. Each failure draws from all of its kind, so the more of it the more the same seed takes down. Raises
    InputError, with every word that is none.
    """
    up = np.ones(blueprint.links_total, bool)
    words, mistakes = list(failures), list[str]()
    for number, word in enumerate(words):
        try:
            up &= _without(blueprint, word, np.random.default_rng([seed, number]))
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
    return np.asarray((nics_left(blueprint, up) > 0).reshape(-1, blueprint.server.nics).any(axis=1))


def failover(phase: Phase, left: npt.NDArray[np.float64], nics: int) -> Phase:
    """Return one job's flows as servers deal them over their `nics` when of each NIC this share is `left`.

    A flow whose NICs, at either end, are worse than those of the other rails keeps what they carry at the pace of all,
    and NVLink takes the rest to the rails that are better; where a flow goes that way already, it grows by its part.
    With no rail alive at both ends it goes between their first live NICs. The flows of a server without any NIC will
    be found to have no path.
    """
    hit = np.minimum(left[phase.source], left[phase.target]) < 1
    if not hit.any():
        return phase
    source, target, share = phase.source[hit], phase.target[hit], phase.shares[hit]
    by_server, servers = left.reshape(-1, nics), (source // nics, target // nics)
    rails = np.minimum(by_server[servers[0]], by_server[servers[1]])
    stays, moves = _dealt(np.minimum(left[source], left[target]), rails)
    flow, rail = np.nonzero(moves)
    alone = np.flatnonzero(~rails.any(axis=1))
    lone = [server[alone] * nics + (by_server[server[alone]] > 0).argmax(axis=1) for server in servers]
    return _merged(
        phase,
        np.concatenate([phase.source[~hit], source[stays > 0], servers[0][flow] * nics + rail, lone[0]]),
        np.concatenate([phase.target[~hit], target[stays > 0], servers[1][flow] * nics + rail, lone[1]]),
        np.concatenate([phase.shares[~hit], (share * stays)[stays > 0], share[flow] * moves[flow, rail], share[alone]]),
    )


def _dealt(own: npt.NDArray[np.float64], rails: npt.NDArray[np.float64]) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Return the share of each flow that stays, shape (flows,), and that goes to each rail, shape (flows, NICs).

    `own` is what is left of the flow's own NICs, and `rails` of each rail of its two servers. At the pace of all, a
    rail carries what is left of it over their mean; what a flow's own can't goes to those that can carry more. With no
    rail left nothing stays or goes.
    """
    mean = rails.mean(axis=1, keepdims=True)
    pace = np.divide(rails, mean, out=np.zeros_like(rails), where=mean > 0)
    room = np.maximum(pace - 1, 0.0)
    spare = room.sum(axis=1, keepdims=True)
    stays = np.minimum(np.divide(own, mean[:, 0], out=np.zeros_like(own), where=mean[:, 0] > 0), 1.0)
    stays[(spare[:, 0] == 0) & (mean[:, 0] > 0)] = 1.0
    return stays, (1 - stays)[:, None] * np.divide(room, spare, out=np.zeros_like(room), where=spare > 0)


def _merged(phase: Phase, source: Rows, target: Rows, share: npt.NDArray[np.float64]) -> Phase:
    """Return `phase` with these flows, those of the same ends as one."""
    ends = np.stack([source, target])
    _, first, place = np.unique(ends[0] << 32 | ends[1], return_index=True, return_inverse=True)
    return replace(
        phase, source=source[first], target=target[first], share=np.bincount(place, share), planned=phase.busiest
    )


def _without(blueprint: Blueprint, word: str, rng: np.random.Generator) -> Mask:
    """Return which links one failure leaves up."""
    kinds = {"link": (), **{bundle.name: () for bundle in blueprint.topology.bundles}} | _numbered(blueprint)
    match = _WORD.fullmatch(word)
    if not match:
        raise InputError("write a kind with how many, leaf:3 or link:1%, or with axes, leaf[pod=3]")
    kind, axes, number, percent = match.groups()
    if kind not in kinds:
        raise InputError(f"no kind '{kind}'{nearest(kind, kinds)}")
    links = _links(blueprint, kind)
    group = kinds[kind]
    count = group.count if isinstance(group, Devices) else links[1] - links[0]
    if axes is not None:
        if not isinstance(group, Devices):
            raise InputError(f"a {kind} has no axes; say how many, {kind}:3 or {kind}:1%")
        return _spared(blueprint, kind, _named(group, axes))
    wanted = int(number) if number else _share(float(percent), count)
    if number and not wanted:
        raise InputError(f"nothing fails; write {kind}:1 or more")
    if wanted > count:
        raise InputError(f"there are {count:,} of it")
    dead = np.zeros(count, bool)
    dead[rng.permutation(count)[:wanted]] = True
    if isinstance(group, Devices):
        return _spared(blueprint, kind, dead)
    up = np.ones(blueprint.links_total, bool)
    up[links[0] : links[1]] = ~dead
    return up


def _share(percent: float, count: int) -> int:
    if percent > 100:
        raise InputError("a share is at most 100%")
    return round(percent * count / 100)


def _numbered(blueprint: Blueprint) -> dict[str, Devices]:
    """Return what has axes by its kind: the groups of devices, the NICs of the servers and the planes."""
    devices, nics = lay_devices(blueprint), blueprint.server.nics
    server = devices[blueprint.topology.server.role]
    nic = Devices("nic", 0, server.count * nics, (*server.axes, "nic"), (*server.shape, nics))
    return devices | {"nic": nic, PLANE: Devices(PLANE, 0, blueprint.planes, (PLANE,), (blueprint.planes,))}


def _named(group: Devices, text: str) -> Mask:
    """Return which devices of a group are on the axes that `text` names: `pod=3,rail=5`."""
    chosen = np.ones(group.count, bool)
    digits = dict(zip(group.axes, np.unravel_index(np.arange(group.count), group.shape), strict=True))
    for part in text.split(","):
        axis, _, value = (word.strip() for word in part.partition("="))
        if axis not in digits:
            raise InputError(f"a {group.role} has no axis '{axis}'{nearest(axis, digits)}")
        if not (value.isdecimal() and len(value) <= 12):
            raise InputError(f"{axis} takes a whole number, not '{value:.40}'")
        chosen &= digits[axis] == int(value)
    if not chosen.any():
        raise InputError(f"there is no {group.role}[{text}]")
    return chosen


def _links(blueprint: Blueprint, kind: str) -> tuple[int, int]:
    """Return the first link row of a bundle, and the first beyond it; of another kind all links."""
    return bundle_rows(blueprint).get(kind, (0, blueprint.links_total))


def _spared(blueprint: Blueprint, kind: str, dead: Mask) -> Mask:
    """Return which links end at none of the `dead` of a kind."""
    if kind == "nic":
        up, nic = np.ones(blueprint.links_total, bool), router_of(blueprint).nic_of_links()
        up[: len(nic)] = ~dead[nic]
        return up
    network = expand(blueprint)
    down = np.zeros(network.devices, bool)
    for group in network.groups:
        if kind == PLANE and PLANE in group.axes:
            planes = np.unravel_index(np.arange(group.count), group.shape)[group.axes.index(PLANE)]
            down[group.first : group.first + group.count] = dead[planes]
        elif group.role == kind:
            down[group.first : group.first + group.count] = dead
    return ~(down[network.lower] | down[network.upper])
