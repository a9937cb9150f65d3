"""What the bandwidth above a Clos's places leaves to traffic that spreads evenly over it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from fabric.flow.fabric_summary import FabricSummary
from fabric.flow.steps import Step

__all__ = ["Load", "busiest_load", "mean_share"]


@dataclass(frozen=True)
class Load:
    """The load of the busiest link or cut over what it carries at line rate, at least 1: that of the busiest NIC."""

    mean: float
    """The mean over orders."""
    deviation: float
    """The standard deviation."""


def busiest_load(summary: FabricSummary, step: Step) -> Load:
    """Return the load that a step puts on the busiest of NICs and cuts, whatever the routing.

    Above a place of ratio r, from which the share x of what its NICs could send goes out, the load is r x. Of several
    tiers the one with the greatest mean counts.
    """
    found = Load(1.0, 0.0)
    for ratio, cuts in zip(summary.ratios, step.cuts, strict=True):
        values, chances = cuts.busiest
        loads = np.maximum(1.0, ratio * values)
        mean = float(loads @ chances)
        if mean > found.mean:
            found = Load(mean, math.sqrt(max(0.0, float(loads**2 @ chances) - mean**2)))
    return found


def mean_share(summary: FabricSummary, step: Step) -> float:
    """Return the mean share of line rate over the flows of a step, by their bytes, where they spread evenly.

    Flows that turn at a tier get what the fullest tier below leaves on average, and those below a leaf line rate.
    """
    found, rest, share = 0.0, 1.0, 1.0
    for ratio, cuts in zip(summary.ratios, step.cuts, strict=True):
        found += (rest - cuts.crossing) * share
        rest, below = cuts.crossing, share
        if rest:
            share = math.fsum(part * min(below, 1 / max(1.0, ratio * load)) for load, part in cuts.by_bytes)
    return found + rest * share
