"""The subnets of an InfiniBand fabric: the whole, or its planes and the rails that never meet."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fabric.errors import InputError
from fabric.export.infiniband.lanes import write_width
from fabric.export.link_layer import refuse_relays, require_infiniband
from fabric.export.plan import Plan
from fabric.frozen_columns import FrozenColumns
from fabric.network.connected_parts import label_parts
from fabric.units import count

__all__ = ["MOST_LIDS", "Subnets", "count_parts", "refuse_misfit", "split_subnets"]

MOST_LIDS = 49_151
"""The unicast addresses of a subnet, 1 to 0xBFFF (InfiniBand Architecture Specification 1.2.1, section 4.1.3)."""

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Subnets(FrozenColumns):
    """The subnets of a fabric, numbered in the order of their first switches."""

    names: tuple[str, ...]
    """The name of each: `subnet` where there is one, else by plane and rail, such as `plane1` or `rail3`."""
    of_device: Rows
    """The subnet of each switch, -1 of servers and appliances, which may be in several, shape (devices,)."""
    of_link: Rows
    """The subnet of each link, shape (links,)."""


def split_subnets(plan: Plan) -> Subnets:
    """Return the subnets of a plan."""
    switches = np.flatnonzero(plan.is_switch)
    of_device = np.full(plan.network.devices, -1, np.int64)
    of_device[switches] = label_parts(plan.network, int(switches[0]), len(switches))
    of_link = of_device[plan.upper.device]
    return Subnets(_name_subnets(plan, int(of_device.max()) + 1, of_link), of_device, of_link)


def count_parts(plan: Plan) -> Rows:
    """Return the parts of the switch port of each link, at the end that is split more, shape (links,)."""
    return np.maximum(plan.upper.parts, np.where(plan.host < 0, plan.lower.parts, 1))


def _name_subnets(plan: Plan, subnets: int, of_link: Rows) -> tuple[str, ...]:
    """Return the names of subnets: by the plane and rail that all their links have, where these tell them apart."""
    if subnets == 1:
        return ("subnet",)
    words = []
    for column, word, many in ((plan.link_plane, "plane", plan.blueprint.planes), (plan.link_rail, "rail", 2)):
        least, most = np.full(subnets, np.iinfo(np.int64).max), np.full(subnets, -1)
        np.minimum.at(least, of_link, column)
        np.maximum.at(most, of_link, column)
        if many > 1 and (least == most).all() and (least >= 0).all():
            words.append([f"{word}{digit}" for digit in least.tolist()])
    names = tuple(map("-".join, zip(*words, strict=True))) if words else ()
    return names if len(set(names)) == subnets else tuple(f"subnet{number}" for number in range(subnets))


def refuse_misfit(plan: Plan) -> None:
    """Raise InputError for Ethernet switches, servers that forward, rates that no link has, and too many addresses."""
    require_infiniband(plan.blueprint, "a subnet manager is for InfiniBand")
    refuse_relays(plan.blueprint, "no subnet manager routes")
    for gbps, split in np.unique(np.stack([plan.link_gbps, count_parts(plan)]), axis=1).T.tolist():
        write_width(gbps, split)
    subnets = split_subnets(plan)
    endpoints = np.bincount(subnets.of_link[plan.host >= 0], minlength=len(subnets.names))
    lids = endpoints + np.bincount(subnets.of_device[plan.is_switch], minlength=len(subnets.names))
    if (most := int(lids.max())) > MOST_LIDS:
        raise InputError(
            f"{plan.name}: {subnets.names[int(lids.argmax())]} has {count(most)} switches and NIC ports, and a subnet"
            f" has {count(MOST_LIDS)} addresses; design planes, rails that never meet, or several fabrics"
        )
