"""The files of a plan: one under any name, or several in a folder."""

from __future__ import annotations

import os
from pathlib import Path

from fabric.atomic_write import write_atomically
from fabric.errors import InputError
from fabric.export import FORMATS, Plan, PlanFormat, format_by_suffix, list_plan_files
from fabric.export.plan import Pieces
from fabric.report.files import encode_pieces, write_text

__all__ = ["read_single", "write_plan"]


def write_plan(plan: Plan, target: str | os.PathLike[str], format: str | None = None) -> list[Path]:
    """Write a plan in a format of `fabric list formats`, by default that of the file's suffix, and return its files.

    A format of one file writes `target`, or a file of its own name where that is a folder or ends in `/`. Several files
    go to the folder `target`, made if missing: all are written or none. Raises FabricError saying what the system
    refused, InputError for an unknown format and one that can't express the plan, and TooLarge as `list_plan_files`.
    """
    name = format or format_by_suffix(target).name
    files = list_plan_files(plan, name)
    text = os.fspath(target)
    if len(files) == 1 and not _needs_folder(name) and not text.endswith(("/", os.sep)) and not Path(text).is_dir():
        return [write_text(target, files[0][1])]
    if Path(text).is_file():
        raise InputError(
            f"{text!r:.200} is a file, and {name} of {plan.name} is a folder of files; write a folder's name"
        )
    return write_atomically(target, lambda folder: _make_files(folder, files))


def read_single(plan: Plan, format: str) -> Pieces:
    """Return the pieces of a plan's only file in a format; raises InputError where there are several."""
    files = list_plan_files(plan, format)
    if len(files) > 1 or _needs_folder(format):
        names = ", ".join(name for name, _ in files[:3])
        more = f" and {len(files) - 3} more" if len(files) > 3 else ""
        raise InputError(f"{format} of {plan.name} is a folder of files ({names}{more}); give --out FOLDER")
    return files[0][1]


def _needs_folder(name: str) -> bool:
    """Return whether the files of a format stand in a folder even where there is but one."""
    found = FORMATS.get_record(name)
    return isinstance(found, PlanFormat) and found.folder


def _make_files(folder: Path, files: list[tuple[str, Pieces]]) -> list[str]:
    for name, pieces in files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as stream:
            stream.writelines(encode_pieces(pieces))
    return [name for name, _ in files]
