"""Counts of devices in words."""

from __future__ import annotations

from fractions import Fraction

from fabric.topology.topology import title
from fabric.units import count

__all__ = ["count_devices", "ratio_text", "role_plural"]


def role_plural(role: str) -> str:
    """Return the plural of a role's name: `leaves`, `spines`."""
    return "leaves" if role == "leaf" else f"{title(role)}s"


def count_devices(number: int, role: str) -> str:
    """Return a count of devices of a role: `1 leaf`, `16 leaves`."""
    return f"{count(number)} {title(role) if number == 1 else role_plural(role)}"


def ratio_text(ratio: Fraction) -> str:
    """Return a ratio as a decimal with at most four places."""
    return f"{float(ratio):,.4f}".rstrip("0").rstrip(".")
