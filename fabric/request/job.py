"""The words of one job of a file of jobs."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from fabric.request.fields import Name, StrictModel

__all__ = ["JobFields"]


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
