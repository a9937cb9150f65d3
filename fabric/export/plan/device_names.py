"""Names of devices that every tool takes as those of hosts: letters, digits and hyphens, each in use once."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fabric.errors import InputError
from fabric.layout.device_names import list_device_names
from fabric.layout.layout import Layout
from fabric.network import Devices, Network
from fabric.network.network import axis_label
from fabric.topology.topology import PLANE

__all__ = ["HOST_NAME", "list_host_names", "shorten_axes"]

HOST_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
"""The name of a host on the Internet (RFC 1123, section 2.1; RFC 1035, section 2.3.4)."""


def list_host_names(layout: Layout, network: Network) -> tuple[str, ...]:
    """Return a name for every device, in the order of the network.

    Devices of a role have the site's names where all of these are names of hosts. Others are named by their role and
    coordinates from 0, each with the first letter of its axis, or as many as tell it from those before it:
    `leaf-p0-b1-r3`. Raises InputError where two names are equal but for upper and lower case, which DNS ignores, and
    what `list_device_names` raises.
    """
    given = list_device_names(layout, network)
    names: list[str] = []
    for group in network.groups:
        own = given[group.first : group.first + group.count]
        named = group.role in layout.site.names or "*" in layout.site.names
        names += own if named and all(map(HOST_NAME.fullmatch, own)) else _name_by_place(group)
    _refuse_twins(names, network)
    return tuple(names)


def _name_by_place(group: Devices) -> Iterator[str]:
    """Yield the names of a role's devices by their coordinates; a lone plane and axes without a name are left out."""
    role = _clean(group.role)
    alone = {axis for axis, size in zip(group.axes, group.shape, strict=True) if axis == PLANE and size == 1}
    columns = {axis: digits for axis, digits in group.coordinates().items() if axis not in alone}
    letters = shorten_axes([axis_label(axis) for axis in columns])
    form = "-".join([role, *(f"{each}{{}}" for each in letters)])
    if not columns:
        return iter([role] if group.count == 1 else [f"{role}-{number}" for number in range(group.count)])
    return map(form.format, *(column.tolist() for column in columns.values()))


def shorten_axes(axes: list[str]) -> list[str]:
    """Return the beginning of each axis's name that no axis before it has, one letter where that is enough."""
    found: list[str] = []
    for axis in map(_clean, axes):
        lengths = (axis[:length] for length in range(1, len(axis) + 1))
        found.append(next((each for each in lengths if each not in found), f"{axis}x"))
    return found


def _clean(word: str) -> str:
    """Return a word with hyphens in place of what names of hosts don't have, and letters in lower case."""
    return re.sub(r"[^a-z0-9]+", "-", word.lower()).strip("-") or "x"


def _refuse_twins(names: list[str], network: Network) -> None:
    seen: dict[str, int] = {}
    for row, name in enumerate(names):
        key = name.lower()
        if key in seen:
            both = f"{network.name(seen[key])} and {network.name(row)}"
            raise InputError(f"{both} would both be the host '{name:.80}'; give them other patterns in site.names")
        seen[key] = row
