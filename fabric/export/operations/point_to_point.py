"""The cabling as a point-to-point sheet, as installers and the cable validation of UFM take it: both ends of each link.

The columns are rack, rack unit, node, type and port of the end A, which is the lower one, then those of the end Z
(docs.nvidia.com, Cable Validation Tool, P2P File, which matches columns by their names whatever the case).
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from io import BytesIO, StringIO
from itertools import chain
from typing import Any

from fabric.errors import TooLarge
from fabric.export.cables_workbook import MADE, SHEET_ROWS
from fabric.export.file_format import Witness
from fabric.export.operations.cable_ends import list_cable_ends
from fabric.export.plan import Plan, PlanFormat
from fabric.resources import Work
from fabric.units import count

__all__ = ["POINT_TO_POINT", "POINT_TO_POINT_SHEET"]

COLUMNS = tuple(f"{end}-{what}" for end in "AZ" for what in ("Rack", "U", "Node", "Type", "Port"))
"""The columns: A-Rack, A-U, A-Node, A-Type, A-Port, and the same of the end Z."""

TYPES = ("Host", "Switch")
"""The types of a node."""


def _check(plan: Plan) -> None:
    """Raise TooLarge for more links than a sheet of Excel has rows."""
    blueprint = plan.blueprint
    links = blueprint.links_total + sum(map(blueprint.appliance_ports, blueprint.appliances))
    if links >= SHEET_ROWS:
        raise TooLarge(
            f"{blueprint.name}: {count(links)} links are more than the {count(SHEET_ROWS - 1)} rows "
            "of a sheet; write the CSV"
        )


def _write(plan: Plan) -> Iterator[str]:
    """Yield the sheet as CSV."""
    yield _as_csv([COLUMNS])
    for rows in _list_rows(plan):
        yield _as_csv(rows)


def _write_sheet(plan: Plan) -> Iterator[bytes]:
    """Yield the sheet as a workbook of Excel, the same bytes for the same cables."""
    from xlsxwriter import Workbook

    made = BytesIO()
    with Workbook(
        made, {"constant_memory": False, "in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    ) as book:
        book.set_properties({"created": MADE})
        sheet = book.add_worksheet("P2P")
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, plan.network.links, len(COLUMNS) - 1)
        sheet.write_row(0, 0, COLUMNS, book.add_format({"bold": True}))
        for place, cells in enumerate(chain.from_iterable(_list_rows(plan)), 1):
            sheet.write_row(place, 0, cells)
    yield made.getvalue()


def _as_csv(rows: Sequence[Sequence[Any]]) -> str:
    text = StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _list_rows(plan: Plan) -> Iterator[list[tuple[Any, ...]]]:
    """Yield the rows of the sheet, many at a time."""
    network, layout = plan.network, plan.layout
    racks = layout.rack_names()
    for ends in list_cable_ends(plan):
        columns: list[list[Any]] = []
        for device, name, port in (
            (network.lower[ends.links], ends.a_name, ends.a_port),
            (network.upper[ends.links], ends.b_name, ends.b_port),
        ):
            columns.append([racks[each] for each in layout.device_rack[device].tolist()])
            columns.append(layout.device_unit[device].tolist())
            columns += [name, [TYPES[each] for each in plan.is_switch[device].tolist()], port]
        yield list(zip(*columns, strict=True))


POINT_TO_POINT = PlanFormat(
    "point-to-point",
    (),
    "cable installers, UFM cable validation",
    "rack, unit, node, type and port of both ends",
    lambda plan: iter([("point-to-point.csv", _write(plan))]),
    witness=Witness("grammar", "NVIDIA Cable Validation Tool, P2P File"),
)
"""The sheet as CSV."""


POINT_TO_POINT_SHEET = PlanFormat(
    "point-to-point-xlsx",
    (),
    "Excel, cable installers, UFM cable validation",
    "rack, unit, node, type and port of both ends, as a workbook",
    lambda plan: iter([("point-to-point.xlsx", _write_sheet(plan))]),
    _check,
    row=Work(memory_bytes=1800, seconds=4e-5),
    witness=Witness("run", "openpyxl 3.1"),
)
"""The sheet as a workbook."""
