"""A file of jobs that share a fabric at the same time, read with the line of every key."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from typing import Annotated

from pydantic import Field, ValidationError

from fabric.errors import InputError, Mistake
from fabric.request.document import Document
from fabric.request.error_messages import explain_errors
from fabric.request.fields import Name, StrictModel, known_name
from fabric.request.yaml_reader import read_file

__all__ = ["JobFields", "JobFile", "read_jobs"]

WHAT = "a file of jobs is a mapping such as `jobs: [{name: a, gpus: 1024}, {name: b, gpus: 512, placement: random}]`"


class JobFields(StrictModel):
    """One job: a collective that runs all the time on its own GPUs."""

    name: Name = Field(examples=["a"])
    """The name of the job."""
    gpus: Annotated[int, Field(ge=1)] = Field(examples=[1024])
    """Its number of GPUs, the next after those of the jobs before it."""
    collective: Annotated[str, known_name("collective")] = "all-reduce"
    """The collective that it runs."""
    algorithm: Annotated[str, known_name("algorithm")] | None = None
    """The algorithm; default: the collective's first with explicit flows: a ring, pairwise or direct."""
    placement: Annotated[str, known_name("placement")] = "contiguous"
    """How its ranks are placed on its GPUs."""
    stride: Annotated[int, Field(ge=1)] = 8
    """The stride of the placement `strided`."""


class JobFile(StrictModel):
    """A mapping with the list of jobs."""

    jobs: list[JobFields] = Field(min_length=1, max_length=1000)
    """The jobs."""
    spread: Annotated[str, known_name("spread")] = "contiguous"
    """Which GPUs the jobs have: the first (contiguous), or those of servers drawn from the whole fabric (random)."""


def read_jobs(path: str | os.PathLike[str], names: Mapping[str, Collection[str]]) -> JobFile:
    """Return the jobs of a YAML or JSON file.

    `names` are the names that the keys `collective`, `algorithm`, `placement` and `spread` may have. Raises InputError
    with every mistake.
    """
    document = read_file(path, WHAT)
    if document.mistakes:
        raise InputError(document.mistakes)
    try:
        file = JobFile.model_validate(document.values, context=names)
    except ValidationError as error:
        raise InputError([mistake for _, mistake in explain_errors(error, document, JobFile)]) from None
    if duplicates := list(_duplicate_names(file, document)):
        raise InputError(duplicates)
    return file


def _duplicate_names(file: JobFile, document: Document) -> Iterator[Mistake]:
    seen: set[str] = set()
    for index, job in enumerate(file.jobs):
        if job.name in seen:
            yield document.mistake(("jobs", index, "name"), f"duplicate name '{job.name}'; give each job its own")
        seen.add(job.name)
