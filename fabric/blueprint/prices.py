"""What one switch and one link cost and draw: the request's own prices first, then the catalogue's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property

from fabric.blueprint.blueprint import Blueprint
from fabric.blueprint.composition import (
    Composition,
    End,
    Ends,
    Wanted,
    choose_parts,
    end_of_server,
    end_of_switches,
    list_compositions,
)
from fabric.blueprint.port_rules import ports_of
from fabric.catalog import MEDIA, LinkPart, Server, Switch, optics
from fabric.frozen import FrozenMapping, freeze
from fabric.request import Spec
from fabric.topology.topology import Bundle, Group, Topology

__all__ = ["FACTS", "SHARES", "Prices", "bundle_ends", "prices_of", "unknown"]

FACTS = ("price", "power", "maximum power", "height")
"""What may have to be known of every switch and link; the typical power stands for a maximum that is not known."""

STEPS_M = (2, 3, 5, 7, 10, 15, 20, 30, 50, 100)
"""The lengths in metres that bound the price of a link in steps, where parts are priced by the metre."""

SHARES = 10_000
"""The parts of a dollar in which electricity is counted, for each switch and link a whole number of them."""


@dataclass(frozen=True)
class Prices:
    """Prices in whole cents, so that the optimizer's sums are exact; None where nobody has said a price."""

    spec: Spec
    """The request, whose own prices come first."""
    link_gbps: int
    """The rate of a host link."""
    rates: Mapping[str, int] = field(default_factory=FrozenMapping)
    """The rate of the links of each bundle; that of a host link where left out."""
    ends: Mapping[str, Ends] = field(default_factory=FrozenMapping)
    """The cages at the two ends of each bundle's links; where there are none, only whole links fit."""

    def __post_init__(self) -> None:
        freeze(self)

    def rate(self, bundle: str) -> int:
        """Return the rate of a link of `bundle`."""
        return self.rates.get(bundle, self.link_gbps)

    def switch_cents(self, model: Switch) -> int | None:
        """Return the price of one switch."""
        return None if model.price_usd is None else round(100 * model.price_usd)

    @property
    def nic_cents(self) -> int:
        """The price of one NIC, 0 where the request does not count them."""
        return round(100 * (self.spec.nic_usd or 0))

    def electricity(self, power_w: float | None) -> int | None:
        """Return what a part of this power costs to run over the request's years, in whole `SHARES` of a dollar."""
        each = self.spec.electricity
        return None if each is None or power_w is None else round(SHARES * each * Fraction(str(power_w)))

    def switch_total(self, model: Switch) -> int | None:
        """Return the price and the electricity of one switch, in `SHARES` of a dollar."""
        return _total(self.switch_cents(model), self.electricity(model.power_w))

    def link_total(self, bundle: str) -> int | None:
        """Return the price and the electricity of one link of `bundle`, in `SHARES` of a dollar."""
        return _total(self.link_cents(bundle), self.electricity(self.link_power_w(bundle)))

    def link_cents(self, bundle: str) -> int | None:
        """Return the price of one link of `bundle`, with all its parts."""
        return self.cents_of(bundle, self.parts(bundle))

    def cents_of(self, bundle: str, found: Composition | None) -> int | None:
        """Return the price of one link of `bundle` of these parts: the request's own, or the sum of theirs."""
        asked = self.spec.link_price(bundle)
        if asked is not None:
            return round(100 * asked)
        return None if found is None or found.price_usd is None else round(100 * found.price_usd)

    def parts(self, bundle: str) -> Composition | None:
        """Return the parts of one link of `bundle`: the cheapest that fit, reach and are of the media asked for.

        Their power counts even where the request says the price. None where no known part has the rate.
        """
        if bundle not in self._chosen:
            found = choose_parts(self._wanted(bundle), *self._ends(bundle), self._offered)
            own = self.spec.link_price(bundle) is not None
            self._chosen[bundle] = replace(found, at_one_price=True) if found and own else found
        return self._chosen[bundle]

    def cheaper_parts(self, bundle: str) -> tuple[Composition, ...]:
        """Return the priced parts that may cost less a link than those of `bundle`, the cheapest first.

        What is priced by the metre counts as if it had none, since short links cost less; `price_at` says what each
        costs. Where those of the bundle have no price, all that have one; none where the request gives that of a link.
        """
        chosen, wanted = self.parts(bundle), replace(self._wanted(bundle), whole_cables=True)
        if chosen is None or chosen.at_one_price:
            return ()
        most = float("inf") if chosen.price_usd is None else chosen.price_usd
        found = list_compositions(wanted, *self._ends(bundle), self._offered)
        cheaper = [
            (price, each.joint.name, number, each)
            for number, each in enumerate(found)
            if each.reach_m and each != chosen and (price := each.price_at(0)) is not None and price < most
        ]
        return tuple(each for *_, each in sorted(cheaper, key=lambda each: each[:3]))

    def list_reaches(self, bundle: str) -> list[tuple[float, Fraction]]:
        """Return lengths in metres, the shortest first, with the least price of a link longer than the one before.

        They are those at which some parts of `bundle` end to reach, and some between where a part is priced by the
        metre; one without end where the request gives the price. No link is shorter than the slack of the site.
        """
        asked = self.spec.link_price(bundle)
        if asked is not None:
            return [(float("inf"), Fraction(str(asked)))]
        wanted = replace(self._wanted(bundle), whole_cables=True)
        found = list_compositions(wanted, *self._ends(bundle), self._offered)
        known = [(each.reach_m, each) for each in found if each.reach_m and each.price_at(0) is not None]
        farthest = max((reach for reach, _ in known), default=0)
        steps = STEPS_M if any(each.priced_by_metre for _, each in known) else ()
        reaches = sorted({reach for reach, _ in known} | {each for each in steps if each < farthest})
        slack = self.spec.site.slack_m
        return [
            (reach, min(each.price_at(max(before, slack)) or Fraction(0) for far, each in known if far >= reach))
            for before, reach in zip([0.0, *reaches], reaches, strict=False)
        ]

    def refusal(self, bundle: str) -> tuple[str, str] | None:
        """Return why no known parts make the links of `bundle` that the request asks for, after the key that asks.

        None where some do.
        """
        wanted = self._wanted(bundle)
        if self.parts(bundle) is not None:
            return None
        found = list_compositions(wanted, *self._ends(bundle), self._offered)
        what = f"{MEDIA[wanted.media]} " if wanted.media else ""
        if too_hot := self._find_too_hot(bundle):
            return "switches", f"{too_hot}; {_OWN}, or take another switch"
        if not found:
            asked = {"optics": self.spec.optics, "exclude_optics": self.spec.exclude_optics, "media": wanted.media}
            keys = [key for key, value in asked.items() if value]
            among = " among those that `optics` and `exclude_optics` leave" if {*keys} - {"media"} else ""
            text = f"no {what}part for {bundle} at {wanted.rate_gbps}G is known{among}; {_OWN}"
            return (keys[0], text) if keys else None
        known = [(each.reach_m, each.joint.name) for each in found if each.reach_m is not None]
        longest = "no reach is known" if not known else "the longest known is {:,g} m ({})".format(*max(known))
        text = f"no {what}part for {bundle} at {wanted.rate_gbps}G reaches {wanted.length_m:,g} m; {longest};"
        return "lengths_m", f"{text} {_OWN} with its reach_m"

    def _find_too_hot(self, bundle: str) -> str | None:
        """Return which parts would do if a cage gave as much power as they draw; None where none would."""
        limits = [end.power_w for end in self._ends(bundle) if end and end.power_w is not None]
        lower, upper = (end and replace(end, power_w=None) for end in self._ends(bundle))
        found = choose_parts(self._wanted(bundle), lower, upper, self._offered) if limits else None
        parts = " with ".join(part.name for part, _ in found.shares) if found else ""
        return f"{parts} for {bundle} draws more than the {min(limits):g} W that a cage gives" if found else None

    def link_power_w(self, bundle: str) -> float | None:
        """Return the typical power of the modules or plugs of one link of `bundle`."""
        return self.power_of(self.parts(bundle))[0]

    def link_max_power_w(self, bundle: str) -> float | None:
        """Return the maximum power of the modules or plugs of one link; typical where no maximum is known."""
        return self.power_of(self.parts(bundle))[1]

    @staticmethod
    def power_of(found: Composition | None) -> tuple[float | None, float | None]:
        """Return the typical and the maximum power of one link of these parts, as `link_power_w` and so on do."""
        watts = (None, None) if found is None else (found.power_w, found.max_power_w)
        typical, most = (None if each is None else float(each) for each in watts)
        return typical, most

    def _wanted(self, bundle: str) -> Wanted:
        media = self.spec.link_media(bundle)
        return Wanted(self.rate(bundle), self.spec.length_m(bundle), media, bool(media or self.spec.optics))

    def _ends(self, bundle: str) -> Ends:
        return self.ends.get(bundle, (None, None))

    @cached_property
    def _chosen(self) -> dict[str, Composition | None]:
        """The parts already chosen, by bundle: the optimizer asks many times."""
        return {}

    @cached_property
    def _offered(self) -> tuple[LinkPart, ...]:
        """The parts that the request allows: the catalogue's and its own, which replace those of the same name."""
        parts = {**optics(), **{part.name: part for part in self.spec.link_parts}}
        allowed = self.spec.optics or tuple(parts)
        return tuple(part for name, part in parts.items() if name in allowed and name not in self.spec.exclude_optics)


