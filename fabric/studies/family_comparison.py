"""Families compared on one request: each is sized to its own optimum, with its cost and its performance."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fabric.errors import Infeasible, InputError, TooLarge
from fabric.flow import estimate_all, worst_permutation
from fabric.flow.router import router_of
from fabric.flow.routings import ADAPTIVE
from fabric.studies.study import Study, design, read
from fabric.topology.families import FAMILIES, Family, families, family, family_sets

__all__ = ["SIZE_BYTES", "FamilyResult", "compare_families"]

SIZE_BYTES = 2**30
"""The size of the collectives that are compared."""

MOST_TRIED = 2**25
"""The links that flows may try at a hop, all together: more take minutes for each permutation."""

MOST_SECONDS = 8.0
"""The estimated seconds of one permutation, of which there are a handful for each family."""


@dataclass(frozen=True)
class FamilyResult:
    """A family's best design for a request, or why it has none."""

    family: str
    """Its name."""
    study: Study | None
    """Its design; None where it has none."""
    reason: str = ""
    """Why it has none."""
    allreduce_GBps: float | None = None
    """The bus bandwidth of an all-reduce of 1 GiB over all GPUs under adaptive routing, in GB/s."""
    alltoall_GBps: float | None = None
    """The same of an all-to-all."""
    permutation: float | None = None
    """The mean share of line rate in the worst of several permutations; None where the flows are too many."""


def compare_families(
    source: str | os.PathLike[str] | Mapping[str, Any] | None = None,
    names: Sequence[str | Family] = ("all",),
    *,
    progress: Callable[[str], None] = lambda text: None,
    found: Callable[[FamilyResult], None] = lambda result: None,
    **request: Any,
) -> tuple[FamilyResult, ...]:
    """Design a request with each family; `names` are those of families or of sets of them, families, or `all`.

    `found` is called with each result at once. A family whose NICs need several ports may take more planes than
    the request says. One that the request excludes, or whose ports are not known, has that as its reason. Raises
    InputError as `read` does, and where every family is refused so.
    """
    read(source, **request)
    every = tuple(families())
    sets = {**family_sets(), "all": every}
    chosen = dict.fromkeys(name for word in map(FAMILIES.name_value, names) for name in sets.get(word, (word,)))
    results, refusals = [], []
    for name in chosen:
        progress(f"sizing {name}")
        try:
            results.append(_design_family(name, source, {**request, "family": family(name).name}, progress))
        except InputError as error:
            refusals.append(error)
            if len(refusals) == len(chosen):
                raise refusals[0] from None
            results.append(FamilyResult(name, None, "; ".join(mistake.text for mistake in error.mistakes)))
        found(results[-1])
    return tuple(results)


def _design_family(name: str, source: Any, request: dict[str, Any], progress: Callable[[str], None]) -> FamilyResult:
    spec = read(source, **request)
    least = max(family(name).least_planes, min(form.routing.nic_levels for form in family(name).forms))
    if max(spec.planes) < least:  # the request itself says so: what it leaves out is the family's own
        spec = read(source, **{**request, "planes": "any"})
    try:
        study = design(spec)
    except Infeasible as answer:
        return FamilyResult(name, None, str(answer))
    busbw = []
    for kind in ("all-reduce", "all-to-all"):
        progress(f"estimating the {kind} on {name}")
        busbw.append(estimate_all(study.blueprint, kind, [SIZE_BYTES])[0].busbw_GBps if study.spec.gpus > 1 else None)
    progress(f"searching for the worst permutation on {name}")
    return FamilyResult(name, study, "", busbw[0], busbw[1], _find_permutation(study))


def _find_permutation(study: Study) -> float | None:
    router, nics = router_of(study.blueprint), study.blueprint.nics
    if nics * router.links_tried > MOST_TRIED:
        return None
    if not router.links_tried and router.work(nics, ADAPTIVE).seconds > MOST_SECONDS:
        return None
    try:
        worst = worst_permutation(study.blueprint)
    except TooLarge:
        return None
    return None if worst is None else worst.mean
