"""The bill of materials: switches, links, modules, cables and cages, with their cost and power."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from fabric.blueprint import Blueprint
from fabric.blueprint.prices import SHARES, Prices
from fabric.topology.topology import Bundle, Group

__all__ = ["Bill", "BillRow", "bill", "priced_bill"]


@dataclass(frozen=True)
class BillRow:
    """One line of a bill: equal parts with one use."""

    kind: str
    """`switch`, `link`, `nic`, `module`, `cable` or `cage`."""
    part: str
    """The name of the part."""
    used_for: str
    """The role or the bundle that it is for."""
    quantity: int
    """The number of parts."""
    unit_price_usd: float | None = None
    """The price of one, in USD; None where it is not known, and where another row holds it."""
    unit_power_w: float | None = None
    """The power of one, in W; None where it is not known, and where another row holds it."""
    note: str = ""
    """A remark on the price."""

    @property
    def price_usd(self) -> float | None:
        """The price of all, in USD."""
        return None if self.unit_price_usd is None else self.quantity * self.unit_price_usd

    @property
    def power_w(self) -> float | None:
        """The power of all, in W."""
        return None if self.unit_power_w is None else self.quantity * self.unit_power_w


@dataclass(frozen=True)
class Bill:
    """The bill of materials of a fabric."""

    gpus: int
    """The number of GPUs."""
    rows: tuple[BillRow, ...]
    """Its lines. Switches, links and NICs carry the prices; a link's price includes its modules and fibre."""
    electricity_usd: float | None = None
    """Electricity for switches and modules over the years of the request, in USD; None where one figure is unknown."""

    def of(self, kind: str) -> tuple[BillRow, ...]:
        """Return the rows of one kind: `switch`, `link`, `nic` (where it is counted), `module`, `cable` or `cage`."""
        return tuple(row for row in self.rows if row.kind == kind)

    def quantity(self, kind: str) -> int:
        """Return the total quantity of one kind."""
        return sum(row.quantity for row in self.of(kind))

    def cost_usd(self, kind: str | None = None) -> float | None:
        """Return the cost of one kind, or of all; None when a part of it has no price."""
        kinds = [kind] if kind else ["switch", "link", "nic"]
        return _sum_known(row.price_usd for name in kinds for row in self.of(name))

    @property
    def power_w(self) -> float | None:
        """The power of switches and modules; None when a part's power is unknown. Servers are not counted."""
        return _sum_known(row.power_w for name in ("switch", "link") for row in self.of(name))


def bill(blueprint: Blueprint, prices: Prices) -> Bill:
    """Return the bill of materials of `blueprint`."""
    rows = [*_list_priced(blueprint, prices), *_list_modules(blueprint), *_list_cables(blueprint)]
    return Bill(blueprint.gpus, (*rows, *_list_cages(blueprint)), _sum_electricity(rows, prices))


def priced_bill(blueprint: Blueprint, prices: Prices) -> Bill:
    """Return the rows that carry prices; they need counts only, so sizes that can't be built have them too."""
    return Bill(blueprint.gpus, tuple(_list_priced(blueprint, prices)))


def _list_priced(blueprint: Blueprint, prices: Prices) -> Iterator[BillRow]:
    yield from _list_switches(blueprint, prices)
    yield from _list_links(blueprint, prices)
    yield from _list_nics(blueprint, prices)


def _sum_electricity(rows: Iterable[BillRow], prices: Prices) -> float | None:
    total = 0
    for row in rows:
        if row.kind in ("switch", "link"):
            each = prices.electricity(row.unit_power_w)
            if each is None:
                return None
            total += row.quantity * each
    return total / SHARES


def _list_switches(blueprint: Blueprint, prices: Prices) -> Iterator[BillRow]:
    for role in blueprint.topology.roles:
        for model, count in blueprint.model_counts(role):
            cents = prices.switch_cents(model)
            price = None if cents is None else cents / 100
            note = f"price of {model.price_date}" if model.price_date and price is not None else ""
            yield BillRow("switch", model.name, role, count, price, model.power_w, note)


