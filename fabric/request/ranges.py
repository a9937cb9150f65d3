"""Values of a request that are ranges: of the oversubscription, and of the GPUs of a pod."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field, ValidationInfo, field_validator

from fabric.request.fields import MAX_GPUS, Ratio, StrictModel, custom_error

__all__ = ["PodRange", "RatioRange"]


class RatioRange(StrictModel):
    """The range of a ratio; it is exact where both ends are equal."""

    min: Ratio = Field(examples=[2])
    """The smallest ratio allowed."""
    max: Ratio = Field(examples=[3])
    """The largest ratio allowed."""

    @field_validator("max")
    @classmethod
    def _check_order(cls, most: float, info: ValidationInfo) -> float:
        if most < info.data.get("min", 0):
            raise custom_error(f"{most:g} is less than min, {info.data['min']:g}")
        return most


class PodRange(StrictModel):
    """The range of the GPUs of a pod; one of its ends may be left out."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    min: Annotated[int, Field(ge=1, le=MAX_GPUS)] | None = Field(default=None, examples=[2048])
    """The fewest GPUs allowed; a pod that is the whole fabric may have fewer."""
    max: Annotated[int, Field(ge=1, le=MAX_GPUS)] | None = Field(default=None, examples=[8192])
    """The most GPUs allowed."""
