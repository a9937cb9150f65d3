"""The bill of materials: switches, links, modules, cables and cages, counted apart, with what they cost and draw."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from fabric.blueprint import Blueprint
from fabric.blueprint.prices import SHARES, Prices
from fabric.topology.topology import Bundle, Group

__all__ = ["Bill", "Row", "bill", "priced"]


@dataclass(frozen=True)
class Row:
    """One line of a bill. Prices and powers are None where no source gives them, and where another row holds them."""

    kind: str
    part: str
    used_for: str
    quantity: int
    unit_price_usd: float | None = None
    unit_power_w: float | None = None
    note: str = ""

    @property
    def price_usd(self) -> float | None:
        return None if self.unit_price_usd is None else self.quantity * self.unit_price_usd

    @property
    def power_w(self) -> float | None:
        return None if self.unit_power_w is None else self.quantity * self.unit_power_w


@dataclass(frozen=True)
class Bill:
    """What to order. Switches, links and NICs carry the prices (a link's holds its modules and fibre)."""

    gpus: int
    rows: tuple[Row, ...]
    electricity_usd: float | None = None
    """What switches and modules cost to run, by the request's years and price; None where one of them is unknown."""

    def of(self, kind: str) -> tuple[Row, ...]:
        """Return the rows of one kind: `switch`, `link`, `nic` (where it is counted), `module`, `cable` or `cage`."""
        return tuple(row for row in self.rows if row.kind == kind)

    def quantity(self, kind: str) -> int:
        """Return how many of one kind are needed in all."""
        return sum(row.quantity for row in self.of(kind))

    def cost_usd(self, kind: str | None = None) -> float | None:
        """Return the cost of one kind, or of all; None when a part of it has no price."""
        kinds = [kind] if kind else ["switch", "link", "nic"]
        return _sum(row.price_usd for name in kinds for row in self.of(name))

    @property
    def power_w(self) -> float | None:
        """The power of switches and modules; None when a part's power is unknown. Servers are not counted."""
        return _sum(row.power_w for name in ("switch", "link") for row in self.of(name))


def bill(blueprint: Blueprint, prices: Prices) -> Bill:
    """Return the bill of materials of `blueprint`."""
    rows = [*_priced(blueprint, prices), *_modules(blueprint), *_cables(blueprint)]
    return Bill(blueprint.gpus, (*rows, *_cages(blueprint)), _electricity(rows, prices))


def priced(blueprint: Blueprint, prices: Prices) -> Bill:
    """Return what carries the prices alone: it takes counts and no wires, so sizes that can't be built have it too."""
    return Bill(blueprint.gpus, tuple(_priced(blueprint, prices)))


def _priced(blueprint: Blueprint, prices: Prices) -> Iterator[Row]:
    yield from _switches(blueprint, prices)
    yield from _links(blueprint, prices)
    yield from _nics(blueprint, prices)


def _electricity(rows: Iterable[Row], prices: Prices) -> float | None:
    total = 0
    for row in rows:
        if row.kind in ("switch", "link"):
            each = prices.electricity(row.unit_power_w)
            if each is None:
                return None
            total += row.quantity * each
    return total / SHARES


def _switches(blueprint: Blueprint, prices: Prices) -> Iterator[Row]:
    for role in blueprint.topology.roles:
        for model, count in blueprint.boxes(role):
            cents = prices.switch_cents(model)
            price = None if cents is None else cents / 100
            note = f"price of {model.price_date}" if model.price_date and price is not None else ""
            yield Row("switch", model.name, role, count, price, model.power_w, note)


def _links(blueprint: Blueprint, prices: Prices) -> Iterator[Row]:
    for bundle in blueprint.topology.bundles:
        cents = prices.link_cents(bundle.name)
        price = None if cents is None else cents / 100
        own = prices.spec.link_price(bundle.name) is not None
        optic = prices.part(bundle.name)
        part = optic.name if optic and not own else f"{blueprint.link_gbps}G link"
        asked = own or optic in prices.spec.link_parts
        note = ", ".join(["price from the request"] * asked + ["both modules and the fibre"] * (not own))
        yield Row("link", part, bundle.name, blueprint.links(bundle), price, prices.link_power_w(bundle.name), note)


def _nics(blueprint: Blueprint, prices: Prices) -> Iterator[Row]:
    """All NICs of the servers, where the request gives their price."""
    if prices.spec.nic_usd is not None:
        part, count = f"{blueprint.server.nic_gbps}G NIC", blueprint.servers * blueprint.server.nics
        yield Row("nic", part, "server", count, prices.nic_cents / 100, note="price from the request")


def _modules(blueprint: Blueprint) -> Iterator[Row]:
    """One module in each cage in use; a cage of several ports carries as many links in one module."""
    nics = blueprint.servers * blueprint.server.nics
    yield Row("module", _module(blueprint, blueprint.planes), "server", nics, note="within the link's price")
    for group in blueprint.topology.switch_groups:
        for links, count in _cages_used(blueprint, group):
            yield Row("module", _module(blueprint, links), group.role, count, note="within the link's price")


def _module(blueprint: Blueprint, links: int) -> str:
    return f"{links} x {blueprint.link_gbps}G module" if links > 1 else f"{blueprint.link_gbps}G module"


def _cages_used(blueprint: Blueprint, group: Group) -> Iterator[tuple[int, int]]:
    """Yield, for each model of `group`, the links a cage holds and the cages in use, fewer where ports are free.

    The switches stand in the order of their models, and those with free ports last of all.
    """
    fills = [(count, ports) for count, ports in blueprint.port_fills(group) if count]
    for model, count in blueprint.boxes(group.role):
        links, cages, left = model.links_per_cage(blueprint.link_gbps), 0, count
        while left:
            (some, ports), *rest = fills
            taken = min(left, some)
            cages += taken * -(-ports // links)
            left -= taken
            fills = [(some - taken, ports), *rest] if some > taken else rest
        yield links, cages


def _cables(blueprint: Blueprint) -> Iterator[Row]:
    """One cable a link; links of one pair of devices share a cable when both ends' cages hold them together."""
    for bundle in blueprint.topology.bundles:
        links = _links_per_cable(blueprint, bundle)
        part = f"cable of {links} links" if links > 1 else "cable"
        quantity = -(-blueprint.links(bundle) // links)
        yield Row("cable", part, bundle.name, quantity, note="within the link's price")


def _links_per_cable(blueprint: Blueprint, bundle: Bundle) -> int:
    upper = _links_per_cage(blueprint, bundle.upper.role)
    if bundle in blueprint.topology.host_bundles:
        return min(blueprint.planes, upper)
    both = min(upper, _links_per_cage(blueprint, bundle.lower.role))
    return both if blueprint.sizes[bundle.name] % both == 0 else 1


def _links_per_cage(blueprint: Blueprint, role: str) -> int:
    """Return the links that a cage of any switch of `role` holds."""
    return min(model.links_per_cage(blueprint.link_gbps) for model, _ in blueprint.boxes(role))


def _cages(blueprint: Blueprint) -> Iterator[Row]:
    """All cages of the switches, used or not: what is bought with them."""
    for role in blueprint.topology.roles:
        for model, count in blueprint.boxes(role):
            cages = (model.cages or model.ports) * count
            yield Row("cage", model.name, role, cages, note="part of the switch")


def _sum(values: Iterable[float | None]) -> float | None:
    total = 0.0
    for value in values:
        if value is None:
            return None
        total += value
    return total
