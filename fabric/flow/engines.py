"""The engines that estimate a workload."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CLOSED", "ENGINES", "FLOWS", "LP", "Engine"]


@dataclass(frozen=True)
class Engine:
    """A way to find what a collective's flows get."""

    name: str
    """The word by which it is asked for."""
    label: str
    """How it works, for titles."""
    description: str
    """What it finds, in a few words."""


CLOSED = Engine("closed", "closed form", "formulas for regular traffic on a fabric with all links up")
FLOWS = Engine("flows", "explicit flows", "max-min fair rates of explicit flows")
LP = Engine("lp", "linear program", "what the best of all routings would leave to the slowest flow")

ENGINES = {engine.name: engine for engine in (CLOSED, FLOWS, LP)}
"""The engines by name."""
