"""A run of a model: what is trained, how it is divided over GPUs, and with what."""

from __future__ import annotations

from dataclasses import dataclass

from fabric.catalog import Model
from fabric.request.parallel import Parallel

__all__ = ["PRECISION", "SOFTWARE", "ModelRun"]

PRECISION, SOFTWARE = "bf16", "megatron"
"""What a run has where nobody says otherwise."""


@dataclass(frozen=True)
class ModelRun:
    """A run of a model, on any GPUs."""

    model: Model
    """The model, with the run's sequences."""
    parallel: Parallel
    """How it is divided."""
    batch: int
    """The sequences of a step, over all GPUs."""
    precision: str = PRECISION
    """The precision of the layers' matrix products."""
    software: str = SOFTWARE
    """The name of the training framework."""
