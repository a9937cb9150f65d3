"""What a process has added to the registries, such as a family of a notebook, which travels to the workers."""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from fabric.registry import REGISTRIES
from fabric.topology.families import forms_by_value

__all__ = ["AddedRecord", "add_records", "list_added"]

MEASURES = "measures"
"""The registry that is left out: the measures that a sweep asks for travel with its tasks anyway."""

_ADDRESS = re.compile(r" at 0x[0-9a-f]+")


@dataclass(frozen=True)
class AddedRecord:
    """A record that a process has added to one of its registries, and that no package has."""

    plural: str
    """The plural of the registry's kind, such as `families`."""
    record: Any
    """The record."""

    @property
    def digest(self) -> str:
        """A digest of its values; of a function it has the name, and not what the function does."""
        return sha256(_ADDRESS.sub("", repr(self.record)).encode()).hexdigest()[:16]

    def __reduce__(self) -> tuple[Callable[[str, bytes], AddedRecord], tuple[str, bytes]]:
        """Return how it is pickled: whole, with the functions of a notebook, as the other process knows none of it."""
        from joblib.externals.loky.backend import reduction

        with forms_by_value():
            return _load, (self.plural, bytes(reduction.dumps(self.record)))


def _load(plural: str, data: bytes) -> AddedRecord:
    return AddedRecord(plural, pickle.loads(data))


def list_added() -> tuple[AddedRecord, ...]:
    """Return what this process has added to all registries but that of measures, in order of their names."""
    return tuple(
        AddedRecord(plural, record)
        for plural, registry in sorted(REGISTRIES.items())
        if plural != MEASURES
        for record in registry.added
    )


def add_records(records: Iterable[AddedRecord]) -> None:
    """Add what another process has added, in place of what it passed before.

    Raises InputError where a package that is installed here has one of that name.
    """
    for each in records:
        REGISTRIES[each.plural].name_value(each.record)
