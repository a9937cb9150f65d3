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


def test_degrees_that_are_given_override_those_of_a_file_alone(study: Study) -> None:
    """A degree that is given takes the place of the file's, and the others stay; a Parallel says all."""
    run = {"model": "llama3-70b", "parallel": {"tp": 8, "pp": 4, "dp": 8, "vp": 5}, "gpus": 256, "batch": 64}
    assert (
        fabric.train(study, run, "vp=10").to_dict()
        == fabric.train(study, "llama3-70b", f"{DEGREES[:-1]}10", batch=64).to_dict()
    )
    assert fabric.train(study, run, {"dp": 4}).gpus == 128
    assert fabric.train(study, run, Parallel(tp=8, pp=4, dp=2)).parallel == Parallel(tp=8, pp=4, dp=2)
    with pytest.raises(InputError, match="is 128 GPUs, but the run has 256; dp=16 takes 256"):
        fabric.train(study, run, "tp=4")


def test_a_run_without_dp_is_on_all_gpus(study: Study) -> None:
    """The data parallel degree follows from the design's GPUs, or from those of the run, and the summary says so."""
    step = fabric.train(study, "llama3-70b", "tp=8,pp=4,vp=5", batch=64)
    assert step.parallel.dp == 512 // 32
    assert step == fabric.train(study, "llama3-70b", "tp=8,pp=4,vp=5,dp=16", batch=64)
    assert "chosen: dp=16 (all GPUs of the fabric), recompute=none" in step._repr_html_()
    assert fabric.train(study, "llama3-70b", "tp=8,pp=4,vp=5", gpus=256, batch=64).parallel.dp == 8


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
        ({"parallel": "tp=8,pp=5", "batch": 64}, "40 GPUs, which does not divide 512; the nearest that works is dp=8"),
        ({"parallel": "tp=8,pp=5,vp=2", "batch": 64}, "(?s)dp=12 takes 480 of them.*batch: 64 sequences do not divide"),
        ({"parallel": "tp=8,pp=4,vp=5", "batch": 56}, "do not divide over dp=16 x micro_batch=1; 64 do, or dp=14"),
        ({"parallel": "tp=8,pp=4,vp=5", "batch": 96}, "these are 6; a batch of 64 or 128 fits, or dp=12"),
        ({"parallel": "tp=64,pp=80", "batch": 64}, "is 5,120 GPUs, but the fabric has 512"),
        ({"parallel": "tp=8,pp=4", "batch": 56}, "do not divide over dp=16 x micro_batch=1; 48 or 64 do, or dp=14"),
        (
            {"parallel": DEGREES, "batch": 64, "jobs": [1]},
            r"jobs\[0\]: 1: not a job; write for example \[fabric.flow.Job",
        ),
        ({"parallel": DEGREES, "batch": 64, "jobs": Job("other", 8)}, "jobs: Job.*: not a list of jobs"),
        ({"parallel": DEGREES, "batch": 64, "failures": [1]}, "failures: 1 is not text; write for example 'leaf:1'"),
        ({"parallel": DEGREES, "batch": 64, "failures": ["leaf:1"], "seed": 0.5}, "seed 0.5: not a whole number"),
        ({"parallel": DEGREES, "batch": 64, "routing": []}, "unknown routing"),
    ],
)
def test_what_cannot_run_is_refused(study: Study, words: dict[str, object], message: str) -> None:
    """Each mistake has one message, with what is needed or the nearest that works."""
    with pytest.raises(InputError, match=message):
        fabric.train(study, "llama3-70b", **words)  # type: ignore[arg-type]
