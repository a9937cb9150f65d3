"""A request as the rest of the project sees it: checked, with every part resolved and every choice written out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from fabric import units
from fabric.catalog import Collectives, LibrarySettings, LinkPart, Server, Switch, collectives
from fabric.errors import Mistake
from fabric.frozen import freeze
from fabric.presented import Presented
from fabric.request.limits import Limits
from fabric.request.site import Site

__all__ = ["Appliance", "PodSize", "ServerKind", "Spec", "even_planes"]

HOURS = 8766
"""The hours of a year of 365.25 days."""


@dataclass(frozen=True)
class Appliance:
    """A box that takes ports of switches beside the servers."""

    name: str
    """Its name."""
    ports: int
    """The ports that it takes, on as many different switches as there are."""
    per_unit: bool = False
    """Whether every scalable unit has one; otherwise the fabric has one."""
    tier: str = "leaf"
    """The role of the switches."""

    @property
    def keys(self) -> dict[str, str | int]:
        """It as in a request."""
        where = "unit" if self.per_unit else "fabric"
        return {"name": self.name, "ports": self.ports, "per": where, "tier": self.tier}


@dataclass(frozen=True)
class ServerKind:
    """Equal servers of a fabric, and how many there are."""

    server: Server
    """The server."""
    count: int
    """The number of them."""
    grown: int
    """The number of them to which the fabric must be able to grow, at least those of today."""
    per_unit: int | None = None
    """Those of a scalable unit, which share their leaves; None lets sizing choose."""

    @property
    def name(self) -> str:
        """The name of the server, which is also the role of these servers."""
        return self.server.name


@dataclass(frozen=True)
class PodSize:
    """The GPUs that a full pod may have."""

    least: int | None = None
    """The fewest; None for no bound. A pod that is the whole fabric may have fewer."""
    most: int | None = None
    """The most; None for no bound."""

    def servers(self, gpus: int) -> tuple[int, int | None]:
        """Return the fewest and the most servers for this range of GPUs; None where there is no bound."""
        return -(-(self.least or 0) // gpus), None if self.most is None else self.most // gpus

    @property
    def keys(self) -> int | dict[str, int]:
        """It as in a request."""
        if self.least is not None and self.least == self.most:
            return self.least
        return {key: gpus for key, gpus in (("min", self.least), ("max", self.most)) if gpus is not None}


@dataclass(frozen=True, repr=False)
class Spec(Presented):
    """A request for a fabric, checked. Of a tuple of choices sizing takes the best.

    A mapping by role or by bundle has the value of every name that it leaves out under `*`, where there is one.
    """

    name: str
    """What the fabric is called, in reports and file names."""
    gpus: int
    """The GPUs to connect; the last server may be filled in part."""
    server: Server
    """The server that holds them; of several kinds the first with GPUs."""
    families: tuple[str, ...]
    """The names of the families allowed, in the order asked."""
    switches: Mapping[str, tuple[Switch, ...]]
    """The models allowed, by role."""
    link_gbps: int
    """The highest rate of a host link, in Gb/s."""
    link_rates: Mapping[str, int] = field(default_factory=dict)
    """The rates of links between switches that are asked for, in Gb/s, by bundle."""
    planes: tuple[int, ...] = (1,)
    """The numbers of planes allowed."""
    left_to_family: tuple[str, ...] = ()
    """Which of `planes`, `oversubscription` and `rails` are left out, where the one family asked for decides them."""
    tiers: tuple[int, ...] = (1, 2, 3, 4)
    """The numbers of tiers allowed."""
    kinds: tuple[ServerKind, ...] = ()
    """The kinds of unlike servers as they are placed, one that grows last; none where all servers are equal."""
    without_gpus: ServerKind | None = None
    """The equal servers of a fabric without GPUs; None where GPUs count them, or where they are unlike."""
    mix: str = "apart"
    """How unlike servers share units: each unit has one kind (`apart`), or some of every kind (`together`)."""
    rails: tuple[int, ...] = ()
    """The numbers of rails allowed."""
    oversubscription: Mapping[str, Fraction] = field(default_factory=dict)
    """The largest ratio of bandwidth down to bandwidth up, by role; default: 1."""
    least_oversubscription: Mapping[str, Fraction] = field(default_factory=dict)
    """The smallest such ratio, by role; default: no bound."""
    uplink_spread: str = "even"
    """How the links of a switch are spread over those above it: `even`, or `balanced`, which may differ by one."""
    unit_gpus: int | None = None
    """The GPUs of a scalable unit, which share their leaves; None lets sizing choose."""
    pod_gpus: PodSize | None = None
    """The GPUs of a pod, which share their spines; None lets sizing choose."""
    reserve: Mapping[str, int] = field(default_factory=dict)
    """The ports kept free on each switch, by role."""
    appliances: tuple[Appliance, ...] = ()
    """The boxes that take ports beside the servers."""
    grow_to_gpus: int | None = None
    """The GPUs that must be reached later by adding places at the end, without moving a cable."""
    stages: tuple[int, ...] = ()
    """The GPUs of the stages of growth, ascending; the last is `grow_to_gpus`."""
    survive: Mapping[str, Fraction] = field(default_factory=dict)
    """The share of throughput that must remain without one switch of a role, or without one `plane`."""
    available: Mapping[str, int] = field(default_factory=dict)
    """How many of a switch model can be had, by model; a model not named is not bounded."""
    link_price_usd: Mapping[str, float] = field(default_factory=dict)
    """The price of one link in USD, by bundle, instead of the price of a link part."""
    lengths_m: Mapping[str, float] = field(default_factory=dict)
    """The length of the longest link in metres, by bundle."""
    link_parts: tuple[LinkPart, ...] = ()
    """The request's own link parts, and parts of the catalogue at the request's prices."""
    media: Mapping[str, str] = field(default_factory=dict)
    """The medium of links, by bundle; default: any."""
    optics: tuple[str, ...] = ()
    """The names of the link parts that may be used; none for all."""
    exclude_optics: tuple[str, ...] = ()
    """The names of the link parts that must not be used."""
    currency: str = "USD"
    """The currency of all amounts, those in fields of `_usd` too; the catalogue's prices are in USD."""
    discount: Mapping[str, Fraction] = field(default_factory=dict)
    """The share taken off prices, by kind of part; all prices of a Spec are without it."""
    spares: Mapping[str, Fraction] = field(default_factory=dict)
    """The share of spare parts in the bill, by kind of part."""
    nic_usd: float | None = None
    """The price of one NIC in USD; None does not count NICs."""
    years: float | None = None
    """The years of operation, for electricity and the dollars of training; None counts neither."""
    electricity_usd_per_kwh: float | None = None
    """The price of electricity; None does not count it."""
    pue: float = 1
    """Power drawn by the site over the power of its equipment."""
    constants: Collectives = field(default_factory=collectives, repr=False)
    """The constants of estimates: the catalogue's, or those of `calibration`."""
    as_built: str = ""
    """The path of the list of the cables that stand; empty where the cables are those of the design."""
    library: LibrarySettings = field(default_factory=LibrarySettings)
    """What is set of the collective library."""
    site: Site = field(default_factory=Site)
    """The halls and the rules by which the fabric is laid out."""
    limits: Limits = field(default_factory=Limits)
    """The limits on what sizing may choose."""
    pinned: Mapping[str, int] = field(default_factory=dict)
    """The sizes that are given: of axes, and the parallel links of bundles."""
    expected: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """Published numbers that the design must reproduce, as they were written."""
    sources: tuple[str, ...] = ()
    """Where the request and its numbers come from."""
    request: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """The request as it was written, in plain values, with the defaults filled in."""
    places: Mapping[str, Mistake] = field(default_factory=dict, compare=False, repr=False)
    """The place of each key that was written, as that of a mistake without its text."""

    def __post_init__(self) -> None:
        freeze(self)

    def __repr__(self) -> str:
        return f"<Spec {self.name}: {units.count_ends(self.gpus, self.servers)}>"

    def mistake(self, key: str, text: str) -> Mistake:
        """Return the mistake at a key of the request, with file and line where they are known.

        A key in a mapping has the place of the innermost mapping around it that has one.
        """
        around = key
        while around not in self.places and "." in around:
            around = around.rpartition(".")[0]
        found = self.places.get(around, Mistake(key, ""))
        if found.text:  # from a file, where the text names the key
            return Mistake(found.place, f"{key}: {text}")
        return Mistake(key if found.place == around else found.place, text)

    @property
    def electricity(self) -> Fraction | None:
        """The cost in USD of drawing one watt for all the years; None unless both years and price are given."""
        if self.years is None or self.electricity_usd_per_kwh is None:
            return None
        factors = (self.years, self.electricity_usd_per_kwh, self.pue)
        return math.prod((Fraction(str(number)) for number in factors), start=Fraction(HOURS, 1000))

    @property
    def servers(self) -> int:
        """The servers: those that hold the GPUs, the last one perhaps in part, and those without any."""
        if self.without_gpus:
            return self.without_gpus.count
        return sum(kind.count for kind in self.kinds) or -(-self.gpus // self.server.gpus)

    @property
    def nics(self) -> int:
        """The NICs of all servers."""
        return sum(kind.count * kind.server.nics for kind in self.kinds) or self.servers * self.server.nics

    @property
    def grown_nics(self) -> int:
        """The NICs of all servers to which the fabric must be able to grow."""
        return sum(kind.grown * kind.server.nics for kind in self.kinds) or self.grown_servers * self.server.nics

    @property
    def unit_servers(self) -> int | None:
        """The servers of a scalable unit, which share their leaves; None lets sizing choose."""
        if self.without_gpus:
            return self.without_gpus.per_unit
        return self.unit_gpus // self.server.gpus if self.unit_gpus else None

    def models(self, role: str) -> tuple[Switch, ...]:
        """Return the switch models allowed for `role`; none where the request names roles and leaves this one out."""
        return tuple(self.switches.get(role, self.switches.get("*", ())))

    def servers_by_role(self, role: str) -> dict[str, Server]:
        """Return the servers of each kind by role, which is `role` where all are equal."""
        return {kind.name: kind.server for kind in self.kinds} or {role: self.server}

    def plane_gbps(self, planes: int) -> int:
        """Return the rate in Gb/s of the fastest host link, NICs split over `planes`; 0 where one can't be evenly."""
        rates = [self.host_gbps(server, planes) for server in self.every_server]
        return max(rates) if all(rates) else 0

    def host_gbps(self, server: Server, planes: int) -> int:
        """Return the rate in Gb/s of a server's links with each NIC split over `planes`; 0 where it can't be evenly."""
        share, rest = divmod(server.nic_gbps, planes)
        return 0 if rest else min(self.link_gbps, share)

    @property
    def every_server(self) -> tuple[Server, ...]:
        """The servers of all kinds, each once."""
        return tuple(kind.server for kind in self.kinds) or (self.server,)

    def ratio(self, role: str) -> Fraction:
        """Return the largest oversubscription allowed at `role`."""
        return self.oversubscription.get(role, self.oversubscription.get("*", Fraction(1)))

    def least_ratio(self, role: str) -> Fraction:
        """Return the smallest oversubscription allowed at `role`; 0 where there is no such bound."""
        return self.least_oversubscription.get(role, self.least_oversubscription.get("*", Fraction(0)))

    @property
    def grown_servers(self) -> int:
        """The servers to which the fabric must be able to grow, at least those of today."""
        if self.kinds:
            return sum(kind.grown for kind in self.kinds)
        return max(self.servers, -(-self.grow_to_gpus // self.server.gpus)) if self.grow_to_gpus else self.servers

    @property
    def growth(self) -> tuple[str, int]:
        """The key of the request that names the GPUs that must be reached, and how many it says; 0 for none."""
        if not self.kinds or not self.grow_to_gpus:
            return "grow_to_gpus", self.grow_to_gpus or 0
        last = self.kinds[-1]
        return f"grow_to_gpus.{last.name}", self.grow_to_gpus - self.gpus + last.count * last.server.gpus

    def without_growth(self) -> Spec:
        """Return the request for today's servers only."""
        today = tuple(replace(kind, grown=kind.count) for kind in self.kinds)
        return replace(self, grow_to_gpus=None, stages=(), kinds=today)

    def spare_ports(self, role: str) -> int:
        """Return the ports to keep free on each switch of `role`."""
        return self.reserve.get(role, self.reserve.get("*", 0))

    def length_m(self, bundle: str) -> float:
        """Return the length in metres of the longest link of `bundle`; 0 where none is given."""
        return self.lengths_m.get(bundle, self.lengths_m.get("*", 0))

    def link_media(self, bundle: str) -> str:
        """Return the medium asked for the links of `bundle`; empty for any."""
        return self.media.get(bundle, self.media.get("*", ""))

    def link_price(self, bundle: str) -> float | None:
        """Return the requested price of one link of `bundle` in USD; None takes the price of a link part."""
        return self.link_price_usd.get(bundle, self.link_price_usd.get("*"))


def even_planes(nic_gbps: int) -> list[int]:
    """Return what `planes: any` stands for: the numbers from 1 to 8 over which a NIC splits evenly."""
    return [planes for planes in range(1, 9) if nic_gbps % planes == 0]
