"""The checksums of the files that a format wrote to a folder, as `sha256sum --check` reads them.

By them the next export of the format knows which files of the folder are of an earlier, perhaps larger fabric.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from fabric.errors import FabricError, InputError

__all__ = ["checksum_text", "list_stale", "name_checksums"]

_LINE = re.compile(r"([0-9a-f]{64})  ([^/].*)")


def name_checksums(format: str) -> str:
    """Return the name of the file of checksums of a format."""
    return f"{format}.sha256"


def checksum_text(digests: Mapping[str, str]) -> str:
    """Return the text of a file of checksums, given the SHA-256 of each file in hexadecimal by its relative name."""
    return "".join(f"{digest}  {name}\n" for name, digest in digests.items())


def list_stale(folder: Path, format: str, names: Iterable[str]) -> list[str]:
    """Return the files that an earlier export of a format wrote to a folder, other than `names`, and that are there.

    Raises InputError where one of them has been changed since, and where the file of checksums is none; FabricError
    where a file can't be read.
    """
    earlier = _read_checksums(folder / name_checksums(format))
    kept = set(names)
    stale = [name for name in earlier if name not in kept and (folder / name).is_file()]
    for name in stale:
        try:
            with (folder / name).open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError as error:
            raise FabricError(f"{folder / name}: {error.strerror or error}") from error
        if digest != earlier[name]:
            raise InputError(
                f"{folder / name}: an earlier export wrote this file, the fabric has no such file now, and it has been"
                " changed since; move it away, or choose another folder"
            )
    return stale


def _read_checksums(file: Path) -> dict[str, str]:
    """Return the checksum of each file by its name; of none where there is no file of checksums."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise FabricError(f"{file}: {getattr(error, 'strerror', None) or error}") from error
    found: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        match = _LINE.fullmatch(line)
        if not match or ".." in Path(match[2]).parts:
            raise InputError(
                f"{file}, line {number}: '{line:.80}' is no checksum of a file below this folder; move the file away,"
                " and files of earlier exports stay"
            )
        found[match[2]] = match[1]
    return found
