"""The longest minimal path between different servers, which is none where there is one server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ortools.sat.python import cp_model

if TYPE_CHECKING:
    from fabric.optimizer.model import Model, Term

__all__ = ["path_of_several"]

LONGEST = 100_000
"""The most hops of a path, more than along the longest lines of a mesh of six dimensions."""


def path_of_several(model: Model, each: Sequence[Term]) -> cp_model.LinearExprT:
    """Return the longest path, with the hops of a switch of each tier; 0 where there is one server, or can be one."""
    if model.candidate.spec.servers == 1:
        return 0
    longest = model.longest_path(each)
    if "gpus" not in model.relaxed:
        return longest
    several, found = model.var(1, "several servers", least=0), model.var(LONGEST, "hops", least=0)
    model.cp.add(model.servers - 1 <= model.upper(model.servers) * several)
    model.cp.add(found >= longest).only_enforce_if(several)
    return found
