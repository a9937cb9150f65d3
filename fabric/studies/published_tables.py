"""Tables of published fabrics held against what is designed for the same requests, cell by cell."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from fabric.blueprint import Blueprint
from fabric.blueprint.bill import priced
from fabric.blueprint.prices import Prices
from fabric.errors import Infeasible, InputError
from fabric.request import Document, Spec
from fabric.request.published_table import PublishedTable, RowFields, read_table
from fabric.request.resolve import read_spec
from fabric.studies.study import Study, design
from fabric.topology.clos import filled_name
from fabric.topology.families import known_names

__all__ = ["Cell", "Holding", "Row", "hold", "read_published"]


@dataclass(frozen=True)
class Cell:
    """A published number, with the relative tolerance that its rounding needs, and what is computed for it.

    `ours` is None where there is no such number: no fabric, or no price. `formula` is what the form's counts come to
    at the sizes that the source used where those can't be built, and `why` the table's explanation of a difference.
    """

    name: str
    published: float
    ours: float | None
    within: float = 0
    formula: float | None = None
    why: str = ""

    @property
    def change(self) -> float | None:
        """How far ours is from the published number, relative to it; None where that can't be said."""
        return None if self.ours is None or not self.published else self.ours / self.published - 1

    @property
    def verdict(self) -> str:
        """`agrees`; `explained`, which a formula that misses the published number too does not bear out; `differs`."""
        if self._met(self.ours):
            return "agrees"
        return "explained" if self.why and (self.formula is None or self._met(self.formula)) else "differs"

    def _met(self, number: float | None) -> bool:
        rounding = 1e-9  # of sums in binary fractions
        return number is not None and abs(number - self.published) <= (self.within + rounding) * abs(self.published)


@dataclass(frozen=True)
class Row:
    """A published fabric: its cells, and the design for its request, or why there is none."""

    words: RowFields
    cells: tuple[Cell, ...]
    study: Study | None
    reason: str = ""


@dataclass(frozen=True)
class Holding:
    """A table with all its rows as they compare."""

    table: PublishedTable
    rows: tuple[Row, ...]

    @property
    def cells(self) -> tuple[Cell, ...]:
        return tuple(cell for row in self.rows for cell in row.cells)

    def count(self, verdict: str) -> int:
        """Return how many cells have the verdict."""
        return sum(cell.verdict == verdict for cell in self.cells)


def hold(source: str | os.PathLike[str], *, progress: Callable[[str], None] = lambda text: None) -> Holding:
    """Design every row of a table, by a shipped one's name or a file's path, and compare its cells.

    Raises InputError with the mistakes of the file, each at its line; a row whose request no fabric meets has none.
    """
    table = read_published(source)
    rows = []
    for place, row, spec in table.rows():
        progress(f"sizing {row.name}")
        rows.append(_row(table, place, row, spec))
    return Holding(table, tuple(rows))


def read_published(source: str | os.PathLike[str]) -> PublishedTable:
    """Read a table with the requests of its rows; raises InputError as `hold` does."""
    return read_table(source, _resolved)


def _resolved(document: Document) -> Spec:
    return read_spec(document, {}, names=known_names())


def _row(table: PublishedTable, place: int, words: RowFields, spec: Spec) -> Row:
    try:
        study = design(spec)
    except Infeasible as answer:
        return Row(words, tuple(_cells(table, words, {}, {})), None, str(answer))
    _check(table.document, place, words, study.blueprint)
    ours = _Reading(words, spec, study.blueprint).numbers(set(words.published))
    if "hops_max" in words.published:
        ours["hops_max"] = study.hops.max
    there = _Reading(words, spec, _at(study.blueprint, words.formula)) if words.formula else None
    formula = there.numbers(set(words.published)) if there else {}
    return Row(words, tuple(_cells(table, words, ours, formula)), study)


def _cells(
    table: PublishedTable, words: RowFields, ours: Mapping[str, float | None], formula: Mapping[str, float | None]
) -> Iterator[Cell]:
    reasons = {cell: item.why for item in words.differs for cell in item.cells}
    for name, published in words.published.items():
        within = table.words.within.get(name, 0)
        yield Cell(name, published, ours.get(name), within, formula.get(name), reasons.get(name, ""))


def _check(document: Document, place: int, words: RowFields, blueprint: Blueprint) -> None:
    """Refuse bundles and sizes that the designed form does not have."""
    bundles, sizes = [bundle.name for bundle in blueprint.topology.bundles], _sizes(blueprint)
    lists = {"copper": words.copper, "links_per_fibre": words.links_per_fibre, "formula": words.formula}
    mistakes = []
    for key, names in lists.items():
        known = sizes if key == "formula" else bundles
        for number, name in enumerate(names):
            if name not in known:
                keys = ("rows", place, key, number if key == "copper" else name)
                what = f"{words.name}: {blueprint.topology.family} has no '{name}'; known: {', '.join(known)}"
                mistakes.append(document.mistake(keys, what))
    if mistakes:
        raise InputError(mistakes)


def _sizes(blueprint: Blueprint) -> list[str]:
    """Return the sizes of a form that a formula may be read at: all but those that follow from the servers."""
    following = {"server", "servers", "nic", *(filled_name(axis) for axis in blueprint.topology.server.axes)}
    return [name for name in blueprint.sizes if name not in following]


def _at(blueprint: Blueprint, sizes: Mapping[str, int]) -> Blueprint:
    """Return the blueprint with other sizes, every place filled, whether it can be built or not: its counts alone."""
    topology, found = blueprint.topology, {**blueprint.sizes, **sizes}
    servers = topology.capacity(found)
    full = topology.complete_sizes(found, blueprint.server.nics, servers)
    return replace(blueprint, sizes=full, gpus=servers * blueprint.server.gpus, mixes={})


@dataclass(frozen=True)
class _Reading:
    """The cells of a row that are counts of a blueprint, built or not."""

    words: RowFields
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
        cost = priced(self.blueprint, Prices(self.spec, self.blueprint.link_gbps)).cost_usd()
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
        return sum(self.blueprint.links(bundle) for bundle in bundles if bundle.name in self.words.copper)

    def fibre(self) -> int:
        """Return the fibres of all other bundles, some of which hold several links."""
        each = self.words.links_per_fibre
        bundles = [bundle for bundle in self.blueprint.topology.bundles if bundle.name not in self.words.copper]
        return sum(-(-self.blueprint.links(bundle) // each.get(bundle.name, 1)) for bundle in bundles)

    def nic_ports(self) -> float:
        """Return the servers' links for each of their GPUs."""
        links = sum(map(self.blueprint.links, self.blueprint.topology.host_bundles))
        return links / (self.blueprint.servers * self.blueprint.server.gpus)


COUNTS: Mapping[str, Callable[[_Reading], float | None]] = {
    "endpoints": _Reading.endpoints,
    "switches": lambda reading: reading.blueprint.switches,
    "links": _Reading.links,
    "cost_musd": _Reading.cost_musd,
    "cost_per_endpoint_kusd": _Reading.cost_per_endpoint_kusd,
    "radix": _Reading.radix,
    "copper": _Reading.copper,
    "fibre": _Reading.fibre,
    "modules": lambda reading: 2 * reading.fibre(),
    "nic_ports": _Reading.nic_ports,
}
"""The cells of a table that are counts, by name; the others are read from the design."""
