"""The cables of a fabric as an Excel workbook, with the devices and racks at their ends."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from io import BytesIO
from itertools import chain, zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fabric.errors import TooLarge
from fabric.export.cables import COLUMNS, cable_batches
from fabric.layout.device_names import list_device_names
from fabric.layout.layout import Layout
from fabric.layout.wiring import Wiring
from fabric.units import count

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["DEVICE_COLUMNS", "RACK_COLUMNS", "write_cables_xlsx"]

SHEET_ROWS = 1_048_576
"""The rows of a sheet of Excel, with its head."""

MADE = datetime(1980, 1, 1)
"""The date that a workbook says it was made, so that the same cables give the same bytes."""

WIDEST = 48
"""The most letters that a column shows."""

DEVICE_COLUMNS = ("device", "role", "rack", "unit", "height")
"""The columns of the sheet of devices; `unit` is the lowest rack unit."""

RACK_COLUMNS = ("rack", "hall", "row", "position", "x_m", "y_m", "kind", "power_w", "weight_kg")
"""The columns of the sheet of racks."""


def write_cables_xlsx(wiring: Wiring, file: Path, rows: npt.NDArray[np.integer] | None = None) -> None:
    """Write a workbook with the sheets cables, devices and racks, the latter of those at the ends of the cables.

    Raises TooLarge for more cables than a sheet has rows, and OSError where the system refuses to write.
    """
    from xlsxwriter import Workbook
    from xlsxwriter.exceptions import FileCreateError

    network, layout = wiring.network, wiring.layout
    total = network.links if rows is None else len(rows)
    if total >= SHEET_ROWS:
        raise TooLarge(
            f"{count(total)} cables are more than the {count(SHEET_ROWS - 1)} rows of a sheet; write cables.parquet, "
            "or fewer by --of"
        )
    taken = slice(None) if rows is None else rows
    devices = np.unique(np.concatenate([network.lower[taken], network.upper[taken]]))
    cables = (
        cells
        for batch in cable_batches(wiring, rows)
        for cells in zip(*(each.to_pylist() for each in batch.columns), strict=True)
    )
    options = {
        "constant_memory": True,
        "tmpdir": str(file.parent),  # a folder that is removed even where the disk is full
        "strings_to_formulas": False,
        "strings_to_urls": False,
    }
    made = BytesIO()  # a full disk would leave the zip file of xlsxwriter open
    try:
        with Workbook(made, options) as book:
            book.set_properties({"created": MADE})
            _write_sheet(book, "cables", COLUMNS, cables, total)
            _write_sheet(book, "devices", DEVICE_COLUMNS, _list_devices(wiring, devices), len(devices))
            racks = np.unique(layout.device_rack[devices])
            _write_sheet(book, "racks", RACK_COLUMNS, _list_racks(layout, racks), len(racks))
    except FileCreateError as error:
        raise OSError(f"temporary files: {error}") from error
    file.write_bytes(made.getbuffer())


def _write_sheet(book: Any, title: str, heads: Sequence[str], rows: Iterable[Sequence[Any]], total: int) -> None:
    """Write a sheet row by row, its head in view and with filters; None is an empty cell.

    Columns are as wide as their heads and the first row need, since rows are not held.
    """
    sheet, rows = book.add_worksheet(title), iter(rows)
    first = next(rows, ())
    for column, (head, value) in enumerate(zip_longest(heads, first, fillvalue="")):
        letters = 0 if isinstance(value, float) else len(str(value))
        sheet.set_column(column, column, min(WIDEST, max(len(head) + 3, letters + 2)))
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, total, len(heads) - 1)
    sheet.write_row(0, 0, heads, book.add_format({"bold": True}))
    for place, values in enumerate(chain([first] if first else [], rows), 1):
        for column, value in enumerate(values):
            if value is not None:
                write = sheet.write_string if isinstance(value, str) else sheet.write_number
                write(place, column, round(value, 3) if isinstance(value, float) else value)


def _list_devices(wiring: Wiring, devices: npt.NDArray[np.integer]) -> Iterator[Sequence[Any]]:
    """Yield the cells of devices under `DEVICE_COLUMNS`."""
    layout, network = wiring.layout, wiring.network
    names, racks = list_device_names(layout, network), layout.rack_names()
    roles = [network.groups[role].role for role in network.role[devices].tolist()]
    columns = (layout.device_rack, layout.device_unit, layout.device_height)
    numbers = (column[devices].tolist() for column in columns)
    for device, role, rack, unit, height in zip(devices.tolist(), roles, *numbers, strict=True):
        yield names[device], role, racks[rack], unit, height


def _list_racks(layout: Layout, racks: npt.NDArray[np.integer]) -> Iterator[Sequence[Any]]:
    """Yield the cells of racks under `RACK_COLUMNS`; power and weight are empty where a device's are not known."""
    names, spots = layout.rack_names(), layout.spots
    for rack in racks.tolist():
        hall = layout.halls[layout.hall[rack]].name
        kind = "server" if layout.holds_servers[rack] else "network"
        watts = float(layout.rack_w[rack]) if layout.power_known[rack] else None
        weight = float(layout.rack_kg[rack]) if layout.weight_known[rack] else None
        place = (
            int(layout.row[rack]) + 1,
            int(layout.position[rack]) + 1,
            float(spots.x_m[rack]),
            float(spots.y_m[rack]),
        )
        yield names[rack], hall, *place, kind, watts, weight
