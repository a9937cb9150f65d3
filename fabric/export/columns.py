"""Networks and views as columns, from which tables, matrices and graphs of other libraries are made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.errors import InputError, TooLarge
from fabric.export.attributes import Attributes, view_attributes
from fabric.export.nics import nic_network, nics_of
from fabric.network import Network
from fabric.network.expand import expand
from fabric.network.network import axis_label
from fabric.units import count
from fabric.view import View

__all__ = [
    "GRAPH_LINKS",
    "Choice",
    "Column",
    "Columns",
    "Designed",
    "Source",
    "columns_of",
    "network_of",
    "refuse_too_large",
    "values_of",
]

GRAPH_LINKS = 5_000_000
"""The most links turned into a graph: networkx takes about half a kilobyte for each, so some 2.5 GB."""

SERVERS = (
    "endpoints are servers; a path between two may leave by any NIC, so it can have fewer switches than one between"
    " NICs of different rails, which Study.hops counts; with nics=True endpoints are NICs"
)
NICS = "endpoints are NICs; the switches between two are those of Study.hops; NVLink within a server is not a link"
"""What a graph says of its hops."""


class Designed(Protocol):
    """What has a blueprint: a study."""

    @property
    def blueprint(self) -> Blueprint:
        """The fabric designed."""

    @property
    def network(self) -> Network:
        """The fabric expanded link by link."""


Source = Network | Blueprint | Designed
"""What is exported link by link."""


@dataclass(frozen=True)
class Choice:
    """A column that repeats some words."""

    words: tuple[str, ...]
    """The different words."""
    index: npt.NDArray[Any]
    """The index in `words` of each row, shape (rows,)."""


Column = npt.NDArray[Any] | np.ma.MaskedArray[Any, Any] | Choice | list[str]
"""The values of all rows; masked where a row has none."""


@dataclass(frozen=True)
class Columns:
    """Devices and links, or nodes and edges, a row each."""

    devices: Mapping[str, Column]
    """The columns of the devices: `name`, `role` and what else is known."""
    links: Mapping[str, Column]
    """The columns of the links: `lower` and `upper`, which are rows of `devices`, and what else is known."""
    attributes: Attributes
    """What holds for the whole."""

    @property
    def ends(self) -> npt.NDArray[Any]:
        """The rows of the devices at the ends of each link, shape (links, 2)."""
        return np.column_stack([np.asarray(self.links[end]) for end in ("lower", "upper")])


def network_of(source: Source, *, nics: bool = False) -> Network:
    """Return the network of what is exported, endpoints being NICs where `nics`; raises InputError where unknown."""
    if isinstance(source, Network):
        if nics:
            raise InputError("nics=True: a network has servers alone; give the study or the blueprint")
        return source
    blueprint = source if isinstance(source, Blueprint) else getattr(source, "blueprint", None)
    if not isinstance(blueprint, Blueprint):
        raise InputError(f"a {type(source).__name__} has no network; give a study, a blueprint or a network")
    if nics:
        return nic_network(blueprint)
    return expand(blueprint) if isinstance(source, Blueprint) else source.network


def refuse_too_large(links: int) -> None:
    """Raise TooLarge for more links than a graph of objects should have."""
    if links > GRAPH_LINKS:
        raise TooLarge(f"{count(links)} links are too many for a graph (at most {count(GRAPH_LINKS)}); use the columns")


def values_of(column: Column) -> list[Any]:
    """Return the values of a column as Python's, None where a row has none."""
    if isinstance(column, Choice):
        return list(np.asarray(column.words, object)[column.index])
    return column if isinstance(column, list) else list(column.tolist())


def columns_of(source: Source | View, *, nics: bool = False) -> Columns:
    """Return the columns of a view, or of the network of a study, a blueprint or a network."""
    if isinstance(source, View):
        if nics:
            raise InputError("nics=True: a view has servers alone; give the study or the blueprint")
        return _columns_of_view(source)
    network = network_of(source, nics=nics)
    with_nics = nics_of(network.groups[0]) > 0
    attributes = {"endpoints": "nic" if with_nics else "server", "hops": NICS if with_nics else SERVERS}
    devices: dict[str, Column] = {
        "name": network.names(),
        "role": Choice(tuple(each.role for each in network.groups), network.role),
    }
    links: dict[str, Column] = {
        "lower": network.lower,
        "upper": network.upper,
        "bundle": Choice(network.bundles, network.bundle),
        "rate_gbps": network.rate_gbps,
        "lower_port": network.lower_port,
        "upper_port": network.upper_port,
    }
    return Columns({**devices, **_coordinates(network), "server": _servers(network)}, links, attributes)


def _coordinates(network: Network) -> dict[str, Column]:
    """Return the coordinate of each device on each axis, masked where it has none."""
    labels = dict.fromkeys(axis_label(axis) for group in network.groups for axis in group.axes)
    found = {label: _nothing(network.devices) for label in labels}
    for group in network.groups:
        for axis, values in group.coordinates().items():
            found[axis_label(axis)][group.first : group.first + group.count] = values
    return dict(found)


def _nothing(rows: int) -> np.ma.MaskedArray[Any, Any]:
    """Return a column without values."""
    return np.ma.array(np.zeros(rows, np.int32), mask=np.ones(rows, bool))


def _servers(network: Network) -> Column:
    """Return the number of each server, or of the one that a NIC is in; masked for switches."""
    found, first = _nothing(network.devices), 0
    for group in network.groups[: network.kinds]:
        nics = nics_of(group) or 1
        found[group.first : group.first + group.count] = first + np.arange(group.count) // nics
        first += group.count // nics
    return found


def _columns_of_view(view: View) -> Columns:
    devices: dict[str, Column] = {
        "name": list(view.names),
        "role": Choice(view.roles, view.role),
        "model": list(view.models),
        "multiplicity": view.multiplicity,
        "x": view.x,
        "y": view.y,
    }
    links: dict[str, Column] = {
        "lower": view.lower,
        "upper": view.upper,
        "bundle": Choice(view.bundles, view.bundle),
        "rate_gbps": np.asarray(view.bundle_gbps, np.int32)[view.bundle],
        "links": view.links,
        "pairs": view.pairs,
    }
    return Columns(devices, links, view_attributes(view))
