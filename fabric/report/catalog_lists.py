"""The lists of `fabric list`: shipped topologies and tables, families and catalogue parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from fabric import catalog
from fabric.catalog import Delivery, LinkPart, Switch
from fabric.report.listing import Listing
from fabric.report.text import format_percent
from fabric.report.training_lists import list_accelerators, list_models, list_software
from fabric.request import tables, topologies
from fabric.topology.families import Family, families, known_names

__all__ = ["LISTS"]


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
    """Return the switches; in the terminal facts share columns, so that they fit 80 characters."""
    columns = {
        "name": "name",
        "ports": "ports, Tb/s",
        "breakouts": "breakouts",
        "RU": "RU",
        "power_w": "power, max (W)",
        "price_usd": "price (USD)",
        "available": "sold from",
    }
    facts = [_switch_facts(item) for item in catalog.switches().values()]
    return Listing(columns, [_switch_row(item) for item in facts], facts)


def _switch_facts(item: Switch) -> dict[str, Any]:
    """Return a switch as `--json` prints it."""
    return {
        "name": item.name,
        "ports": f"{item.ports}x{item.rate_gbps}G",
        "uplinks": f"{item.uplinks.ports}x{item.uplinks.rate_gbps}G" if item.uplinks else None,
        "bandwidth_tbps": item.bandwidth_tbps,
        "breakouts": _write_breakouts(item.breakouts),
        "cages": item.cages,
        "cage": item.cage or None,
        "RU": item.rack_units,
        "power_w": item.power_w,
        "max_power_w": item.max_power_w,
        "latency_ns": item.latency_ns,
        "inner_hops": item.inner_hops,
        "price_usd": item.price_usd,
        "price_date": item.price_date or None,
        "available": item.available or None,
        "vendor_number": item.vendor_number or None,
        "adaptive_routing": item.adaptive_routing,
    }


def _write_breakouts(breakouts: Mapping[int, int] | None) -> str | None:
    """Return the breakouts in words, `none` where there are none; None where they are not known."""
    if breakouts is None:
        return None
    return " ".join(f"{ports}x{rate}G" for rate, ports in breakouts.items()) or "none"


def _switch_row(facts: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return the row of a switch in the terminal."""
    powers = [facts["power_w"], facts["max_power_w"] and f"max {facts['max_power_w']:,.10g}"]
    up = f" + {facts['uplinks']}" if facts["uplinks"] else ""
    return (
        facts["name"],
        f"{facts['ports']}{up} {facts['bandwidth_tbps']:g}",
        facts["breakouts"] or "unknown",
        facts["RU"],
        " ".join(each if isinstance(each, str) else f"{each:,.10g}" for each in powers if each) or None,
        facts["price_usd"] and f"{facts['price_usd']:,.10g} {facts['price_date'] or ''}".strip(),
        facts["available"],
    )


def list_servers() -> Listing:
    columns = {
        "name": "name",
        "gpus": "GPUs",
        "nics": "NICs",
        "cages": "cages",
        "RU": "RU",
        "nvlink_GBps": "NVLink (GB/s)",
        "power_w": "power (W)",
        "max_power_w": "max (W)",
    }
    rows: list[tuple[Any, ...]] = [
        (
            item.name,
            item.gpus,
            f"{item.nics}x{item.nic_gbps}G",
            item.cages or item.nics,
            item.rack_units,
            item.nvlink_GBps,
            item.power_w,
            item.max_power_w,
        )
        for item in catalog.servers().values()
    ]
    return Listing(columns, rows)


def list_optics() -> Listing:
    """Return the link parts; in the terminal facts share columns, so that they fit 80 characters."""
    columns = {
        "name": "name",
        "kind": "kind",
        "rate_gbps": "Gb/s",
        "ends": "ends",
        "reach_m": "reach (m)",
        "power_w": "W",
        "price_usd": "price (USD)",
    }
    facts = [_optic_facts(item) for item in catalog.optics().values()]
    return Listing(columns, [_optic_row(item) for item in facts], facts)


def _optic_facts(item: LinkPart) -> dict[str, Any]:
    """Return a link part as `--json` prints it."""
    return {
        "name": item.name,
        "kind": item.kind,
        "rate_gbps": item.rate_gbps,
        "media": item.media,
        "ends": _write_ends(item),
        "lanes": item.lanes,
        "reach_m": item.longest_m,
        "reach_by_fibre": dict(item.reach_by_fibre) or None,
        "lengths_m": list(item.lengths_m) or None,
        "power_w": item.power_w,
        "max_power_w": item.max_power_w,
        "price_usd": item.price_usd,
        "price_date": item.price_date or None,
        "vendor_number": item.vendor_number or None,
    }