def _list_links(blueprint: Blueprint, prices: Prices) -> Iterator[BillRow]:
    for bundle in blueprint.topology.bundles:
        cents = prices.link_cents(bundle.name)
        price = None if cents is None else cents / 100
        own = prices.spec.link_price(bundle.name) is not None
        optic = prices.part(bundle.name)
        part = optic.name if optic and not own else f"{blueprint.link_gbps}G link"
        asked = own or optic in prices.spec.link_parts
        note = ", ".join(["price from the request"] * asked + ["both modules and the fibre"] * (not own))
        yield BillRow("link", part, bundle.name, blueprint.links(bundle), price, prices.link_power_w(bundle.name), note)


def _list_nics(blueprint: Blueprint, prices: Prices) -> Iterator[BillRow]:
    """Yield all NICs of the servers, where the request gives their price."""
    if prices.spec.nic_usd is not None:
        part, count = f"{blueprint.server.nic_gbps}G NIC", blueprint.servers * blueprint.server.nics
        yield BillRow("nic", part, "server", count, prices.nic_cents / 100, note="price from the request")


def _list_modules(blueprint: Blueprint) -> Iterator[BillRow]:
    """Yield one module for each cage in use; in a cage of several ports it carries as many links."""
    nics = blueprint.servers * blueprint.server.nics
    yield BillRow("module", _name_module(blueprint, blueprint.planes), "server", nics, note="within the link's price")
    for group in blueprint.topology.switch_groups:
        for links, count in _count_cages(blueprint, group):
            yield BillRow("module", _name_module(blueprint, links), group.role, count, note="within the link's price")


def _name_module(blueprint: Blueprint, links: int) -> str:
    return f"{links} x {blueprint.link_gbps}G module" if links > 1 else f"{blueprint.link_gbps}G module"


def _count_cages(blueprint: Blueprint, group: Group) -> Iterator[tuple[int, int]]:
    """Yield, for each model of `group`, the links a cage holds and the cages in use, fewer where ports are free.

    The switches stand in the order of their models, and those with free ports last of all.
    """
    fills = [(count, ports) for count, ports in blueprint.port_fills(group) if count]
    for model, count in blueprint.model_counts(group.role):
        links, cages, left = model.links_per_cage(blueprint.link_gbps), 0, count
        while left:
            (equal, ports), *rest = fills
            taken = min(left, equal)
            cages += taken * -(-ports // links)
            left -= taken
            fills = [(equal - taken, ports), *rest] if equal > taken else rest
        yield links, cages


def _list_cables(blueprint: Blueprint) -> Iterator[BillRow]:
    """Yield one cable per link; links of one pair of devices share one when a cage at both ends holds them."""
    for bundle in blueprint.topology.bundles:
        links = _links_per_cable(blueprint, bundle)
        part = f"cable of {links} links" if links > 1 else "cable"
        quantity = -(-blueprint.links(bundle) // links)
        yield BillRow("cable", part, bundle.name, quantity, note="within the link's price")


def _links_per_cable(blueprint: Blueprint, bundle: Bundle) -> int:
    upper = _links_per_cage(blueprint, bundle.upper.role)
    if bundle in blueprint.topology.host_bundles:
        return min(blueprint.planes, upper)
    both = min(upper, _links_per_cage(blueprint, bundle.lower.role))
    return both if blueprint.sizes[bundle.name] % both == 0 else 1


def _links_per_cage(blueprint: Blueprint, role: str) -> int:
    """Return the links that a cage of any switch of `role` holds."""
    return min(model.links_per_cage(blueprint.link_gbps) for model, _ in blueprint.model_counts(role))


def _list_cages(blueprint: Blueprint) -> Iterator[BillRow]:
    """Yield all cages of the switches, used or not."""
    for role in blueprint.topology.roles:
        for model, count in blueprint.model_counts(role):
            cages = (model.cages or model.ports) * count
            yield BillRow("cage", model.name, role, cages, note="part of the switch")


def _sum_known(values: Iterable[float | None]) -> float | None:
    total = 0.0
    for value in values:
        if value is None:
            return None
        total += value
    return total
