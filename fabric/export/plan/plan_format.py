"""Formats that a plan is written in: one file, or a folder of files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from fabric.export.file_format import FileFormat
from fabric.export.plan.plan import Plan
from fabric.resources import Work

__all__ = ["Pieces", "PlanFormat", "PlanText"]

Pieces = Iterator[str] | Iterator[bytes]
"""A file piece by piece: of text, or of bytes where it is a workbook or the like."""

PlanText = Iterator[tuple[str, Pieces]]
"""Files, each as its name, relative to the folder and with `/`, and its pieces."""


USUAL_ROW = Work(memory_bytes=300, seconds=5e-6)
"""What a device or a link takes to lay out and write in most formats (`benchmarks/resources.py`)."""


def _fit_all(plan: Plan) -> None:
    """Refuse no plan."""


@dataclass(frozen=True)
class PlanFormat(FileFormat):
    """A format for plans; another package adds one under the entry-point group `fabric.formats`."""

    files: Callable[[Plan], PlanText]
    """Yields the files of a plan. One that is alone may be written under any name or to stdout."""
    fits: Callable[[Plan], None] = _fit_all
    """Raises InputError where the format can't express a plan, saying why."""
    parts: bool = False
    """Whether it can be written of a pod or unit too (`Plan.written_devices` and `written_links`)."""
    row: Work = USUAL_ROW
    """What a device or a link takes to write, its layout included."""
    folder: bool = False
    """Whether its files stand in a folder even where there is but one."""
