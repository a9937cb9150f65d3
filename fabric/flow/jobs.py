"""Several jobs that share a fabric, and what each loses to the others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.blueprint.hosts import Hosts
from fabric.errors import InputError, Mistake, is_whole
from fabric.flow.algorithms import algorithm_of, algorithms_of
from fabric.flow.checked_arrays import read_numbers, refuse_duplicates, refuse_out_of_range
from fabric.flow.collectives import COLLECTIVES
from fabric.flow.failover import failover, servers_up
from fabric.flow.fairness import max_min
from fabric.flow.phase import Phase, cross_rails
from fabric.flow.placements import PLACEMENTS, Ranks, arrange, most_gpus, place, without_failed
from fabric.flow.router import route
from fabric.flow.routings import ADAPTIVE, Routing
from fabric.flow.throughput import phase_shares, shares
from fabric.flow.traffic import phases
from fabric.frozen_columns import FrozenColumns

__all__ = ["Interference", "Job", "interference", "list_checked", "middle_phase", "place_jobs"]

EXAMPLE = 'write for example [fabric.flow.Job("other", gpus=256)]'


@dataclass(frozen=True, eq=False)
class Job(FrozenColumns):
    """A collective that runs all the time on GPUs of its own.

    Raises InputError for unknown names, and with the first element of `gpus` that is not a GPU's number or stands there
    before.
    """

    name: str
    """The name of the job."""
    gpus: int | npt.NDArray[np.int64]
    """The number of its GPUs, or the GPUs themselves in the order of its ranks, as a list or an array."""
    collective: str = "all-reduce"
    """The name of the collective."""
    algorithm: str | None = None
    """The name of the algorithm; None for the collective's first that has explicit flows."""
    placement: str = "contiguous"
    """How its ranks are placed on its GPUs, one of PLACEMENTS."""
    stride: int = 8
    """The stride of a strided placement."""

    def __post_init__(self) -> None:
        """Check the values as the class says."""
        where = f"job {self.name}"
        if hasattr(self.gpus, "__iter__"):
            listed = read_numbers(self.gpus, f"{where}: gpus")
            refuse_duplicates(listed, f"{where}: gpus", "GPU")
            if not listed.size:
                raise InputError(f"{where}: gpus: none are listed; list one or more")
            object.__setattr__(self, "gpus", listed)
        elif is_whole(self.gpus, 1):
            object.__setattr__(self, "gpus", int(self.gpus))
        else:
            raise InputError(f"{where}: gpus {self.gpus!r:.40}: not a positive whole number; give one, or list GPUs")
        if not is_whole(self.stride, 1):
            raise InputError(f"{where}: stride {self.stride!r:.40}: not a positive whole number")
        PLACEMENTS.get_record(self.placement)
        COLLECTIVES.get_record(self.collective)
        super().__post_init__()

    @property
    def count(self) -> int:
        """The number of its GPUs."""
        return self.gpus if isinstance(self.gpus, int) else self.gpus.size


@dataclass(frozen=True)
class Interference:
    """The shares of line rate that a job gets with the fabric to itself and together with the others."""

    job: str
    """The name of the job."""
    alone_mean: float
    """The mean over its flows, alone."""
    alone_min: float
    """The share of its slowest flow, alone."""
    mean: float
    """The mean over its flows, with the others."""
    min: float
    """The share of its slowest flow, with the others."""


def list_checked(jobs: Iterable[Job]) -> list[Job]:
    """Return jobs as a list; raises InputError with the first that is none."""
    if isinstance(jobs, Job) or not isinstance(jobs, Iterable):
        raise InputError([Mistake("jobs", f"{jobs!r:.60}: not a list of jobs; {EXAMPLE}")])
    found = list(jobs)
    for number, job in enumerate(found):
        if not isinstance(job, Job):
            raise InputError([Mistake(f"jobs[{number}]", f"{job!r:.60}: not a job; {EXAMPLE}")])
    return found


