"""A fabric as it was built beside its plan: every fault, what fixes it, and what could not be judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fabric.discovery.discovery import Discovery
from fabric.errors import InputError
from fabric.export.plan.plan import Plan
from fabric.units import count
from fabric.verification.cabling import Cabling, compare_cabling
from fabric.verification.fault_list import list_faults
from fabric.verification.faults import HARMLESS, Fault
from fabric.verification.planned_ports import PlannedPorts, list_planned_ports
from fabric.verification.seen_ports import list_seen_ports

__all__ = ["Verification", "verify_cabling"]

FEWEST_SWITCHES = 0.1
"""The share of the discovered switches that must be in the plan; with fewer the files are of another fabric."""

FEWEST_CABLES = 0.2
"""The share of the discovered cables that must be as planned; with fewer too, whatever the names say."""


@dataclass(frozen=True, eq=False)
class Verification:
    """What the files say about the cables of a plan."""

    cabling: Cabling
    """Both sets of cables."""
    faults: tuple[Fault, ...]
    """What is wrong, worst first."""

    @property
    def name(self) -> str:
        """The name of the plan."""
        return self.cabling.planned.name

    @property
    def discovery(self) -> Discovery:
        """What was read."""
        return self.cabling.seen.discovery

    @property
    def links(self) -> int:
        """The planned cables."""
        return self.cabling.planned.links

    @property
    def judged(self) -> int:
        """The planned cables of which a file names an end."""
        return int(self.cabling.is_judged.sum())

    @cached_property
    def as_planned(self) -> int:
        """The planned cables that are there as planned."""
        return int(self.cabling.as_planned.sum())

    @cached_property
    def moves(self) -> int:
        """The cable ends to move: the fewest that make the fabric as planned."""
        return sum(len(fault.moves) for fault in self.faults)

    @cached_property
    def unreported(self) -> tuple[str, ...]:
        """The planned devices with cables that could not be judged, of which no file says anything."""
        planned = self.cabling.planned
        nodes = np.unique(planned.node[~self.cabling.is_judged])
        return tuple(planned.names[node] for node in nodes.tolist())

    @property
    def is_as_planned(self) -> bool:
        """Whether nothing is wrong with what was judged."""
        return all(fault.kind in HARMLESS for fault in self.faults)


def verify_cabling(
    plan: Plan | PlannedPorts,
    discovery: Discovery,
    names: Mapping[str, str] | None = None,
    *,
    any_port: bool = False,
) -> Verification:
    """Return how the discovered fabric differs from its plan; `names` are of devices by GUID or address.

    With `any_port` only the devices at both ends of a cable count.

    Raises InputError where next to nothing of what was discovered is in the plan.
    """
    planned = plan if isinstance(plan, PlannedPorts) else list_planned_ports(plan)
    seen = list_seen_ports(discovery, names, planned.about.hardware())
    cabling = compare_cabling(planned, seen, any_port=any_port)
    _refuse_stranger(cabling)
    return Verification(cabling, tuple(list_faults(cabling)))


def _refuse_stranger(cabling: Cabling) -> None:
    """Raise InputError where the files are of another fabric."""
    seen, place = cabling.seen, cabling.match.place
    planned, files = cabling.planned, ", ".join(seen.discovery.files[:3])
    if not seen.cables:
        raise InputError(f"{files}: no cable between two devices")
    switches = np.flatnonzero(seen.is_switch)
    found = int((place[switches] >= 0).sum())
    if found < FEWEST_SWITCHES * len(switches) or not (place >= 0).any():
        some = f"{count(found)} of {count(len(switches))} switches there are" if len(switches) else "no device there is"
        first = int(switches[0]) if len(switches) else 0
        raise InputError(
            f"{files}: not the fabric of {planned.name}: {some} in the plan, by name or by cables; the plan's "
            f"first is '{planned.names[planned.hosts]}', the files' '{seen.text(first)}'"
        )
    same = int(cabling.as_planned.sum())
    if same < FEWEST_CABLES * seen.cables:
        raise InputError(
            f"{files}: not the fabric of {planned.name}, though devices have its names: {count(same)} of "
            f"{count(seen.cables)} cables there are as planned; give the request that it was built by"
            + ("" if cabling.any_port else ", or --any-port where the site chose the ports itself")
        )
