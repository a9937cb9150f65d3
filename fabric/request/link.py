"""Words of the request that tell a link part by its facts."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from fabric.request.fields import Gbps, Name, Price, Quantity, StrictModel, Text

__all__ = ["InlineLink"]


class InlineLink(StrictModel):
    """A link part told by its facts: both modules and the cable, priced whole."""

    name: Name = Field(examples=["dac-400g"])
    """What the part is called."""
    rate_gbps: Gbps = Field(examples=[400])
    """Rate of the link, one direction."""
    price_usd: Price = Field(examples=[120])
    """Price of one link, both ends and the cable."""
    reach_m: Annotated[Quantity, Field(gt=0)] | None = Field(default=None, examples=[3])
    """The longest it may be; left out, any length."""
    power_w: Quantity | None = Field(default=None, examples=[0.2])
    """Power of both ends."""
    media: Literal["copper", "fibre"] = "fibre"
    """What it is made of."""
    splits: list[Annotated[int, Field(ge=2, le=8)]] = Field(default=[], max_length=7)
    """Numbers of slower links that one may be split into, which share its price and power."""
    title: Text = ""
    """The product's full name."""
    price_date: Text = ""
    """When the price was seen."""
    source: Text = ""
    """Where these facts come from."""
