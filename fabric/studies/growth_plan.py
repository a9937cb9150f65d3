"""Growth that was not planned for: from today's design to larger ones, step by step, with few cable ends moved."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Unpack

from fabric.blueprint.bill import bill
from fabric.blueprint.bill_changes import PartChange, compare_bills
from fabric.blueprint.prices import prices_of
from fabric.errors import InputError
from fabric.layout.moves import MovePlan, plan_moves
from fabric.request.request_keys import RequestKeys
from fabric.studies.study import Source, Study, design
from fabric.units import count

__all__ = ["GrowthStep", "plan_growth"]


@dataclass(frozen=True)
class GrowthStep:
    """One step of growth."""

    before: Study
    """The design that stands."""
    after: Study
    """The design to which it grows."""
    parts: tuple[PartChange, ...]
    """The parts to buy, and those that become free, below zero."""
    moves: MovePlan
    """What happens to the cables that are there."""


def plan_growth(
    source: Source,
    targets: Sequence[int],
    progress: Callable[[str], None] = lambda text: None,
    **request: Unpack[RequestKeys],
) -> tuple[GrowthStep, ...]:
    """Return the steps from today's design to designs of the same request with more GPUs.

    Each design is the best for its own size. Raises InputError for sizes that are not ascending from today's, and as
    `design` and `plan_moves` do.
    """
    studies = [design(source, progress=progress, **request)]
    for gpus in targets:
        last = studies[-1].spec.gpus
        if gpus <= last:
            raise InputError(f"--to {gpus}: a step must have more GPUs than the one before, {count(last)}")
        larger: RequestKeys = {**request, "gpus": gpus, "expected": {}, "grow_to_gpus": None}
        studies.append(design(source, progress=progress, **larger))
    steps = []
    for before, after in pairwise(studies):
        progress(f"moves from {count(before.spec.gpus)} to {count(after.spec.gpus)} GPUs")
        bills = (bill(each.blueprint, prices_of(each.spec, each.blueprint)) for each in (before, after))
        moves = plan_moves(before.blueprint, after.blueprint)
        steps.append(GrowthStep(before, after, compare_bills(*bills), moves))
    return tuple(steps)
