"""What a request says of switches and link parts that it and the catalogue do not have, or that disagrees."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from fabric import catalog
from fabric.errors import nearest
from fabric.request import chosen_parts
from fabric.request.document import Keys
from fabric.request.model import Request

__all__ = ["PART_CHECKS"]

Finding = tuple[Keys, str]


def _check_same_facts(request: Request) -> Iterator[Finding]:
    facts = {model.name: model for model in chosen_parts.any_switches(request)}
    for keys, model in chosen_parts.named_switches(request):
        if facts.setdefault(model.name, model) != model:
            yield keys, f"'{model.name}' is already the name of a switch with other facts; give this one another name"


def _check_price_names(request: Request) -> Iterator[Finding]:
    servers = {server.name for server in chosen_parts.chosen_servers(request)}
    switches = {*catalog.switches(), *chosen_parts.inline_switches(request)}
    known = {*switches, *catalog.optics(), *catalog.servers(), *servers}
    for name in request.prices_usd:
        if name not in known:
            yield ("prices_usd", name), f"unknown switch, server or link part '{name}'{nearest(name, known)}"
        elif name in servers & switches:
            yield ("prices_usd", name), "is the name of a server and of a switch; give one of them another name"
    for name in request.prices_usd_per_m:
        part = catalog.optics().get(name)
        if part is None:
            yield ("prices_usd_per_m", name), f"unknown link part '{name}'{nearest(name, catalog.optics())}"
        elif part.kind == "module":
            yield ("prices_usd_per_m", name), "is a module, which has no length; give the price of its fibre"


def _check_currency(request: Request) -> Iterator[Finding]:
    foreign = request.currency != "USD"
    if foreign and chosen_parts.asks_for_any(request) and not chosen_parts.any_switches(request):
        remedy = "name the switches, or give prices_usd"
        yield ("currency",), f"no switch has a price in {request.currency} for `switches: any` to choose by; {remedy}"


def _check_optics(request: Request) -> Iterator[Finding]:
    known = {*catalog.optics(), *(link.name for link in request.links)}
    for key, names in (("optics", request.optics), ("exclude_optics", request.exclude_optics)):
        for index, name in enumerate(names):
            if name not in known:
                yield (key, index), f"unknown link part '{name}'{nearest(name, known)}"


def _check_link_names(request: Request) -> Iterator[Finding]:
    """Check that each link part of the request has a name of its own; that of a catalogue part replaces it."""
    switches = {*catalog.switches(), *chosen_parts.inline_switches(request)}
    taken = set[str]()
    for index, link in enumerate(request.links):
        if link.name in taken or link.name in switches:
            what = "a switch" if link.name in switches else "another of `links`"
            yield ("links", index, "name"), f"'{link.name}' is already the name of {what}; give this one another name"
        taken.add(link.name)


def _check_stock_names(request: Request) -> Iterator[Finding]:
    known = {*catalog.switches(), *chosen_parts.inline_switches(request)}
    for name in request.available:
        if name not in known:
            yield ("available", name), f"unknown switch '{name}'{nearest(name, known)}"


PART_CHECKS: tuple[tuple[tuple[str, ...], Callable[[Request], Iterator[Finding]]], ...] = (
    (("switches", "prices_usd"), _check_same_facts),
    (("switches", "prices_usd", "prices_usd_per_m"), _check_price_names),
    (("switches", "prices_usd", "currency"), _check_currency),
    (("links", "optics", "exclude_optics"), _check_optics),
    (("links", "switches"), _check_link_names),
    (("switches", "available"), _check_stock_names),
)
"""Each check, with the keys that must be valid for it."""
