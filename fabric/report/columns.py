"""The tables of a design, each said once: its title, its columns and its rows, for every renderer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from fabric import units
from fabric.blueprint.bill_rows import UNPOWERED, Bill, BillRow
from fabric.blueprint.stages import Stage
from fabric.report.design import Design, LinkBundle, SwitchTier
from fabric.report.growth import StagePart, list_stage_parts
from fabric.report.near_optima import list_near_optima, name_near
from fabric.report.objectives import heading_of, write_value
from fabric.report.table import Table
from fabric.report.text import count_models, describe_rates, format_percent

__all__ = ["Column", "DesignTable", "list_tables", "text_table"]


@dataclass(frozen=True)
class Column:
    """A column of a table: its head, and what it shows of a row."""

    head: str
    """Its heading."""
    value: Callable[[Any], Any]
    """The value of a row by which it sorts: a number, text, or None where it is not known."""
    write: Callable[[Any], str] = str
    """How a value is written."""
    text: Callable[[Any], str] | None = None
    """How a row is written, where that takes more than the value."""
    amount: Callable[[Any, str], str] | None = None
    """How a row is written with the currency, in a column of prices."""
    missing: str = "unknown"
    """What is shown for None."""
    short: str = ""
    """A shorter head for a terminal; empty for the head itself."""

    def cell(self, row: Any) -> str:
        """Return the text of the column's cell in a row."""
        value = self.value(row)
        if value is None:
            return self.missing
        return self.text(row) if self.text else self.write(value)


@dataclass(frozen=True)
class DesignTable:
    """A table of a design."""

    name: str
    """What it is called among the tables: `switches`, `links`, `bill`, `stages`, `hops` and so on."""
    title: str
    """Its heading."""
    columns: Sequence[Column]
    """Its columns."""
    rows: Sequence[Any]
    """Its rows, of which the columns read their values."""
    total: Sequence[str] = ()
    """The cells of a last row with totals; empty for none."""


def _attribute(name: str) -> Callable[[Any], Any]:
    return lambda row: getattr(row, name)


def _column(head: str, name: str, write: Callable[[Any], str] = str) -> Column:
    return Column(head, _attribute(name), write)


def _price_column(head: str, name: str) -> Column:
    return Column(head, _attribute(name), amount=lambda row, currency: units.money(getattr(row, name), currency))


def _cost_column(head: str, bill: Callable[[Stage], Bill]) -> Column:
    return Column(
        head,
        lambda stage: bill(stage).cost_usd(),
        amount=lambda stage, currency: units.money(bill(stage).cost_usd(), currency),
    )


def _stage_column(head: str, name: str) -> Column:
    return Column(head, partial(_priced, name), amount=partial(_write_price, name))


def _bind_currency(column: Column, amount: Callable[[Any, str], str], currency: str) -> Column:
    return replace(column, text=lambda row: amount(row, currency))


def _in_currency(columns: Sequence[Column], currency: str) -> tuple[Column, ...]:
    """Return columns of which those of prices are written in a currency."""
    return tuple(_bind_currency(column, column.amount, currency) if column.amount else column for column in columns)


def _write_models(tier: SwitchTier) -> str:
    return tier.model if len(tier.models) == 1 else count_models(tier.models)


def _write_ports_now(tier: SwitchTier) -> str:
    """Return the ports of one switch that are connected now: `64`, or `32-64` where switches differ."""
    least, most = tier.ports.least, tier.ports.most
    return units.count(most) if least == most else f"{units.count(least)}-{units.count(most)}"


def _priced(name: str, each: StagePart) -> float | None:
    """Return a price of a part; 0 where that of the link includes it."""
    price: float | None = getattr(each.row, name)
    return price if each.row.counted else 0


def _write_price(name: str, each: StagePart, currency: str) -> str:
    return units.money(getattr(each.row, name), currency) if each.row.counted else "in the link"


def _write_power(row: BillRow) -> str:
    return "-" if row.kind in UNPOWERED else units.power(row.power_w)


