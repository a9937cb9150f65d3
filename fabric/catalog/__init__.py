"""The shipped catalogue: switches, servers, link parts and constants of collectives, each with its source."""

from __future__ import annotations

import math
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from fabric.catalog.parts import Collectives, Generation, Multicast, Optic, Protocol, Server, Shares, Steps, Switch

__all__ = [
    "Collectives",
    "Generation",
    "Optic",
    "Protocol",
    "Server",
    "Shares",
    "Steps",
    "Switch",
    "collectives",
    "link_part",
    "optics",
    "servers",
    "switches",
]


@cache
def switches() -> MappingProxyType[str, Switch]:
    """Return the shipped switch models by name."""
    rows = (
        row | {"breakouts": MappingProxyType(row["breakouts"])} if "breakouts" in row else row
        for row in _rows("switches")
    )
    return MappingProxyType({row["name"]: Switch(**row) for row in rows})


@cache
def servers() -> MappingProxyType[str, Server]:
    """Return the shipped servers by name."""
    return MappingProxyType({row["name"]: Server(**row) for row in _rows("servers")})


@cache
def optics() -> MappingProxyType[str, Optic]:
    """Return the shipped link parts by name."""
    rows = (row | {"splits": tuple(row.get("splits", ()))} for row in _rows("optics"))
    return MappingProxyType({row["name"]: Optic(**row) for row in rows})


@cache
def link_part(rate_gbps: int, own: tuple[Optic, ...] = (), length_m: float = 0) -> Optic | None:
    """Return the cheapest whole link that runs at `rate_gbps` over `length_m`; None where no part with a price does.

    `own` are parts in addition to the catalogue's, which replace those of the same name. A part without a stated reach
    has any length.
    """
    parts = {**optics(), **{optic.name: optic for optic in own}}.values()
    links = (optic for optic in parts if optic.kind == "link" and optic.price_usd is not None)
    fits = [optic for optic in links if optic.share(rate_gbps) and length_m <= (optic.reach_m or math.inf)]
    return min(fits, key=lambda optic: ((optic.price_usd or 0) * optic.share(rate_gbps), optic.name), default=None)


@cache
def collectives() -> Collectives:
    """Return the constants of the collective model."""
    data = _read("collectives")
    protocols = tuple(
        Protocol(row["name"], row["fill_GB"], Steps(**row["ring"]), Steps(**row["tree"]))
        for row in data.pop("protocols")
    )
    generations = {name: Generation(**row) for name, row in data.pop("generations").items()}
    return Collectives(protocols, generations, Multicast(**data.pop("nvls")), **data)


def _rows(name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = _read(name)
    return [row | ({"price_date": str(row["price_date"])} if "price_date" in row else {}) for row in rows]


def _read(name: str) -> Any:
    import yaml

    text = (files(__name__) / "data" / f"{name}.yaml").read_text(encoding="utf-8")
    return yaml.load(text, Loader=yaml.CSafeLoader)
