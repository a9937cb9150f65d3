"""Parts given by their facts instead of a catalogue name: servers, switches with their breakouts, and links."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, ValidationInfo, field_validator

from fabric import catalog
from fabric.catalog import name_nic
from fabric.catalog.link_parts import Media
from fabric.request.breakouts import Breakouts, split_ports
from fabric.request.fields import (
    Count,
    Gbps,
    Name,
    PortName,
    Price,
    Quantity,
    Rails,
    RateKey,
    Role,
    Split,
    StrictModel,
    Text,
    custom_error,
    known_name,
    tag,
)

__all__ = [
    "ApplianceKeys",
    "InlineLink",
    "InlinePorts",
    "InlineServer",
    "InlineSwitch",
    "InlineUplinks",
    "LinkMedia",
]


def _check_maximum(watts: float, info: ValidationInfo) -> float:
    """Refuse a maximum below the typical power, which stands before it."""
    typical = info.data.get("power_w")
    if typical is not None and watts < typical:
        raise custom_error(f"{watts:g} is less than the typical power, power_w: {typical:g}; make them agree")
    return watts


MaxPower = Annotated[Quantity, AfterValidator(_check_maximum)]
"""A maximum power in W, of a part that may also have a typical one."""


EARLIER_GENERATIONS = {"mi300x": "cdna3", "mi355x": "cdna4"}
"""Names of generations before they were those of the vendor."""

Generation = Annotated[Text, AfterValidator(lambda name: EARLIER_GENERATIONS.get(name, name))]
"""A generation of GPUs."""


class InlineServer(StrictModel):
    """A server given by its facts instead of a catalogue name: one NVLink domain and its NICs."""

    name: Name = Field(examples=["my-server"])
    """The name of the server in reports."""
    gpus: Annotated[int, Field(ge=0, le=10_000)] = Field(examples=[8])
    """GPUs in one NVLink domain; 0 for a storage or login node under `servers`."""
    nics: Annotated[int, Field(ge=1, le=10_000)] = Field(examples=[8])
    """NICs connected to this fabric."""
    nic_gbps: Gbps = Field(examples=[400])
    """Rate of one NIC in Gb/s, one direction, over all its planes."""
    nvlink_GBps: Annotated[float, Field(ge=1, le=1e9)] | None = None
    """NVLink bandwidth per GPU in GB/s, one direction."""
    trays: Count = 1
    """Separately cabled trays; a rack-scale server has several."""
    rails: Rails | None = None
    """Rails that the NICs form; default: one rail per NIC."""
    cages: Count | None = None
    """Transceiver cages; default: one per NIC. A DGX H100 has 4 twin-port cages for 8 NICs."""
    cage: Text = ""
    """Form factor of the cages, such as osfp or qsfp112."""
    connectors: Count | None = None
    """Fibre connectors of a module in one cage; default: one for each link of the cage, up to two."""
    title: Text = ""
    """The product's full name."""
    rack_units: Annotated[int, Field(ge=1, le=1000)] | None = None
    """Height in rack units."""
    power_w: Quantity | None = None
    """Typical power of one server in W."""
    max_power_w: MaxPower | None = None
    """Maximum power of one server in W."""
    price_usd: Price | None = None
    """Unit price in USD, with its GPUs: for the dollars of training. It is no part of the fabric's cost."""
    price_date: Text = ""
    """Date of the price."""
    vendor_number: Text = ""
    """The vendor's part number."""
    generation: Generation = ""
    """GPU generation, for time estimates: ampere, hopper, blackwell, cdna3 or cdna4; hopper stands in for others."""
    accelerator: Annotated[Text, known_name("accelerator", lambda: ["", *catalog.accelerators()])] = ""
    """GPU in the catalogue (`fabric list accelerators`), for the time and memory of training."""
    nic_names: list[PortName] = Field(default=[], max_length=1000, examples=[["mlx5_0", "mlx5_1"]])
    """Names of its NICs, of one tray; default: nic0, nic1 and so on."""
    nic_us: Quantity | None = Field(default=None, examples=[23])
    """Latency in us that the NICs' transport adds to each network step (EFA: 23)."""
    source: Text = ""
    """Where these facts come from."""

    @field_validator("cages")
    @classmethod
    def _check_cages(cls, cages: int | None, info: ValidationInfo) -> int | None:
        if cages and info.data.get("nics", cages) % cages:
            raise custom_error(f"the server's {info.data['nics']} NICs do not divide evenly over {cages} cages")
        return cages

    @field_validator("nic_names")
    @classmethod
    def _check_twins(cls, names: list[str], info: ValidationInfo) -> list[str]:
        places = max(1, info.data.get("nics", 1) // info.data.get("trays", 1))
        found = Counter(name_nic(names, place) for place in range(places))
        twins = [name for name, count in found.items() if count > 1]
        if twins:
            raise custom_error(f"two NICs of one tray are '{twins[0]}'; give each its own name")
        return names

    @field_validator("trays", "rails")
    @classmethod
    def _check_divides(cls, parts: int | None, info: ValidationInfo) -> int | None:
        for whole in ("gpus", "nics") if info.field_name == "trays" else ("nics",):
            if parts and info.data.get(whole, 0) % parts:
                raise custom_error(f"{parts} does not divide the server's {info.data[whole]} {whole}")
        return parts


class InlinePorts(StrictModel):
    """Equal ports of a switch, given by their facts."""

    ports: Annotated[int, Field(ge=1, le=100_000)] = Field(examples=[64])
    """Ports at the full rate."""
    rate_gbps: Gbps = Field(examples=[400])
    """Full rate of a port in Gb/s."""
    breakouts: (
        Annotated[
            Annotated[dict[RateKey, Count], Tag("<mapping>")]
            | Annotated[list[Split], Tag("<list>"), Field(max_length=16)],
            Discriminator(tag),
        ]
        | None
    ) = Field(default=None, examples=[{"400": 128}, [2, 4], ["128x400G"]])
    """Slower rates: total ports by rate, or a list of splits such as 2, `2x400G` or `128x400G`; default: not known."""
    cages: Count | None = None
    """Transceiver cages; default: one per port."""
    cage: Text = ""
    """Form factor of the cages, such as osfp, qsfp-dd or qsfp56."""
    connectors: Count | None = None
    """Fibre connectors of a module in one cage; default: one per native port, and two from 800 Gb/s a cage on."""
    cage_power_w: Quantity | None = None
    """Maximum power of a module in one cage in W."""

    @field_validator("cages")
    @classmethod
    def _check_cages(cls, cages: int | None, info: ValidationInfo) -> int | None:
        ports = info.data.get("ports", 0)
        if cages and ports % cages:
            raise custom_error(f"{ports} ports do not divide evenly over {cages} cages")
        return cages

    @field_validator("breakouts")
    @classmethod
    def _check_breakouts(cls, breakouts: Breakouts | None, info: ValidationInfo) -> Breakouts | None:
        if breakouts is not None and "ports" in info.data and "rate_gbps" in info.data:
            try:
                split_ports(info.data["ports"], info.data["rate_gbps"], breakouts)
            except ValueError as error:
                raise custom_error(str(error)) from None
        return breakouts


class InlineUplinks(InlinePorts):
    """The ports of a switch that only links up use, where they are unlike its other ports."""

    name: Text = ""
    """Their name; default: that of the switch with `uplinks`."""


def _tag_uplinks(value: Any) -> str:
    return "<uplinks>" if isinstance(value, dict) else tag(value)


class NamedPart(StrictModel):
    """A part that the request describes."""

    name: Name = Field(examples=["my-switch"])
    """The name of the switch, which other keys of the request may use."""


class InlineSwitch(InlinePorts, NamedPart):
    """A switch given by its facts instead of a catalogue name."""

    uplink_gbps: Gbps | None = Field(default=None, examples=[400])
    """Rate of the uplinks in Gb/s, where `uplinks` is their number."""
    uplinks: (
        Annotated[
            Annotated[Count, Tag("<one>")] | Annotated[InlineUplinks, Tag("<uplinks>")], Discriminator(_tag_uplinks)
        ]
        | None
    ) = Field(default=None, examples=[8, {"ports": 8, "rate_gbps": 400}], validate_default=True)
    """Ports that only links up use: their number, or a mapping of their facts; default: links up use any port."""
    link_layer: Literal["ethernet", "infiniband"] | None = None
    """Link layer, the same for all switches of a fabric; default: compatible with both."""
    title: Text = ""
    """The product's full name."""
    rack_units: Annotated[int, Field(ge=1, le=1000)] | None = None
    """Height in rack units."""
    power_w: Quantity | None = None
    """Typical power of one switch in W."""
    max_power_w: MaxPower | None = None
    """Maximum power of one switch in W."""
    latency_ns: Quantity | None = None
    """Port-to-port latency in ns."""
    inner_hops: Annotated[int, Field(ge=1, le=9)] = Field(default=1, examples=[3])
    """Switch chips on the longest path through it, as hops count them: 3 in a director, itself a Clos of two tiers."""
    price_usd: Price | None = None
    """Unit price in USD; without it costs are unknown, and sizing minimises switches."""
    price_date: Text = ""
    """Date of the price."""
    available: Text = ""
    """When it is sold, such as 2026-Q4; default: it is sold now."""
    vendor_number: Text = ""
    """The vendor's part number."""
    port_names: Text = Field(default="", examples=["sonic"])
    """Operating system that names its ports: cumulus, sonic, eos, junos, ...; default: plain numbers."""
    adaptive_routing: bool | None = None
    """Whether it chooses among equal paths by their load; exported configurations turn it on. Default: unknown."""
    source: Text = ""
    """Where these facts come from."""

    @field_validator("uplinks")
    @classmethod
    def _check_uplinks(cls, uplinks: int | InlineUplinks | None, info: ValidationInfo) -> int | InlineUplinks | None:
        rate = info.data.get("uplink_gbps")
        if isinstance(uplinks, int) and rate is None and "uplink_gbps" in info.data:
            raise custom_error(f"{uplinks} uplinks of which rate? add uplink_gbps, or write their ports and rate_gbps")
        if rate is not None and isinstance(uplinks, InlineUplinks):
            raise custom_error(f"uplinks have their own rate_gbps, {uplinks.rate_gbps}; leave uplink_gbps out")
        if rate is not None and uplinks is None:
            raise custom_error(f"uplink_gbps is {rate}, but the number of uplinks is missing; write uplinks: 8")
        return uplinks


def _rename_medium(value: Any) -> Any:
    """Return the medium that an earlier name stands for."""
    return {"copper": "dac", "fibre": "smf"}.get(value, value) if isinstance(value, str) else value


LinkMedia = Annotated[Media, BeforeValidator(_rename_medium)]
"""A medium by its name; `copper` and `fibre` are earlier names of dac and smf."""


class InlineLink(StrictModel):
    """A link part given by its facts: both modules and the cable, with one price."""

    name: Name = Field(examples=["dac-400g"])
    """The name of the part."""
    rate_gbps: Gbps = Field(examples=[400])
    """Rate of the link in Gb/s, one direction."""
    price_usd: Price = Field(examples=[120])
    """Unit price in USD, for both ends and the cable."""
    price_usd_per_m: Price | None = Field(default=None, examples=[4])
    """Price in USD of each metre of cable besides, as it is sold; default: the price does not depend on the length."""
    reach_m: Annotated[Quantity, Field(gt=0)] | None = Field(default=None, examples=[3])
    """Maximum length in metres; default: unknown, and then the part is used only where no length is given."""
    power_w: Quantity | None = Field(default=None, examples=[0.2])
    """Typical power of both ends in W."""
    max_power_w: MaxPower | None = None
    """Maximum power of both ends in W."""
    media: LinkMedia = "smf"
    """Medium: dac, acc, aec, aoc, mmf, smf or rj45."""
    splits: list[Annotated[int, Field(ge=2, le=8)]] = Field(default=[], max_length=7)
    """Numbers of slower links into which one can be split, sharing its price and power."""
    title: Text = ""
    """The product's full name."""
    price_date: Text = ""
    """Date of the price."""
    vendor_number: Text = ""
    """The vendor's part number."""
    source: Text = ""
    """Where these facts come from."""


class ApplianceKeys(StrictModel):
    """A box that takes ports of switches beside the servers, such as a fabric manager or a tester."""

    name: Name = Field(examples=["ufm"])
    """The name of the appliance in reports and bills."""
    ports: Annotated[int, Field(ge=1, le=100_000)] = Field(examples=[2])
    """Switch ports that it takes at the rate of the links, on as many different switches as there are."""
    per: Literal["unit", "fabric"] = "fabric"
    """Where it takes them: once in the whole `fabric`, or in every scalable `unit`."""
    tier: Role = "leaf"
    """The tier of the switches; those of a unit are its leaves."""
