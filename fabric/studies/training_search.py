"""The best layout of a model on a designed fabric."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from fabric.catalog import Model
from fabric.errors import InputError
from fabric.request.model_file import TrainingRun, check_words, read_training
from fabric.request.parallel_text import ParallelKeys, override_keys, read_keys
from fabric.studies.study import Study
from fabric.studies.training import AskedTraining
from fabric.training.model_run import PRECISION, SOFTWARE
from fabric.training.search import Search, SearchResult

__all__ = ["AskedSearch"]


@dataclass(frozen=True)
class AskedSearch:
    """A search that is asked for: a run whose layout is left open, wholly or in part."""

    run: TrainingRun
    """The model, and what else is said of its run."""
    batch: int
    """The sequences of a step."""
    fixed: ParallelKeys
    """The degrees that are given: those of its keys that are set."""

    @classmethod
    def read(  # noqa: PLR0913
        cls,
        model: str | os.PathLike[str] | Mapping[str, Any] | Model,
        parallel: str | Mapping[str, Any] | None = None,
        *,
        gpus: int | None = None,
        batch: int | None = None,
        sequence: int | None = None,
        precision: str | None = None,
        software: str | None = None,
    ) -> AskedSearch:
        """Return what is to be searched for; the words are those of AskedTraining.read.

        Degrees that `parallel` or the file give are kept. Raises InputError as that does.
        """
        check_words(gpus=gpus, batch=batch, sequence=sequence, precision=precision, software=software)
        run = read_training(model)
        size = batch or run.batch
        if size is None:
            raise InputError(f"batch: not given; write the sequences of a step of {run.model.name}, such as 2048")
        asked = replace(
            run, gpus=gpus or run.gpus, precision=precision or run.precision, software=software or run.software
        )
        if sequence is not None:
            asked = replace(asked, model=replace(run.model, sequence=sequence))
        given = ParallelKeys() if parallel is None else read_keys(parallel)
        return cls(asked, size, override_keys(run.parallel, given))

    def on(
        self, study: Study, routing: str = "adaptive", progress: Callable[[str], None] | None = None
    ) -> tuple[AskedTraining, SearchResult]:
        """Return the run with its best layout on a design, over at most the GPUs of both, and how that was found.

        Raises InputError where no layout is valid, or none fits into memory.
        """
        plan, run = study.blueprint, self.run
        precision, software = run.precision or PRECISION, run.software or SOFTWARE
        fixed = self.fixed.model_dump(exclude_unset=True, exclude_none=True)
        gpus = min(plan.gpus, run.gpus or plan.gpus)
        found = Search(plan, run.model, self.batch, gpus, precision, software, routing, fixed).run(progress)
        return AskedTraining(run.model, found.best, self.batch, precision, software, run.gpu_hour_usd), found
