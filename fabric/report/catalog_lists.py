"""What `fabric list` shows: shipped topologies, families and catalogue parts, as heads and rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fabric import catalog
from fabric.request import tables, topologies
from fabric.topology.families import Family, families, known_names

__all__ = ["Listing", "listing"]

Listing = tuple[tuple[str, ...], list[tuple[Any, ...]]]
"""Column heads and rows of plain values, None where a value is unknown."""


def listing(what: str) -> Listing:
    """Return the list called `what`: topologies, tables, families, switches, servers or optics."""
    makers: dict[str, Callable[[], Listing]] = {
        "topologies": _topologies,
        "tables": _tables,
        "families": _families,
        "switches": _switches,
        "servers": _servers,
        "optics": _optics,
    }
    return makers[what]()


def _topologies() -> Listing:
    from fabric.request.resolve import read_spec

    specs = [(name, read_spec(path, {}, names=known_names())) for name, path in topologies().items()]
    rows = [(name, spec.gpus, "|".join(spec.families), spec.server.name) for name, spec in specs]
    return ("name", "gpus", "family", "server"), rows


def _tables() -> Listing:
    from fabric.studies.published_tables import read_published

    found = [read_published(name) for name in tables()]
    return ("name", "fabrics", "title"), [(table.name, len(table.words.rows), table.words.title) for table in found]


def _families() -> Listing:
    heads = ("name", "what it is", "forms", "tiers", "any-to-any", "virtual channels", "reference")
    return heads, [_family(item) for item in families().values()]


def _family(item: Family) -> tuple[Any, ...]:
    """Return a family's row; each of its forms is written after the switches on its longest path."""
    tiers = sorted({form.tiers for form in item.forms})
    forms = [f"{form.diameter_text} hop{'s' if form.diameter_text != '1' else ''}: {form.text}" for form in item.forms]
    channels = {name: [form.virtual_channels[name] for form in item.forms] for name in item.forms[0].virtual_channels}
    return (
        item.name,
        item.title,
        forms,
        "none" if not item.layered else f"{tiers[0]}-{tiers[-1]}",
        "yes" if item.any_to_any else "no",
        ", ".join(f"{name} {_range(counts)}" for name, counts in channels.items()),
        item.reference,
    )


def _range(counts: list[int]) -> str:
    least, most = min(counts), max(counts)
    return str(least) if least == most else f"{least} to {most}"


def _switches() -> Listing:
    heads = ("name", "ports", "breakouts", "RU", "power_w", "price_usd", "price_date")
    rows = [
        (
            item.name,
            f"{item.ports}x{item.rate_gbps}G",
            " ".join(f"{ports}x{rate}G" for rate, ports in item.breakouts.items()) or None,
            item.rack_units,
            item.power_w,
            item.price_usd,
            item.price_date or None,
        )
        for item in catalog.switches().values()
    ]
    return heads, rows


def _servers() -> Listing:
    heads = ("name", "gpus", "nics", "nvlink_GBps", "power_w")
    rows: list[tuple[Any, ...]] = [
        (item.name, item.gpus, f"{item.nics}x{item.nic_gbps}G", item.nvlink_GBps, item.power_w)
        for item in catalog.servers().values()
    ]
    return heads, rows


def _optics() -> Listing:
    heads = ("name", "kind", "rate_gbps", "media", "reach_m", "power_w", "price_usd")
    rows: list[tuple[Any, ...]] = [
        (item.name, item.kind, item.rate_gbps, item.media, item.reach_m, item.power_w, item.price_usd)
        for item in catalog.optics().values()
    ]
    return heads, rows
