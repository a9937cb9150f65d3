"""The files of a plan: one under any name, or several in a folder."""

from __future__ import annotations

import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from fabric.atomic_write import check_folder, write_atomically
from fabric.errors import InputError
from fabric.export import FORMATS, Plan, PlanFormat, format_by_suffix, list_plan_files
from fabric.export.plan import Pieces
from fabric.report.checksums import checksum_text, list_stale, name_checksums
from fabric.report.files import encode_pieces, write_text

__all__ = ["PlanFiles", "read_single", "replace_plan", "write_plan"]


class PlanFiles(NamedTuple):
    """What an export changed."""

    written: list[Path]
    """The files of the plan."""
    removed: list[Path]
    """The files of an earlier export in the format to the same folder that this one doesn't have."""


def write_plan(plan: Plan, target: str | os.PathLike[str], format: str | None = None) -> list[Path]:
    """Write a plan in a format of `fabric list formats`, by default that of the file's suffix, and return its files.

    A format of one file writes `target`, or a file of its own name where that is a folder or ends in `/`. Several files
    go to the folder `target`, made if missing: all are written or none. A folder also gets their checksums,
    `NAME.sha256`, and what an earlier export in the format wrote there and this one doesn't have is removed.

    Raises FabricError saying what the system refused, InputError for an unknown format, one that can't express the
    plan, and a file to be removed that was changed since, and TooLarge as `list_plan_files` does.
    """
    return replace_plan(plan, target, format).written


def replace_plan(
    plan: Plan,
    target: str | os.PathLike[str],
    format: str | None = None,
    progress: Callable[[str], None] = lambda text: None,
) -> PlanFiles:
    """Write a plan as `write_plan` does, and return also which files of an earlier export were removed."""
    name = format or format_by_suffix(target).name
    files = list_plan_files(plan, name)
    progress("writing")
    text = os.fspath(target)
    if len(files) == 1 and not _needs_folder(name) and not text.endswith(("/", os.sep)) and not Path(text).is_dir():
        return PlanFiles([write_text(target, files[0][1])], [])
    if Path(text).is_file():
        raise InputError(
            f"{text!r:.200} is a file, and {name} of {plan.name} is a folder of files; write a folder's name"
        )
    folder = check_folder(target)
    stale = list_stale(folder, name, [file for file, _ in files])
    *written, _ = write_atomically(folder, lambda temporary: _make_files(temporary, name, files), stale)
    return PlanFiles(written, [folder / file for file in stale])


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


def _make_files(folder: Path, format: str, files: list[tuple[str, Pieces]]) -> list[str]:
    """Write the files and, last, their checksums; return their names."""
    digests: dict[str, str] = {}
    for name, pieces in files:
        path, digest = folder / name, sha256()
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as stream:
            for piece in encode_pieces(pieces):
                stream.write(piece)
                digest.update(piece)
        digests[name] = digest.hexdigest()
    last = name_checksums(format)
    (folder / last).write_text(checksum_text(digests), encoding="utf-8", newline="\n")
    return [*digests, last]
