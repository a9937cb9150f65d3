"""As-built verification of a design: read what was discovered, find every fault, and rank them by what they cost."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from fabric.discovery import Discovery, Note, read_discovery
from fabric.discovery.direct import find_direct
from fabric.discovery.structure import find_structure
from fabric.discovery.uneven import list_uneven
from fabric.errors import NotEnoughMemory, TooLarge
from fabric.flow import Workload
from fabric.flow.masked_estimates import KeptShare, MaskedEstimates
from fabric.studies.study import Study
from fabric.verification.faults import Fault, FaultKind
from fabric.verification.recorded_ports import list_recorded_ports
from fabric.verification.verify import Verification, verify_cabling

__all__ = ["find_faults", "rank_faults", "verify"]

SIZE_BYTES = 2**30
"""The size of the all-reduce by which faults are ranked."""

MOST_SORTS = 12
"""The most sorts of faults that are estimated with all their links down at once."""

SORTS_GPUS = 200_000
"""The GPUs whose one estimate takes as long as sorts may take together: a sort of 100,000 GPUs is some 2 s."""

ORDER = {kind: place for place, kind in enumerate(FaultKind)}
"""Faults that cost as much stand by kind."""


def verify(
    study: Study | str | os.PathLike[str],
    files: str | os.PathLike[str] | Iterable[str | os.PathLike[str]] | Discovery,
    *,
    names: Mapping[str, str] | None = None,
    any_port: bool = False,
    progress: Callable[[str], object] = lambda text: None,
) -> Verification:
    """Compare a fabric as it stands with its design, and return every fault with the fewest moves that fix them.

    What is expected are the cables of the design, or where its request names a list of those that stand
    (`as_built`), that list; a path in the place of `study` is of such a list too, and then no cost is estimated.
    `files` are of discovery tools (docs/verification.md), or what `read_discovery` read; `names` are the names of
    devices by their GUID or address. With `any_port` only the devices at both ends of a cable count. Raises InputError
    for files that cannot be read or are of another fabric.
    """
    found = find_faults(study, files, names=names, any_port=any_port, progress=progress)
    if _record_of(study):
        return found
    assert isinstance(study, Study)
    progress("ranking faults by what they cost")
    return replace(found, faults=rank_faults(study, found.faults))


def _record_of(study: Study | str | os.PathLike[str]) -> str:
    """Return the path of the list of cables that are expected; empty where they are those of the design."""
    return study.spec.as_built if isinstance(study, Study) else os.fsdecode(study)


def _note_record(record: Discovery) -> Iterator[Note]:
    """Yield what deviated already when the cables were recorded, so that it counts as planned."""
    structure = find_structure(record)
    for note in list_uneven(record, structure, direct=find_direct(structure) is not None):
        yield Note(note.place, f"counts as planned, since it was recorded so: {note.text}")


def find_faults(
    study: Study | str | os.PathLike[str],
    files: str | os.PathLike[str] | Iterable[str | os.PathLike[str]] | Discovery,
    *,
    names: Mapping[str, str] | None = None,
    any_port: bool = False,
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
        recorded = read_discovery([record])
        files = replace(files, notes=(*files.notes, *_note_record(recorded)))
        return verify_cabling(list_recorded_ports(recorded, name), files, names, any_port=any_port)
    assert isinstance(study, Study)
    return verify_cabling(study.plan, files, names, any_port=any_port)


def rank_faults(study: Study, faults: Iterable[Fault]) -> tuple[Fault, ...]:
    """Return faults with what each costs while all of its cables are down, worst first.

    That is the share of all-reduce bandwidth lost among the GPUs that are left, and the GPUs that are cut off. Faults
    whose links are of the same bundles, at devices of as many links that have as much in common, cost the same. Of more
    than some sorts (12, fewer of large fabrics) the others cost what the worst of their links does alone. Nothing is
    estimated where that would take too long.
    """
    costs = _Costs(study)
    ranked = [costs.add(fault) for fault in faults]
    gpus = study.blueprint.gpus

    def lose(fault: Fault) -> float:
        left = 1.0 - (fault.gpus_lost or 0) / gpus if gpus else 1.0
        return 1.0 - left * (1.0 - (fault.share_lost or 0.0))

    return tuple(sorted(ranked, key=lambda fault: (-lose(fault), ORDER[fault.kind])))


class _Costs:
    """What faults cost, each sort estimated once."""

    def __init__(self, study: Study) -> None:
        self._estimates = MaskedEstimates.of(study.blueprint, Workload(), SIZE_BYTES)
        self._network, self._links = study.network, study.blueprint.links_total
        ends = np.concatenate([self._network.lower, self._network.upper])
        self._degree = np.bincount(ends, minlength=self._network.devices)
        self._most = max(1, min(MOST_SORTS, SORTS_GPUS // max(1, study.blueprint.gpus)))
        self._known: dict[tuple[tuple[int, ...], ...], KeptShare | None] = {}

    def add(self, fault: Fault) -> Fault:
        """Return a fault with its cost."""
        down = [link for link in fault.links if link < self._links]
        if not down:
            return fault
        sort = self._sort(down)
        if sort in self._known or len(self._known) < self._most or fault.kind is FaultKind.ABSENT:
            kept = [self._keep(sort, down)]
        else:
            kept = [self._keep(self._sort([link]), [link]) for link in down]
        known = [each for each in kept if each is not None]
        if not known:
            return fault
        worst = min(known, key=lambda each: (each.share, -each.gpus_lost))
        return replace(fault, share_lost=1.0 - worst.share, gpus_lost=worst.gpus_lost)

    def _sort(self, down: list[int]) -> tuple[tuple[int, ...], ...]:
        """Return what links that cost the same have in common: bundles, links of devices, and devices of several."""
        network = self._network
        numbers: dict[int, int] = {}
        return tuple(
            (
                int(network.bundle[link]),
                *(
                    value
                    for device in (int(network.lower[link]), int(network.upper[link]))
                    for value in (int(self._degree[device]), numbers.setdefault(device, len(numbers)))
                ),
            )
            for link in down
        )

    def _keep(self, sort: tuple[tuple[int, ...], ...], down: list[int]) -> KeptShare | None:
        """Return what is left of the bandwidth without some links; None where estimating it takes too long."""
        if sort not in self._known:
            up = np.ones(self._links, np.bool_)
            up[down] = False
            try:
                self._estimates.refuse_long_runs(1)
                self._known[sort] = self._estimates.keep(up)
            except (NotEnoughMemory, TooLarge):
                self._known[sort] = None
        return self._known[sort]