def _write_ends(item: LinkPart) -> str | None:
    """Return the ends of a part: `osfp, 2 mpo12`, `mpo12 - 2 mpo12` or `osfp - 4 qsfp56`."""
    many = f"{item.connectors} " if item.connectors > 1 else ""
    if item.kind == "module":
        return ", ".join(filter(None, (item.form, f"{many}{item.connector}" if item.connector else ""))) or None
    near = item.connector or item.form or "any"
    far = f"{item.tails} " * (item.tails > 1) + (item.tail_form or near)
    return None if near == far == "any" else f"{near} - {far}"


def _optic_row(facts: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return the row of a link part in the terminal."""
    price = facts["price_usd"] and f"{facts['price_usd']:,.10g} {facts['price_date'] or ''}".strip()
    kind = f"{facts['kind']} {facts['media']}"
    power = facts["power_w"] or (facts["max_power_w"] and f"max {facts['max_power_w']:g}")
    return facts["name"], kind, facts["rate_gbps"], facts["ends"], facts["reach_m"], power, price


def list_formats() -> Listing:
    """Return the formats of `fabric export`."""
    from fabric.export import FORMATS, Format
    from fabric.view import READABLE

    columns = {
        "name": "name", "suffix": "suffix", "source": "written from", "readers": "read by", "carries": "carries",
        "witness": "shown by", "most_nodes": "max nodes",
    }  # fmt: skip
    rows: list[tuple[Any, ...]] = [
        (
            item.name,
            " ".join(item.suffixes) or "none of its own",
            "a view" if isinstance(item, Format) else "the plan",
            item.readers,
            item.carries,
            str(item.witness),
            READABLE if isinstance(item, Format) and item.picture else "no limit",
        )
        for item in FORMATS.values()
    ]
    return Listing(columns, rows, records=True)


def list_transports() -> Listing:
    """Return the transports; in the terminal numbers of one kind share a column."""
    from fabric.flow import TRANSPORTS

    columns = {
        "name": "name",
        "description": "what it is",
        "ordered": "on one path",
        "sprayed": "sprayed",
        "stream_rebalance": "rebalance: stream, message",
    }
    facts = [asdict(item) for item in TRANSPORTS.values()]
    rows = [
        (
            item.name,
            item.description,
            _write_delivery(item.ordered),
            _write_delivery(item.sprayed) or "not measured",
            f"{item.stream_rebalance:g}, {item.message_rebalance:g}",
        )
        for item in TRANSPORTS.values()
    ]
    return Listing(columns, rows, facts)


def list_failure_rates() -> Listing:
    """Return the failure rates of parts; the terminal leaves out their sources."""
    columns = {"name": "kind", "per_year": "failures a year", "repair_h": "repair (h)", "title": "what it is"}
    found = [*catalog.failure_rates().values()]
    rows = [
        (
            item.kind,
            None if item.per_year is None else f"{item.per_year:.2%}",
            None if item.repair_h is None else f"{item.repair_h:g}{' (assumed)' if item.repair_assumed else ''}",
            item.title,
        )
        for item in found
    ]
    return Listing(columns, rows, [{"name": item.kind, **asdict(item)} for item in found])


def _write_delivery(found: Delivery | None) -> str | None:
    """Return what a transport delivers, in words; None where that is not known."""
    if found is None:
        return None
    return f"{found.share:g}" + (f", -{format_percent(found.tier_cost, '.1f')} a tier" if found.tier_cost else "")


def list_measures() -> Listing:
    """Return the measures of a sweep, with their columns, and with their settings as a grid has them."""
    from fabric.sweeps import MEASURES

    rows, facts = list[tuple[str, ...]](), list[dict[str, Any]]()
    for item in MEASURES.values():
        columns = {column.name: column.description for column in item.columns}
        settings = {setting.name: setting.column.description for setting in item.settings}
        rows.append((item.name, item.description))
        rows += [(f"  {name}", what) for name, what in columns.items()]
        rows += [(f"  {item.name}.{name}", f"setting: {what}") for name, what in settings.items()]
        each = {"columns": columns, "settings": settings}
        facts.append(
            {"name": item.name, "description": item.description}
            | {key: [f"{name}: {what}" for name, what in found.items()] for key, found in each.items()}
        )
    return Listing({"name": "measure, with its columns and settings", "description": "what it is"}, rows, facts)


LISTS: Mapping[str, Callable[[], Listing]] = {
    "topologies": list_topologies,
    "tables": list_tables,
    "families": list_families,
    "switches": list_switches,
    "servers": list_servers,
    "optics": list_optics,
    "accelerators": list_accelerators,
    "models": list_models,
    "training-software": list_software,
    "formats": list_formats,
    "transports": list_transports,
    "failure-rates": list_failure_rates,
    "measures": list_measures,
}
"""The lists by name."""
