"""The readers of discovery files, by name: each says which files it can read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fabric.discovery.findings import Findings
from fabric.discovery.ibnetdiscover import is_ibnetdiscover, read_ibnetdiscover
from fabric.discovery.source import Source
from fabric.registry import Registry

__all__ = ["READERS", "Reader"]


@dataclass(frozen=True)
class Reader:
    """A reader of one format; another package adds one under the entry-point group `fabric.discovery_readers`."""

    name: str
    """The word for the format."""
    tool: str
    """The command that writes it, for people."""
    recognises: Callable[[Source], bool]
    """Whether a file is of the format, by its content."""
    read: Callable[[Source], Findings]
    """Returns what the file says. Raises InputError with the line where it is cut or wrong."""


READERS = Registry(
    "discovery reader",
    "discovery-readers",
    Reader,
    lambda: (Reader("ibnetdiscover", "ibnetdiscover", is_ibnetdiscover, read_ibnetdiscover),),
)
"""The readers by name, in the order in which they are asked."""
