"""Localities: servers next to each other in order of placement, with the bandwidth from them to all others."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["LOCALITIES", "Locality"]

LOCALITIES = ("unit", "pod", "zone")
"""The names of localities, by the tier whose switches their servers share, from the leaf up."""


@dataclass(frozen=True)
class Locality:
    """Servers that share the switches of a tier below the top; all localities of a tier are alike but for the last."""

    name: str
    """Its name, one of LOCALITIES."""
    servers: int
    """The servers of a full one."""
    gbps: int
    """The bandwidth in Gb/s of all links from its switches to others, one direction."""
