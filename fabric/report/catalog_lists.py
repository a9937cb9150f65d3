"""The lists of `fabric list`: shipped topologies and tables, families and catalogue parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from fabric import catalog
from fabric.request import tables, topologies
from fabric.topology.families import Family, families, known_names

__all__ = ["LISTS", "Listing"]


class Listing(NamedTuple):
    """A list of plain values."""

    columns: Mapping[str, str]
    """The heads of its columns by their keys in JSON."""
    rows: Sequence[Sequence[Any]]
    """Its rows; None where a value is unknown."""

    def objects(self) -> list[dict[str, Any]]:
        """Return the rows as `--json` prints them."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


def list_topologies() -> Listing:
    from fabric.request.resolve import read_spec

    specs = [(name, read_spec(path, {}, names=known_names())) for name, path in topologies().items()]
    rows = [(name, spec.gpus, "|".join(spec.families), spec.server.name) for name, spec in specs]
    return Listing({"name": "name", "gpus": "GPUs", "family": "family", "server": "server"}, rows)


def list_tables() -> Listing:
    from fabric.studies.published_tables import read_published

    found = [read_published(name) for name in tables()]
    rows = [(table.name, len(table.fields.rows), table.fields.title) for table in found]
    return Listing({"name": "name", "fabrics": "fabrics", "title": "title"}, rows)


def list_families() -> Listing:
    columns = {
        "name": "name",
        "what it is": "description",
        "forms": "topologies",
        "tiers": "tiers",
        "any-to-any": "any-to-any",
        "virtual channels": "virtual channels",
        "reference": "reference",
    }
    return Listing(columns, [_make_family_row(item) for item in families().values()])


def _make_family_row(item: Family) -> tuple[Any, ...]:
    """Return a family's row; before each of its topologies stand the hops of its longest path."""
    tiers = sorted({form.tiers for form in item.forms})
    forms = [f"{form.diameter_text} hop{'s' if form.diameter_text != '1' else ''}: {form.text}" for form in item.forms]
    channels = {name: [form.virtual_channels[name] for form in item.forms] for name in item.forms[0].virtual_channels}
    return (
        item.name,
        item.title,
        forms,
        "none" if not item.layered else f"{tiers[0]}-{tiers[-1]}",
        "yes" if item.any_to_any else "no",
        ", ".join(f"{name} {_write_range(counts)}" for name, counts in channels.items()),
        item.reference,
    )


def _write_range(counts: list[int]) -> str:
    least, most = min(counts), max(counts)
    return str(least) if least == most else f"{least} to {most}"


def list_switches() -> Listing:
    columns = {
        "name": "name",
        "ports": "ports",
        "breakouts": "breakouts",
        "RU": "RU",
        "power_w": "power (W)",
        "price_usd": "price (USD)",
        "price_date": "price date",
    }
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
    return Listing(columns, rows)


def list_servers() -> Listing:
    columns = {
        "name": "name",
        "gpus": "GPUs",
        "nics": "NICs",
        "nvlink_GBps": "NVLink (GB/s)",
        "power_w": "power (W)",
    }
    rows: list[tuple[Any, ...]] = [
        (item.name, item.gpus, f"{item.nics}x{item.nic_gbps}G", item.nvlink_GBps, item.power_w)
        for item in catalog.servers().values()
    ]
    return Listing(columns, rows)


def list_optics() -> Listing:
    columns = {
        "name": "name",
        "kind": "kind",
        "rate_gbps": "rate (Gb/s)",
        "media": "medium",
        "reach_m": "reach (m)",
        "power_w": "power (W)",
        "price_usd": "price (USD)",
    }
    rows: list[tuple[Any, ...]] = [
        (item.name, item.kind, item.rate_gbps, item.media, item.reach_m, item.power_w, item.price_usd)
        for item in catalog.optics().values()
    ]
    return Listing(columns, rows)


def list_formats() -> Listing:
    """Return the formats of `fabric export`."""
    from fabric.export import FORMATS
    from fabric.view import READABLE

    columns = {
        "name": "name", "suffix": "suffix", "readers": "read by", "carries": "carries", "most_nodes": "max nodes"
    }  # fmt: skip
    rows: list[tuple[Any, ...]] = [
        (item.name, " ".join(item.suffixes), item.readers, item.carries, READABLE if item.picture else "no limit")
        for item in FORMATS.values()
    ]
    return Listing(columns, rows)


LISTS: Mapping[str, Callable[[], Listing]] = {
    "topologies": list_topologies,
    "tables": list_tables,
    "families": list_families,
    "switches": list_switches,
    "servers": list_servers,
    "optics": list_optics,
    "formats": list_formats,
}
"""The lists by name."""
