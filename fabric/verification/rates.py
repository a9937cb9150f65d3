"""Cables that run below their rate, or with fewer lanes than others of their bundle."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fabric.units import count
from fabric.verification.cabling import Cabling
from fabric.verification.faults import Fault, FaultKind
from fabric.verification.wording import Wording

__all__ = ["list_slow"]

ROUNDING = 0.99
"""The share of the planned rate above which a cable runs at it: tools round."""


def list_slow(cabling: Cabling, words: Wording) -> Iterator[Fault]:
    """Yield the cables in their place that run slower than planned or have lanes down.

    Where all cables of a bundle run at one rate, which is not the planned one, that is one fault.
    """
    discovery, plan = cabling.seen.discovery, cabling.planned
    # A cable in a wrong place may run slower for that alone.
    rows = np.flatnonzero(cabling.as_planned)
    link, cable = cabling.moves.target[rows], cabling.seen.cable[rows]
    rate, width = discovery.rate_gbps[cable], discovery.width[cable]
    planned = plan.rate_gbps[link]
    for number, bundle in enumerate(plan.bundles):
        mine = plan.bundle[link] == number
        known = mine & ~np.isnan(rate)
        usual = int(np.bincount(width[mine & (width > 0)]).argmax()) if (mine & (width > 0)).any() else 0
        lanes = np.where(plan.width[link] > 0, plan.width[link], usual)
        slow = known & (rate < ROUNDING * planned)
        if slow.sum() == known.sum() > 1 and len(np.unique(rate[known])) == 1:
            text = f"all {count(int(known.sum()))} cables of {bundle} run at {rate[known][0]:g} Gb/s"
            yield Fault(FaultKind.SLOW, f"{text}, planned {planned[slow][0]:g}", (), (), (), ())
            slow = np.zeros_like(slow)
        narrow = mine & (width > 0) & (width < lanes)
        for at in np.flatnonzero(slow | narrow).tolist():
            row = int(rows[at])
            kind = FaultKind.NARROW if narrow[at] else FaultKind.SLOW
            runs = f"has {width[at]} of {lanes[at]} lanes" if narrow[at] else f"runs at {rate[at]:g} Gb/s"
            rated = "" if np.isnan(planned[at]) else f", planned {planned[at]:g} Gb/s"
            text = f"{words.link(int(link[at]))} {runs}{rated}"
            yield Fault(
                kind, text, words.ends_of(int(link[at])), (int(link[at]),), words.cables((row,)), (),
                words.place(row),
            )  # fmt: skip
