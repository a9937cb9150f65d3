"""Names of devices by their GUID or address, from a file that a site keeps."""

from __future__ import annotations

import os
import re

from fabric.discovery.source import read_source
from fabric.errors import InputError, Mistake

__all__ = ["plain_id", "read_names"]

_LINE = re.compile(r"\s*(?P<id>[^\s,;]+)[\s,;]+\"?(?P<name>[^\s,;\"]+)\"?\s*")
_ID = re.compile(r"[0-9a-f]{6,16}")


def plain_id(text: str) -> str:
    """Return a GUID or an address in lower case, without prefix, separators and leading zeros."""
    return re.sub(r"^(0x|[hsr]-)|[:.\-]", "", text.lower()).lstrip("0")


def read_names(path: str | os.PathLike[str]) -> dict[str, str]:
    """Return the name of each GUID of a file of lines `GUID name`, separated by blanks or a comma; `#` is a comment.

    Raises InputError, with the line, for a line of another form and for a GUID with two names.
    """
    source = read_source(path)
    found: dict[str, str] = {}
    for number, line in enumerate(source.text.splitlines(), 1):
        words = line.partition("#")[0].strip()
        if not words or (number == 1 and "guid" in words.lower()):
            continue
        match = _LINE.fullmatch(words)
        key = plain_id(match["id"]) if match else ""
        place = f"{source.name}:{number}"
        if not match or not _ID.fullmatch(key.zfill(6)):
            raise InputError(
                [Mistake(place, f"{words!r:.60}: not a GUID and a name, such as 0x003048c74e4a0000 node1")]
            )
        if found.setdefault(key, match["name"]) != match["name"]:
            raise InputError([Mistake(place, f"{match['id']} is both {found[key]} and {match['name']}; keep one line")])
    return found
