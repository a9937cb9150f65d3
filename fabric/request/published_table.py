"""A table of published fabrics, shipped or your own, read with the line of every key."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, ValidationError

from fabric.errors import InputError, MissingFile, Mistake, nearest
from fabric.request.document import Document, quoted
from fabric.request.error_messages import explain_errors
from fabric.request.fields import AxisName, Count, Share, StrictModel, Text, custom_error
from fabric.request.shipped_designs import tables
from fabric.request.spec import Spec
from fabric.request.yaml_reader import read_file, read_text

__all__ = ["CELLS", "DiffersFields", "PublishedTable", "RowFields", "TableFields", "read_table"]

WHAT = "a table is a mapping such as `title: ..., source: ..., rows: [{name: FT2, request: {...}, published: {...}}]`"


CELLS = (
    "endpoints", "switches", "links", "cost_musd", "cost_per_endpoint_kusd",
    "radix", "copper", "fibre", "modules", "nic_ports", "hops_max",
)  # fmt: skip
"""The cells that a row may have (docs/tables.md)."""


def _check_cell(name: str) -> str:
    if name not in CELLS:
        raise custom_error(f"unknown cell '{name}'{nearest(name, CELLS)}")
    return name


Cell = Annotated[str, Field(max_length=100), AfterValidator(_check_cell)]
Number = Annotated[float, Field(ge=0, le=1e15)]


class DiffersFields(StrictModel):
    """Why cells of a row differ from the design."""

    cells: Annotated[list[Cell], Field(min_length=1, max_length=20)] = Field(examples=[["switches"]])
    """The cells that this explains."""
    why: Annotated[Text, Field(min_length=1)] = Field(examples=["the source counts spares too"])
    """The explanation."""


class RowFields(StrictModel):
    """One published fabric."""

    name: Annotated[Text, Field(min_length=1)] = Field(examples=["FT2"])
    """Its name in the table."""
    request: dict[str, Any] = Field(examples=["{gpus: 2048, family: fat-tree}"])
    """The request for it."""
    published: Annotated[dict[Cell, Number], Field(min_length=1)] = Field(examples=["{switches: 96}"])
    """Its published cells."""
    differs: list[DiffersFields] = Field(default=[], max_length=20)
    """Cells that are known to differ, with reasons."""
    formula: dict[Text, Count] = Field(default={}, examples=["{q: 28}"])
    """Sizes at which the source evaluated its formulas, where no such fabric can be built."""
    copper: list[AxisName] = Field(default=[], max_length=20)
    """Bundles whose links are copper; all others are fibre."""
    links_per_fibre: dict[AxisName, Count] = Field(default={}, examples=["{leaf-spine: 2}"])
    """Links that share one fibre, by bundle; default: 1."""
    note: Text = ""
    """A remark on the row."""


class TableFields(StrictModel):
    """A table: its fabrics, and the source that published them."""

    title: Text = Field(examples=["Table 3 of the paper"])
    """A title of one line."""
    source: Annotated[Text, Field(min_length=1)] = Field(examples=["doi 10.1145/3718958.3750503"])
    """Where the numbers are published."""
    within: dict[Cell, Share] = Field(default={}, examples=["{cost_musd: 0.02}"])
    """Relative tolerance by cell, for rounded numbers: 0.02 is 2 %; any other cell must be exact."""
    common: dict[str, Any] = Field(default={}, examples=["{server: hgx-h100}"])
    """Keys of the request that apply to every row that does not set them."""
    rows: Annotated[list[RowFields], Field(min_length=1, max_length=1000)] = Field(examples=["[{name: FT2, ...}]"])
    """The fabrics."""


@dataclass(frozen=True)
class PublishedTable:
    """A table of published fabrics with the request of each row."""

    name: str
    """Its name: that of a shipped table, or of the file."""
    fields: TableFields
    """The table as it was written."""
    requests: tuple[Spec, ...]
    """The request of each row."""
    document: Document
    """The document it was read from, with the place of every key."""

    def rows(self) -> Iterator[tuple[int, RowFields, Spec]]:
        """Yield the index, the fields and the request of each row."""
        for index, (row, spec) in enumerate(zip(self.fields.rows, self.requests, strict=True)):
            yield index, row, spec


def read_table(source: str | os.PathLike[str], resolve: Callable[[Document], Spec]) -> PublishedTable:
    """Read a table by the name of a shipped one or the path of a file; `resolve` turns a row's request into a Spec.

    Raises InputError with every mistake, each at its line.
    """
    document = _document(source)
    try:
        table = TableFields.model_validate(document.values)
    except ValidationError as error:
        raise InputError(
            [*document.mistakes, *(found for _, found in explain_errors(error, document, TableFields))]
        ) from None
    mistakes, requests = [*document.mistakes, *_row_mistakes(table, document)], []
    for index, row in enumerate(table.rows):
        part = document.part(("rows", index, "request"), ("common",))
        try:
            requests.append(resolve(replace(part, values={"name": f"row {index + 1}", **part.values})))
        except InputError as error:
            mistakes += [replace(found, text=f"{row.name}: {found.text}") for found in error.mistakes]
    if mistakes:
        raise InputError(mistakes)
    return PublishedTable(Path(source).stem, table, tuple(requests), document)


def _document(source: str | os.PathLike[str]) -> Document:
    shipped, name = tables(), os.fsdecode(source)
    if name in shipped:
        return read_text(shipped[name].read_text(encoding="utf-8"), f"{name}.yaml", WHAT)
    if "\0" in name or not os.path.lexists(source):
        known = f"; known: {', '.join(shipped)}" if shipped else ""
        raise MissingFile([Mistake(quoted(name[:100]), f"no shipped table and no file of that name{known}")])
    return read_file(source, WHAT)


def _row_mistakes(table: TableFields, document: Document) -> Iterator[Mistake]:
    """Yield the mistakes across keys: duplicate names, and explanations of cells that a row does not have."""
    seen: dict[str, int] = {}
    for index, row in enumerate(table.rows):
        if seen.setdefault(row.name, index) != index:
            yield document.mistake(("rows", index, "name"), f"duplicate name '{row.name}'; give each row its own")
        yield from _explanation_mistakes(row, index, document)


def _explanation_mistakes(row: RowFields, index: int, document: Document) -> Iterator[Mistake]:
    """Yield the mistakes in the explanations of the row at `index`."""
    explained: set[str] = set()
    for number, item in enumerate(row.differs):
        for position, cell in enumerate(item.cells):
            keys = ("rows", index, "differs", number, "cells", position)
            if cell not in row.published:
                yield document.mistake(keys, f"{row.name} has no published {cell}; known: {', '.join(row.published)}")
            elif cell in explained:
                yield document.mistake(keys, f"{cell} is explained twice; keep one")
            explained.add(cell)
