"""Records by name: how each kind of thing that can be added (families, routings, formats, ...) is said once.

A kind is a frozen dataclass with a `name`. The built-in records of a kind stand in a literal tuple of its package;
another package adds one by exporting it under the kind's entry-point group. The command line, the help texts, the
schema, the reports and the error messages take their lists from the registry, and have none of their own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import cache, cached_property
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Generic, Protocol, TypeVar

from fabric.errors import InputError, nearest

__all__ = ["REGISTRIES", "Record", "Registry", "list_plugins"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*")


@cache
def _installed() -> Any:
    """Return the entry points of all packages: to find them takes a look at every package, whatever the group."""
    return entry_points()


def list_plugins() -> list[tuple[str, str, str, str]]:
    """Return the entry points of installed packages: group, name, package and the version of the package."""
    return sorted(
        (point.group, point.name, point.dist.name if point.dist else "", point.dist.version if point.dist else "")
        for group in _installed().groups
        if group.startswith("fabric.")
        for point in _installed().select(group=group)
    )


REGISTRIES: dict[str, Registry[Any]] = {}
"""Every registry by its plural, once its module is imported."""


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
    group `fabric.<plural>`. `reserved` are words that ask for something else, so that no record may be called by them.
    """

    def __init__(
        self,
        kind: str,
        plural: str,
        type_: type[R],
        builtin: Callable[[], Iterable[R]],
        reserved: Collection[str] = (),
    ) -> None:
        self.kind = kind
        self.plural = plural
        self._type = type_
        self._builtin = builtin
        self._reserved = reserved
        self._passed = set[str]()
        self._added = set[str]()
        REGISTRIES[plural] = self

    @property
    def group(self) -> str:
        """The entry-point group under which a package exports a record."""
        return f"fabric.{self.plural.replace('-', '_')}"

    @cached_property
    def _records(self) -> dict[str, R]:
        records = {record.name: record for record in self._builtin()}
        for point in sorted(_installed().select(group=self.group), key=lambda point: point.name):
            record = self._load(point)
            if record.name in records:
                raise InputError(f"entry point {point.name} of {self.group}: the name '{record.name}' is taken")
            records[record.name] = record
        return records

    def _load(self, point: EntryPoint) -> R:
        where = f"entry point {point.name} of {self.group}: {point.value}"
        try:
            record: R = point.load()
        except (Exception, SystemExit) as error:  # a module that ends the process would end ours without a word
            raise InputError(f"{where} fails: {error!r:.500}") from error
        self._check(record, where)
        return record

    def _check(self, record: R, what: str) -> None:
        """Raise InputError unless the record is of the registry's class and has a name that can be typed in a list."""
        if not isinstance(record, self._type):
            raise InputError(f"{what} is not a {self._type.__name__}")
        if not isinstance(record.name, str) or not _NAME.fullmatch(record.name):
            raise InputError(
                f"{what}: the name {record.name!r:.80} is not valid; use letters, digits and _ . + -, and begin with"
                " a letter or a digit"
            )
        if record.name in self._reserved:
            raise InputError(f"{what}: the name '{record.name}' is reserved")

    def __getitem__(self, name: str) -> R:
        return self._records[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._records)

    def __len__(self) -> int:
        return len(self._records)

    def get_record(self, name: str) -> R:
        """Return the record called `name`; raises InputError with the nearest name, or all where none is near."""
        if not isinstance(name, str) or name not in self._records:
            raise InputError(f"unknown {self.kind} {str(name)!r:.80}{nearest(name, self)}")
        return self[name]

    def add(self, record: R) -> None:
        """Add a record, for the life of this process.

        Raises InputError when it is not of the registry's class, or its name is taken, reserved or not valid.
        """
        self._check(record, f"{record!r:.80}")
        if record.name in self._records:
            raise InputError(f"the {self.kind} '{record.name}' exists already")
        self._records[record.name] = record
        self._added.add(record.name)

    def name_value(self, value: Any) -> Any:
        """Return the name of a record that is passed as a value, which this process then knows; anything else as it is.

        A value passed before under the same name is replaced, as where a cell of a notebook runs again. Raises
        InputError as `add` does; a record that is built in, added or of a package can't be replaced.
        """
        if not isinstance(value, self._type):
            return value
        known = self._records.get(value.name)
        if known is not None and known != value and value.name not in self._passed:
            raise InputError(f"the {self.kind} '{value.name}' exists already; give yours another name")
        if known != value:
            self._check(value, f"{value!r:.80}")
            self._records[value.name] = value
            self._passed.add(value.name)
            self._added.add(value.name)
        return value.name

    def remove(self, name: str) -> None:
        """Remove the record called `name`, if there is one, for the life of this process."""
        self._records.pop(name, None)
        self._passed.discard(name)
        self._added.discard(name)

    @property
    def added(self) -> list[R]:
        """The records that this process has added, by name."""
        return [self._records[name] for name in sorted(self._added)]
