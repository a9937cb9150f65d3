"""A training run on a designed fabric, from Python."""

from __future__ import annotations

from pathlib import Path

import pytest

import fabric
from fabric.catalog import models
from fabric.errors import InputError
from fabric.flow.jobs import Job
from fabric.request.parallel import Parallel
from fabric.studies.study import Study

DEGREES = "tp=8,pp=4,dp=8,vp=5"


@pytest.fixture(scope="module")
def study() -> Study:
    """Return 512 GPUs, whose units have 4:1 above them."""
    ratio = {"min": 4, "max": 4}
    return fabric.design(gpus=512, server="dgx-h100", family="fat-tree", unit_gpus=64, tiers=2, oversubscription=ratio)


def test_a_file_a_name_and_a_model_are_the_same(study: Study, tmp_path: Path) -> None:
    """A run is the same from its file, from a name with its degrees, and from values."""
    file = tmp_path / "run.yaml"
    file.write_text("model: llama3-70b\nparallel: {tp: 8, pp: 4, dp: 8, vp: 5}\nbatch: 64\nprecision: fp8\n")
    by_name = fabric.train(study, "llama3-70b", DEGREES, batch=64, precision="fp8")
    parallel = Parallel(tp=8, pp=4, dp=8, vp=5, schedule="interleaved")
    by_value = fabric.train(study, models()["llama3-70b"], parallel, batch=64, precision="fp8")
    assert fabric.train(study, file).to_dict() == by_name.to_dict() == by_value.to_dict()
    assert fabric.train(study, file, precision="bf16").step_s > by_name.step_s


def test_failures_and_other_jobs_cost_time(study: Study) -> None:
    """Lost uplinks, and a job in the other half of its last unit, prolong a step, and its parts say so."""
    run = {"model": "llama3-70b", "parallel": "tp=8,pp=4,dp=7,order=tp-cp-pp-dp", "batch": 56}
    healthy = fabric.train(study, **run)
    failed = fabric.train(study, **run, failures=["leaf-spine:40%"])
    beside = fabric.train(study, **run, jobs=[Job("other", 256, placement="random")])
    assert failed.step_s > 1.01 * healthy.step_s
    assert failed.network_s["failures"] > 0 == healthy.network_s["failures"]
    assert beside.step_s > 1.01 * healthy.step_s
    assert beside.network_s["contention"] > healthy.network_s["contention"]
    assert healthy.ideal_step_s == pytest.approx(failed.ideal_step_s) == pytest.approx(beside.ideal_step_s)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"parallel": "tp=8", "batch": -64}, "batch: -64 is too small; at least 1"),
        ({"parallel": "tp=8", "batch": 64, "sequence": 0.5}, "sequence: 0.5 is not a whole number"),
        ({"parallel": "tp=8", "batch": 64, "precision": "fp7"}, "precision: unknown precision 'fp7'; did you mean 'fp"),
        ({"parallel": 5, "batch": 64}, "parallel: 5: neither text, a mapping nor a Parallel"),
        ({"parallel": Parallel(tp=0), "batch": 64}, "parallel.tp: 0 is too small; at least 1"),
        ({"parallel": {"tp": 8, "order": "x"}, "batch": 64}, "parallel.order: unknown order 'x'"),
        ({"parallel": DEGREES}, "batch: not given; write the sequences of a step of llama3-70b"),
        ({"batch": 64}, "parallel: not given; write how llama3-70b is divided, such as tp=8"),
        ({"parallel": "tp=8,pp=4,dp=32", "batch": 64}, "is 1,024 GPUs, but the fabric has 512; dp=16 fits"),
        ({"parallel": "tp=1,dp=64", "batch": 64}, "GiB are missing"),
    ],
)
def test_what_cannot_run_is_refused(study: Study, words: dict[str, object], message: str) -> None:
    """Each mistake has one message, with what is needed or the nearest that works."""
    with pytest.raises(InputError, match=message):
        fabric.train(study, "llama3-70b", **words)  # type: ignore[arg-type]
