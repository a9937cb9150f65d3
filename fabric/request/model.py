"""The request: every key with its type and meaning; the JSON Schema and the documentation are made from it."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_type_hints

from pydantic import ConfigDict, Discriminator, Field, Tag, create_model, field_validator

from fabric.request.calibration_keys import AskedCalibration
from fabric.request.fields import (
    MAX_GPUS,
    Any_,
    AxisName,
    BundleName,
    Currency,
    FamilyName,
    Gbps,
    Gpus,
    Name,
    PartKind,
    Planes,
    Price,
    PricedKind,
    Pue,
    Quantity,
    Rails,
    ResultKey,
    Role,
    Share,
    SpareByTier,
    Stock,
    StrictModel,
    SurviveName,
    SwitchName,
    Tariff,
    Text,
    Tiers,
    UplinkRole,
    Years,
    custom_error,
    tag,
    tag_choice,
)
from fabric.request.library_keys import LibraryKeys
from fabric.request.limits import LIMITS, Limits
from fabric.request.parts import ApplianceKeys, InlineLink, InlineSwitch, LinkMedia
from fabric.request.ranges import PodRange, Ratio, RatioRange, tag_ratio, tag_tier_ratio
from fabric.request.server_lists import AskedServer, Growth, ServerCount
from fabric.request.site_keys import SiteKeys

__all__ = ["Published", "Request", "RequestLimits"]


def _limit_field(key: str) -> Any:
    """Return the field of a limit, with the default and the description of its declaration."""
    limit = LIMITS[key]
    examples = None if limit.example is None else [limit.example]
    default = getattr(Limits, key)
    return Field(default, ge=1, le=limit.maximum, description=limit.text, examples=examples)


if TYPE_CHECKING:
    RequestLimits = Limits
else:
    RequestLimits = create_model(
        "RequestLimits",
        __base__=StrictModel,
        __doc__="Limits on what sizing may choose.",
        **{key: (type_, _limit_field(key)) for key, type_ in get_type_hints(Limits).items()},
    )
"""The limits as keys of a request, made from their declarations."""


class Published(StrictModel):
    """A published number with a tolerance for its rounding."""

    value: float = Field(examples=[491_000_000])
    """The published number."""
    within: Annotated[float, Field(ge=0, le=1)] = 0
    """Relative tolerance: 0.01 is 1 %."""


def _tag_pod(value: Any) -> str:
    return "<range>" if isinstance(value, dict) else tag(value)


SharesByKind = Annotated[
    Annotated[Share, Tag("<one>")] | Annotated[dict[PartKind, Share], Tag("<mapping>"), Field(min_length=1)],
    Discriminator(tag),
]

Discounts = Annotated[
    Annotated[Share, Tag("<one>")] | Annotated[dict[PricedKind, Share], Tag("<mapping>"), Field(min_length=1)],
    Discriminator(tag),
]

TierRatio = Annotated[
    Annotated[Ratio, Tag("<one>")] | Annotated[RatioRange, Tag("<range>")], Discriminator(tag_tier_ratio)
]

Ratios = Annotated[
    Annotated[Ratio, Tag("<one>")]
    | Annotated[RatioRange, Tag("<range>")]
    | Annotated[dict[UplinkRole, TierRatio], Tag("<mapping>"), Field(min_length=1)],
    Discriminator(tag_ratio),
]
"""One ratio or range for all tiers, or ratios and ranges by tier."""


def _tag_part(value: Any) -> str:
    return "<switch>" if isinstance(value, dict) else tag(value)


def _tag_switches(value: Any) -> str:
    """Return the tag of a choice of switches; the facts of one switch are known by their keys from a mapping by tier.

    Tiers cannot be listed here, because other packages may add some. With a key of a switch's facts, another key counts
    as a tier where its value can be a choice of switches. Without any, the mapping is by tier unless a key looks
    like a misspelt fact.
    """
    if not isinstance(value, dict):
        return tag(value)
    facts = [key for key in value if key in InlineSwitch.model_fields]
    if not facts:
        misspelt = any(get_close_matches(key, InlineSwitch.model_fields, 1, 0.75) for key in value)
        return "<switch>" if misspelt else "<by tier>"
    tiers = [key for key, item in value.items() if key not in facts and isinstance(item, str | list | dict)]
    return "<by tier>" if len(tiers) > len(facts) else "<switch>"


Part = Annotated[
    Annotated[SwitchName, Tag("<name>")] | Annotated[InlineSwitch, Tag("<switch>")], Discriminator(_tag_part)
]
Parts = Annotated[list[Part], Field(min_length=1, max_length=100)]
Switches = Annotated[
    Annotated[SwitchName, Tag("<name>")] | Annotated[InlineSwitch, Tag("<switch>")] | Annotated[Parts, Tag("<list>")],
    Discriminator(_tag_part),
]
SwitchesByTier = Annotated[dict[Role, Switches], Field(min_length=1)]


class Request(StrictModel):
    """A request for the fabric of a GPU cluster."""

    model_config = ConfigDict(
        json_schema_extra={"anyOf": [{"required": ["gpus", "server"]}, {"required": ["servers"]}]}
    )

    schema_uri: Text | None = Field(default=None, alias="$schema", exclude=True)
    """The JSON Schema of this file, for editors; not read."""
    name: Name = Field(default="fabric", examples=["colossus-100k"])
    """The name of the fabric, in reports and file names."""
    title: Text | None = None
    """A title of one line."""
    description: Text | None = None
    """A longer description."""
    gpus: Gpus | None = Field(default=None, examples=[100000])
    """GPUs to connect, required beside `server`; the last server may be partly filled. With `servers` their sum."""
    server: AskedServer | None = Field(default=None, examples=["hgx-h100"])
    """The server, required unless there are `servers`: a catalogue name, or a mapping of facts."""
    servers: Annotated[list[ServerCount], Field(min_length=1, max_length=20)] | None = Field(
        default=None, examples=[[{"server": "hgx-h100", "count": 32}, {"server": "hgx-a100", "count": 16}]]
    )
    """Unlike servers on one fabric, instead of `server`: each kind with its number."""
    mix: Literal["apart", "together"] = Field(default="apart", examples=["together"])
    """How unlike servers share scalable units: each unit has one kind (apart), or some of every kind (together)."""
    family: Annotated[
        Annotated[FamilyName, Tag("<name>")]
        | Annotated[list[FamilyName], Tag("<list>"), Field(min_length=1, max_length=100)],
        Discriminator(tag),
    ] = Field(default="clos", examples=["rail-optimized", "fat-tree", "dragonfly", "any"])
    """Topology families to choose from: a name, a list, `clos` (tiers), `direct` (switch to switch) or `any`."""
    switches: Annotated[
        Annotated[SwitchName, Tag("<name>")]
        | Annotated[InlineSwitch, Tag("<switch>")]
        | Annotated[Parts, Tag("<list>")]
        | Annotated[SwitchesByTier, Tag("<by tier>")],
        Discriminator(_tag_switches),
    ] = Field(default="any", examples=["sn5600"])
    """Switches to choose from: a name, a mapping of facts, a list, `any` (all with a price), or these by tier."""
    link_price_usd: (
        Annotated[
            Annotated[Price, Tag("<one>")] | Annotated[dict[BundleName, Price], Tag("<mapping>"), Field(min_length=1)],
            Discriminator(tag),
        ]
        | None
    ) = Field(default=None, examples=[1240])
    """Unit price of a link with its modules in USD: one number, or by bundle; default: the price of a link part."""
    lengths_m: (
        Annotated[
            Annotated[Quantity, Tag("<one>")]
            | Annotated[dict[BundleName, Quantity], Tag("<mapping>"), Field(min_length=1)],
            Discriminator(tag),
        ]
        | None
    ) = Field(default=None, examples=[{"server-leaf": 3, "leaf-spine": 40}])
    """Length of the longest link in metres: one number, or by bundle. The cheapest part that reaches is used."""
    media: (
        Annotated[
            Annotated[LinkMedia, Tag("<name>")]
            | Annotated[dict[BundleName, LinkMedia], Tag("<mapping>"), Field(min_length=1)],
            Discriminator(tag),
        ]
        | None
    ) = Field(default=None, examples=["smf", {"server-leaf": "dac"}])
    """Medium of links, one or by bundle: dac, acc, aec, aoc, mmf, smf or rj45; default: the cheapest that reaches."""
    optics: list[Name] = Field(default=[], max_length=100, examples=[["osfp-2xdr4", "mpo12-smf"]])
    """Names of the link parts that may be used; default: all of the catalogue and `links`."""
    exclude_optics: list[Name] = Field(default=[], max_length=100, examples=[["optical-400g"]])
    """Names of link parts that must not be used."""
    links: list[InlineLink] = Field(default=[], max_length=100)
    """Your own link parts, in addition to the catalogue's."""
    prices_usd: dict[Name, Price] = Field(default={}, examples=[{"sn5600": 52000}])
    """Unit prices in USD of switches, link parts and servers by name (`sn5600`, `osfp-2xdr4`, `hgx-h100`)."""
    prices_usd_per_m: dict[Name, Price] = Field(default={}, examples=[{"mpo12-mmf": 1.5}])
    """Prices in USD of each metre of fibres, cables and whole links by name, besides their unit prices."""
    currency: Currency = Field(default="USD", examples=["EUR"])
    """Currency of all amounts, those of keys in _usd too. Nothing is converted: other than USD, no catalogue price."""
    discount: Discounts = Field(default=0, examples=[0.3, {"switch": 0.4, "module": 0.5}])
    """Share taken off every price: one, or by kind (switch, link, module, fibre, cable, nic, server)."""
    spares: SharesByKind = Field(default=0, examples=[0.02, {"module": 0.02, "fibre": 0.05}])
    """Share of spare parts in the bill, rounded up part by part: one, or by kind of part."""
    nic_usd: Price | None = Field(default=None, examples=[1500])
    """Unit price of a NIC in USD; default: NICs come with the server and are not counted."""
    years: Years | None = Field(default=None, examples=[5])
    """Years of operation, for which electricity is counted and over which training writes off what is bought."""
    electricity_usd_per_kwh: Tariff | None = Field(default=None, examples=[0.08])
    """Price of electricity in USD per kWh; default: it is not counted."""
    pue: Pue = Field(default=1, examples=[1.3])
    """Power usage effectiveness: power of the site over power of its equipment. It multiplies electricity."""
    available: dict[Name, Stock] = Field(default={}, examples=[{"sn5600": 900}])
    """How many switches are available, by name; a tier that may use one of these may mix models."""
    link_gbps: (
        Annotated[
            Annotated[Gbps, Tag("<one>")] | Annotated[dict[BundleName, Gbps], Tag("<mapping>"), Field(min_length=1)],
            Discriminator(tag),
        ]
        | None
    ) = Field(default=None, examples=[400, {"server-leaf": 200, "leaf-spine": 400}])
    """Maximum rate of a host link in Gb/s, or rates by bundle; default: the NIC's, split evenly over the planes."""
    planes: (
        Annotated[
            Annotated[Planes, Tag("<one>")]
            | Annotated[Any_, Tag("<any>")]
            | Annotated[list[Planes], Tag("<list>"), Field(min_length=1, max_length=64)],
            Discriminator(tag_choice),
        ]
        | None
    ) = Field(default=None, examples=[2])
    """Planes over which each NIC is split evenly: a number, a list, or `any` (1 to 8); default: 1, or the family's."""
    tiers: Annotated[
        Annotated[Tiers, Tag("<one>")]
        | Annotated[Any_, Tag("<any>")]
        | Annotated[list[Tiers], Tag("<list>"), Field(min_length=1, max_length=4)],
        Discriminator(tag_choice),
    ] = Field(default="any", examples=[3])
    """Switch tiers: a number from 1 to 4, a list, or `any`."""
    rails: (
        Annotated[
            Annotated[Rails, Tag("<one>")]
            | Annotated[Any_, Tag("<any>")]
            | Annotated[list[Rails], Tag("<list>"), Field(min_length=1, max_length=64)],
            Discriminator(tag_choice),
        ]
        | None
    ) = Field(default=None, examples=[8])
    """Rails that a server's NICs form, each with its own leaves: a number, a list, or `any`; default: the server's."""
    oversubscription: Ratios | None = Field(default=None, examples=[1])
    """Maximum ratio of bandwidth down to up at a switch, or a range, for all or by tier; default: 1 or the family's."""
    uplink_spread: Literal["even", "balanced"] = Field(default="even", examples=["balanced"])
    """Links of a switch to those above it in a Clos: `even`, as many to each, or `balanced`, to some one more."""
    unit_gpus: Annotated[int, Field(ge=1, le=MAX_GPUS)] | None = Field(default=None, examples=[512])
    """GPUs of a scalable unit (SU), which share their leaves, in whole servers; default: sizing chooses."""
    pod_gpus: (
        Annotated[
            Annotated[int, Field(ge=1, le=MAX_GPUS), Tag("<one>")] | Annotated[PodRange, Tag("<range>")],
            Discriminator(_tag_pod),
        ]
        | None
    ) = Field(default=None, examples=[4096, {"min": 2048, "max": 8192}])
    """GPUs of a pod, which share their spines: a number, or a range of min and max; default: sizing chooses."""
    reserve: SpareByTier = Field(default=0, examples=[4])
    """Ports kept free on every switch, at the rate of the links: one number, or by tier."""
    appliances: list[ApplianceKeys] = Field(default=[], max_length=20)
    """Boxes that take ports of switches beside the servers, such as UFM: their ports are kept free and counted."""
    grow_to_gpus: Growth | None = Field(default=None, examples=[200000, [150000, 200000], {"hgx-h100": 512}])
    """GPUs to grow to later by adding pods (units, in two tiers) without moving a cable; or stages; or by server."""
    survive: dict[SurviveName, Share] = Field(default={}, examples=[{"spine": 0.9}])
    """Share of all-reduce throughput that must remain after the loss of any one switch of a tier, or of a `plane`."""
    nccl: LibraryKeys = Field(default=LibraryKeys(), examples=[{"channels": 32, "qps": 4, "version": "2.30"}])
    """What is set of the collective library, NCCL or RCCL; estimates of times stand on its own defaults otherwise."""
    calibration: AskedCalibration | None = Field(default=None, examples=["calibration.yaml"])
    """File of `fabric calibrate`, from the folder of the request, or its contents: constants of your own cluster."""
    as_built: Text | None = Field(default=None, examples=["found-as-built.csv"])
    """List of the cables that stand, from the folder of the request, as `discover` writes it: what `verify` expects."""
    site: SiteKeys = Field(default=SiteKeys(), examples=[{"layout": "in-rack", "slack_m": 2}])
    """The site: halls, racks, cable trays, and how devices are placed and ports are named."""
    limits: RequestLimits = RequestLimits()
    """Limits on what sizing may choose."""
    pinned: dict[AxisName, Annotated[int, Field(ge=1, le=MAX_GPUS)]] = Field(default={}, examples=[{"block": 8}])
    """Fixed sizes of axes, and fixed numbers of parallel links of bundles, or of balanced uplinks (`leaf-uplinks`)."""
    expected: dict[
        ResultKey,
        Annotated[Annotated[float, Tag("<one>")] | Annotated[Published, Tag("<mapping>")], Discriminator(tag)],
    ] = Field(default={}, examples=[{"leaf": 1568}])
    """Published numbers that the design must reproduce, by tier, bundle or key of the result."""
    sources: list[Text] = Field(default=[], max_length=100, examples=[["https://example.com/paper"]])
    """Where the request and its numbers come from."""

    @field_validator("server", mode="before")
    @classmethod
    def _refuse_list(cls, server: Any) -> Any:
        if isinstance(server, list):
            raise custom_error("is a list; write unlike servers under `servers`: [{server: hgx-h100, count: 32}, ...]")
        return server
