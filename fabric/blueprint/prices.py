"""What one switch and one link cost and draw: the request's own prices first, then the catalogue's."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from fabric.catalog import Optic, Switch, link_part
from fabric.request import Spec

__all__ = ["FACTS", "SHARES", "Prices", "unknown", "unknown_maxima"]

FACTS = ("price", "power", "maximum power", "height")
"""What may have to be known of every switch and link; the typical power stands for a maximum that is not known."""

SHARES = 10_000
"""The parts of a dollar in which electricity is counted, for each switch and link a whole number of them."""


@dataclass(frozen=True)
class Prices:
    """Prices in whole cents, so that the optimizer's sums are exact; None where nobody has said a price."""

    spec: Spec
    """The request, whose own prices come first."""
    link_gbps: int
    """The rate of a link."""

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
        """Return the price of one link of `bundle`, both modules and the fibre."""
        asked = self.spec.link_price(bundle)
        if asked is not None:
            return round(100 * asked)
        part = self.part(bundle)
        if part is None or part.price_usd is None:
            return None
        return round(100 * part.price_usd * part.share(self.link_gbps))

    def part(self, bundle: str) -> Optic | None:
        """Return the cheapest link part at this rate that reaches as far as the links of `bundle` are long.

        Its power counts even where the request says the price.
        """
        return link_part(self.link_gbps, self.spec.link_parts, self.spec.length_m(bundle))

    def link_power_w(self, bundle: str) -> float | None:
        """Return the power of the modules of one link of `bundle`."""
        part = self.part(bundle)
        return None if part is None or part.power_w is None else part.power_w * part.share(self.link_gbps)

    def link_max_power_w(self, bundle: str) -> float | None:
        """Return the maximum power of the modules of one link of `bundle`, the typical where that is not known."""
        part = self.part(bundle)
        if part is None or part.max_power_w is None:
            return self.link_power_w(bundle)
        return part.max_power_w * part.share(self.link_gbps)

    def states_link_maximum(self, bundle: str) -> bool:
        """Say whether the maximum power of a link of `bundle` is known."""
        part = self.part(bundle)
        return part is not None and part.max_power_w is not None


def _total(cents: int | None, electricity: int | None) -> int | None:
    return None if cents is None or electricity is None else SHARES // 100 * cents + electricity


def unknown(prices: Prices, fact: str, models: Iterable[Switch], bundles: Iterable[str]) -> tuple[str, ...]:
    """Return the parts of which `fact` (see `FACTS`) is not known, each once: models, and `400G link`."""
    names = [model.name for model in models if _of_switch(prices, fact, model) is None]
    names += [_name_link(prices, bundle) for bundle in bundles if _of_link(prices, fact, bundle) is None]
    return tuple(dict.fromkeys(names))


def unknown_maxima(prices: Prices, models: Iterable[Switch], bundles: Iterable[str]) -> tuple[str, ...]:
    """Return the parts of which typical power is known and maximum power is not, each once."""
    names = [model.name for model in models if model.power_w is not None and model.max_power_w is None]
    for bundle in bundles:
        if prices.link_power_w(bundle) is not None and not prices.states_link_maximum(bundle):
            names.append(_name_link(prices, bundle))
    return tuple(dict.fromkeys(names))


def _name_link(prices: Prices, bundle: str) -> str:
    far = f" of {prices.spec.length_m(bundle):g} m" if prices.spec.length_m(bundle) else ""
    return f"{prices.link_gbps}G link{far}"


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