SWITCHES = (
    _column("role", "role"),
    _column("count", "count", units.count),
    Column("model", _attribute("model"), text=_write_models),
    Column("ports down", _attribute("ports_down"), units.count, short="down"),
    Column("ports up", _attribute("ports_up"), units.count, short="up"),
    Column("ports now", lambda tier: tier.ports.most, text=_write_ports_now),
    Column("when full", lambda tier: tier.ports.full, text=lambda tier: f"{tier.ports.full} of {tier.radix}"),
    Column("free in tier", lambda tier: tier.ports.free, units.count, short="free"),
    Column("oversubscription", _attribute("oversubscription"), "{:.4g}:1".format, missing="-", short="oversub."),
)
LINKS = (
    _column("bundle", "name"),
    _column("links", "links", units.count),
    _column("links per pair", "per_pair", "{:.4g}".format),
    _column("cables", "cables", units.count),
    _price_column("unit price", "unit_price_usd"),
    _price_column("total", "price_usd"),
)
BILL = (
    _column("part", "part"),
    _column("used for", "used_for"),
    _column("quantity", "quantity", units.count),
    _price_column("unit price", "unit_price_usd"),
    _price_column("total", "price_usd"),
    Column("power", lambda row: 0 if row.kind in UNPOWERED else row.power_w, text=_write_power),
)
ALLREDUCE = (
    _column("size", "size_bytes", units.size),
    _column("routing", "routing"),
    _column("algorithm", "algorithm"),
    _column("time", "time_s", units.time),
    _column("algbw GB/s", "algbw_GBps", "{:,.1f}".format),
    _column("busbw GB/s", "busbw_GBps", "{:,.1f}".format),
    _column("limited by", "limited_by"),
)
STAGES = (
    _column("GPUs", "gpus", units.count),
    Column("switches", lambda stage: stage.added.quantity("switch"), units.count),
    Column("modules", lambda stage: stage.added.quantity("module"), units.count),
    Column("cables", lambda stage: stage.added.quantity("fibre", "cable"), units.count),
    _cost_column("cost", lambda stage: stage.added),
    _cost_column("so far", lambda stage: stage.bill),
)
STAGE_PARTS = (
    _column("GPUs", "gpus", units.count),
    Column("part", lambda each: each.row.part),
    Column("used for", lambda each: each.row.used_for),
    Column("new", lambda each: each.row.quantity, units.count),
    _stage_column("unit price", "unit_price_usd"),
    _stage_column("cost", "price_usd"),
)
NEAR = (
    _column("alternative", "what"),
    _column("fabric", "fabric"),
    Column("GPUs per pod", lambda row: row.blueprint.pod_gpus, units.count, missing="-"),
    Column("GPUs per unit", lambda row: row.blueprint.unit_gpus, units.count, missing="-"),
    Column("links per pair", lambda row: row.blueprint.parallel_links, units.count),
)
HOPS = (
    Column("hops", lambda row: row[0]),
    Column("share of GPU pairs", lambda row: row[1], lambda share: f"{100 * share:.4f} %"),
)
EXPECTED = (
    _column("number", "key"),
    _column("published", "published", units.number),
    _column("designed", "designed", units.number),
    Column("matches", lambda number: "yes" if number.ok else "NO"),
)


def list_tables(design: Design) -> Iterator[DesignTable]:
    """Yield the tables of a design, in the order in which they are read, with amounts in its currency."""
    for table in _list_tables(design):
        columns = table.columns if design.spec.gpus else _without_gpus(table.columns)
        yield replace(table, columns=_in_currency(columns, design.spec.currency))


def _without_gpus(columns: Sequence[Column]) -> list[Column]:
    """Return the columns of a fabric on which no GPU stands: none counts GPUs, and pairs are of endpoints."""
    kept = (column for column in columns if not column.head.startswith("GPUs"))
    return [replace(column, head=column.head.replace("GPU", "endpoint")) for column in kept]


def _list_tables(design: Design) -> Iterator[DesignTable]:
    yield DesignTable("switches", "Switches", SWITCHES, design.switches)
    title = f"Links {describe_rates(design.blueprint)}"
    yield DesignTable("links", title, LINKS, design.links, _total_links(design.links, design))
    total = ("total", "", "", "", design.write_money(design.cost.total), units.power(design.power_w))
    yield DesignTable("bill", "Bill of materials", BILL, design.bill_rows, total)
    if stages := design.study.stages:
        yield DesignTable("stages", "Stages: bought now, and added later", STAGES, stages)
        yield DesignTable("stage_parts", "Parts of each stage", STAGE_PARTS, list_stage_parts(stages))
    if near := list_near_optima(design):
        yield DesignTable("near", name_near(design), [*NEAR, *_objective_columns(design)], near)
    if design.allreduce:
        yield DesignTable(
            "allreduce",
            "Estimated all-reduce, servers in random order",
            ALLREDUCE,
            (*design.allreduce, *design.allreduce_in_network),
        )
    yield DesignTable("hops", "Hops", HOPS, tuple(design.study.hops.shares.items()))
    if design.expected:
        yield DesignTable("expected", "Published numbers", EXPECTED, design.expected)


def _objective_columns(design: Design) -> list[Column]:
    """Return the columns on the first objective of an alternative, and on how far it is above the optimum."""
    name = design.proof.objective_name
    write = partial(write_value, name, currency=design.spec.currency)
    more = Column("more", _attribute("more"), partial(format_percent, form="+.2f"), missing="-")
    return [Column(heading_of(name), _attribute("objective"), write), more]


def _total_links(links: Sequence[LinkBundle], design: Design) -> tuple[str, ...]:
    cables = units.count(sum(bundle.cables for bundle in links))
    return "total", units.count(design.links_total), "", cables, "", design.write_money(design.cost.links)


def text_table(table: DesignTable, *, title: bool = True, short: bool = False) -> Table:
    """Return a table with its cells as text, its totals last; without its title, or with `short` heads."""
    rows = [tuple(column.cell(row) for column in table.columns) for row in table.rows]
    heads = tuple(column.short if short and column.short else column.head for column in table.columns)
    return Table(table.title if title else "", heads, [*rows, *([table.total] if table.total else [])])
