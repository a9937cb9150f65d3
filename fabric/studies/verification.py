"""As-built verification of a design: read what was discovered, find every fault, and rank them by what they cost."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from fabric.discovery import Discovery, read_discovery
from fabric.errors import NotEnoughMemory, TooLarge
from fabric.flow import Workload
from fabric.flow.masked_estimates import MaskedEstimates
from fabric.studies.study import Study
from fabric.verification.faults import Fault, FaultKind
from fabric.verification.recorded_ports import list_recorded_ports
from fabric.verification.verify import Verification, verify_cabling

__all__ = ["find_faults", "rank_faults", "verify"]

SIZE_BYTES = 2**30
"""The size of the all-reduce by which faults are ranked."""

ORDER = {kind: place for place, kind in enumerate(FaultKind)}
"""Faults that cost as much stand by kind."""


def verify(
    study: Study | str | os.PathLike[str],
    files: str | os.PathLike[str] | Iterable[str | os.PathLike[str]] | Discovery,
    *,
    names: Mapping[str, str] | None = None,
    progress: Callable[[str], object] = lambda text: None,
) -> Verification:
    """Compare a fabric as it stands with its design, and return every fault with the fewest moves that fix them.

    What is expected are the cables of the design, or where its request names a list of those that stand
    (`as_built`), that list; a path in the place of `study` is of such a list too, and then no cost is estimated.
    `files` are of discovery tools (docs/verification.md), or what `read_discovery` read; `names` are the names of
    devices by their GUID or address. Raises InputError for files that cannot be read or are of another fabric.
    """
    found = find_faults(study, files, names=names, progress=progress)
    if _record_of(study):
        return found
    assert isinstance(study, Study)
    progress("ranking faults by what they cost")
    return replace(found, faults=rank_faults(study, found.faults))


def _record_of(study: Study | str | os.PathLike[str]) -> str:
    """Return the path of the list of cables that are expected; empty where they are those of the design."""
    return study.spec.as_built if isinstance(study, Study) else os.fsdecode(study)


def find_faults(
    study: Study | str | os.PathLike[str],
    files: str | os.PathLike[str] | Iterable[str | os.PathLike[str]] | Discovery,
    *,
    names: Mapping[str, str] | None = None,
    progress: Callable[[str], object] = lambda text: None,
) -> Verification:
    """Return what `verify` does, with faults in the order in which they are found and without what they cost."""
    if not isinstance(files, Discovery):
        progress("reading the files")
        paths = [files] if isinstance(files, str | os.PathLike) else list(files)
        files = read_discovery(paths)
    progress("comparing cables")
    if record := _record_of(study):
        name = study.spec.name if isinstance(study, Study) else Path(record).stem
        return verify_cabling(list_recorded_ports(read_discovery([record]), name), files, names)
    assert isinstance(study, Study)
    return verify_cabling(study.plan, files, names)


def rank_faults(study: Study, faults: Iterable[Fault]) -> tuple[Fault, ...]:
    """Return faults with the share of all-reduce bandwidth that each costs while its cables are down, worst first.

    A fault of cables costs what the worst of them costs alone, and one link stands for all of its bundle; an absent
    device costs what all its cables cost. Nothing is estimated where that would take too long.
    """
    estimates = MaskedEstimates.of(study.blueprint, Workload(), SIZE_BYTES)
    links, bundle = study.blueprint.links_total, study.network.bundle
    known: dict[tuple[int, ...], float | None] = {}

    def lose(key: tuple[int, ...], down: list[int]) -> float | None:
        if key not in known:
            known[key] = _estimate_loss(estimates, links, down)
        return known[key]

    def cost(fault: Fault) -> float | None:
        own = [link for link in fault.links if link < links]
        if not own:
            return None
        if fault.kind is FaultKind.ABSENT:
            counts = np.bincount(bundle[own], minlength=int(bundle.max()) + 1)
            return lose((-1, *counts.tolist()), own)
        losses = [lose((int(bundle[link]),), [link]) for link in own]
        return max((loss for loss in losses if loss is not None), default=None)

    ranked = [replace(fault, share_lost=cost(fault)) for fault in faults]
    return tuple(sorted(ranked, key=lambda fault: (-(fault.share_lost or 0.0), ORDER[fault.kind])))


def _estimate_loss(estimates: MaskedEstimates, links: int, down: list[int]) -> float | None:
    """Return the share lost with some links down; None where estimating it takes too long."""
    up = np.ones(links, np.bool_)
    up[down] = False
    try:
        estimates.refuse_long_runs(1)
        return 1.0 - estimates.keep(up).share
    except (NotEnoughMemory, TooLarge):
        return None
