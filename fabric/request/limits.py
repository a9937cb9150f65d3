"""Words of the request that bound a result: limits, ranges of ratios, and published numbers to reproduce."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag, ValidationInfo, field_validator

from fabric.request.fields import MAX_GPUS, Ratio, StrictModel, Total, UplinkRole, tag, wrong

__all__ = ["Published", "RatioRange", "Ratios", "RequestLimits"]


class RequestLimits(StrictModel):
    """Bounds on what sizing may choose."""

    parallel_links: Annotated[int, Field(ge=1, le=10_000)] = 16
    """The most links between one pair of switches."""
    cost_usd: Total | None = Field(default=None, examples=[80_000_000])
    """The most that switches and links may cost together, with the NICs where `nic_usd` is given."""
    total_cost_usd: Total | None = Field(default=None, examples=[90_000_000])
    """The most that they may cost with their electricity over `years`."""
    power_w: Total | None = Field(default=None, examples=[2_000_000])
    """The most power that switches and modules may draw together."""
    rack_units: Annotated[int, Field(ge=1, le=MAX_GPUS)] | None = Field(default=None, examples=[4000])
    """The most rack units that the switches may take."""
    hops: Annotated[int, Field(ge=1, le=7)] | None = Field(default=None, examples=[3])
    """The most switches on a path between two GPUs."""
    models: Annotated[int, Field(ge=1, le=4)] | None = Field(default=None, examples=[1])
    """The most different switch models."""


class Published(StrictModel):
    """A published number with the tolerance that its rounding needs."""

    value: float = Field(examples=[491_000_000])
    """The number as published."""
    within: Annotated[float, Field(ge=0, le=1)] = 0
    """Relative tolerance: 0.01 is one percent."""


class RatioRange(StrictModel):
    """The range that a ratio must lie in; it is exact where both are the same."""

    min: Ratio = Field(examples=[2])
    """The least that is permitted."""
    max: Ratio = Field(examples=[3])
    """The most that is permitted."""

    @field_validator("max")
    @classmethod
    def _ordered(cls, most: float, info: ValidationInfo) -> float:
        if most < info.data.get("min", 0):
            raise wrong(f"{most:g} is less than the min, {info.data['min']:g}")
        return most


def _tag_ratio(value: Any) -> str:
    """Tell a range from ratios by tier by its keys."""
    return "<range>" if isinstance(value, dict) and set(value) & set(RatioRange.model_fields) else tag(value)


def _tag_tier_ratio(value: Any) -> str:
    return "<range>" if isinstance(value, dict) else tag(value)


TierRatio = Annotated[
    Annotated[Ratio, Tag("<one>")] | Annotated[RatioRange, Tag("<range>")], Discriminator(_tag_tier_ratio)
]

Ratios = Annotated[
    Annotated[Ratio, Tag("<one>")]
    | Annotated[RatioRange, Tag("<range>")]
    | Annotated[dict[UplinkRole, TierRatio], Tag("<mapping>"), Field(min_length=1)],
    Discriminator(_tag_ratio),
]
"""Ratios for all tiers, or by tier."""
