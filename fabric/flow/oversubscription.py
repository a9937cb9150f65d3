"""What the bandwidth above a Clos's places leaves to traffic that spreads evenly over it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from fabric.flow.fabric_summary import FabricSummary
from fabric.flow.steps import Cuts, Step

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

    Flows that turn at the same tier are one class of a max-min fair division: the fullest cut settles all classes that
    cross it, and what these leave of other cuts is for the rest. Those below a leaf get line rate.
    """
    crossing = [*(cuts.crossing for cuts in step.cuts), 0.0]
    parts = np.array([below - above for below, above in zip([1.0, *crossing], crossing, strict=False)])
    # What each class puts on each cut, over what this carries; class k crosses those below it.
    load = np.zeros((len(step.cuts), len(parts)))
    for tier, (ratio, cuts) in enumerate(zip(summary.ratios, step.cuts, strict=True)):
        if cuts.crossing:
            load[tier, tier + 1 :] = ratio * _fuller_end(cuts) * parts[tier + 1 :] / cuts.crossing
    shares, open_ = np.ones(len(parts)), np.ones(len(parts), bool)
    while True:
        waiting = load @ open_
        room = 1 - load @ np.where(open_, 0.0, shares)
        level = np.divide(room, waiting, out=np.full(len(load), np.inf), where=waiting > 0)
        if not len(level) or level.min() >= 1:
            return float(parts @ shares)
        full = open_ & (load[level.argmin()] > 0)
        shares[full], open_[full] = level.min(), False


def _fuller_end(cuts: Cuts) -> float:
    """Return the mean load of the fuller of the two cuts that a flow crosses, out of one place and into another."""
    ends = cuts.by_bytes
    return math.fsum(max(one, other) * part * rest for one, part in ends for other, rest in ends)
