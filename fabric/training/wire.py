"""How long the network carries a message for each byte of it, and what adds to that."""

from __future__ import annotations

from dataclasses import dataclass, replace

__all__ = ["SENDS", "STATES", "Wire"]

SENDS = {"send": False, "send-recv": True}
"""Messages from each rank to the next of its group, and whether the last sends to the first."""

SAME = 1e-9
"""Times that differ relatively by less than this are equal."""

STATES = {
    "line_s": "NIC",
    "fits_s": "oversubscription",
    "taken_s": "collisions",
    "failed_s": "failures",
    "shared_s": "contention",
}
"""The times of a wire, each with what comes before it, and what limits a network that takes longer by it."""


@dataclass(frozen=True)
class Wire:
    """The seconds for each byte of a message that the network takes, without latency, and the switches of its paths."""

    line_s: float
    """Those at the line rate of the busiest NIC."""
    fits_s: float
    """Those through the narrowest cut, if no flows collided."""
    taken_s: float
    """Those that the flows take alone, when all links are up."""
    failed_s: float
    """Those that they take on the links that are up."""
    shared_s: float
    """Those beside other messages and jobs."""
    switches: float
    """The switches of a path: the mean of a ring, and otherwise the most."""

    def on_average(self, fits_s: float, taken_s: float, failed_s: float) -> Wire:
        """Return the wire where these times are means over flows, of which this one's are those of the slowest.

        Other messages slow all down as much as the slowest.
        """
        return replace(
            self, fits_s=fits_s, taken_s=taken_s, failed_s=failed_s, shared_s=failed_s * self.shared_s / self.failed_s
        )

    def limit(self, state: str) -> str:
        """Return what limits the network up to the time `state`: the last of STATES by which it takes longer."""
        found, before = STATES["line_s"], self.line_s
        for name, limit in STATES.items():
            if getattr(self, name) > before * (1 + SAME):
                found, before = limit, getattr(self, name)
            if name == state:
                break
        return found
