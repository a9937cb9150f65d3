"""Tables of published fabrics checked against what is designed for the same requests, cell by cell."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from fabric.blueprint import Blueprint
from fabric.blueprint.bill import priced_bill
from fabric.blueprint.prices import prices_of
from fabric.errors import Infeasible, InputError
from fabric.request import Document, Spec
from fabric.request.published_table import PublishedTable, RowFields, read_table
from fabric.request.resolve import read_spec
from fabric.studies.study import Study, design
from fabric.topology.clos import filled_name
from fabric.topology.families import known_names

__all__ = ["CheckedTable", "PublishedCell", "PublishedRow", "check_table", "read_published"]


@dataclass(frozen=True)
class PublishedCell:
    """A published number with what is computed for it."""

    name: str
    """Which number of a fabric it is (docs/tables.md)."""
    published: float
    """The published number."""
    ours: float | None
    """Our number; None where there is none: no fabric, or no price."""
    within: float = 0
    """The relative tolerance that the rounding of the published number needs."""
    formula: float | None = None
    """The topology's count at the sizes that the source used, where those can't be built."""
    why: str = ""
    """The table's explanation of a difference."""

    @property
    def change(self) -> float | None:
        """How far ours is from the published number, relative to it; None where that can't be said."""
        return None if self.ours is None or not self.published else self.ours / self.published - 1

    @property
    def verdict(self) -> str:
        """`agrees`, `explained` or `differs`; a formula must agree for a difference to be explained."""
        if self._matches(self.ours):
            return "agrees"
        return "explained" if self.why and (self.formula is None or self._matches(self.formula)) else "differs"

    def _matches(self, number: float | None) -> bool:
        rounding = 1e-9  # of sums in binary fractions
        return number is not None and abs(number - self.published) <= (self.within + rounding) * abs(self.published)


@dataclass(frozen=True)
class PublishedRow:
    """A published fabric with the design for its request."""

    fields: RowFields
    """The row of the table."""
    cells: tuple[PublishedCell, ...]
    """Its numbers."""
    study: Study | None
    """The design; None where no fabric meets the request."""
    reason: str = ""
    """Why there is no design."""


@dataclass(frozen=True)
class CheckedTable:
    """A table checked row by row."""

    source: PublishedTable
    """The table as it was read."""
    rows: tuple[PublishedRow, ...]
    """Its fabrics."""

    @property
    def cells(self) -> tuple[PublishedCell, ...]:
        return tuple(cell for row in self.rows for cell in row.cells)

    def count(self, verdict: str) -> int:
        """Return how many cells have the verdict."""
        return sum(cell.verdict == verdict for cell in self.cells)


def check_table(source: str | os.PathLike[str], *, progress: Callable[[str], None] = lambda text: None) -> CheckedTable:
    """Design every row of a table, given by a shipped name or a file's path, and compare its cells.

    Raises InputError with the mistakes of the file, each at its line; a row whose request no fabric meets has none.
    """
    table = read_published(source)
    rows = []
    for index, fields, spec in table.rows():
        progress(f"sizing {fields.name}")
        rows.append(_check_row(table, index, fields, spec))
    return CheckedTable(table, tuple(rows))


def read_published(source: str | os.PathLike[str]) -> PublishedTable:
    """Read a table with the requests of its rows; raises InputError as `check_table` does."""
    return read_table(source, _resolve)


def _resolve(document: Document) -> Spec:
    return read_spec(document, {}, names=known_names())


def _check_row(table: PublishedTable, index: int, fields: RowFields, spec: Spec) -> PublishedRow:
    try:
        study = design(spec)
    except Infeasible as answer:
        return PublishedRow(fields, tuple(_list_cells(table, fields, {}, {})), None, str(answer))
    _refuse_unknown_names(table.document, index, fields, study.blueprint)
    ours = _RowCounts(fields, spec, study.blueprint).numbers(set(fields.published))
    if "hops_max" in fields.published:
        ours["hops_max"] = study.hops.max
    formula_counts = _RowCounts(fields, spec, _resize(study.blueprint, fields.formula)) if fields.formula else None
    formula = formula_counts.numbers(set(fields.published)) if formula_counts else {}
    return PublishedRow(fields, tuple(_list_cells(table, fields, ours, formula)), study)


def _list_cells(
    table: PublishedTable, fields: RowFields, ours: Mapping[str, float | None], formula: Mapping[str, float | None]
) -> Iterator[PublishedCell]:
    reasons = {cell: item.why for item in fields.differs for cell in item.cells}
    for name, published in fields.published.items():
        within = table.fields.within.get(name, 0)
        yield PublishedCell(name, published, ours.get(name), within, formula.get(name), reasons.get(name, ""))