def interference(
    blueprint: Blueprint,
    jobs: Sequence[Job],
    routing: Routing = ADAPTIVE,
    up: npt.NDArray[np.bool_] | None = None,
    *,
    spread: str = "contiguous",
    seed: int = 0,
) -> tuple[Interference, ...]:
    """Return what each job gets alone and together with the others, each in the middle phase of its collective.

    A job that lists its GPUs has these; another has the next of those left after the jobs before it, in the order of
    the placement `spread`: `random`, drawn by `seed`, gives it servers all over the fabric. It runs on without those of
    its servers that no link that is `up` joins. Raises InputError when the jobs take more GPUs than there are, for a
    GPU that two of them list or that does not exist, and as `place`, `phases` and `route` do.
    """
    jobs = list_checked(jobs)
    routing, placed = routing.over(blueprint.planes), place_jobs(blueprint, jobs, spread, seed)
    parts = [
        replace(middle_phase(blueprint, job, gpus, up, pxn=routing.pxn), job=number)
        for number, (job, gpus) in enumerate(zip(jobs, placed, strict=True))
    ]
    if not parts:
        return ()
    joined = _join(parts)
    routes = route(blueprint, joined, routing, up)
    rates = max_min(routes)
    found = []
    for number, (job, part) in enumerate(zip(jobs, parts, strict=True)):
        alone = shares(blueprint, [part], routing, up)
        own = np.repeat(joined.job == number, routes.flows // max(1, joined.flows))
        mean, least, _ = phase_shares(blueprint, part, routes.only(own), rates[own], routing)
        found.append(Interference(job.name, alone.mean, alone.min, mean, least))
    return tuple(found)


def middle_phase(
    blueprint: Blueprint, job: Job, gpus: npt.NDArray[Any], up: npt.NDArray[np.bool_] | None, *, pxn: bool
) -> Phase:
    """Return the flows of the middle phase of a job's collective, as they leave their servers; raises InputError."""
    hosts = Hosts.of(blueprint)
    if up is not None:
        gpus = without_failed(gpus, servers_up(blueprint, up), hosts)
    if not gpus.size:
        raise InputError(f"job {job.name}: no server is left after the failures")
    every = list(phases(hosts, gpus, job.collective, _algorithm(job), peers=16))
    phase = every[len(every) // 2] if every else Phase(np.zeros(0, np.int64), np.zeros(0, np.int64))
    moved = phase if up is None else failover(blueprint, phase, up, pxn=pxn)
    return cross_rails(blueprint, moved, pxn=pxn)


def _algorithm(job: Job) -> str:
    """Return the name of the job's algorithm; raises InputError where none has explicit flows."""
    if job.algorithm:
        return algorithm_of(job.collective, job.algorithm).name
    found = next((each for each in algorithms_of(COLLECTIVES.get_record(job.collective)) if each.flows), None)
    if found is None:
        raise InputError(f"job {job.name}: no algorithm of {job.collective} has explicit flows, which jobs need")
    return found.name


def place_jobs(blueprint: Blueprint, jobs: Sequence[Job], spread: str, seed: int) -> Iterator[npt.NDArray[Any]]:
    """Yield the GPU of each rank of each job (see `interference`); raises InputError."""
    wanted, hosts = sum(job.count for job in jobs), Hosts.of(blueprint)
    if wanted > blueprint.gpus:
        sizes = ", ".join(f"{job.name} {job.count:,}" for job in jobs[:4]) + (", ..." if len(jobs) > 4 else "")
        raise InputError(
            f"the jobs take {wanted:,} GPUs of the {blueprint.gpus:,} of {blueprint.name} ({sizes}); "
            f"make them {wanted - blueprint.gpus:,} smaller"
        )
    free, taken = _free_gpus(blueprint, jobs, spread, seed), 0
    for job in jobs:
        if isinstance(job.gpus, int):
            own, alike, taken = free[taken : taken + job.gpus], hosts.alike, taken + job.gpus
        else:
            own, alike = job.gpus, False
        starts = None if alike else _server_starts(hosts.server_of_gpu(own))
        yield own[arrange(job.placement, Ranks(job.count, job.count, most_gpus(hosts), seed, job.stride, starts))]


def _free_gpus(blueprint: Blueprint, jobs: Sequence[Job], spread: str, seed: int) -> npt.NDArray[Any]:
    """Return the GPUs of the jobs that list none, in the order of the placement `spread`.

    Raises InputError with the first GPU listed that the design does not have, or that a job before lists too.
    """
    owner = np.full(blueprint.gpus, -1)
    for number, job in enumerate(jobs):
        if isinstance(job.gpus, int):
            continue
        refuse_out_of_range(job.gpus, blueprint.gpus, f"job {job.name}: gpus", "GPU", blueprint.name)
        if (shared := owner[job.gpus] >= 0).any():
            at = int(shared.argmax())
            gpu = int(job.gpus[at])
            raise InputError(f"job {job.name}: gpus[{at}] is {gpu}, which job {jobs[owner[gpu]].name} has already")
        owner[job.gpus] = number
    if (owner < 0).all():  # servers are drawn among as many as are needed
        return place(blueprint, spread, sum(job.count for job in jobs), seed=seed)
    every = place(blueprint, spread, seed=seed)
    return every[owner[every] < 0]


def _server_starts(server: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the ranks at which the next server begins."""
    return np.flatnonzero(np.append(True, server[1:] != server[:-1]))


def _join(parts: Sequence[Phase]) -> Phase:
    """Return the flows of all parts as one phase, in which the largest of each weigh the same.

    A job's bytes say nothing about how it shares links with another: its collective may as well be a larger one.
    """
    columns = [
        (
            part.source,
            part.target,
            *_broadcast(part.flows, part.shares / part.shares.max(initial=0.0), part.job, part.channels),
        )
        for part in parts
    ]
    source, target, share, job, channels = (np.concatenate(column) for column in zip(*columns, strict=True))
    return Phase(source, target, share, job=job, channels=channels)


def _broadcast(flows: int, *values: Any) -> tuple[npt.NDArray[Any], ...]:
    return tuple(np.broadcast_to(value, (flows,)) for value in values)
