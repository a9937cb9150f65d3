"""The parts that a valid request chooses: taken from the catalogue, or built from the facts that it gives."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import TypeVar

from fabric import catalog
from fabric.catalog import LinkPart, PortGroup, Server, Switch
from fabric.frozen import FrozenMapping
from fabric.request.breakouts import split_ports
from fabric.request.document import Keys
from fabric.request.model import Request
from fabric.request.parts import InlinePorts, InlineServer, InlineSwitch

__all__ = [
    "any_switches",
    "asks_for_any",
    "chosen_servers",
    "chosen_switches",
    "discount_price",
    "host_gbps",
    "inline_switches",
    "is_host",
    "link_parts",
    "named_switches",
    "rates_between_switches",
]

Part = TypeVar("Part", Switch, LinkPart, Server)

Device = TypeVar("Device", Switch, Server)

Choice = tuple[str, Keys, str | InlineSwitch]
"""A switch that a request allows: its role (`*` for every role), its place, and its name or its facts."""


def chosen_servers(request: Request) -> tuple[Server, ...]:
    """Return the server that a request asks for; of unlike servers those of every kind, as they are listed.

    They have the prices of the request.
    """
    asked = [request.server] if request.servers is None else [kind.server for kind in request.servers]
    return tuple(_price_server(request, _find_server(each)) for each in asked if each is not None)


def _price_server(request: Request, server: Server) -> Server:
    return _at_price(request, "server", server, listed=server == catalog.servers().get(server.name))


def _find_server(asked: str | InlineServer) -> Server:
    if isinstance(asked, str):
        return catalog.servers()[asked]
    return Server(**asked.model_dump() | {"nic_names": tuple(asked.nic_names)})


def chosen_switches(request: Request) -> dict[str, tuple[Switch, ...]]:
    """Return the models that a request allows by role, without duplicates, at the prices of the request."""
    found: dict[str, dict[str, Switch]] = {}
    for role, _, asked in _switch_choices(request):
        models = found.setdefault(role, {})
        every = _priced_switches(request) if asked == "any" else [_price_switch(request, _find_model(request, asked))]
        for model in every:
            models.setdefault(model.name, model)
    return {role: tuple(models.values()) for role, models in found.items()}


def named_switches(request: Request) -> Iterator[tuple[Keys, Switch]]:
    """Yield every switch that a request names or describes, with its place; `any` is left out."""
    for _, keys, asked in _switch_choices(request):
        if asked != "any":
            yield keys, _find_model(request, asked)


def asks_for_any(request: Request) -> bool:
    """Say whether a request lets a tier choose from all switches with a price."""
    return any(asked == "any" for _, _, asked in _switch_choices(request))


def any_switches(request: Request) -> tuple[Switch, ...]:
    """Return the switches that `any` stands for, as the catalogue has them; none where the request has no `any`."""
    if not asks_for_any(request):
        return ()
    return tuple(catalog.switches()[model.name] for model in _priced_switches(request))


def inline_switches(request: Request) -> dict[str, Switch]:
    """Return the switches that the request describes, by name; other keys of it may use the names."""
    return {
        asked.name: _build_switch(asked) for _, _, asked in _switch_choices(request) if isinstance(asked, InlineSwitch)
    }


def link_parts(request: Request) -> tuple[LinkPart, ...]:
    """Return the catalogue's link parts that the request prices, undated, or discounts, and then its own."""
    repriced = (_priced_optic(request, optic) for optic in catalog.optics().values())
    changed = (part for part in repriced if part != catalog.optics()[part.name])
    own = (LinkPart(kind="link", **{**asked.model_dump(), "splits": tuple(asked.splits)}) for asked in request.links)
    return (*changed, *(_discount_part(request, part) for part in own))


def host_gbps(request: Request, nic_gbps: int) -> int:
    """Return the most that a host link may run at, whatever its bundle: `nic_gbps` where the request does not say."""
    asked = request.link_gbps
    if isinstance(asked, dict):
        return min((rate for name, rate in asked.items() if is_host(name)), default=nic_gbps)
    return asked or nic_gbps


def rates_between_switches(request: Request) -> dict[str, int]:
    """Return the rates that the request gives for links between switches, by bundle."""
    asked = request.link_gbps if isinstance(request.link_gbps, dict) else {}
    return {name: rate for name, rate in asked.items() if not is_host(name)}


def is_host(bundle: str) -> bool:
    """Say whether a bundle is of links from the servers."""
    return bundle.startswith("server-")


