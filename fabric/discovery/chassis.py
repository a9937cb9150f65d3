"""Chips of director switches that are one device: a chassis whose leaf and spine modules are cabled inside."""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt

from fabric.discovery.discovery import SWITCH, Discovery

__all__ = ["chips_per_module", "count_outer_ports", "find_chassis", "list_inner", "number_port"]

Ints = npt.NDArray[np.int64]

_MODULE = re.compile(r"(?P<kind>[LS])(?P<module>\d{1,3})/U(?P<chip>\d{1,2})", re.IGNORECASE)
"""The chip of a module, as managed directors name it: `L11/U1` of a leaf module, `S03/U1` of a spine module."""


def find_chassis(found: Discovery) -> Ints:
    """Return the chassis of each device, by its first chip; -1 of what is no chip of one, shape (devices,).

    Switches of one system, or of one name with modules, are its chips where each has a cable to another of them.
    """
    groups: dict[object, list[int]] = {}
    for row in np.flatnonzero(found.kind == SWITCH).tolist():
        if _MODULE.fullmatch(found.parts[row]) and found.names[row]:
            groups.setdefault(("name", found.names[row]), []).append(row)
        elif found.systems[row]:
            groups.setdefault(("system", found.systems[row]), []).append(row)
    chassis = np.full(found.devices, -1)
    for chips in groups.values():
        if len(chips) > 1:
            chassis[chips] = chips[0]
    inner = list_inner(found, chassis)
    joined = np.zeros(found.devices, np.bool_)
    joined[found.a[inner]] = joined[found.b[inner]] = True
    whole = np.ones(found.devices, np.bool_)
    np.logical_and.at(whole, chassis[chassis >= 0], joined[chassis >= 0])
    return np.where((chassis >= 0) & whole[chassis], chassis, -1)


def list_inner(found: Discovery, chassis: Ints) -> Ints:
    """Return the cables within a chassis, which nobody lays, by their rows."""
    one, two = chassis[found.a], chassis[found.b]
    return np.flatnonzero((one >= 0) & (one == two) & (found.a != found.b))


def count_outer_ports(found: Discovery, chassis: Ints) -> Ints:
    """Return the ports for cables of each device: of a chassis those of its chips that lead out, shape (devices,)."""
    inner = list_inner(found, chassis)
    within = np.bincount(np.concatenate([found.a[inner], found.b[inner]]), minlength=found.devices)
    ports = found.ports.astype(np.int64)
    for first in np.unique(chassis[chassis >= 0]).tolist():
        chips = np.flatnonzero(chassis == first)
        # Spine modules have all of their ports inside; one that lacks a cable inside has no more ports outside.
        outer = [chip for chip in chips.tolist() if not found.parts[chip].upper().startswith("S")]
        ports[first] = int(np.maximum(found.ports[outer] - within[outer], 0).sum())
    return ports


def number_port(part: str, port: str, chip_ports: int, chips: int) -> str:
    """Return the number on a director's panel of a port of a leaf module's chip, empty where it has none.

    A module has `chips`, and the first half of a chip's `chip_ports` lead out.
    """
    found = _MODULE.fullmatch(part)
    if not found or found["kind"].upper() != "L" or not port.isdecimal() or not 0 < int(port) <= chip_ports // 2:
        return ""
    chip = (int(found["module"]) - 1) * chips + int(found["chip"]) - 1
    return str(chip * (chip_ports // 2) + int(port))


def chips_per_module(parts: list[str]) -> int:
    """Return the chips of a leaf module, by the names of all chips."""
    numbers = [int(found["chip"]) for found in map(_MODULE.fullmatch, parts) if found and found["kind"].upper() == "L"]
    return max(numbers, default=1)
