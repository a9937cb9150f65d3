"""A CSV file of traffic: which GPU sends how many bytes to which other."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterator
from typing import NamedTuple

from fabric.errors import InputError, Mistake
from fabric.request.document import quoted
from fabric.request.plain_text import read_plain_text

__all__ = ["HEADER", "TrafficRow", "read_traffic"]

HEADER = ("source_gpu", "target_gpu", "bytes")
"""The names of the columns."""

MOST_BYTES = 2**28
"""The largest file that is read, in bytes: some ten million rows."""

LARGEST = 2**60
"""The most bytes that one GPU sends to another, an exbibyte."""

SHOWN = 20
"""The most mistakes that are reported one by one."""

_WHOLE = re.compile("[0-9]+")

MOST_DIGITS = 20
"""The most digits that are read as a number: more are too large whatever they say."""


class TrafficRow(NamedTuple):
    """What one GPU sends to another; GPUs are numbered from 0 through all servers."""

    source: int
    """The GPU that sends."""
    target: int
    """The GPU that receives."""
    size_bytes: int
    """The bytes that it sends."""


def read_traffic(path: str | os.PathLike[str], gpus: int) -> tuple[TrafficRow, ...]:
    """Return the rows of a CSV file with the columns `source_gpu`, `target_gpu` and `bytes`, among `gpus` GPUs.

    Empty lines are left out. Raises InputError with every mistake, the first of them one by one, each with its line.
    """
    name = quoted(os.fsdecode(path))
    example = f"write the header {','.join(HEADER)}, then rows such as 0,8,1000000000"
    text = read_plain_text(
        path, MOST_BYTES, f"traffic is a CSV file; {example}", f"at most {MOST_BYTES:,} are read"
    )  # fmt: skip
    lines = _lines(text, name)
    first, heads = next(lines, (1, []))
    if tuple(heads) != HEADER:
        found = f"the header is {','.join(heads)[:80]!r}" if heads else "is empty"
        raise InputError([Mistake(f"{name}:{first}", f"{found}; {example}")])
    rows, mistakes = [], []
    for line, cells in lines:
        if problem := _problem(cells, gpus):
            mistakes.append(Mistake(f"{name}:{line}", problem))
        else:
            rows.append(TrafficRow(*map(_number, cells)))
    if mistakes:
        more = len(mistakes) - SHOWN
        rest = [Mistake(name, f"and {more:,} more mistakes")] if more > 0 else []
        raise InputError(mistakes[:SHOWN] + rest)
    if not rows:
        raise InputError([Mistake(f"{name}:{first}", f"no row follows the header; {example}")])
    return tuple(rows)


def _lines(text: str, name: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the number and the cells of every line that is not empty."""
    reader = csv.reader(text.splitlines())
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise InputError([Mistake(f"{name}:{reader.line_num}", f"not readable as CSV: {error}")]) from None
        if cells is None:
            return
        if any(cell.strip() for cell in cells):
            yield reader.line_num, [cell.strip() for cell in cells]


def _number(digits: str) -> int:
    """Return a number, of one that is far too large its first digits: so long a text would take long to read."""
    return int(digits.lstrip("0")[:MOST_DIGITS] or 0)


def _problem(cells: list[str], gpus: int) -> str:
    """Return what is wrong with a row and what would be right; empty where nothing is."""
    if len(cells) != len(HEADER):
        return f"{len(cells)} columns; write {', '.join(HEADER)}"
    for head, cell in zip(HEADER, cells, strict=True):
        if not _WHOLE.fullmatch(cell):
            return f"{head} {cell[:40]!r}: not a whole number; write digits alone"
    source, target, size = map(_number, cells)
    for head, gpu in zip(HEADER, (source, target), strict=False):
        if gpu >= gpus:
            shown = cells[HEADER.index(head)]
            return f"{head} {shown:.40}: there is no such GPU; the design has {gpus:,}, numbered from 0 to {gpus - 1:,}"
    if source == target:
        return f"GPU {source} sends to itself; leave the row out, or name another target"
    if not size:
        return "bytes 0: nothing is sent; leave the row out"
    if size > LARGEST:
        return f"bytes {cells[2]:.40}: over an exbibyte (2**60), more than a GPU sends; check the unit, which is bytes"
    return ""
