"""GPUs as training sees them: their memory, and the peaks of their matrix units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fabric.frozen import freeze

__all__ = ["PRECISIONS", "Accelerator"]

PRECISIONS = ("bf16", "fp16", "fp8", "mxfp8", "nvfp4")
"""The precisions of a training run's matrix products; fp8 has one scale per tensor, mxfp8 one per block of 32."""


@dataclass(frozen=True)
class Accelerator:
    """A GPU: what its memory holds and moves, and what it computes at most."""

    name: str
    """Its name in the catalogue."""
    title: str
    """The product's full name."""
    generation: str
    """Its generation, as servers have it."""
    hbm_gib: float
    """Its memory in GiB."""
    peak_tflops: Mapping[str, float]
    """The dense peak of its matrix units in TFLOP/s, by precision; one that it lacks, or is not known, is absent."""
    hbm_GBps: float | None = None
    """The bandwidth of its memory in GB/s; None where it is not known."""
    source: str = ""
    """Where these facts come from."""

    def __post_init__(self) -> None:
        freeze(self)
