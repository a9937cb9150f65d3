"""Read the rows of the tables that nccl-tests prints: sizes, times and wrong values."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from fabric import units
from fabric.errors import InputError, Mistake

__all__ = ["UNITS_US", "LogPoint", "is_row", "read_row"]

MAX_SIZE, MAX_US = 2**60, 3.6e9
"""The largest message in bytes and the longest time in microseconds that a row may have."""
UNITS_US = {"ns": 1e-3, "us": 1.0, "ms": 1e3, "s": 1e6}
OLD = ("size", "count", "type", "redop", "time", "algbw", "busbw", "error", "time", "algbw", "busbw", "error")
NEW = (*OLD[:4], "root", *OLD[4:])
"""The columns where a log has lost its header: before and since nccl-tests 2.13."""

_ROW = re.compile(r"^\s*\d{1,30}\s+\d+\s+[a-z]\w*\s+\w+\s")
_NUMBER = re.compile(r"^([0-9.]+(?:e[+-]?[0-9]+)?)(ns|us|ms|s)?$", re.IGNORECASE)


@dataclass(frozen=True)
class LogPoint:
    """One row of a table."""

    line: int
    """Its line in the file, counted from 1."""
    size_bytes: int
    """The message size."""
    time_us: float
    """The time out of place in microseconds."""
    factor: float | None
    """Bus over algorithm bandwidth; None where they are too small to divide."""
    wrong: int
    """The elements with a wrong value."""


def is_row(line: str) -> bool:
    """Return whether a line begins as the row of a table does."""
    return bool(_ROW.match(line))


def read_row(
    file: str, number: int, line: str, columns: Sequence[str], units_us: Sequence[float]
) -> LogPoint | str | None:
    """Return the point of the row in a line of this number, why it has none, or None where nothing was sent.

    `columns` are the table's, none where the log has lost its header, and `units_us` the microseconds of the unit of
    each time. Raises InputError for a size or a time that no collective has.
    """
    words = line.split()
    size = int(words[0])
    if not size:
        return None
    pairs = list(zip(columns or (NEW if len(words) >= len(NEW) else OLD), words, strict=False))
    sides = _split_sides(pairs, units_us)
    times = [time for time, _ in sides if time is not None]
    if size > MAX_SIZE or max(times, default=0.0) > MAX_US:
        text = f"{size:,} bytes in {max(times, default=0.0):g} us: over {MAX_SIZE:,} bytes or an hour is no time"
        raise InputError([Mistake(f"{file}:{number}", f"{text} of a collective; correct the row")])
    time, side = sides[0] if sides else (None, [])
    if not time:
        why = f"'{side[0][1]:.20}'" if len(side) > 1 else "the row is cut off"
        return f"{units.size(size)} has no time out of place ({why})"
    wrong = sum(_parse_wrong(dict(side)) for _, side in sides)
    return LogPoint(number, size, time, _factor(sides), wrong)


def _split_sides(
    pairs: list[tuple[str, str]], units_us: Sequence[float]
) -> list[tuple[float | None, list[tuple[str, str]]]]:
    """Return the time in us and the columns of each side of a row, out of place and in place."""
    starts = [index for index, (column, _) in enumerate(pairs) if column == "time"]
    ends = [*starts[1:], len(pairs)]
    found = []
    for side, (start, end) in enumerate(zip(starts, ends, strict=False)):
        unit = units_us[side] if side < len(units_us) else 1.0
        is_whole = end - start > 1  # of a file that is cut, the last number may have lost digits
        found.append((_parse_time(pairs[start][1], unit) if is_whole else None, pairs[start:end]))
    return found


def _parse_time(word: str, unit: float) -> float | None:
    """Return a time in us, in its own unit where it has one; None for what is no number, such as N/A."""
    match = _NUMBER.match(word)
    try:
        return float(match[1]) * (UNITS_US[match[2].lower()] if match[2] else unit) if match else None
    except ValueError:
        return None


def _factor(sides: Sequence[tuple[float | None, list[tuple[str, str]]]]) -> float | None:
    for _, side in sides:
        values = {column: _parse_time(word, 1.0) for column, word in side}
        algbw, busbw = values.get("algbw"), values.get("busbw")
        if algbw and busbw and min(algbw, busbw) >= 1:
            return busbw / algbw
    return None


def _parse_wrong(side: dict[str, str]) -> int:
    """Return the wrong elements of a side; old versions print the largest error instead, and some nothing."""
    word = side.get("wrong", "0")
    return int(word[:18]) if word.isdecimal() else 0
