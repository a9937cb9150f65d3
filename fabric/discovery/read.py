"""Read files of discovery tools, each by the reader that knows its content, into one discovery."""

from __future__ import annotations

import os
from collections.abc import Iterable
from hashlib import sha256

from fabric.discovery.discovery import Discovery, Note
from fabric.discovery.findings import Findings, PortEnds
from fabric.discovery.merge import merge
from fabric.discovery.readers import READERS, Reader
from fabric.discovery.source import Source, read_source
from fabric.errors import InputError

__all__ = ["read_discovery"]


def read_discovery(paths: Iterable[str | os.PathLike[str]]) -> Discovery:
    """Return the devices and cables that the files name together, such as the neighbours of each switch.

    Raises InputError, with the file and the line, where a file cannot be read, is of no known format, is cut or names
    no cable; TooLarge where it is too large for this machine.
    """
    found: list[Findings] = []
    files, formats = [], []
    contents: dict[bytes, str] = {}
    for path in paths:
        source = read_source(path)
        reader = _choose(source)
        digest = sha256(source.data).digest()
        if first := contents.get(digest):
            # Two hosts cannot have the same neighbours at the same ports: it is one file, perhaps under two names.
            note = Note(source.name, f"the same content as {first}; read once")
            found.append(Findings([], (), PortEnds.of(([], []), ([], [])), notes=[note]))
        else:
            found.append(reader.read(source))
            if len(found[-1].ends.device):
                contents[digest] = source.name
        files.append(source.name)
        formats.append(reader.name)
    if not found:
        raise InputError("no file; name what a discovery tool wrote, such as the output of ibnetdiscover")
    if not any(len(each.ends.device) for each in found):
        raise InputError(f"{', '.join(files[:3])}: no cable is named there")
    return merge(files, formats, found)


def _choose(source: Source) -> Reader:
    """Return the first reader that knows the file's content."""
    for reader in READERS.values():
        if reader.recognises(source):
            return reader
    known = ", ".join(reader.tool for reader in READERS.values())
    what = "is a binary file" if not source.is_text else "is of no format that is read here"
    raise source.error(f"{what}; known: the output of {known}")
