"""The families held against each other on one request: each sized to its own best, with what it costs and carries."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fabric.errors import Infeasible, TooLarge
from fabric.flow import estimate, worst_permutation
from fabric.studies.study import Study, design, read
from fabric.topology.families import families, family, family_sets

__all__ = ["SIZE_BYTES", "Entry", "contest"]

SIZE_BYTES = 2**30
"""The size of the collectives that are compared."""


@dataclass(frozen=True)
class Entry:
    """A family's best answer to the request, or why it has none.

    `allreduce_GBps` and `alltoall_GBps` are bus bandwidths of 1 GiB over all GPUs under adaptive routing, and
    `permutation` the mean share of line rate in the worst of several permutations, None where flows are too many.
    """

    family: str
    study: Study | None
    reason: str = ""
    allreduce_GBps: float | None = None
    alltoall_GBps: float | None = None
    permutation: float | None = None


def contest(
    source: str | os.PathLike[str] | Mapping[str, Any] | None = None,
    names: Sequence[str] = ("all",),
    *,
    progress: Callable[[str], None] = lambda text: None,
    **request: Any,
) -> tuple[Entry, ...]:
    """Return what each family comes to on a request; `names` are families, sets of them, or `all`.

    A family whose NICs need several ports may take more planes than the request says. Raises InputError as `read` does.
    """
    every = tuple(families())
    sets = {**family_sets(), "all": every}
    asked = dict.fromkeys(name for word in names for name in sets.get(word, (word,)))
    entries = []
    for name in asked:
        progress(f"sizing {name}")
        entries.append(_entry(name, source, {**request, "family": family(name).name}))
    return tuple(entries)


def _entry(name: str, source: Any, request: dict[str, Any]) -> Entry:
    spec = read(source, **request)
    least = max(family(name).least_planes, min(form.routing.nic_levels for form in family(name).forms))
    if max(spec.planes) < least:
        spec = read(source, **{**request, "planes": "any"})
    try:
        study = design(spec)
    except Infeasible as answer:
        return Entry(name, None, str(answer))
    busbw = [
        estimate(study.blueprint, kind, SIZE_BYTES).busbw_GBps if study.spec.gpus > 1 else None
        for kind in ("all-reduce", "all-to-all")
    ]
    return Entry(name, study, "", busbw[0], busbw[1], _permutation(study))


def _permutation(study: Study) -> float | None:
    try:
        worst = worst_permutation(study.blueprint)
    except TooLarge:
        return None
    return None if worst is None else worst.mean
