"""The table of expected errors: what systems that were left out of the fit say of each kind of run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["ErrorTable", "MeasuredKind"]


@dataclass(frozen=True)
class MeasuredKind:
    """Runs of one kind that were measured, and the error to expect of the next system of that kind."""

    vendor: str
    """The vendor of the GPUs, whose library ran."""
    collective: str
    """The name of the collective."""
    layout: str
    """The layout of the GPUs, one of `fabric.flow.expected_error.LAYOUTS`."""
    systems: int
    """The systems measured."""
    points: int
    """Their points."""
    servers: int
    """The most servers (NVLink domains) of one of them."""
    gpus: int
    """The most GPUs of one of them."""
    algorithms: tuple[str, ...]
    """The algorithms by which the model explains them."""
    errors: Mapping[int, float]
    """The share e such that nine of ten measured times are from 1/(1+e) to 1+e times the model's, by the smallest size
    in bytes, largest first; a size class without a point is left out."""


@dataclass(frozen=True)
class ErrorTable:
    """What was measured, with the errors of the model there, each with its source in `data/expected_errors.yaml`."""

    vendors: Mapping[str, tuple[str, ...]]
    """The generations of GPUs that were measured, by vendor."""
    reach: float
    """How many times the most servers measured an error still holds for."""
    widest: float
    """The largest error that says anything; where it would be larger there is none."""
    doubt_us: float
    """The standard deviation of the logarithm of a latency that no measured point depends on."""
    doubt_from_zero_us: float
    """The latency in microseconds that may be where such a latency is 0."""
    doubt_share: float
    """The same as `doubt_us` of a share of line rate."""
    kinds: tuple[MeasuredKind, ...]
    """The kinds of runs measured."""
    unmeasured: Mapping[str, tuple[str, ...]]
    """The constants that no measured point depends on, by generation, as paths in its constants."""


@dataclass(frozen=True)
class OwnRuns:
    """What a cluster's own runs, to which the constants were calibrated, say of the errors that are left."""

    generation: str
    """The generation of its GPUs."""
    servers: Mapping[str, tuple[int, ...]]
    """The servers of its runs, by collective."""
    errors: Mapping[int, float]
    """The share e of `MeasuredKind.errors` on these runs, by the smallest size in bytes, largest first."""
    constants: int
    """The constants that were calibrated."""
