"""Several jobs on one fabric at a time, and what each loses to the others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.errors import InputError
from fabric.flow.failures import failover, live_servers, nics_left
from fabric.flow.fairness import max_min
from fabric.flow.phase import Phase, cross_rails
from fabric.flow.placements import arranged, on_live, place
from fabric.flow.router import route
from fabric.flow.routings import ADAPTIVE, Routing
from fabric.flow.throughput import phase_shares, shares
from fabric.flow.traffic import FLOWS_OF, TRAFFIC, phases

__all__ = ["Interference", "Job", "interference"]


@dataclass(frozen=True)
class Job:
    """A collective that runs all the time on GPUs of its own, by `algorithm` or the first that it has in TRAFFIC.

    `placement` says how its ranks take the GPUs that it has (see `placement.place`; `strided` takes `stride`).
    """

    name: str
    gpus: int
    collective: str = "all-reduce"
    algorithm: str | None = None
    placement: str = "contiguous"
    stride: int = 8


@dataclass(frozen=True)
class Interference:
    """What a job gets of line rate with the fabric to itself and with the others, the mean and the slowest flow."""

    job: str
    alone_mean: float
    alone_min: float
    mean: float
    min: float


def interference(
    blueprint: Blueprint,
    jobs: Sequence[Job],
    routing: Routing = ADAPTIVE,
    up: npt.NDArray[np.bool_] | None = None,
    *,
    spread: str = "contiguous",
    seed: int = 0,
) -> tuple[Interference, ...]:
    """Return what each job gets alone and beside the others, each in the middle phase of its collective.

    A job has the next GPUs after those of the jobs before it, in the order of the placement `spread`: `random`, drawn
    by `seed`, gives it servers all over the fabric. It runs on without those of its servers that nothing `up` joins.
    Raises InputError when the jobs take more GPUs than there are, and as `place`, `phases` and `route` do.
    """
    routing, placed = routing.over(blueprint.planes), _placed(blueprint, jobs, spread, seed)
    parts = [
        replace(cross_rails(blueprint, _phase(blueprint, job, gpus, up), pxn=routing.pxn), job=number)
        for number, (job, gpus) in enumerate(zip(jobs, placed, strict=True))
    ]
    if not parts:
        return ()
    joined = _joined(parts)
    rates = max_min(route(blueprint, joined, routing, up)).reshape(joined.flows, -1 if joined.flows else 1)
    found = []
    for number, (job, part) in enumerate(zip(jobs, parts, strict=True)):
        alone = shares(blueprint, [part], routing, up)
        own = rates[joined.job == number].reshape(-1)
        together = routing.policy.sprays
        mean, least = phase_shares(blueprint, part, own, together=together) if part.flows else (1.0, 1.0)
        found.append(Interference(job.name, alone.mean, alone.min, mean, least))
    return tuple(found)


def _phase(blueprint: Blueprint, job: Job, gpus: npt.NDArray[Any], up: npt.NDArray[np.bool_] | None) -> Phase:
    if up is not None:
        gpus = on_live(gpus, live_servers(blueprint, up), blueprint.server.gpus)
    if not gpus.size:
        raise InputError(f"the failures leave the job {job.name} no server to run on")
    algorithm = job.algorithm or next((name for kind, name in TRAFFIC if kind == job.collective), "ring")
    every = list(phases(blueprint.server, gpus, job.collective, FLOWS_OF.get(algorithm, algorithm), rounds=3))
    phase = every[len(every) // 2] if every else Phase(np.zeros(0, np.int64), np.zeros(0, np.int64))
    return phase if up is None else failover(phase, nics_left(blueprint, up), blueprint.server.nics)


def _placed(blueprint: Blueprint, jobs: Sequence[Job], spread: str, seed: int) -> Iterator[npt.NDArray[Any]]:
    """Yield the GPU of each rank of each job."""
    wanted, per_server = sum(job.gpus for job in jobs), blueprint.server.gpus
    if wanted > blueprint.gpus:
        raise InputError(f"the jobs take {wanted:,} GPUs of the {blueprint.gpus:,} of {blueprint.name}")
    gpus = place(blueprint, spread, wanted, seed=seed)
    for job, last in zip(jobs, accumulate(job.gpus for job in jobs), strict=True):
        own = gpus[last - job.gpus : last]
        yield own[arranged(job.placement, job.gpus, job.gpus, per_server, seed=seed, stride=job.stride)]


def _joined(parts: Sequence[Phase]) -> Phase:
    """Return the flows of all parts as of one time."""
    columns = [(part.source, part.target, *_filled(part.flows, part.share, part.job)) for part in parts]
    source, target, share, job = (np.concatenate(column) for column in zip(*columns, strict=True))
    return Phase(source, target, share, job=job)


def _filled(flows: int, *values: Any) -> tuple[npt.NDArray[Any], ...]:
    return tuple(np.broadcast_to(value, (flows,)) for value in values)
