"""Links that packets use alike, taken as one: parallel ones, and where all are up those of all planes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.flow.host_links import rate_of_links
from fabric.network.expand import expand
from fabric.topology.topology import PLANE

__all__ = ["LinkGroups"]

Rows = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Rates = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LinkGroups:
    """The groups of a fabric's links. Sprayed packets load the links of a group evenly.

    Group g upwards is arc g, and arc groups + g is the same downwards; the last arc pads.
    """

    of_link: Rows
    """The group of each link, shape (links,)."""
    gbps: Rates
    """What the links of each group that are up carry in one direction in Gb/s, shape (groups,)."""
    planes_together: bool
    """Whether the planes are taken as one."""

    @classmethod
    def of(cls, blueprint: Blueprint, nic: Rows, up: Mask | None) -> LinkGroups:
        """Return the groups of a blueprint whose servers' links are those of `nic`, over the links that are `up`.

        Planes are alike, and so as one, while every link is up or there is a single plane, and no NIC has a port for
        each of several levels.
        """
        network = expand(blueprint)
        together = (up is None or blueprint.planes == 1) and not blueprint.topology.routing.nic_levels
        vertex = np.arange(network.devices)
        for group in network.groups if together else ():
            if PLANE in group.axes:
                vertex[group.first : group.first + group.count] -= np.arange(group.count) % blueprint.planes
        lower, upper = vertex[network.lower], vertex[network.upper]
        # The servers' links begin at NICs, which are numbered beyond all devices.
        lower[: len(nic)] = network.devices + nic
        ends = lower * network.devices + upper
        of_link = np.unique(ends, return_inverse=True)[1].astype(np.int64)
        rates = rate_of_links(blueprint) * (True if up is None else up)
        return cls(of_link, np.asarray(np.bincount(of_link, rates), np.float64), together)

    @property
    def of_arc(self) -> Rows:
        """The arc of the groups for each arc of single links, shape (2 links + 1,)."""
        groups = len(self.gbps)
        return np.concatenate([self.of_link, groups + self.of_link, [2 * groups]])
