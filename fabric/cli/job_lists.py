"""A file of jobs as jobs of the flow model, with the names that they may have."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fabric.flow import Job
    from fabric.request.jobs import JobFile

__all__ = ["list_jobs", "read_job_file", "read_job_list"]


def read_job_file(path: str) -> JobFile:
    """Return the jobs of a file; raises InputError with every mistake."""
    from fabric.flow import ALGORITHMS, COLLECTIVES, PLACEMENTS
    from fabric.request.jobs import read_jobs

    spreads = tuple(name for name, placement in PLACEMENTS.items() if placement.takes_jobs)
    names = {
        "collective": tuple(COLLECTIVES),
        "algorithm": tuple(ALGORITHMS),
        "placement": tuple(PLACEMENTS),
        "spread": spreads,
    }
    return read_jobs(path, names)


def list_jobs(file: JobFile) -> list[Job]:
    """Return the jobs of a file as the flow model has them."""
    from fabric.flow import Job

    return [Job(**job.model_dump()) for job in file.jobs]


def read_job_list(path: str) -> list[Job]:
    """Return the jobs of a file as the flow model has them; raises InputError with every mistake."""
    return list_jobs(read_job_file(path))
