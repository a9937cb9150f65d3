"""A fabric that grows in stages: what each adds, which free ports its links take, and what it costs.

A stage is the same fabric with more places filled, so that every cable of one stage is in the next.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

from fabric.blueprint.bill import bill
from fabric.blueprint.bill_rows import Bill, BillRow
from fabric.blueprint.blueprint import Blueprint
from fabric.blueprint.prices import Prices
from fabric.catalog import Switch
from fabric.topology.topology import Bundle

__all__ = ["NewLinks", "Stage", "grow_blueprint", "list_stages"]


@dataclass(frozen=True)
class NewLinks:
    """The links that a stage adds to one bundle; each begins at a server or switch that is new."""

    bundle: str
    """The bundle."""
    links: int
    """The new links."""
    role: str
    """The role of the switches at their upper end."""
    free_ports: int
    """How many of them end in free ports of switches that are there already; the others end at new switches."""
    switches: int
    """How many switches that are there already get new links."""


@dataclass(frozen=True)
class Stage:
    """One stage of growth; the first is what is bought now."""

    blueprint: Blueprint
    """The fabric when the stage is complete."""
    bill: Bill
    """The bill of the whole fabric then."""
    added: Bill
    """What the stage adds to the one before."""
    new_links: tuple[NewLinks, ...]
    """The new links by bundle; those of the first stage have only new switches."""

    @property
    def gpus(self) -> int:
        """The GPUs when the stage is complete."""
        return self.blueprint.gpus


def list_stages(blueprint: Blueprint, gpus: Iterable[int], prices: Prices) -> tuple[Stage, ...]:
    """Return the stages of a fabric, today's first, with `gpus` GPUs in the others, more than today's and ascending."""
    grown = [blueprint, *(grow_blueprint(blueprint, each) for each in gpus)]
    bills = [bill(each, prices) for each in grown]
    first = Stage(blueprint, bills[0], bills[0], tuple(_find_new_links(None, blueprint)))
    later = [
        Stage(after, after_bill, _subtract(before_bill, after_bill), tuple(_find_new_links(before, after)))
        for (before, after), (before_bill, after_bill) in zip(pairwise(grown), pairwise(bills), strict=True)
    ]
    return (first, *later)


def grow_blueprint(blueprint: Blueprint, gpus: int) -> Blueprint:
    """Return the fabric with `gpus` GPUs, in the places that it has.

    Switches that are added are of the main model of their role; where its stock is limited, of those that remain.
    """
    servers = blueprint.servers_for(gpus)
    sizes = blueprint.topology.complete_sizes(blueprint.sizes, blueprint.server.nics, servers)
    grown = replace(blueprint, sizes=sizes, gpus=gpus, mixes={}, today=blueprint)
    mixes = {role: _extend_mix(blueprint, grown, role) for role in {**blueprint.mixes, **blueprint.growth}}
    models = {role: max(mix, key=lambda pair: pair[1])[0] for role, mix in mixes.items()}
    several = {role: mix for role, mix in mixes.items() if len(mix) > 1}
    return replace(grown, models={**grown.models, **models}, mixes=several)


def _extend_mix(blueprint: Blueprint, grown: Blueprint, role: str) -> tuple[tuple[Switch, int], ...]:
    """Return the models of a role with the switches that are added at the end, first those of the main model."""
    counts, more = list(blueprint.model_counts(role)), grown.devices(role) - blueprint.devices(role)
    main = blueprint.models[role]
    later = sorted(blueprint.growth.get(role, ((main, more),)), key=lambda pair: pair[0] != main)
    for model, most in later:
        taken = min(more, most)
        more -= taken
        before = counts.pop()[1] if counts[-1][0] == model else 0
        counts.append((model, before + taken))
    return tuple(pair for pair in counts if pair[1])


def _find_new_links(before: Blueprint | None, after: Blueprint) -> Iterator[NewLinks]:
    for bundle in after.topology.bundles:
        links = after.links(bundle) - (before.links(bundle) if before else 0)
        switches, ports = _fill_free_ports(before, after, bundle) if before else (0, 0)
        if links:
            yield NewLinks(bundle.name, links, bundle.upper.role, ports, switches)


def _fill_free_ports(before: Blueprint, after: Blueprint, bundle: Bundle) -> tuple[int, int]:
    """Return how many switches of `before` get links of `bundle` in `after`, and how many ports these take.

    A switch has all links up and across from the day it is there, so that only its ports down are filled later. Those
    of `before` come first among those of `after`, because places are filled in order.
    """
    old, new = _ports_in_order(before, bundle), _ports_in_order(after, bundle)
    switches = ports = 0
    while old and new:
        count = min(old[-1][0], new[-1][0])
        more = new[-1][1] - old[-1][1]
        switches, ports = switches + (count if more else 0), ports + count * more
        _take(old, count)
        _take(new, count)
    return switches, ports


def _take(fills: list[tuple[int, int]], count: int) -> None:
    """Take `count` switches from the end."""
    left, ports = fills.pop()
    if left > count:
        fills.append((left - count, ports))


def _ports_in_order(blueprint: Blueprint, bundle: Bundle) -> list[tuple[int, int]]:
    """Return the ports in use by number of switches, the first switches last."""
    return [fill for fill in reversed(blueprint.port_fills(bundle.upper)) if fill[0]]


def _subtract(before: Bill, after: Bill) -> Bill:
    """Return the rows that `after` has more than `before`, with the spares that are more."""
    had, has, rows = _quantities(before.rows), _quantities(after.rows), list[BillRow]()
    first = {_key(row): row for row in reversed(after.rows)}
    for key, (quantity, spares) in has.items():
        parts, spare = had.get(key, (0, 0))
        if quantity > parts:
            rows.append(replace(first[key], quantity=quantity - parts, spares=spares - spare))
    return Bill(after.gpus - before.gpus, tuple(rows), currency=after.currency)


def _quantities(rows: Iterable[BillRow]) -> Mapping[tuple[str, str, str], tuple[int, int]]:
    """Return the parts and the spares of equal rows."""
    found: dict[tuple[str, str, str], tuple[int, int]] = {}
    for row in rows:
        parts, spares = found.get(_key(row), (0, 0))
        found[_key(row)] = parts + row.quantity, spares + row.spares
    return found


def _key(row: BillRow) -> tuple[str, str, str]:
    return row.kind, row.part, row.used_for
