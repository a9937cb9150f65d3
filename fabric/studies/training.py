"""A training step on a designed fabric: what a model's run takes, after failures and beside other jobs."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fabric.blueprint import Blueprint
from fabric.catalog import Model
from fabric.errors import InputError
from fabric.flow.failures import fail
from fabric.flow.jobs import Job
from fabric.request import Spec
from fabric.request.model_file import TrainingRun, check_words, read_training
from fabric.request.parallel import Parallel
from fabric.request.parallel_text import ParallelKeys, make_parallel, override_keys, read_keys
from fabric.studies.gpu_hour import price_gpu_hour
from fabric.studies.study import Study, design
from fabric.training.check import check
from fabric.training.fit import check_fit
from fabric.training.model_run import PRECISION, SOFTWARE, ModelRun
from fabric.training.network_time import NetworkTime
from fabric.training.prepared_step import accelerator_of
from fabric.training.step import TrainingStep, train_step
from fabric.training.usual_run import OPEN, complete_run, does_fit, spread_copies

__all__ = ["AskedTraining", "complete_on", "train", "train_on"]


@dataclass(frozen=True)
class AskedTraining(ModelRun):
    """A run that is asked for, with its defaults."""

    gpu_hour_usd: float | None = None
    """The price of a GPU for an hour; None where it is not known."""
    unsaid: tuple[str, ...] = ()
    """The keys of the layout that nobody says: `dp`, which the GPUs of the design decide (`spread_copies`), and those
    that their memory decides (`complete_run`)."""

    @classmethod
    def read(  # noqa: PLR0913
        cls,
        model: str | os.PathLike[str] | Mapping[str, Any] | Model,
        parallel: Parallel | str | Mapping[str, Any] | None = None,
        *,
        batch: int | None = None,
        sequence: int | None = None,
        precision: str | None = None,
        software: str | None = None,
        gpus: int | None = None,
    ) -> AskedTraining:
        """Return the run of a model, or of the file of one, whose keys the other words override one by one.

        `gpus` are those of the run. Raises InputError with every mistake of the file, and where nothing says how the
        model is divided or of how many sequences a step is.
        """
        check_words(batch=batch, sequence=sequence, precision=precision, software=software, gpus=gpus)
        run = read_training(model)
        batch = batch or run.batch
        if batch is None:
            raise InputError(f"batch: not given; write the sequences of a step of {run.model.name}, such as 2048")
        divided, unsaid = _divide(run, parallel, gpus)
        return cls(
            run.model if sequence is None else replace(run.model, sequence=sequence),
            divided,
            batch,
            precision or run.precision or PRECISION,
            software or run.software or SOFTWARE,
            run.gpu_hour_usd,
            unsaid,
        )


def _divide(
    run: TrainingRun, parallel: Parallel | str | Mapping[str, Any] | None, gpus: int | None
) -> tuple[Parallel, tuple[str, ...]]:  # fmt: skip
    """Return how a run is divided, as its file and the given degrees say, and the keys that nobody says."""
    given = ParallelKeys() if parallel is None else read_keys(parallel)
    keys = override_keys(run.parallel, given) if run.parallel or parallel is not None else None
    if isinstance(parallel, Parallel):
        return parallel, ()
    if keys is None:
        raise InputError(
            f"parallel: not given; write how {run.model.name} is divided, such as tp=8,pp=16, or let a search find it"
        )
    # A degree that is given says more of the GPUs than the file that it overrides.
    gpus = gpus or (None if given.dp else run.gpus)
    open_ = ("dp", *OPEN) if gpus is None else OPEN
    return make_parallel(keys, gpus), tuple(key for key in open_ if getattr(keys, key) is None)


def train(  # noqa: PLR0913
    source: Study | str | os.PathLike[str] | Mapping[str, Any] | Spec,
    model: str | os.PathLike[str] | Mapping[str, Any] | Model,
    parallel: Parallel | str | Mapping[str, Any] | None = None,
    *,
    gpus: int | None = None,
    batch: int | None = None,
    sequence: int | None = None,
    precision: str | None = None,
    software: str | None = None,
    routing: str = "adaptive",
    failures: Collection[str] = (),
    seed: int = 0,
    jobs: Sequence[Job] = (),
    progress: Callable[[str], None] | None = None,
) -> TrainingStep:
    """Return what a step of a model takes on a design.

    `source` is a study, or a request as `design` takes it. `model` is a name of the catalogue, a file of a model or of
    its run (docs/training.md), a mapping of its keys, or a Model; the other words override what it says, each degree of
    `parallel` by itself. These are as `--parallel` has them, a mapping of them, or a Parallel, which says all. Without
    `dp` the run is on `gpus` GPUs, or all of the design. After `failures` (as of `fabric.flow.fail`,
    drawn by `seed`) the run stands on servers that are still joined; the `jobs` run beside it. Raises InputError for a
    run that is not valid or does not fit into memory, with the nearest that is and does, and for a GPU that no training
    was measured on.
    """
    asked = AskedTraining.read(
        model, parallel, gpus=gpus, batch=batch, sequence=sequence, precision=precision, software=software
    )  # fmt: skip
    study = source if isinstance(source, Study) else design(source, progress=progress)
    return train_on(study, asked, routing=routing, failures=failures, seed=seed, jobs=jobs)


def train_on(
    study: Study,
    asked: AskedTraining,
    *,
    routing: str = "adaptive",
    failures: Collection[str] = (),
    seed: int = 0,
    jobs: Sequence[Job] = (),
) -> TrainingStep:
    """Return what a step of a run takes on a design; the words and the errors are those of `train`."""
    plan, run = study.blueprint, complete_on(study.blueprint, asked)
    up = fail(plan, failures, seed) if failures else None
    network = NetworkTime.of(plan, run.parallel, routing, up=up, jobs=jobs)
    step = train_step(plan, run, routing=routing, network=network)
    return replace(step, unsaid=asked.unsaid, gpu_hour=price_gpu_hour(study, asked.gpu_hour_usd))


def complete_on(blueprint: Blueprint, asked: AskedTraining) -> AskedTraining:
    """Return a run whose unsaid keys a design's GPUs and their memory decide; raises InputError as `train` does."""
    gpu = accelerator_of(blueprint)
    if "dp" in asked.unsaid:
        asked = replace(asked, parallel=spread_copies(asked, blueprint.gpus))
    check(asked, blueprint.gpus)
    run = replace(asked, parallel=complete_run(asked, asked.unsaid, does_fit(asked, gpu)), unsaid=())
    check(run, blueprint.gpus)
    check_fit(run, gpu)
    return run
