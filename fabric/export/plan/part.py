"""A pod or unit of a fabric, with what its links lead to: what is written in place of the whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.network import Network
from fabric.network.network import axis_label
from fabric.view import location_of, part_axes

__all__ = ["Part", "choose_part"]

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Part:
    """A pod or unit."""

    numbers: Mapping[str, int]
    """The number of the pod, and of the unit in it."""
    location: Mapping[str, int]
    """The coordinates that all its devices have."""

    @property
    def title(self) -> str:
        """Its numbers in words, such as `pod 3, unit 0`."""
        return ", ".join(f"{word} {number}" for word, number in self.numbers.items())

    def find(self, network: Network) -> tuple[Mask, Mask]:
        """Return which devices and which links belong to it, shape (devices,) and (links,).

        Its links are those of the devices at its place, and its devices what these links join.
        """
        inside = np.concatenate([self._find_inside(network, number) for number in range(len(network.groups))])
        links = inside[network.lower] | inside[network.upper]
        devices = inside.copy()
        devices[network.lower[links]] = devices[network.upper[links]] = True
        return devices, links

    def _find_inside(self, network: Network, number: int) -> Mask:
        """Return which devices of a group have the coordinates, of which others have not all, shape (devices,)."""
        group = network.groups[number]
        digits = {axis_label(axis): values for axis, values in group.coordinates().items()}
        inside = np.full(group.count, self.location.keys() <= digits.keys())
        for axis in self.location.keys() & digits.keys():
            inside &= digits[axis] == self.location[axis]
        return inside


def choose_part(blueprint: Blueprint, pod: int | None, unit: int | None) -> Part:
    """Return a pod, or a unit of one; raises InputError where the fabric has none of that number."""
    level = "pod" if unit is None else "unit"
    location = location_of(blueprint, level, pod or 0, unit or 0)
    numbers = {"pod": pod or 0, "unit": unit}
    axes = part_axes(blueprint)
    return Part({word: number for word, number in numbers.items() if number is not None and word in axes}, location)
