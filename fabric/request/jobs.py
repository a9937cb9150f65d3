"""A file of jobs that share a fabric at one time, read with its places."""

from __future__ import annotations

import os
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from fabric.errors import InputError
from fabric.request.error_messages import explain_errors
from fabric.request.fields import Name, StrictModel
from fabric.request.yaml_reader import read_file

__all__ = ["JobFields", "JobFile", "read_jobs"]

WHAT = "a file of jobs is a mapping such as `jobs: [{name: a, gpus: 1024}, {name: b, gpus: 512, placement: random}]`"


class JobFields(StrictModel):
    """One job: a collective that runs all the time on GPUs of its own."""

    name: Name = Field(examples=["a"])
    """What the job is called."""
    gpus: Annotated[int, Field(ge=1)] = Field(examples=[1024])
    """The GPUs it has, the next after those of the jobs before it."""
    collective: Literal["all-reduce", "reduce-scatter", "all-gather", "all-to-all", "broadcast", "send-recv"] = (
        "all-reduce"
    )
    """What it runs."""
    algorithm: str | None = None
    """By which algorithm; left out, a ring or what comes nearest to one."""
    placement: Literal["contiguous", "by-rail", "strided", "random", "fragmented"] = "contiguous"
    """How its ranks take its GPUs."""
    stride: Annotated[int, Field(ge=1)] = 8
    """The stride of a strided placement."""


class JobFile(StrictModel):
    """A mapping with the list of jobs."""

    jobs: list[JobFields] = Field(min_length=1, max_length=1000)
    """The jobs."""
    spread: Literal["contiguous", "random"] = "contiguous"
    """Whose GPUs they have: the first in order, or those of servers all over the fabric."""


def read_jobs(path: str | os.PathLike[str]) -> JobFile:
    """Return the jobs of a YAML or JSON file; raises InputError with all its mistakes."""
    document = read_file(path, WHAT)
    if document.mistakes:
        raise InputError(document.mistakes)
    try:
        file = JobFile.model_validate(document.values)
    except ValidationError as error:
        raise InputError([mistake for _, mistake in explain_errors(error, document, JobFile)]) from None
    names = [job.name for job in file.jobs]
    twice = [place for place, name in enumerate(names) if name in names[:place]]
    if twice:
        raise InputError([document.mistake(("jobs", place, "name"), f"{names[place]} stands twice") for place in twice])
    return file
