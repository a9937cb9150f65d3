"""The measure `training` of a sweep."""

from __future__ import annotations

from typing import Any

import pytest

import fabric
from fabric.errors import InputError
from fabric.report.sweep import summarize_sweep
from fabric.sweeps.sweep_file import read_sweep

BASE = {"server": "hgx-h100", "family": "rail-optimized", "switches": "qm9700", "link_price_usd": None}
RUN = {"model": "llama3-8b", "parallel": {"tp": 8}, "batch": 64, "gpu_hour_usd": 2}


def sweep(settings: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of a sweep over two sizes."""
    table = fabric.sweep(BASE, grid={"gpus": [64, 128]}, measures=["training"], settings={"training": settings}, jobs=1)
    return table.rows()


def test_steps_are_those_of_single_designs() -> None:
    """A run without a data-parallel degree is on all GPUs of each design, and its step is that of `fabric.train`."""
    for row in sweep({"run": RUN}):
        run = {**RUN, "gpus": row["gpus"]}
        step = fabric.train({**BASE, "gpus": row["gpus"]}, run)
        assert row["training_step_s"] == pytest.approx(step.step_s)
        assert row["training_mfu"] == pytest.approx(step.mfu)
        assert row["training_usd_per_trillion_tokens"] == pytest.approx(step.usd_per_trillion_tokens(2))


def test_the_price_of_a_gpu_hour_is_that_of_each_design() -> None:
    """Without one in the run it follows from the prices of servers and fabric over the years of the base."""
    base = {**BASE, "link_price_usd": 1500, "prices_usd": {"hgx-h100": 280_000}, "years": 4}
    run = {key: value for key, value in RUN.items() if key != "gpu_hour_usd"}
    table = fabric.sweep(
        base, grid={"gpus": [64, 128]}, measures=["training"], settings={"training": {"run": run}}, jobs=1
    )
    for row in table.rows():
        step = fabric.train({**base, "gpus": row["gpus"]}, {**run, "gpus": row["gpus"]})
        assert row["training_gpu_hour_usd"] == pytest.approx(step.gpu_hour.usd)
        assert row["training_usd_per_trillion_tokens"] == pytest.approx(step.usd_per_trillion_tokens())


def test_why_a_step_is_missing_is_said() -> None:
    """Where the run does not fit a design, the summary has the message of the first such point."""
    run = {**RUN, "parallel": {"tp": 8, "dp": 16}}
    table = fabric.sweep(
        BASE, grid={"gpus": [128, 64]}, measures=["training"], settings={"training": {"run": run}}, jobs=1
    )
    (line,) = summarize_sweep(table).lines
    assert line.startswith("Points with a message: 1 of 2; the first, of point 1, is: training: parallel.dp: tp=8 x")
    assert line.endswith("but the fabric has 64; dp=8 fits.")


def test_runs_are_checked_before_the_sweep() -> None:
    """What is no run, or an incomplete one, is refused with the file's line; none at all leaves columns empty."""
    for run, message in (("llama", "is not a model and its run"), ({"model": "llama3-8b"}, "`parallel` and `batch`")):
        with pytest.raises(InputError, match=message):
            read_sweep({"base": BASE, "measures": ["training"], "training": {"run": run}})
    assert all(row["training_step_s"] is None and "training.run" in row["message"] for row in sweep({}))
