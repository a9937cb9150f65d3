"""The names of devices on a site: those of the network, or by the site's own patterns."""

from __future__ import annotations

from collections.abc import Iterator
from string import Formatter

import numpy as np

from fabric.errors import InputError, Mistake, nearest
from fabric.layout.layout import Layout
from fabric.network import Devices, Network
from fabric.network.network import axis_label

__all__ = ["list_device_names"]

PLACES = ("role", "number", "hall", "row", "position", "rack", "unit")
"""The fields of a pattern beside the coordinates of a device."""

MOST_WIDTH = 100
"""The most digits and blanks to which a pattern widens a field."""


def list_device_names(layout: Layout, network: Network) -> list[str]:
    """Return the name of every device, in the order of the network.

    Raises InputError for a pattern with a field that devices of a role do not have, and for one that gives two devices
    the same name.
    """
    racks = layout.rack_names()
    names: list[str] = []
    for group in network.groups:
        pattern = layout.site.names.get(group.role, layout.site.names.get("*"))
        if pattern is None:
            names += [group.name(group.first + each) for each in range(group.count)]
        else:
            names += _fill_pattern(pattern, group, layout, racks)
    if layout.site.names:
        _refuse_twins(names, network)
    return names


def _fill_pattern(pattern: str, group: Devices, layout: Layout, racks: list[str]) -> Iterator[str]:
    """Yield the names of a role's devices by its pattern; coordinates, rows and positions count from 1."""
    _check_fields(pattern, group)
    rows = slice(group.first, group.first + group.count)
    rack = layout.device_rack[rows]
    halls = np.array([hall.name for hall in layout.halls])
    columns = {
        "role": [group.role] * group.count,
        "number": range(1, group.count + 1),
        "hall": halls[layout.hall[rack]].tolist(),
        "row": (layout.row[rack] + 1).tolist(),
        "position": (layout.position[rack] + 1).tolist(),
        "rack": [racks[each] for each in rack.tolist()],
        "unit": layout.device_unit[rows].tolist(),
    }
    columns |= {axis_label(axis): (digits + 1).tolist() for axis, digits in group.coordinates().items()}
    fields = list(columns)
    for values in zip(*columns.values(), strict=True):
        yield pattern.format(**dict(zip(fields, values, strict=True)))


def _check_fields(pattern: str, group: Devices) -> None:
    known = [*PLACES, *map(axis_label, group.axes)]
    try:
        fields = [(field, form) for _, field, form, _ in Formatter().parse(pattern) if field is not None]
    except ValueError:
        raise _no_pattern(pattern) from None
    for field, form in fields:
        if field not in known:
            text = f"'{pattern:.80}' has {{{field:.40}}}, which no {group.role} has{nearest(field, known)}"
            raise InputError([Mistake("site.names", text)])
        if form and not (form.lstrip("0").isdecimal() and int(form) <= MOST_WIDTH):
            raise _no_pattern(pattern)


def _no_pattern(pattern: str) -> InputError:
    text = f"'{pattern:.80}' is no pattern; write for example {{role}}-{{number:04}}"
    return InputError([Mistake("site.names", text)])


def _refuse_twins(names: list[str], network: Network) -> None:
    seen: dict[str, int] = {}
    for row, name in enumerate(names):
        if name in seen:
            both = f"{network.name(seen[name])} and {network.name(row)}"
            raise InputError([Mistake("site.names", f"{both} are both '{name:.80}'; add a field such as {{number}}")])
        seen[name] = row
