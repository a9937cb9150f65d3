"""Every cable of a fabric on its site: the device, the rack, the rack unit and the port at both ends, and its length.

A row is a link of the network, in its order; the lower end is `a`. Lengths are those sold, at least as long as the way;
the links of a splitter have the length of the longest of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.blueprint.composition import Composition
from fabric.blueprint.prices import Prices, prices_of
from fabric.errors import InputError
from fabric.frozen_columns import FrozenColumns
from fabric.layout.cable_parts import choose_cable_kinds, round_up_lengths
from fabric.layout.cables import CableKind, group_longest, like_bundles, number_cables
from fabric.layout.layout import Layout
from fabric.layout.link_ports import find_link_ports
from fabric.layout.routes import cable_metres
from fabric.network import Network
from fabric.request import Spec

__all__ = ["Wiring", "wire"]

Ints = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Wiring(FrozenColumns):
    """The cables of a fabric; columns are read-only, shape (links,), in the order of the network's links."""

    network: Network
    """The devices and links."""
    layout: Layout
    """The racks."""
    port_names: tuple[str, ...]
    """The names of ports that `a_port` and `b_port` point to."""
    a_port: Ints
    """The index of the port's name at the lower end."""
    b_port: Ints
    """The index of the port's name at the upper end."""
    a_cage: npt.NDArray[np.uint16]
    """The cage of the port at the lower end, numbered from 0 on each device."""
    b_cage: npt.NDArray[np.uint16]
    """The cage of the port at the upper end."""
    way_m: npt.NDArray[np.float32]
    """The length of the way with slack, in metres."""
    kinds: tuple[CableKind, ...]
    """The kinds of cables with their parts, that `kind` points to; a bundle may have several."""
    kind: npt.NDArray[np.int16]
    """The index of the kind of cable of each link."""
    cable: Ints
    """The number of the cable or fibre, from 0, which the links of a splitter share."""
    length_m: npt.NDArray[np.float32]
    """The length of the cable or fibre as it is sold, in metres."""
    prices: Prices
    """The prices of links, with parts that reach the longest of each bundle."""
    stage: npt.NDArray[np.int8]
    """The stage of growth that brings each link: 0 for what is bought first."""

    @property
    def compositions(self) -> Mapping[str, Composition | None]:
        """The parts that reach all links of each bundle or appliance, by which ports are laid out."""
        return {kind.bundle: self.prices.parts(kind.like) for kind in self.kinds}

    @property
    def unsold(self) -> tuple[str, ...]:
        """The parts whose sold lengths are not known, or not that far, for which the usual ones are taken."""
        longest = np.zeros(len(self.kinds))
        np.maximum.at(longest, self.kind, self.way_m)
        pairs = [(each.found.joint, way) for each, way in zip(self.kinds, longest.tolist(), strict=True) if each.found]
        return tuple(dict.fromkeys(part.name for part, way in pairs if way > max(part.lengths_m, default=0) + 1e-3))

    @property
    def total_m(self) -> float:
        """The length of all cables as sold, in metres; a splitter counts once."""
        _, firsts = np.unique(self.cable, return_index=True)
        return float(self.length_m[firsts].sum(dtype=np.float64))

    def count_lengths(self) -> Iterator[tuple[CableKind, dict[float, int]]]:
        """Yield each kind of cable with the number of cables of each length as sold, in metres and ascending."""
        for number, kind in enumerate(self.kinds):
            rows = np.flatnonzero(self.kind == number)
            _, firsts = np.unique(self.cable[rows], return_index=True)
            lengths, counts = np.unique(self.length_m[rows[firsts]], return_counts=True)
            yield kind, dict(zip(lengths.tolist(), counts.tolist(), strict=True))


def wire(spec: Spec, blueprint: Blueprint, layout: Layout) -> Wiring:
    """Return the cables of a fabric and its appliances on its layout; those of appliances are like others at the tier.

    Raises InputError where no part reaches the longest link of a bundle, and for ports that the site numbers wrongly.
    """
    network = layout.network
    way = cable_metres(layout, network.lower, network.upper)
    prices = _price_lengths(spec, blueprint, network, way)
    likes = zip(network.bundles, like_bundles(blueprint, network), strict=True)
    parts = {name: prices.parts(like) for name, like in likes}
    ports = find_link_ports(blueprint, network, parts, prices.ends, layout.site)
    kinds, kind = choose_cable_kinds(blueprint, network, prices, ports, way)
    cable = number_cables(blueprint, network, kinds, kind, prices.ends)
    needed = group_longest(cable, way)[cable]
    length = np.empty(network.links, np.float32)
    for number, each in enumerate(kinds):
        rows = kind == number
        length[rows] = round_up_lengths(needed[rows], each.found.joint if each.found else None)
    return Wiring(
        network=network,
        layout=layout,
        port_names=ports.names,
        a_port=ports.a_port,
        b_port=ports.b_port,
        a_cage=ports.a_cage,
        b_cage=ports.b_cage,
        way_m=way.astype(np.float32),
        kinds=kinds,
        kind=kind,
        cable=cable,
        length_m=length,
        prices=prices,
        stage=np.zeros(network.links, np.int8),
    )


def _price_lengths(spec: Spec, blueprint: Blueprint, network: Network, way_m: npt.NDArray[np.float64]) -> Prices:
    """Return the prices with parts that reach the longest link of each bundle."""
    longest = dict.fromkeys((bundle.name for bundle in blueprint.topology.bundles), 0.0)
    for number, like in enumerate(like_bundles(blueprint, network)):
        longest[like] = max(longest[like], float(way_m[network.bundle == number].max(initial=0)))
    lengths = {name: float(np.ceil(metres * 10) / 10) for name, metres in longest.items()}
    prices = prices_of(replace(spec, lengths_m=lengths), blueprint)
    for name in longest:
        if refusal := prices.refusal(name):
            raise InputError([spec.mistake(refusal[0], refusal[1])])
    return prices