_OWN = "describe one under `links`"


def bundle_ends(
    servers: Mapping[str, Server],
    topology: Topology,
    planes: int,
    models: Mapping[str, Iterable[Switch]],
    rates: Mapping[str, int],
) -> Mapping[str, Ends]:
    """Return the cages at both ends of each bundle's links, with the servers and switch models that roles may have."""

    def end(bundle: Bundle, group: Group) -> End | None:
        if group in topology.server_groups:
            return end_of_server(servers[group.role], planes)
        upward, gbps = group == bundle.lower, rates[bundle.name]
        return end_of_switches((ports_of(model, upward) for model in models[group.role]), gbps) if gbps else None

    return FrozenMapping(
        {bundle.name: (end(bundle, bundle.lower), end(bundle, bundle.upper)) for bundle in topology.bundles}
    )


def prices_of(spec: Spec, blueprint: Blueprint) -> Prices:
    """Return the prices by which a blueprint was chosen: links fit every model that the request allowed."""
    spec, rates = replace(spec, server=blueprint.server), blueprint.bundle_rates
    servers = blueprint.servers_by_role
    ends = bundle_ends(servers, blueprint.topology, blueprint.planes, blueprint.allowed_models, rates)
    return Prices(spec, blueprint.link_gbps, rates, ends)