def _switch_choices(request: Request) -> Iterator[Choice]:
    if not isinstance(request.switches, dict):
        yield from _flatten_choice("*", ("switches",), request.switches)
        return
    for role, asked in request.switches.items():
        yield from _flatten_choice(role, ("switches", role), asked)


def _flatten_choice(role: str, keys: Keys, asked: str | InlineSwitch | list[str | InlineSwitch]) -> Iterator[Choice]:
    if isinstance(asked, list):
        yield from ((role, (*keys, index), item) for index, item in enumerate(asked))
    else:
        yield role, keys, asked


def _priced_switches(request: Request) -> Iterator[Switch]:
    """Yield every switch of the catalogue that has a price: without one, cost could not choose between them."""
    priced = (_price_switch(request, model) for model in catalog.switches().values())
    yield from (model for model in priced if model.price_usd is not None)


def _find_model(request: Request, asked: str | InlineSwitch) -> Switch:
    if isinstance(asked, InlineSwitch):
        return _build_switch(asked)
    return catalog.switches().get(asked) or inline_switches(request)[asked]


def _price_switch(request: Request, model: Switch) -> Switch:
    return _at_price(request, "switch", model, listed=model == catalog.switches().get(model.name))


def _at_price(request: Request, kind: str, device: Device, listed: bool) -> Device:
    """Return a device of a kind at the request's price, or that of the catalogue where it is `listed`, discounted."""
    own = _with_own_price(device, request, listed)
    return own if own.price_usd is None else replace(own, price_usd=discount_price(request, kind, own.price_usd))


def _priced_optic(request: Request, part: LinkPart) -> LinkPart:
    """Return a part of the catalogue at the price of the request; an offer is a link to buy where it is named."""
    named = part.name in {*request.optics, *request.prices_usd, *request.prices_usd_per_m}
    bought = replace(part, kind="link") if part.kind == "offer" and named else part
    priced = _with_own_price(bought, request, listed=True)
    if part.name in request.prices_usd_per_m:
        priced = replace(priced, price_usd_per_m=request.prices_usd_per_m[part.name], price_date="")
    return _discount_part(request, priced)


def _discount_part(request: Request, part: LinkPart) -> LinkPart:
    one, metre = part.price_usd, part.price_usd_per_m
    share = _discount(request, part.kind)
    return replace(
        part,
        price_usd=None if one is None else discount_price(request, part.kind, one),
        price_usd_per_m=None if metre is None else float(Fraction(str(metre)) * (1 - share)),
    )


def discount_price(request: Request, kind: str, price: float) -> float:
    """Return a price less the discount on its kind of part, in whole cents."""
    share = _discount(request, kind)
    return float(round(Fraction(str(price)) * (1 - share), 2)) if share else price


def _discount(request: Request, kind: str) -> Fraction:
    """Return the share that is taken off the prices of a kind of part."""
    discount = request.discount
    shares = {str(name): share for name, share in discount.items()} if isinstance(discount, dict) else {kind: discount}
    return Fraction(str(shares.get(kind, 0)))


def _with_own_price(part: Part, request: Request, listed: bool) -> Part:
    """Return a part at the request's price; without, one `listed` in the catalogue has a price in USD only."""
    price = request.prices_usd.get(part.name)
    if price is None and (not listed or request.currency == "USD"):
        return part
    return replace(part, price_usd=price, price_date="")


def _build_switch(asked: InlineSwitch) -> Switch:
    facts = asked.model_dump(exclude={"breakouts", "uplinks", "uplink_gbps"})
    return Switch(**facts, breakouts=_breakouts_of(asked), uplinks=_uplinks_of(asked))


def _breakouts_of(asked: InlinePorts) -> FrozenMapping[int, int] | None:
    if asked.breakouts is None:
        return None
    return FrozenMapping(split_ports(asked.ports, asked.rate_gbps, asked.breakouts))


def _uplinks_of(asked: InlineSwitch) -> PortGroup | None:
    if asked.uplinks is None:
        return None
    name = f"{asked.name} uplinks"
    if isinstance(asked.uplinks, int):
        return PortGroup(name, asked.uplinks, asked.uplink_gbps or asked.rate_gbps)
    facts = asked.uplinks.model_dump(exclude={"breakouts", "name"})
    return PortGroup(asked.uplinks.name or name, **facts, breakouts=_breakouts_of(asked.uplinks))
