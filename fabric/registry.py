"""Records by name: how each kind of thing that can be added (families, routings, formats, ...) is said once.

A kind is a frozen dataclass with a `name`. The built-in records of a kind stand in a literal tuple of its package;
another package adds one by exporting it under the kind's entry-point group. The command line, the help texts, the
schema, the reports and the error messages take their lists from the registry, and have none of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, Protocol, TypeVar

from fabric.errors import InputError, nearest

__all__ = ["Record", "Registry"]


class Record(Protocol):
    """What a registry holds: anything with a name."""

    @property
    def name(self) -> str:
        """The word by which a person asks for it."""


R = TypeVar("R", bound=Record)


class Registry(Mapping[str, R], Generic[R]):
    """The records of one kind by name: the built-in ones in their order, then those of other packages by name.

    `kind` is the word for people, such as `routing`; `type_` the records' class. `builtin` returns the built-in records
    when they are first needed, so that a registry costs nothing to import. Other packages' entry points are in the
    group `fabric.<plural>`.
    """

    def __init__(self, kind: str, plural: str, type_: type[R], builtin: Callable[[], Iterable[R]]) -> None:
        self.kind = kind
        self.plural = plural
        self._type = type_
        self._builtin = builtin

    @property
    def group(self) -> str:
        """The entry-point group under which a package exports a record."""
        return f"fabric.{self.plural.replace('-', '_')}"

    @cached_property
    def _records(self) -> dict[str, R]:
        records = {record.name: record for record in self._builtin()}
        for point in sorted(entry_points(group=self.group), key=lambda point: point.name):
            record = self._load(point)
            if record.name in records:
                raise InputError(f"entry point {point.name} of {self.group}: the name '{record.name}' is taken")
            records[record.name] = record
        return records

    def _load(self, point: EntryPoint) -> R:
        where = f"entry point {point.name} of {self.group}: {point.value}"
        try:
            record = point.load()
        except Exception as error:
            raise InputError(f"{where} fails: {error!r}") from error
        if not isinstance(record, self._type):
            raise InputError(f"{where} is not a {self._type.__name__}")
        return record

    def __getitem__(self, name: str) -> R:
        return self._records[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._records)

    def __len__(self) -> int:
        return len(self._records)

    def get_record(self, name: str) -> R:
        """Return the record called `name`; raises InputError with the nearest name, or all where none is near."""
        if name not in self._records:
            raise InputError(f"unknown {self.kind} '{name}'{nearest(name, self)}")
        return self[name]

    def add(self, record: R) -> None:
        """Add a record, for the life of this process; raises InputError when its name is taken."""
        if record.name in self._records:
            raise InputError(f"the {self.kind} '{record.name}' exists already")
        self._records[record.name] = record

    def remove(self, name: str) -> None:
        """Remove the record called `name`, if there is one, for the life of this process."""
        self._records.pop(name, None)
