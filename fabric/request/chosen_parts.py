"""The parts that a checked request names: taken from the catalogue, or built from the facts that stand in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from types import MappingProxyType
from typing import TypeVar

from fabric import catalog
from fabric.catalog import Optic, Server, Switch
from fabric.request.document import Keys
from fabric.request.model import Request
from fabric.request.parts import InlineServer, InlineSwitch, split_ports

__all__ = ["any_switches", "inline_switches", "link_parts", "named_switches", "server", "switches"]

Part = TypeVar("Part", Switch, Optic)

Choice = tuple[str, Keys, str | InlineSwitch]
"""A switch that a request allows: its role (`*` for every one), where that stands, and the name or the facts."""


def server(asked: str | InlineServer) -> Server:
    """Return the server that a request asks for."""
    return catalog.servers()[asked] if isinstance(asked, str) else Server(**asked.model_dump())


def switches(request: Request) -> dict[str, tuple[Switch, ...]]:
    """Return the models that a request allows by role, each once, at the prices that the request says."""
    found: dict[str, dict[str, Switch]] = {}
    for role, _, asked in _chosen(request):
        models = found.setdefault(role, {})
        for model in _any(request) if asked == "any" else [_at_price(_model(request, asked), request)]:
            models.setdefault(model.name, model)
    return {role: tuple(models.values()) for role, models in found.items()}


def named_switches(request: Request) -> Iterator[tuple[Keys, Switch]]:
    """Yield every switch that a request names or tells, with its place; `any` is none."""
    for _, keys, asked in _chosen(request):
        if asked != "any":
            yield keys, _model(request, asked)


def any_switches(request: Request) -> tuple[Switch, ...]:
    """Return the switches that `any` stands for wherever the request says it, as the catalogue has them."""
    if all(asked != "any" for _, _, asked in _chosen(request)):
        return ()
    return tuple(catalog.switches()[model.name] for model in _any(request))


def inline_switches(request: Request) -> dict[str, Switch]:
    """Return the switches whose facts stand in the request, by name; they may be named elsewhere in it."""
    return {asked.name: _built(asked) for _, _, asked in _chosen(request) if isinstance(asked, InlineSwitch)}


def link_parts(request: Request) -> tuple[Optic, ...]:
    """Return the request's own link parts, and those of the catalogue at its prices, which are of no date."""
    prices = request.prices_usd
    repriced = (_repriced(optic, prices[name]) for name, optic in catalog.optics().items() if name in prices)
    own = (Optic(kind="link", **{**asked.model_dump(), "splits": tuple(asked.splits)}) for asked in request.links)
    return (*repriced, *own)


def _chosen(request: Request) -> Iterator[Choice]:
    if not isinstance(request.switches, dict):
        yield from _flat("*", ("switches",), request.switches)
        return
    for role, asked in request.switches.items():
        yield from _flat(role, ("switches", role), asked)


def _flat(role: str, keys: Keys, asked: str | InlineSwitch | list[str | InlineSwitch]) -> Iterator[Choice]:
    if isinstance(asked, list):
        yield from ((role, (*keys, place), item) for place, item in enumerate(asked))
    else:
        yield role, keys, asked


def _any(request: Request) -> Iterator[Switch]:
    """Yield every switch of the catalogue with a known price, for cost decides between them."""
    priced = (_at_price(model, request) for model in catalog.switches().values())
    yield from (model for model in priced if model.price_usd is not None)


def _model(request: Request, asked: str | InlineSwitch) -> Switch:
    if isinstance(asked, InlineSwitch):
        return _built(asked)
    return catalog.switches().get(asked) or inline_switches(request)[asked]


def _at_price(model: Switch, request: Request) -> Switch:
    price = request.prices_usd.get(model.name)
    return model if price is None else _repriced(model, price)


def _repriced(part: Part, price: float) -> Part:
    return replace(part, price_usd=price, price_date="")


def _built(asked: InlineSwitch) -> Switch:
    offered = split_ports(asked.ports, asked.rate_gbps, asked.breakouts)
    return Switch(**asked.model_dump(exclude={"breakouts"}), breakouts=MappingProxyType(offered))
