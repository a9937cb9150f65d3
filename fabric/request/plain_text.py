"""Read a file of plain text, whatever it holds."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from fabric.errors import InputError, Mistake, unreadable
from fabric.request.document import quoted

__all__ = ["read_plain_text", "refuse_dash"]


def read_plain_text(path: str | os.PathLike[str], most: int, kind: str, size: str) -> str:
    """Return the text of the file at `path`, which messages name as it is given.

    `kind` and `size` say what is expected of its kind and of its size. Raises InputError when it is not a regular,
    readable file of UTF-8 with at most `most` bytes.
    """
    name = quoted(os.fsdecode(path))
    data = _read_bytes(path, name, most, kind, size)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _refusal(
            f"{name}:{line}", f"byte 0x{data[error.start]:02x} is not UTF-8; save the file as UTF-8"
        ) from None


def refuse_dash(name: str) -> None:
    """Raise InputError for `-`, by which other programs read standard input."""
    if name == "-":
        raise _refusal(name, "standard input is not read; name a file, as `... | tee run.log` makes of output")


def _read_bytes(path: str | os.PathLike[str], name: str, most: int, kind: str, size: str) -> bytes:
    refuse_dash(name)
    try:
        status = Path(path).stat()
        if stat.S_ISREG(status.st_mode):
            with Path(path).open("rb") as file:
                data = file.read(most + 1)
    except (OSError, ValueError) as error:
        raise unreadable(name, error) from None
    if not stat.S_ISREG(status.st_mode):
        found = "a directory" if stat.S_ISDIR(status.st_mode) else "not a regular file"
        raise _refusal(name, f"is {found}; {kind}")
    if len(data) > most:
        raise _refusal(name, f"has over {most:,} bytes; {size}")
    return data


def _refusal(place: str, text: str) -> InputError:
    return InputError([Mistake(place, text)])
