"""Ratios of a request, and values that are ranges: of the oversubscription, and of the GPUs of a pod."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field, ValidationInfo, WithJsonSchema, field_validator

from fabric.request.fields import MAX_GPUS, RATIO, WRITING, StrictModel, custom_error, tag

__all__ = ["PodRange", "Ratio", "RatioRange", "parse_ratio", "tag_ratio", "tag_tier_ratio"]

_RATIO = re.compile(RATIO, re.ASCII)
_NUMBER = re.compile(r"\s*[-+]?[\d_.]+([eE][-+]?\d+)?\s*", re.ASCII)
LEAST, MOST = 0.001, 1000


def parse_ratio(text: str) -> float | None:
    """Return the number that a ratio such as `2:1` or `3:2` stands for; None for other text, and of nothing up."""
    found = _RATIO.fullmatch(text.strip())
    return float(found[1]) / float(found[3]) if found and float(found[3]) else None


def _read_ratio(value: Any) -> Any:
    """Return the number of a ratio that is text; a number in quotes is left to be refused as any such."""
    if not isinstance(value, str) or _NUMBER.fullmatch(value):
        return value
    ratio = parse_ratio(value)
    if ratio is None:
        raise custom_error(f"{value[:40]!r} is not a ratio; {WRITING[RATIO]}")
    return ratio


Ratio = Annotated[
    float,
    BeforeValidator(_read_ratio),
    Field(ge=LEAST, le=MOST),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "minimum": LEAST, "maximum": MOST},
                {"type": "string", "pattern": RATIO},
            ]
        }
    ),
]
"""A ratio: a number, or text such as `2:1`."""


def tag_ratio(value: Any) -> str:
    """Return the tag of a ratio; a range is known by its keys from ratios by tier."""
    by_tier = isinstance(value, dict) and not set(value) & set(RatioRange.model_fields)
    return tag(value) if by_tier else tag_tier_ratio(value)


def tag_tier_ratio(value: Any) -> str:
    """Return the tag of the ratio of one tier: a range, or a number that may be written as text."""
    return "<range>" if isinstance(value, dict) else "<one>" if isinstance(value, str) else tag(value)


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
