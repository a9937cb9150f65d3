"""Parts given by their facts instead of a catalogue name: servers, switches with their breakouts, and links."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag, ValidationInfo, field_validator

from fabric.request.fields import (
    Count,
    Gbps,
    Name,
    Price,
    Quantity,
    Rails,
    RateKey,
    Split,
    StrictModel,
    Text,
    tag,
    wrong,
)

__all__ = ["Breakouts", "InlineLink", "InlineServer", "InlineSwitch", "split_ports"]

Breakouts = Mapping[str, int] | Sequence[int | str]
"""Rate to ports in all; or a list: 2 splits each port in two, as `2x400G` does, and `128x400G` is in all."""

_WRITTEN = re.compile(r"\s*([1-9][0-9]{0,5})\s*[xX×]\s*([1-9][0-9]{0,6})\s*G?\s*")
_MOST_WAYS = 8


def split_ports(ports: int, rate_gbps: int, breakouts: Breakouts) -> dict[int, int]:
    """Return the ports in all at each slower rate, of a switch with so many ports of `rate_gbps`.

    Raises ValueError, which says all that is wrong, when one is no breakout, is faster than the switch or stands twice.
    """
    offered: dict[int, int] = {}
    wrong = []
    for rate, total, written in _read(ports, rate_gbps, breakouts):
        if problem := _problem(ports, rate_gbps, rate, total):
            wrong.append(f"{written}: {problem}")
        elif rate in offered:
            wrong.append(f"{written}: {rate}G stands twice; keep one")
        offered[rate] = total
    if wrong:
        raise ValueError("; ".join(wrong))
    return offered


def _read(ports: int, rate_gbps: int, breakouts: Breakouts) -> Iterator[tuple[int, int, str]]:
    """Yield rate, ports in all and the text of each; a rate of 0 means that it can't be read."""
    if isinstance(breakouts, Mapping):
        yield from ((int(rate), total, rate) for rate, total in breakouts.items())
        return
    for item in breakouts:
        if isinstance(item, int):
            yield (0 if rate_gbps % item else rate_gbps // item), ports * item, str(item)
        elif match := _WRITTEN.fullmatch(item):
            number, rate = int(match[1]), int(match[2])
            yield rate, number * ports if number <= _MOST_WAYS else number, item
        else:
            yield 0, 0, f"{item!r:.60}"


def _problem(ports: int, rate_gbps: int, rate: int, total: int) -> str | None:
    if not rate:
        return f"no breakout of {rate_gbps}G; write ways that divide it, such as 2, or text such as 2x400G or 128x400G"
    if rate >= rate_gbps:
        return f"a breakout is slower than the port's {rate_gbps}G"
    if total * rate > ports * rate_gbps:
        return f"{total} ports are more than {ports} x {rate_gbps}G make; at most {ports * rate_gbps // rate}"
    return None


class InlineServer(StrictModel):
    """A server told by its facts instead of by a catalogue name: one NVLink domain and its NICs."""

    name: Name = Field(examples=["my-server"])
    """What the server is called in reports."""
    gpus: Annotated[int, Field(ge=1, le=10_000)] = Field(examples=[8])
    """GPUs in one NVLink domain."""
    nics: Annotated[int, Field(ge=1, le=10_000)] = Field(examples=[8])
    """NICs that join this fabric."""
    nic_gbps: Gbps = Field(examples=[400])
    """Rate of one NIC, one direction, over all its planes."""
    nvlink_GBps: Annotated[float, Field(ge=1, le=1e9)] | None = None
    """NVLink bandwidth per GPU, one way."""
    trays: Count = 1
    """Parts that are cabled apart; a rack-scale server has several."""
    rails: Rails | None = None
    """Rails that the NICs form; default: one NIC a rail."""
    title: Text = ""
    """The product's full name."""
    power_w: Quantity | None = None
    """Power of one server."""
    generation: Text = ""
    """GPU generation: ampere, hopper and blackwell have constants of their own in time estimates; others hopper's."""
    nic_us: Quantity | None = Field(default=None, examples=[23])
    """What the NICs' transport adds to a step over the network (EFA: 23)."""
    source: Text = ""
    """Where these facts come from."""

    @field_validator("trays", "rails")
    @classmethod
    def _divides(cls, parts: int | None, info: ValidationInfo) -> int | None:
        for whole in ("gpus", "nics") if info.field_name == "trays" else ("nics",):
            if parts and info.data.get(whole, 0) % parts:
                raise wrong(f"{parts} does not divide the server's {info.data[whole]} {whole}")
        return parts


class InlineSwitch(StrictModel):
    """A switch told by its facts instead of by a catalogue name."""

    name: Name = Field(examples=["my-switch"])
    """What the switch is called; other keys of the request may then use the name."""
    ports: Annotated[int, Field(ge=1, le=100_000)] = Field(examples=[64])
    """Ports at the full rate."""
    rate_gbps: Gbps = Field(examples=[400])
    """Full rate of a port."""
    breakouts: Annotated[
        Annotated[dict[RateKey, Count], Tag("<mapping>")] | Annotated[list[Split], Tag("<list>"), Field(max_length=16)],
        Discriminator(tag),
    ] = Field(default={}, examples=[{"400": 128}, [2, 4], ["128x400G"]])
    """Slower rates: a mapping of rate to ports in all; or a list of ways to split a port, `2x400G` or `128x400G`."""
    cages: Count | None = None
    """Cages that take a module; default: one a port."""
    link_layer: Literal["ethernet", "infiniband"] | None = None
    """What its ports speak; switches of one fabric speak the same. Left out, it goes with either."""
    title: Text = ""
    """The product's full name."""
    rack_units: Annotated[int, Field(ge=1, le=1000)] | None = None
    """Height in a rack."""
    power_w: Quantity | None = None
    """Power of one switch."""
    latency_ns: Quantity | None = None
    """Port-to-port latency."""
    price_usd: Price | None = None
    """Price of one switch; without it costs are unknown and sizing takes the fewest switches."""
    price_date: Text = ""
    """When the price was seen."""
    source: Text = ""
    """Where these facts come from."""

    @field_validator("cages")
    @classmethod
    def _hold(cls, cages: int | None, info: ValidationInfo) -> int | None:
        ports = info.data.get("ports", 0)
        if cages and ports % cages:
            raise wrong(f"{cages} cages cannot hold {ports} ports evenly")
        return cages

    @field_validator("breakouts")
    @classmethod
    def _splits(cls, breakouts: Breakouts, info: ValidationInfo) -> Breakouts:
        if "ports" in info.data and "rate_gbps" in info.data:
            try:
                split_ports(info.data["ports"], info.data["rate_gbps"], breakouts)
            except ValueError as error:
                raise wrong(str(error)) from None
        return breakouts


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
