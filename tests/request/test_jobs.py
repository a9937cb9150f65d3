"""Files of jobs: what a job may say, and where a mistake is."""

from __future__ import annotations

from pathlib import Path

import pytest

from fabric.errors import InputError
from fabric.request.jobs import read_jobs

NAMES = {"collective": ("all-reduce", "all-to-all"), "placement": ("contiguous", "random")}


def test_a_job_has_a_name_and_gpus_and_the_rest_has_defaults(tmp_path: Path) -> None:
    """A job is an all-reduce on the next GPUs in order, unless the file says otherwise."""
    path = tmp_path / "jobs.yaml"
    path.write_text("jobs: [{name: a, gpus: 8}, {name: b, gpus: 16, collective: all-to-all, placement: random}]\n")
    file = read_jobs(path, NAMES)
    assert [(job.name, job.gpus, job.collective, job.placement) for job in file.jobs] == [
        ("a", 8, "all-reduce", "contiguous"),
        ("b", 16, "all-to-all", "random"),
    ]
    assert (file.spread, file.jobs[0].algorithm) == ("contiguous", None)


def test_every_mistake_of_a_file_of_jobs_is_reported_with_its_line(tmp_path: Path) -> None:
    """The names that a job may use are those that the flow model has, and each job has its own name."""
    path = tmp_path / "jobs.yaml"
    path.write_text("jobs:\n  - {name: a, gpus: 8, collective: allreduce}\n  - {name: b, gpus: 0, placement: rand}\n")
    with pytest.raises(InputError) as caught:
        read_jobs(path, NAMES)
    assert [str(mistake).removeprefix(f"{path}:") for mistake in caught.value.mistakes] == [
        "2: jobs[0].collective: unknown collective 'allreduce'; did you mean 'all-reduce'?",
        "3: jobs[1].gpus: 0 is too small; at least 1",
        "3: jobs[1].placement: unknown placement 'rand'; did you mean 'random'?",
    ]
    path.write_text("jobs:\n  - {name: a, gpus: 8}\n  - {name: a, gpus: 8}\n")
    with pytest.raises(InputError, match=r"jobs.yaml:3: jobs\[1\].name: duplicate name 'a'"):
        read_jobs(path, NAMES)
