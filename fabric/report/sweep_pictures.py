"""The pictures of a sweep, made from the columns of its table."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fabric import units
from fabric.atomic_write import write_atomically
from fabric.draw import save
from fabric.draw.sweep_charts import (
    MOST_CURVES,
    MOST_PANELS,
    Axis,
    Band,
    draw_bands,
    draw_curves,
    draw_heat_map,
)
from fabric.errors import InputError
from fabric.sweeps import SweepTable
from fabric.sweeps.failure_measure import KEPT
from fabric.sweeps.picture import Picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["sweep_picture", "write_sweep_pictures"]

UNITS = {"s": "", "usd": "USD", "GBps": "GB/s", "gbps": "Gb/s", "w": "W", "bytes": "", "share": ""}
"""The last words of columns that are units, as labels have them; empty where the numbers have them themselves."""

PREFIXES = ((1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""), (1e-3, "m"), (1e-6, "u"))

POWERS_FROM = 4.0
"""The ratio of the greatest to the least value from which an axis shows equal factors, all being above 0."""

MOST_CELLS = 100
"""The rows or columns of a heat map."""

Row = Mapping[str, Any]


def sweep_picture(table: SweepTable, picture: Picture) -> Figure:
    """Draw one picture of a sweep, without the points of which it shows something that is not known.

    Raises InputError where nothing is left, where two points would have one place, and for too many curves, panels or
    cells, with the columns in which the points differ.
    """
    kinds = {name: "number" if _is_number(table[name]) else "text" for name in table.names}
    picture.check(kinds)
    return {"curves": _draw_curves, "heat": _draw_heat, "bands": _draw_bands}[picture.kind](table, picture)


def write_sweep_pictures(table: SweepTable, pictures: Sequence[Picture], folder: str | os.PathLike[str]) -> list[Path]:
    """Write each picture as SVG and PNG to `folder`, all or none; raises InputError as `sweep_picture` does."""

    def make(temporary: Path) -> list[str]:
        names = []
        for picture in pictures:
            figure = sweep_picture(table, picture)
            for suffix in (".svg", ".png"):
                save(figure, temporary / f"{picture.file}{suffix}")
                names.append(f"{picture.file}{suffix}")
        return names

    return write_atomically(folder, make)


def _is_number(values: Sequence[Any]) -> bool:
    return all(value is None or (isinstance(value, int | float) and not isinstance(value, bool)) for value in values)


def _draw_curves(table: SweepTable, picture: Picture) -> Figure:
    rows = _select(table, picture, (picture.x, picture.y))
    keys = [*picture.by, *filter(None, [picture.colour]), picture.x]
    _refuse_doubles(table, rows, keys, picture)
    panels: dict[str, dict[str, list[tuple[float, float]]]] = {}
    for row in _sort(rows, keys):
        curves = panels.setdefault(_name_panel(row, picture.by), {})
        label = _write_value(picture.colour, row[picture.colour]) if picture.colour else ""
        curves.setdefault(label, []).append((float(row[picture.x]), float(row[picture.y])))
    _refuse_many(picture, "by", len(panels), MOST_PANELS)
    labels = {label for curves in panels.values() for label in curves}
    _refuse_many(picture, "colour", len(labels), MOST_CURVES)
    x, y = (_make_axis(name, [row[name] for row in rows]) for name in (picture.x, picture.y))
    of = f", by {_name_column(picture.colour)}" if picture.colour else ""
    return draw_curves(f"{_title(table)}: {_name_column(picture.y)}{of}", panels, x, y)


def _draw_bands(table: SweepTable, picture: Picture) -> Figure:
    rows = _select(table, picture, (picture.x, *KEPT.values()))
    keys = [*picture.by, picture.x]
    _refuse_doubles(table, rows, keys, picture)
    panels: dict[str, list[Row]] = {}
    for row in _sort(rows, keys):
        panels.setdefault(_name_panel(row, picture.by), []).append(row)
    _refuse_many(picture, "by", len(panels), MOST_PANELS)
    bands = {name: _make_band(each, picture.x) for name, each in panels.items()}
    axis = _make_axis(picture.x, [row[picture.x] for row in rows])
    return draw_bands(f"{_title(table)}: bandwidth kept after random failures", bands, axis)


def _make_band(rows: Sequence[Row], x: str) -> Band:
    columns = {name: np.array([row[name] for row in rows], float) for name in (x, *KEPT.values(), "failures_kept_mean")}
    percentiles = {percent: columns[name] for percent, name in KEPT.items()}
    return Band(columns[x], percentiles, columns["failures_kept_mean"])


def _draw_heat(table: SweepTable, picture: Picture) -> Figure:
    rows = [row for row in table.rows() if None not in (row[picture.x], row[picture.y])]
    _refuse_doubles(table, rows, [picture.x, picture.y], picture)
    if not any(row[picture.value] is not None for row in rows):
        raise InputError(f"picture {picture.kind}: no point has a known {picture.value}")
    across, down = (list(dict.fromkeys(row[name] for row in _sort(rows, [name]))) for name in (picture.x, picture.y))
    _refuse_many(picture, "x or y", max(len(across), len(down)), MOST_CELLS)
    values = np.full((len(down), len(across)), np.nan)
    for row in rows:
        if row[picture.value] is not None:
            values[down.index(row[picture.y]), across.index(row[picture.x])] = row[picture.value]
    names = [[_write_value(name, each) for each in found] for name, found in ((picture.y, down), (picture.x, across))]
    known = [row[picture.value] for row in rows if row[picture.value] is not None]
    axes = [
        Axis(_name_column(picture.x), str),
        Axis(_name_column(picture.y), str),
        _make_axis(picture.value, known),
    ]
    return draw_heat_map(f"{_title(table)}: {_name_column(picture.value)}", names[0], names[1], values, axes)


def _title(table: SweepTable) -> str:
    base = table.request.get("base")
    name = base.get("name") if isinstance(base, Mapping) else None
    return str(name or "sweep")


def _select(table: SweepTable, picture: Picture, needed: Sequence[str]) -> list[Row]:
    """Return the rows of which all that is needed is known."""
    rows: list[Row] = [row for row in table.rows() if all(row[name] is not None for name in needed)]
    if not rows:
        raise InputError(f"picture {picture.kind}: no point has a known {' and '.join(needed[:2])}")
    return rows


def _sort(rows: Sequence[Row], keys: Sequence[str]) -> list[Row]:
    """Return rows by the values of `keys`: numbers in order, other values in the order in which they come."""
    orders = []
    for key in keys:
        values = list(dict.fromkeys(row[key] for row in rows))
        if all(isinstance(value, int | float) for value in values):
            values = sorted(values)
        orders.append({value: number for number, value in enumerate(values)})
    return sorted(rows, key=lambda row: [order[row[key]] for order, key in zip(orders, keys, strict=True)])


def _refuse_doubles(table: SweepTable, rows: Sequence[Row], keys: Sequence[str], picture: Picture) -> None:
    """Raise InputError where two points would have one place in the picture."""
    seen: dict[tuple[Any, ...], Row] = {}
    varied = table.names[1 : table.names.index("status")]
    for row in rows:
        other = seen.setdefault(tuple(row[key] for key in keys), row)
        if other is not row:
            differ = [name for name in varied if row[name] != other[name]]
            raise InputError(
                f"picture {picture.kind}: points {other['point']} and {row['point']} have one place; they differ in"
                f" {', '.join(differ)}: name it in the picture, or leave it out of the sweep"
            )


def _refuse_many(picture: Picture, part: str, number: int, most: int) -> None:
    if number > most:
        raise InputError(f"picture {picture.kind}: {part} has {number:,} values, of which a picture shows {most}")


def _name_panel(row: Row, by: Sequence[str]) -> str:
    return ", ".join(f"{_name_column(name)} {_write_value(name, row[name])}" for name in by)


def _name_column(name: str) -> str:
    """Return a column's name in words, with its unit: `cost (USD)`, `GPUs`."""
    *words, last = name.replace(".", "_").split("_")
    if not words or last not in UNITS:
        return _spell(name.replace("_", " "))
    words += ["time"] if last == "s" else []
    unit = f" ({UNITS[last]})" if UNITS[last] else ""
    return f"{_spell(' '.join(words))}{unit}"


def _spell(words: str) -> str:
    return words.replace("gpus", "GPUs").replace("gpu", "GPU").replace("allreduce", "all-reduce")


def _write_value(name: str, value: Any) -> str:
    """Return a value for a tick, a cell or a legend."""
    if value is None:
        return "-"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if name.endswith("_bytes"):
        return units.size(int(value))
    if name.endswith("_s"):
        return units.time(value)
    if isinstance(value, int) and abs(value) < 1e7:
        return f"{value:,}"
    return _shorten(float(value))


def _shorten(value: float) -> str:
    """Return a number to four digits with a prefix: `12.3k`, `4.56M`, `13m`."""
    if value == 0 or 0.01 <= abs(value) < 1e4:
        return f"{value:,.4g}"
    factor, prefix = next((each for each in PREFIXES if abs(value) >= each[0]), PREFIXES[-1])
    return f"{value / factor:.4g}{prefix}"


def _make_axis(name: str, values: Sequence[Any]) -> Axis:
    numbers = [float(value) for value in values]
    powers = min(numbers) > 0 and max(numbers) / min(numbers) >= POWERS_FROM
    whole = all(isinstance(value, int) for value in values)
    return Axis(_name_column(name), lambda value: _write_value(name, int(value) if whole else value), powers)
