"""A family of topologies: its forms, from small to large, with what to say of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fabric.errors import InputError
from fabric.topology.clos import ClosForm
from fabric.topology.topology import PLANE, Topology

__all__ = ["Family"]

RESERVED_ROLES = (PLANE, "min", "max")
"""What keys of a request by tier mean besides tiers: the loss of a plane in `survive`, and the ends of a range."""


@dataclass(frozen=True)
class Family:
    """A named way to build fabrics."""

    name: str
    """The name in requests, such as `rail-optimized`."""
    title: str
    """What it is, in one line."""
    forms: tuple[Topology, ...]
    """Its topologies, smallest first."""
    reference: str
    """Where it is published."""
    note: str = ""
    """A warning that goes with every design of it; empty for none."""
    least_planes: int = 1
    """The fewest planes it is built on."""
    port_per_server: bool = False
    """Whether by its definition a server has one port on each plane or level, rather than each of its NICs."""
    rails_apart: Topology | None = None
    """Its topology of one tier where a request asks for rails: a leaf for each, where its own has one for all."""

    def __post_init__(self) -> None:
        for role in (role for form in self.forms for role in form.roles):
            if role in RESERVED_ROLES:
                raise InputError(f"family {self.name}: a tier may not be called '{role}', which is a key of requests")

    def own_planes(self, form: Topology) -> int:
        """Return the planes on which one of the forms is built where a request leaves that to the family."""
        return form.routing.nic_levels or self.least_planes

    def own_ratio(self, form: Topology) -> int:
        """Return the oversubscription up to which one of the forms is built where a request leaves that to the family.

        Servers that forward traffic from level to level send it by every level, each of which has a part of their rate.
        """
        return form.routing.nic_levels if form.routing.server_relay else 1

    @property
    def layered(self) -> bool:
        """Whether its switches are joined tier by tier."""
        return all(form.layered for form in self.forms)

    @property
    def any_to_any(self) -> bool:
        """Whether every GPU reaches every other through the fabric itself, so that `family: any` may choose it."""
        return all(form.rails_meet_at for form in self.forms)

    @classmethod
    def of(cls, name: str, title: str, *forms: str, rails_apart: str = "", **facts: Any) -> Family:
        """Build a Clos family from the formulas of its forms (see `ClosForm.parse`)."""
        apart = ClosForm.parse(name, rails_apart) if rails_apart else None
        return cls(name, title, tuple(ClosForm.parse(name, text) for text in forms), rails_apart=apart, **facts)
