"""Whether a run fits into the memory of its GPUs, and the nearest run that does."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from fabric import units
from fabric.catalog import Accelerator, Model, training_efficiency
from fabric.errors import InputError, Mistake
from fabric.request.parallel import RECOMPUTES, SHARDINGS, Parallel
from fabric.training.check import find_mistakes
from fabric.training.memory import GIB, OPTIMIZER_BYTES, OUTSIDE_GIB, WEIGHT_BYTES, Memory, memory_of
from fabric.training.model_run import ModelRun
from fabric.training.operations import count_parameters

__all__ = ["check_fit", "count_least_gpus", "describe_least_gpus", "find_nearest_fit"]

WIDTHS = ((1, 1), (1, 2), (2, 1), (1, 4), (2, 2), (4, 1), (2, 4), (4, 2), (4, 4), (8, 1), (1, 8), (8, 4), (8, 8))
"""By how much more of tensor and pipeline parallelism a run is tried with, the least first."""


def check_fit(run: ModelRun, accelerator: Accelerator) -> Memory:
    """Return what a run holds in the memory of a GPU, as `memory_of`.

    Raises InputError where that is more than the GPU has, with the GiB that are missing and the nearest run that fits.
    """
    memory = memory_of(run, accelerator)
    if not memory.missing_gib:
        return memory
    parts = ", ".join(
        f"{name.removesuffix('_gib')} {size:,.1f}"
        for name, size in vars(memory).items()
        if name not in ("stage", "hbm_gib")
    )
    where = f"a GPU of stage {memory.stage} needs" if run.parallel.pp > 1 else "a GPU needs"
    text = f"{where} {memory.total_gib:,.1f} GiB, and {accelerator.name} has {memory.hbm_gib:g}: "
    found = find_nearest_fit(run, accelerator)
    near = _describe_change(run.parallel, *found) if found else _describe_least(run, accelerator)
    raise InputError([Mistake("memory", f"{text}{memory.missing_gib:,.1f} GiB are missing ({parts}); {near}")])


def find_nearest_fit(run: ModelRun, accelerator: Accelerator) -> tuple[Parallel, Memory] | None:
    """Return a layout that fits on as many GPUs, changed as little as it takes, and its memory; None where none does.

    What costs no time is tried before what does: sharding, what is recomputed, smaller micro-batches, and wider tensor
    and pipeline parallelism.
    """
    for parallel in _changes(run.parallel):
        asked = replace(run, parallel=parallel)
        if any(find_mistakes(asked, run.parallel.gpus)):
            continue
        memory = memory_of(asked, accelerator)
        if not memory.missing_gib:
            return parallel, memory
    return None


def _changes(parallel: Parallel) -> Iterator[Parallel]:
    """Yield layouts on as many GPUs, the less changed first."""
    recomputes = RECOMPUTES[RECOMPUTES.index(parallel.recompute) :]
    shardings = SHARDINGS[SHARDINGS.index(parallel.sharding) :] if parallel.pp == 1 else (parallel.sharding, "zero1")
    for tp, pp in WIDTHS:
        if parallel.dp % (tp * pp):
            continue
        wide = replace(parallel, tp=parallel.tp * tp, pp=parallel.pp * pp, dp=parallel.dp // (tp * pp))
        for sharding in dict.fromkeys(shardings):
            if SHARDINGS.index(sharding) < SHARDINGS.index(parallel.sharding):
                continue
            for recompute in recomputes:
                for micro_batch in dict.fromkeys((parallel.micro_batch, max(parallel.micro_batch // 2, 1), 1)):
                    yield replace(wide, sharding=sharding, recompute=recompute, micro_batch=micro_batch)


def _describe_change(parallel: Parallel, found: Parallel, memory: Memory) -> str:
    changed = [f"{key}={value}" for key, value in vars(found).items() if getattr(parallel, key) != value]
    return f"the nearest that fits is {','.join(changed)}, with {memory.total_gib:.1f} GiB"


def _describe_least(run: ModelRun, accelerator: Accelerator) -> str:
    least = count_least_gpus(run.model, run.software, accelerator)
    text = f"no run tried on {run.parallel.gpus:,} GPUs fits"
    return text + (f"; {describe_least_gpus(least)}" if least >= run.parallel.gpus else "")


def describe_least_gpus(least: int) -> str:
    """Return what the least GPUs of a model (`count_least_gpus`) hold."""
    return f"weights, gradients and optimizer states alone fill {units.count_noun(least, 'GPU')}"


def count_least_gpus(model: Model, software: str, accelerator: Accelerator) -> int:
    """Return how many GPUs the states of a model fill that all of them share out."""
    gradient = training_efficiency().software[software].gradient_bytes
    states_gib = count_parameters(model).total * (WEIGHT_BYTES + gradient + OPTIMIZER_BYTES) / GIB
    return math.ceil(states_gib / (accelerator.hbm_gib - OUTSIDE_GIB))