def _total(cents: int | None, electricity: int | None) -> int | None:
    return None if cents is None or electricity is None else SHARES // 100 * cents + electricity


def unknown(prices: Prices, fact: str, models: Iterable[Switch], bundles: Iterable[str]) -> tuple[str, ...]:
    """Return the parts of which `fact` (see `FACTS`) is not known, each once; where no part is, `400G link`."""
    names = [model.name for model in models if _of_switch(prices, fact, model) is None]
    for bundle in bundles:
        if _of_link(prices, fact, bundle) is None:
            names += _name_parts(prices, bundle, _OF_PART[fact])
    return tuple(dict.fromkeys(names))


_OF_PART = {"price": ("price_usd",), "power": ("power_w",), "maximum power": ("max_power_w", "power_w")}
"""The fields of a link part in which a fact is; a height is of switches only."""


def _name_parts(prices: Prices, bundle: str, facts: Iterable[str]) -> tuple[str, ...]:
    """Return the parts of a bundle's links that lack all of `facts`; the link itself where its parts are not known."""
    found = prices.parts(bundle)
    far = f" of {prices.spec.length_m(bundle):g} m" if prices.spec.length_m(bundle) else ""
    return found.without(*facts) if found else (f"{prices.rate(bundle)}G link{far}",)


def _of_switch(prices: Prices, fact: str, model: Switch) -> float | None:
    return {
        "price": prices.switch_cents(model),
        "power": model.power_w,
        "maximum power": model.peak_power_w,
        "height": model.rack_units,
    }[fact]


def _of_link(prices: Prices, fact: str, bundle: str) -> float | None:
    return {
        "price": prices.link_cents(bundle),
        "power": prices.link_power_w(bundle),
        "maximum power": prices.link_max_power_w(bundle),
        "height": 0,
    }[fact]
