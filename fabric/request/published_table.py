"""A table of published fabrics, shipped or a person's own, read with its places."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import ValidationError

from fabric.errors import InputError, Mistake
from fabric.request.document import Document, quoted
from fabric.request.error_messages import told
from fabric.request.shipped_designs import tables
from fabric.request.spec import Spec
from fabric.request.table import RowFields, TableFields
from fabric.request.yaml_reader import read_file, read_text

__all__ = ["PublishedTable", "read_table"]

WHAT = "a table is a mapping such as `title: ..., source: ..., rows: [{name: FT2, request: {...}, published: {...}}]`"


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
        raise InputError([*document.mistakes, *(found for _, found in told(error, document, "<table>"))]) from None
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
