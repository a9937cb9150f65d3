"""The files of a laid-out fabric: its cables as CSV or Parquet, and its layout as JSON."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fabric.atomic_write import write_atomically
from fabric.draw import draw_floor, save
from fabric.errors import InputError
from fabric.export.cables import write_cables_csv, write_cables_parquet
from fabric.export.cables_workbook import write_cables_xlsx
from fabric.export.floor_dxf import write_floor_dxf
from fabric.report.files import json_text, write_text
from fabric.report.site import layout_object
from fabric.report.text import join_words
from fabric.studies.study import Study

__all__ = ["check_cable_suffix", "check_layout_suffix", "write_cables", "write_layout"]

_PICTURES = (".svg", ".png", ".pdf")
_WRITERS = {".csv": write_cables_csv, ".parquet": write_cables_parquet, ".xlsx": write_cables_xlsx}


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
    """Write the cables of a study to a file, whole or not at all: all, or those of `rows` of its network.

    Raises InputError for another suffix than .csv, .parquet and .xlsx, TooLarge for more rows than a sheet has, and
    FabricError saying what the system refused.
    """
    write = _WRITERS[check_cable_suffix(os.fspath(file))]
    target, wiring = Path(file), study.wiring

    def make(temporary: Path) -> list[str]:
        write(wiring, temporary / target.name, rows)
        return [target.name]

    return write_atomically(target.parent, make)[0]


def write_layout(study: Study, file: str | os.PathLike[str], show: str = "contents") -> Path:
    """Write the layout of a study: as JSON, or the floor plan as SVG, PNG, PDF or DXF, by the suffix of the file.

    `show` says what the colour of a rack is by, one of `fabric.draw.floor_plan.SHOWN`. Raises InputError for another
    suffix, and what `write_text` raises.
    """
    suffix = check_layout_suffix(os.fspath(file))
    if suffix == ".json":
        return write_text(file, [json_text(layout_object(study))])
    target, layout = Path(file), study.layout

    def make(temporary: Path) -> list[str]:
        if suffix == ".dxf":
            write_floor_dxf(layout, temporary / target.name)
        else:
            save(draw_floor(study.spec.name, layout, layout.network, show), temporary / target.name)
        return [target.name]

    return write_atomically(target.parent, make)[0]
