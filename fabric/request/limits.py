"""Limits on what sizing may choose."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from fabric.request.fields import MAX_GPUS, StrictModel, Total

__all__ = ["RequestLimits"]


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
