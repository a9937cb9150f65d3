"""What a run does where nobody says: what it recomputes, and how large its micro-batches are."""

from __future__ import annotations

import pytest

import fabric
from fabric.catalog import accelerators, models
from fabric.request.parallel import RECOMPUTES, Parallel
from fabric.training.model_run import ModelRun
from fabric.training.usual_run import OPEN, complete_run, does_fit


def fits_at(*, recompute: str, micro_batch: int) -> object:
    """Return a memory in which runs fit from a recomputation on, and up to a micro-batch."""
    least = RECOMPUTES.index(recompute)
    return lambda run: RECOMPUTES.index(run.recompute) >= least and run.micro_batch <= micro_batch


def run_of(parallel: Parallel, batch: int, software: str = "megatron") -> ModelRun:
    """Return a run of a small model."""
    return ModelRun(models()["llama3-8b"], parallel, batch, software=software)


@pytest.mark.parametrize("recompute", RECOMPUTES)
def test_the_least_that_fits_is_recomputed(recompute: str) -> None:
    """Nothing more is computed again than memory asks for, and micro-batches are as large as it allows."""
    found = complete_run(run_of(Parallel(dp=8), 96), OPEN, fits_at(recompute=recompute, micro_batch=5))
    assert (found.recompute, found.micro_batch) == (recompute, 4)


def test_what_is_said_stays() -> None:
    """A key that somebody says is not changed, whether it fits or not."""
    asked = Parallel(dp=8, micro_batch=2)
    assert complete_run(run_of(asked, 96), (), lambda run: False) == asked
    assert complete_run(run_of(asked, 96), ("recompute",), lambda run: False) == asked


def test_micro_batches_on_a_pipeline() -> None:
    """Single sequences leave the smallest bubble; software that adds up no gradients has one for each stage."""
    asked = Parallel(pp=4, dp=8)
    assert complete_run(run_of(asked, 256), ("micro_batch",), lambda run: True).micro_batch == 1
    assert complete_run(run_of(asked, 256, "torchtitan"), ("micro_batch",), lambda run: True).micro_batch == 8


def test_deepseek_v3_recomputes_what_its_paper_says() -> None:
    """Norms and the projections of latent attention (arXiv:2412.19437, section 3.2.3), which then fits into 80 GB."""
    parallel = Parallel(pp=16, ep=64, dp=128, schedule="dualpipe")
    run = ModelRun(models()["deepseek-v3"], parallel, 15360, "fp8", "hai-llm")
    assert complete_run(run, OPEN, does_fit(run, accelerators()["h800"])).recompute == "modules"


def test_a_step_says_what_was_filled_in() -> None:
    """Degrees in a text leave the two keys open, and the step has what was chosen."""
    step = fabric.train("superpod-h100-1su", "llama3-8b", "dp=8,sharding=zero3", batch=16, software="torchtitan")
    assert step.parallel.micro_batch == 2
    assert step.parallel.recompute in RECOMPUTES[1:]
