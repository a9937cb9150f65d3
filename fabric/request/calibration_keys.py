"""The keys of a calibration: what `fabric calibrate` writes, and what `calibration` in a request takes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag

from fabric.request.fields import ConstantName, Name, StrictModel, Text, tag

__all__ = ["AskedCalibration", "CalibratedConstant", "CalibratedError", "CalibratedRun", "CalibrationKeys"]


class CalibratedConstant(StrictModel):
    """One constant of the time model, with the cluster's own value."""

    name: ConstantName = Field(examples=["generations.hopper.channel_GBps"])
    """Name of the constant: the path to it in the model's table of constants."""
    value: Annotated[float, Field(ge=0, le=1e6)] = Field(examples=[22.3])
    """Value on this cluster."""
    catalogue: float | None = Field(default=None, examples=[21.7])
    """Value that it takes the place of."""
    spread: float | None = Field(default=None, examples=[0.04])
    """Standard deviation of its logarithm, by the fit."""


class CalibratedError(StrictModel):
    """The error that is left, from one message size on."""

    from_bytes: Annotated[int, Field(ge=1)] = Field(examples=[1073741824])
    """Smallest message size in bytes."""
    error: Annotated[float, Field(gt=0, le=10)] = Field(examples=[0.05])
    """Share e such that nine of ten times of the runs are from 1/(1+e) to 1+e times the model's."""


class CalibratedRun(StrictModel):
    """One run that was fitted."""

    collective: Name = Field(examples=["all-reduce"])
    """Collective that ran."""
    gpus: Annotated[int, Field(ge=1)] = Field(examples=[32])
    """GPUs that took part."""
    servers: Annotated[int, Field(ge=1)] = Field(examples=[4])
    """Servers (NVLink domains) that took part."""
    points: Annotated[int, Field(ge=1)] = Field(examples=[19])
    """Message sizes that were timed."""
    log: Text = ""
    """The log and the line at which the run begins."""


class CalibrationKeys(StrictModel):
    """The constants of a cluster, by its own runs of nccl-tests."""

    format: Literal["fabric.calibration/1"] = "fabric.calibration/1"
    """The version of these keys."""
    server: Name = Field(examples=["hgx-h100"])
    """Server of the runs."""
    generation: Name = Field(examples=["hopper"])
    """Generation of its GPUs, which the names of constants have."""
    constants: list[CalibratedConstant] = Field(max_length=1000)
    """Constants in the place of the catalogue's."""
    errors: list[CalibratedError] = Field(default=[], max_length=10)
    """Errors that are left, the largest messages first."""
    runs: list[CalibratedRun] = Field(default=[], max_length=1000)
    """Runs that were fitted."""


AskedCalibration = Annotated[
    Annotated[Text, Tag("<name>")] | Annotated[CalibrationKeys, Tag("<mapping>")], Discriminator(tag)
]
"""A calibration by the name of its file, or its contents."""
