"""GPUs as training sees them: their memory, and the peaks of their matrix units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fabric.frozen import FrozenMapping, freeze

__all__ = ["PRECISIONS", "Accelerator"]

PRECISIONS: Mapping[str, float] = FrozenMapping(
    {"bf16": 2.0, "fp16": 2.0, "fp8": 1.0, "mxfp8": 1.03125, "nvfp4": 0.5625}
)
"""The precisions of a training run's matrix products, with the bytes of an element and its part of a scale: fp8 has one
scale per tensor, mxfp8 a byte for each block of 32 elements, nvfp4 for each of 16."""


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
