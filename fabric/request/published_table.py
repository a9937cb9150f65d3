"""A table of published fabrics, shipped or a person's own, read with its places."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, ValidationError

from fabric.errors import InputError, Mistake, nearest
from fabric.request.document import Document, quoted
from fabric.request.error_messages import explain_errors
from fabric.request.fields import AxisName, Count, Share, StrictModel, Text, wrong
from fabric.request.shipped_designs import tables
from fabric.request.spec import Spec
from fabric.request.yaml_reader import read_file, read_text

__all__ = ["CELLS", "DiffersFields", "PublishedTable", "RowFields", "TableFields", "read_table"]

WHAT = "a table is a mapping such as `title: ..., source: ..., rows: [{name: FT2, request: {...}, published: {...}}]`"


CELLS = (
    "endpoints", "switches", "links", "cost_musd", "cost_per_endpoint_kusd",
    "radix", "copper", "fibre", "modules", "nic_ports", "hops_max",
)  # fmt: skip
"""What a table may say of a fabric (docs/tables.md)."""


def _known(name: str) -> str:
    if name not in CELLS:
        raise wrong(f"no cell '{name}'{nearest(name, CELLS)}")
    return name


Cell = Annotated[str, Field(max_length=100), AfterValidator(_known)]
Number = Annotated[float, Field(ge=0, le=1e15)]


class DiffersFields(StrictModel):
    """Why cells of a row differ from what is computed."""

    cells: Annotated[list[Cell], Field(min_length=1, max_length=20)] = Field(examples=[["switches"]])
    """The cells that this explains."""
    why: Annotated[Text, Field(min_length=1)] = Field(examples=["the source counts spares too"])
    """The explanation."""


class RowFields(StrictModel):
    """One published fabric."""

    name: Annotated[Text, Field(min_length=1)] = Field(examples=["FT2"])
    """What the table calls it."""
    request: dict[str, Any] = Field(examples=["{gpus: 2048, family: fat-tree}"])
    """What it is, in the words of a request."""
    published: Annotated[dict[Cell, Number], Field(min_length=1)] = Field(examples=["{switches: 96}"])
    """Its cells."""
    differs: list[DiffersFields] = Field(default=[], max_length=20)
    """The cells known to differ, with the reasons."""
    formula: dict[Text, Count] = Field(default={}, examples=["{q: 28}"])
    """Sizes at which the source read its formulas, where no such fabric can be built."""
    copper: list[AxisName] = Field(default=[], max_length=20)
    """The bundles whose links are copper; all others are fibre."""
    links_per_fibre: dict[AxisName, Count] = Field(default={}, examples=["{leaf-spine: 2}"])
    """How many links of a bundle share one fibre; 1 where nothing is said."""
    note: Text = ""
    """What else a reader should know of the row."""


class TableFields(StrictModel):
    """A table: its fabrics, and the source that published them."""

    title: Text = Field(examples=["Table 3 of the paper"])
    """One line that says what it is."""
    source: Annotated[Text, Field(min_length=1)] = Field(examples=["doi 10.1145/3718958.3750503"])
    """Where the numbers stand."""
    within: dict[Cell, Share] = Field(default={}, examples=["{cost_musd: 0.02}"])
    """Relative tolerance by cell, for what the source rounds: 0.02 is two percent; a cell left out must be exact."""
    common: dict[str, Any] = Field(default={}, examples=["{server: hgx-h100}"])
    """Words of the request that hold in every row that does not say otherwise."""
    rows: Annotated[list[RowFields], Field(min_length=1, max_length=1000)] = Field(examples=["[{name: FT2, ...}]"])
    """The fabrics."""


@dataclass(frozen=True)
class PublishedTable:
    """A table by its name, with the request of each row; `document` knows where everything stands."""

    name: str
    words: TableFields
    requests: tuple[Spec, ...]
    document: Document

    def rows(self) -> Iterator[tuple[int, RowFields, Spec]]:
        """Yield the place, the words and the request of each row."""
        for place, (row, spec) in enumerate(zip(self.words.rows, self.requests, strict=True)):
            yield place, row, spec


def read_table(source: str | os.PathLike[str], resolve: Callable[[Document], Spec]) -> PublishedTable:
    """Read a table by a shipped one's name or a file's path; `resolve` turns the request of a row into a Spec.

    Raises InputError with every mistake, each at its line.
    """
    document = _document(source)
    try:
        words = TableFields.model_validate(document.values)
    except ValidationError as error:
        raise InputError(
            [*document.mistakes, *(found for _, found in explain_errors(error, document, TableFields))]
        ) from None
    mistakes, requests = [*document.mistakes, *_misplaced(words, document)], []
    for place, row in enumerate(words.rows):
        part = document.part(("rows", place, "request"), ("common",))
        try:
            requests.append(resolve(replace(part, values={"name": f"row {place + 1}", **part.values})))
        except InputError as error:
            mistakes += [replace(found, text=f"{row.name}: {found.text}") for found in error.mistakes]
    if mistakes:
        raise InputError(mistakes)
    return PublishedTable(Path(source).stem, words, tuple(requests), document)


def _document(source: str | os.PathLike[str]) -> Document:
    shipped, name = tables(), os.fsdecode(source)
    if name in shipped:
        return read_text(shipped[name].read_text(encoding="utf-8"), f"{name}.yaml", WHAT)
    if "\0" in name or not os.path.lexists(source):
        known = f"; known: {', '.join(shipped)}" if shipped else ""
        raise InputError([Mistake(quoted(name[:100]), f"no shipped table and no file of that name{known}")])
    return read_file(source, WHAT)


def _misplaced(words: TableFields, document: Document) -> Iterator[Mistake]:
    """Yield what one part of a row says against another: names that stand twice, reasons for cells it does not have."""
    seen: dict[str, int] = {}
    for place, row in enumerate(words.rows):
        if seen.setdefault(row.name, place) != place:
            yield document.mistake(("rows", place, "name"), f"'{row.name}' stands twice; give each row its own name")
        yield from _reasons(row, place, document)


def _reasons(row: RowFields, place: int, document: Document) -> Iterator[Mistake]:
    explained: Mapping[str, int] = {}
    for number, item in enumerate(row.differs):
        for index, cell in enumerate(item.cells):
            keys = ("rows", place, "differs", number, "cells", index)
            if cell not in row.published:
                yield document.mistake(keys, f"{row.name} has no published {cell}; known: {', '.join(row.published)}")
            elif cell in explained:
                yield document.mistake(keys, f"{cell} is explained twice; keep one")
            explained = {**explained, cell: number}
