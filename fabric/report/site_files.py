"""The files of a laid-out fabric: its cables as tables or labels, and its layout as JSON or pictures."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fabric.atomic_write import write_atomically
from fabric.draw import Diagram, FloorPicture, draw_diagram, draw_floor, save, save_pages
from fabric.errors import InputError
from fabric.export.cables import write_cables_csv, write_cables_parquet
from fabric.export.cables_workbook import write_cables_xlsx
from fabric.export.floor_dxf import write_floor_dxf
from fabric.report.cable_labels import write_cable_labels
from fabric.report.files import find_target, json_text, write_text
from fabric.report.site import layout_object
from fabric.report.text import join_words
from fabric.studies.study import Study

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["check_cable_suffix", "check_layout_suffix", "write_cables", "write_layout"]

_PICTURES = (".svg", ".png", ".pdf")
_WRITERS = {
    ".csv": write_cables_csv,
    ".parquet": write_cables_parquet,
    ".xlsx": write_cables_xlsx,
    ".pdf": write_cable_labels,
}


def check_cable_suffix(file: str) -> str:
    """Return the suffix of a file of cables; raises InputError for one that cannot be written."""
    return _check_suffix(file, tuple(_WRITERS), "cables")


def check_layout_suffix(file: str) -> str:
    """Return the suffix of a file of a layout; raises InputError for one that cannot be written."""
    return _check_suffix(file, (*_PICTURES, ".dxf", ".json"), "layout")


def _check_suffix(file: str, known: tuple[str, ...], stem: str) -> str:
    suffix = Path(file).suffix.lower()
    if suffix not in known:
        raise InputError(f"{file}: unknown suffix; write {join_words([stem + each for each in known], 'or')}")
    return suffix


def write_cables(study: Study, file: str | os.PathLike[str], rows: npt.NDArray[np.int64] | None = None) -> Path:
    """Write the cables of a study to a file, whole or not at all: all, those of later stages too, or those of `rows`.

    A PDF has labels for both ends of each. Raises InputError for another suffix than .csv, .parquet, .xlsx and .pdf,
    TooLarge for more rows than a sheet has or too many labels, and FabricError saying what the system refused.
    """
    write = _WRITERS[check_cable_suffix(os.fspath(file))]
    target, wiring = find_target(file), study.planned_wiring

    def make(temporary: Path) -> list[str]:
        write(wiring, temporary / target.name, rows)
        return [target.name]

    return write_atomically(target.parent, make)[0]


def write_layout(study: Study, file: str | os.PathLike[str], picture: FloorPicture | None = None) -> Path:
    """Write the layout of a study: as JSON, or the floor plan as SVG, PNG, PDF or DXF, by the suffix of the file.

    `picture` says what a floor plan shows, by default the contents of all racks. A PDF of all halls has more pages: the
    first hall alone where there are several, and the elevations of racks. Raises InputError for another suffix or an
    unknown hall, and what `write_text` raises.
    """
    suffix = check_layout_suffix(os.fspath(file))
    if suffix == ".json":
        return write_text(file, [json_text(layout_object(study))])
    target, layout = find_target(file), study.layout

    def make(temporary: Path) -> list[str]:
        if suffix == ".dxf":
            write_floor_dxf(layout, temporary / target.name)
        else:
            pages = _draw_pages(study, picture or FloorPicture(), several=suffix == ".pdf")
            if suffix == ".pdf":
                save_pages(pages, temporary / target.name)
            else:
                save(next(pages), temporary / target.name)
        return [target.name]

    return write_atomically(target.parent, make)[0]


def _draw_pages(study: Study, picture: FloorPicture, several: bool) -> Iterator[Figure]:
    """Yield the floor plan and, where there may be several pages, the first hall by itself and the elevations."""
    layout, fill = study.layout, study.tray_fill if picture.show == "fill" else None
    draw = partial(draw_floor, study.spec.name, layout, layout.network, fill=fill)
    yield draw(picture)
    if several and not picture.hall:
        if len(np.unique(layout.hall)) > 1:
            yield draw(replace(picture, hall=layout.halls[int(layout.hall[0])].name))
        yield draw_diagram(study.blueprint, Diagram("racks", layout=layout, page=picture.page or "a3"))
