"""What a run does in all likelihood where nobody says: its GPUs, what it recomputes, and its micro-batches."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

from fabric.catalog import Accelerator, training_efficiency
from fabric.errors import InputError, Mistake
from fabric.request.parallel import RECOMPUTES, Parallel
from fabric.training.check import list_mistakes
from fabric.training.memory import memory_of
from fabric.training.model_run import ModelRun

__all__ = ["OPEN", "complete_run", "does_fit", "spread_copies"]

OPEN = ("recompute", "micro_batch")
"""The keys of a layout that `complete_run` fills in."""


def spread_copies(run: ModelRun, gpus: int) -> Parallel:
    """Return how a run is divided over all of `gpus` GPUs, each group of whose other degrees has a copy of the model.

    Raises InputError where these do not divide the GPUs, with the most copies that fit and divide the batch.
    """
    parallel = replace(run.parallel, dp=1)
    inner = parallel.gpus
    if gpus % inner == 0:
        return replace(parallel, dp=gpus // inner)
    degrees = f"tp={parallel.tp} x cp={parallel.cp} x pp={parallel.pp} is {inner:,} GPUs"
    if gpus < inner:
        raise InputError([Mistake("parallel", f"{degrees}, but the fabric has {gpus:,}")])
    most = gpus // inner
    sizes = (dp for dp in range(min(most, run.batch), 0, -1) if run.batch % (dp * parallel.micro_batch) == 0)
    found = next((dp for dp in sizes if not _list_mistakes(run, dp, gpus)), None)
    text = f"not given, and {degrees}, which does not divide {gpus:,}"
    if found:
        near = f"the nearest that works is dp={found:,}, on {found * inner:,} GPUs"
        raise InputError([Mistake("parallel.dp", f"{text}; {near}")])
    near = f"dp={most:,} takes {most * inner:,} of them"
    raise InputError([Mistake("parallel.dp", f"{text}; {near}"), *_list_mistakes(run, most, gpus)])


def _list_mistakes(run: ModelRun, dp: int, gpus: int) -> list[Mistake]:
    return list_mistakes(replace(run, parallel=replace(run.parallel, dp=dp)), gpus)


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
    if "recompute" in unsaid and not parallel.offload:
        parallel = next(filter(fits, (replace(parallel, recompute=each) for each in RECOMPUTES)), parallel)
    if "micro_batch" in unsaid and accumulates and parallel.pp == 1:
        sizes = (size for size in range(local, 0, -1) if local % size == 0)
        parallel = next(filter(fits, (replace(parallel, micro_batch=size) for size in sizes)), parallel)
    return parallel
