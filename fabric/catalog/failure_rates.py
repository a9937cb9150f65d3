"""Failure rates of parts in service, each with its source."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["HOURS_PER_YEAR", "FailureRate"]

HOURS_PER_YEAR = 8766.0
"""The hours of a year of 365.25 days."""


@dataclass(frozen=True)
class FailureRate:
    """How often a part of one kind fails, and how long it is then down."""

    kind: str
    """The kind of part: `link`, `switch`, `nic`, `gpu`, `server`, a bundle of links or a role of switches."""
    per_year: float | None
    """The failures of one part in a year of service; None where they are not known."""
    repair_h: float | None
    """The mean time from a failure until the part is back in service, in hours; None where it is not known."""
    title: str = ""
    """What the kind is, in words."""
    source: str = ""
    """Where the rate was published, with its date."""
    repair_source: str = ""
    """Where the repair time was published, with its date."""
    repair_assumed: bool = False
    """Whether the repair time is taken from another kind of part."""

    @property
    def unavailability(self) -> float | None:
        """The share of time that a part is down, the rate times the repair time (Little's law); None if not known."""
        if self.per_year is None or self.repair_h is None:
            return None
        return self.per_year * self.repair_h / HOURS_PER_YEAR
