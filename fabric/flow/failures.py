"""What is broken: links, switches, servers, NICs and planes, by name, by number or by rate, as a mask of what is up."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.errors import InputError, nearest
from fabric.expansion import expand, lay_devices
from fabric.flow.lattice import Lattice
from fabric.flow.traffic import Phase
from fabric.form import PLANE
from fabric.network import Devices

__all__ = ["fail", "failover", "live_nics", "live_servers"]

Mask = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int64]

_WORD = re.compile(r"([a-z][\w-]*)(?:\[(.*)\]|:(\d+)|:(\d*\.?\d+)%)")


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


def live_nics(blueprint: Blueprint, up: Mask) -> Mask:
    """Return which NICs have a link that is up, shape (NICs,)."""
    layer = Lattice(blueprint).layers[0]
    return np.bincount(layer.pool_of(np.flatnonzero(up[: layer.links])), minlength=layer.pools) > 0


def live_servers(blueprint: Blueprint, up: Mask) -> Mask:
    """Return which servers have a NIC with a link that is up, shape (servers,)."""
    return np.asarray(live_nics(blueprint, up).reshape(-1, Lattice(blueprint).nics).any(axis=1))


def failover(phase: Phase, live: Mask, nics: int) -> Phase:
    """Return one job's flows with each that a dead NIC sends or takes split over the rails alive in both its servers.

    NVLink takes the parts there, and where a flow already goes that way it grows by its part. With no such rail the
    flow goes between the first live NICs of both. The flows of a server without any NIC will be found to have no path.
    """
    dead = ~(live[phase.source] & live[phase.target])
    if not dead.any():
        return phase
    hit, kept = np.flatnonzero(dead), np.flatnonzero(~dead)
    by_server, servers = live.reshape(-1, nics), [column[hit] // nics for column in (phase.source, phase.target)]
    common = by_server[servers[0]] & by_server[servers[1]]
    part, rail = np.nonzero(common)
    alone = np.flatnonzero(~common.any(axis=1))
    flow = np.append(part, alone)
    source, target = (
        server[flow] * nics + np.append(rail, by_server[server[alone]].argmax(axis=1)) for server in servers
    )
    split = phase.shares[hit][flow] / np.maximum(common.sum(axis=1), 1)[flow]
    columns = np.stack([np.append(phase.source[kept], source), np.append(phase.target[kept], target)])
    keys = columns[0] * len(live) + columns[1]
    _, first, place = np.unique(keys, return_index=True, return_inverse=True)
    grown = np.bincount(place, np.append(phase.shares[kept], split))
    return replace(phase, source=columns[0, first], target=columns[1, first], share=grown, planned=phase.busiest)


def _without(blueprint: Blueprint, word: str, rng: np.random.Generator) -> Mask:
    """Return which links one failure leaves up."""
    kinds = {"link": (), **{bundle.name: () for bundle in blueprint.form.bundles}} | _numbered(blueprint)
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
    devices, nics = lay_devices(blueprint), Lattice(blueprint).nics
    server = devices[blueprint.form.server.role]
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
        if not value.isdecimal():
            raise InputError(f"{axis} takes a whole number, not '{value}'")
        chosen &= digits[axis] == int(value)
    if not chosen.any():
        raise InputError(f"there is no {group.role}[{text}]")
    return chosen


def _links(blueprint: Blueprint, kind: str) -> tuple[int, int]:
    """Return the first link row of a bundle, and the first beyond it; of another kind all links."""
    layers = {layer.name: (layer.first, layer.first + layer.links) for layer in Lattice(blueprint).layers}
    return layers.get(kind, (0, blueprint.links_total))


def _spared(blueprint: Blueprint, kind: str, dead: Mask) -> Mask:
    """Return which links end at none of the `dead` of a kind."""
    lattice = Lattice(blueprint)
    if kind == "nic":
        up = np.ones(lattice.links, bool)
        rows = np.arange(lattice.layers[0].links)
        up[: len(rows)] = ~dead[lattice.layers[0].pool_of(rows)]
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