def _refuse_unknown_names(document: Document, index: int, fields: RowFields, blueprint: Blueprint) -> None:
    """Refuse bundles and sizes that the designed form does not have."""
    bundles, sizes = [bundle.name for bundle in blueprint.topology.bundles], _list_sizes(blueprint)
    lists = {"copper": fields.copper, "links_per_fibre": fields.links_per_fibre, "formula": fields.formula}
    mistakes = []
    for key, names in lists.items():
        known = sizes if key == "formula" else bundles
        for position, name in enumerate(names):
            if name not in known:
                keys = ("rows", index, key, position if key == "copper" else name)
                what = f"{fields.name}: {blueprint.topology.family} has no '{name}'; known: {', '.join(known)}"
                mistakes.append(document.mistake(keys, what))
    if mistakes:
        raise InputError(mistakes)


def _list_sizes(blueprint: Blueprint) -> list[str]:
    """Return the sizes of a form that a formula may be read at: all but those that follow from the servers."""
    following = {"server", "servers", "nic", *(filled_name(axis) for axis in blueprint.topology.server.axes)}
    return [name for name in blueprint.sizes if name not in following]


def _resize(blueprint: Blueprint, sizes: Mapping[str, int]) -> Blueprint:
    """Return the blueprint with other sizes, every place filled, whether it can be built or not: its counts alone."""
    topology, found = blueprint.topology, {**blueprint.sizes, **sizes}
    servers = topology.capacity(found)
    full = topology.complete_sizes(found, blueprint.server.nics, servers)
    return replace(blueprint, sizes=full, gpus=servers * blueprint.server.gpus, mixes={})


@dataclass(frozen=True)
class _RowCounts:
    """The cells of a row that are counts of a blueprint, built or not."""

    fields: RowFields
    spec: Spec
    blueprint: Blueprint

    def numbers(self, names: set[str]) -> dict[str, float | None]:
        """Return those of the named cells that are counts."""
        return {name: count(self) for name, count in COUNTS.items() if name in names}

    def endpoints(self) -> int:
        """Return the NICs."""
        return self.blueprint.servers * self.blueprint.server.nics

    def links(self) -> int:
        """Return the links between switches."""
        return sum(map(self.blueprint.links, self.blueprint.topology.fabric_bundles))

    def cost_musd(self) -> float | None:
        """Return the cost of switches, links and, where they are counted, NICs; None where one has no price."""
        cost = priced_bill(self.blueprint, prices_of(self.spec, self.blueprint)).cost_usd()
        return None if cost is None else cost / 1e6

    def cost_per_endpoint_kusd(self) -> float | None:
        """Return the cost for each NIC; None where a part has no price."""
        cost = self.cost_musd()
        return None if cost is None else 1e3 * cost / self.endpoints()

    def radix(self) -> int:
        """Return the most ports in use on one switch."""
        return max(
            self.blueprint.ports_down(role) + self.blueprint.ports_up(role) for role in self.blueprint.topology.roles
        )

    def copper(self) -> int:
        """Return the links of the copper bundles."""
        bundles = self.blueprint.topology.bundles
        return sum(self.blueprint.links(bundle) for bundle in bundles if bundle.name in self.fields.copper)

    def fibre(self) -> int:
        """Return the fibres of all other bundles, some of which hold several links."""
        each = self.fields.links_per_fibre
        bundles = [bundle for bundle in self.blueprint.topology.bundles if bundle.name not in self.fields.copper]
        return sum(-(-self.blueprint.links(bundle) // each.get(bundle.name, 1)) for bundle in bundles)

    def nic_ports(self) -> float:
        """Return the servers' links for each of their GPUs."""
        links = sum(map(self.blueprint.links, self.blueprint.topology.host_bundles))
        return links / (self.blueprint.servers * self.blueprint.server.gpus)


COUNTS: Mapping[str, Callable[[_RowCounts], float | None]] = {
    "endpoints": _RowCounts.endpoints,
    "switches": lambda counts: counts.blueprint.switches,
    "links": _RowCounts.links,
    "cost_musd": _RowCounts.cost_musd,
    "cost_per_endpoint_kusd": _RowCounts.cost_per_endpoint_kusd,
    "radix": _RowCounts.radix,
    "copper": _RowCounts.copper,
    "fibre": _RowCounts.fibre,
    "modules": lambda counts: 2 * counts.fibre(),
    "nic_ports": _RowCounts.nic_ports,
}
"""The cells of a table that are counts, by name; the others are read from the design."""
