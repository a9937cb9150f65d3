"""The limits that exclude every fabric together, as few as possible, each with the nearest value that would do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fabric.errors import Conflict
from fabric.optimizer.infeasibility import FeasibilityOracle
from fabric.optimizer.limit_relaxation import nearest
from fabric.request import Spec

__all__ = ["ConflictSet", "smallest_conflict"]


@dataclass(frozen=True)
class ConflictSet:
    """Limits that conflict; `smallest` says whether it is proven that no fewer do."""

    conflict: tuple[Conflict, ...]
    smallest: bool


def smallest_conflict(spec: Spec, facts: Sequence[str]) -> ConflictSet | None:
    """Return a smallest set of the limits of `spec` that conflict, or None where none was found.

    `spec` is known to be infeasible; `facts` are what must be known of every part (see `candidates`).
    """
    question = FeasibilityOracle(spec, facts)
    found = question.conflict()
    if not found:
        return None
    return ConflictSet(tuple(nearest(question, limit) for limit in question.limits if limit in found), question.settled)
