"""The time of training steps against published runs."""

from __future__ import annotations

import csv
import math
import re
import statistics
from pathlib import Path

import numpy as np
import pytest

from benchmarks.training_accuracy import (
    LEFT_OUT,
    PRIORS,
    constants_of,
    depends,
    errors_of,
    expected_errors,
    precision_of,
    shipped,
)
from benchmarks.training_rows import Run, published
from fabric.catalog import training_efficiency

SAMPLE = ("t091", "t101", "t135", "t149", "t157", "t175", "t182")
"""Small runs of most kinds of kernels and GPUs, which take a second together."""


def test_a_step_of_each_kind_is_within_a_fifth() -> None:
    """Runs of small machines of each generation, dense and with experts, are predicted within 20 %."""
    runs = [run for run in published() if run.row in SAMPLE]
    errors = np.abs(np.expm1(errors_of(runs, shipped())))
    assert errors.max() < 0.20
    assert np.median(errors) < 0.08


@pytest.mark.slow
def test_all_published_steps_are_within_a_fifth() -> None:
    """Every published run is predicted within 20 %, and half of them within 8 %."""
    errors = np.abs(np.expm1(errors_of(published(), shipped())))
    assert errors.max() < 0.20
    assert np.median(errors) < 0.08


def left_out() -> list[dict[str, str]]:
    """Return the rows of the errors of series that were left out of the fit."""
    with LEFT_OUT.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_series_left_out_of_the_fit_are_predicted() -> None:
    """Half of the runs whose series the constants were not fitted to are within 8 %."""
    rows = left_out()
    assert [row["row"] for row in rows] == [run.row for run in published()]
    assert statistics.median(abs(math.expm1(float(row["log_error"]))) for row in rows) < 0.08


def test_the_page_has_the_errors_of_series_left_out() -> None:
    """The accuracy that the documentation states is that of the errors on file."""
    sizes = [abs(math.expm1(float(row["log_error"]))) for row in left_out()]
    page = (Path(__file__).parents[2] / "docs" / "training-accuracy.md").read_text(encoding="utf-8")
    assert f"without its series | {statistics.median(sizes):.1%} | {max(sizes):.1%} |" in page
    assert len(re.findall(r"\n\| t[0-9]+ \|", page)) == len(sizes)


def test_errors_to_expect_are_those_of_series_left_out() -> None:
    """Nine of ten left-out runs are within the error that a step says to expect."""
    runs = published()
    found = expected_errors(runs, np.array([float(row["log_error"]) for row in left_out()]))
    assert dict(training_efficiency().errors) == pytest.approx(found, abs=0.005)


def test_shipped_constants_are_those_of_the_fit() -> None:
    """The constants go to the logarithms that are fitted, and back."""
    constants, found = training_efficiency(), constants_of(shipped())
    for name, row in constants.matmul.items():
        assert dict(found.matmul[name]) == pytest.approx(dict(row), rel=1e-3)
    assert found.kernel_classes.keys() == constants.kernel_classes.keys()
    for name, kind in constants.kernel_classes.items():
        assert found.kernel_classes[name].share == pytest.approx(kind.share)
        assert found.kernel_classes[name].passes == pytest.approx(kind.passes)


def test_at_most_six_kernel_classes_of_three_series_each() -> None:
    """Kernel classes are few, and each is that of three published series at least."""
    constants = training_efficiency()
    series: dict[str, set[str]] = {}
    for run in published():
        kind = constants.software[run.software].kernel_class(run.parallel.recompute)
        series.setdefault(kind, set()).add(run.series_name)
    assert series.keys() == constants.kernel_classes.keys()
    assert len(series) <= 6
    assert min(map(len, series.values())) >= 3


@pytest.mark.parametrize("name", PRIORS)
def test_every_constant_has_runs_that_depend_on_it(name: str) -> None:
    """No constant is fitted to nothing."""
    assert any(depends(run, name) for run in published())


def test_runs_that_do_not_depend_on_a_constant_keep_their_time() -> None:
    """A constant moved changes the times of those runs alone that are said to depend on it."""
    runs = [run for run in published() if run.row in ("t101", "t149", "t157")]
    before = errors_of(runs, shipped())
    for column, name in enumerate(PRIORS):
        after = errors_of(runs, shipped() + 0.1 * (np.arange(len(PRIORS)) == column))
        kept = np.array([not depends(run, name) for run in runs])
        assert (after == before)[kept].all(), name


def test_errors_that_a_series_has_in_common_weigh_less() -> None:
    """Ten runs of a series that are all off by as much say little more than one, and their differences much."""
    names, common, each = ["one"] * 10, np.full(10, 0.05), np.array([0.05, -0.05] * 5)
    alone = precision_of(common[:1], names[:1])
    together = precision_of(common, names)
    assert common @ together @ common < 1.2 * common[:1] @ alone @ common[:1]
    assert each @ together @ each > 50 * common @ together @ common


def test_rows_of_the_table_are_runs() -> None:
    """A row has the degrees, the software and the seconds that its source has."""
    run = next(each for each in published() if each.row == "t110")
    assert isinstance(run, Run)
    assert (run.model.name, run.software, run.accelerator) == ("llama3-405b", "torchtitan", "h100-96-500w")
    assert (run.parallel.gpus, run.batch, run.step_s) == (512, 256, 40.96)
    assert run.parallel.micro_batch == 4  # eight micro-batches of 32 sequences: one for each stage
