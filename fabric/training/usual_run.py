"""What a run does in all likelihood where nobody says: what it recomputes, and how large its micro-batches are."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

from fabric.catalog import Accelerator, training_efficiency
from fabric.request.parallel import RECOMPUTES, Parallel
from fabric.training.memory import memory_of
from fabric.training.model_run import ModelRun

__all__ = ["OPEN", "complete_run", "does_fit"]

OPEN = ("recompute", "micro_batch")
"""The keys of a division that `complete_run` fills in."""


def does_fit(run: ModelRun, accelerator: Accelerator) -> Callable[[Parallel], bool]:
    """Return a function that says whether a run, divided so, fits in the memory of its GPUs."""
    return lambda parallel: not memory_of(replace(run, parallel=parallel), accelerator).missing_gib


def complete_run(run: ModelRun, unsaid: Collection[str], fits: Callable[[Parallel], bool]) -> Parallel:
    """Return how a run is divided, with its `unsaid` keys, some of OPEN, filled in.

    What is recomputed is the least that fits in memory. Micro-batches of software that adds up no gradients are as many
    as the pipeline's stages. Of other software they are single sequences where there is a pipeline, which leave the
    smallest bubble, and the largest that fit where there is none, which are fastest. Where nothing fits a key keeps its
    value.
    """
    parallel, local = run.parallel, run.batch // run.parallel.dp
    accumulates = training_efficiency().software[run.software].accumulates
    if "micro_batch" in unsaid and not accumulates:
        parallel = replace(parallel, micro_batch=max(1, local // parallel.pp))
    if "recompute" in unsaid:
        parallel = next(filter(fits, (replace(parallel, recompute=each) for each in RECOMPUTES)), parallel)
    if "micro_batch" in unsaid and accumulates and parallel.pp == 1:
        sizes = (size for size in range(local, 0, -1) if local % size == 0)
        parallel = next(filter(fits, (replace(parallel, micro_batch=size) for size in sizes)), parallel)
    return parallel
