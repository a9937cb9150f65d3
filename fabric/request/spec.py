"""A request as the rest of the project sees it: checked, with every part resolved and every choice spelled out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from fabric.catalog import Optic, Server, Switch

__all__ = ["Limits", "Spec", "even_planes"]

HOURS = 8766
"""The hours of a year."""


@dataclass(frozen=True)
class Limits:
    """Bounds on what sizing may choose; None is no bound.

    `parallel_links` is the most links between one pair of switches; its default, 16, is the most that a published
    design uses (a DGX B300 leaf to each of the 4 spines of its plane). `hops` bounds the switches on the longest path,
    `models` the different switch models bought; cost, power and rack units are totals over switches and links, and
    the total cost counts their electricity as well.
    """

    parallel_links: int = 16
    cost_usd: float | None = None
    total_cost_usd: float | None = None
    power_w: float | None = None
    rack_units: int | None = None
    hops: int | None = None
    models: int | None = None


@dataclass(frozen=True)
class Spec:
    """A request for a fabric. A tuple of choices means that sizing takes the best; None, where allowed, means any.

    `switches` maps a role to the models allowed there; the role `*` stands for every role not named.
    `link_price_usd` maps a bundle (`server-leaf`) or `*` to the price of one link of it and overrides the
    catalogue; `link_parts` are the request's own, and parts of the catalogue at its prices; `lengths_m` maps a
    bundle or `*` to its links' length. `oversubscription` maps a role to the largest ratio of bandwidth down over
    up, a role not named being 1, and `least_oversubscription` to the smallest. `pinned` maps an axis or a bundle
    (its parallel links) to its size. `reserve` maps a role or `*` to the ports kept free on each switch, and
    `grow_to_gpus` is the size that must be reached later by adding places at the end, no cable moved. `nic_usd` is
    the price of one NIC, counted where it is given; `years`, `electricity_usd_per_kwh` and `pue` say what
    electricity costs. `survive` maps a role, or `plane`, to the share of throughput that must remain without one of
    them, and `available` a switch model to how many can be had. `request` is the request as written, in plain
    values.
    """

    name: str
    gpus: int
    server: Server
    families: tuple[str, ...]
    switches: Mapping[str, tuple[Switch, ...]]
    link_gbps: int
    planes: tuple[int, ...] = (1,)
    tiers: tuple[int, ...] = (1, 2, 3, 4)
    rails: tuple[int, ...] = ()
    oversubscription: Mapping[str, Fraction] = field(default_factory=dict)
    least_oversubscription: Mapping[str, Fraction] = field(default_factory=dict)
    unit_gpus: int | None = None
    reserve: Mapping[str, int] = field(default_factory=dict)
    grow_to_gpus: int | None = None
    survive: Mapping[str, Fraction] = field(default_factory=dict)
    available: Mapping[str, int] = field(default_factory=dict)
    link_price_usd: Mapping[str, float] = field(default_factory=dict)
    link_parts: tuple[Optic, ...] = ()
    lengths_m: Mapping[str, float] = field(default_factory=dict)
    nic_usd: float | None = None
    years: float | None = None
    electricity_usd_per_kwh: float | None = None
    pue: float = 1
    limits: Limits = Limits()
    pinned: Mapping[str, int] = field(default_factory=dict)
    expected: Mapping[str, Any] = field(default_factory=dict)
    sources: tuple[str, ...] = ()
    request: Mapping[str, Any] = field(default_factory=dict)

    @property
    def electricity(self) -> Fraction | None:
        """What a watt drawn over the years costs in USD; None unless the request says both years and price."""
        if self.years is None or self.electricity_usd_per_kwh is None:
            return None
        said = (self.years, self.electricity_usd_per_kwh, self.pue)
        return math.prod((Fraction(str(number)) for number in said), start=Fraction(HOURS, 1000))

    @property
    def servers(self) -> int:
        """The servers that hold the GPUs, the last one perhaps in part."""
        return -(-self.gpus // self.server.gpus)

    @property
    def unit_servers(self) -> int | None:
        """The servers of a unit, which share their leaves; None when sizing may choose."""
        return self.unit_gpus // self.server.gpus if self.unit_gpus else None

    def models(self, role: str) -> tuple[Switch, ...]:
        """Return the switch models allowed for `role`; none when the request names roles and leaves this one out."""
        return tuple(self.switches.get(role, self.switches.get("*", ())))

    def plane_gbps(self, planes: int) -> int:
        """Return the rate of a host link when the NIC is split over `planes`, or 0 when it does not split evenly."""
        share, rest = divmod(self.server.nic_gbps, planes)
        return 0 if rest else min(self.link_gbps, share)

    def ratio(self, role: str) -> Fraction:
        """Return the largest oversubscription allowed at `role`."""
        return self.oversubscription.get(role, self.oversubscription.get("*", Fraction(1)))

    def least_ratio(self, role: str) -> Fraction:
        """Return the smallest oversubscription allowed at `role`, 0 where there is no such bound."""
        return self.least_oversubscription.get(role, self.least_oversubscription.get("*", Fraction(0)))

    @property
    def grown_servers(self) -> int:
        """The servers that the fabric must be able to grow to, at the least those of today."""
        return max(self.servers, -(-(self.grow_to_gpus or 0) // self.server.gpus))

    def spare_ports(self, role: str) -> int:
        """Return the ports to keep free on each switch of `role`."""
        return self.reserve.get(role, self.reserve.get("*", 0))

    def length_m(self, bundle: str) -> float:
        """Return how long the links of `bundle` are, or 0 where nobody has said."""
        return self.lengths_m.get(bundle, self.lengths_m.get("*", 0))

    def link_price(self, bundle: str) -> float | None:
        """Return the requested price of one link of `bundle`, or None to take the catalogue's."""
        return self.link_price_usd.get(bundle, self.link_price_usd.get("*"))


def even_planes(nic_gbps: int) -> list[int]:
    """Return what `planes: any` stands for: the numbers from 1 to 8 over which a NIC splits evenly."""
    return [planes for planes in range(1, 9) if nic_gbps % planes == 0]
