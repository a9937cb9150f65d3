"""A measure: what a sweep computes of every design, in columns that are known before anything is computed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from fabric.errors import InputError
from fabric.request import Spec
from fabric.studies.study import Study

__all__ = ["LARGEST", "ColumnKind", "Measure", "MeasureColumn", "Setting", "clean_value", "read_plain"]

ColumnKind = Literal["whole", "number", "text", "flag"]
"""What a column of a sweep holds: whole numbers, numbers, text, or true and false; any of them may be missing."""

DIGITS = 12
"""The significant digits of a number in the table: processors of several makes differ in the sixteenth."""

LARGEST = 2**63
"""The whole numbers of a column are below this, which is what 64 bits hold."""


def clean_value(value: Any, kind: ColumnKind) -> Any:
    """Return a value as its column holds it: text of mappings and lists as JSON, numbers to twelve digits.

    Not a number (nan) is a value that is not known: None. Raises InputError for a value that the column can't hold.
    """
    if value is None or value != value:  # noqa: PLR0124 - only nan differs from itself
        return None
    try:
        if kind == "text":
            return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        if kind == "number":
            return float(f"{float(value):.{DIGITS}g}")
        found = int(value) if kind == "whole" else bool(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(f"{value!r:.60} does not fit a column of the kind {kind}: {error}") from None
    if not -LARGEST <= found < LARGEST:
        raise InputError(f"{value!r:.60} does not fit a column of whole numbers of 64 bits")
    return found


def read_plain(value: Any) -> Any:
    """Return a setting's value as it was written."""
    return value


@dataclass(frozen=True)
class MeasureColumn:
    """One column of a measure."""

    name: str
    """Its name in the table, with the unit last: `cost_usd`, `allreduce_s`."""
    kind: ColumnKind
    """What it holds."""
    description: str
    """What it is, in a sentence."""


@dataclass(frozen=True)
class Setting:
    """What a sweep can set of a measure, to one value for all designs or to several."""

    name: str
    """The key in the section of the measure: `size` in `allreduce: {size: 1GiB}`."""
    column: MeasureColumn
    """The column that shows its value."""
    default: Any
    """The value where none is given, as `read` returns it."""
    read: Callable[[Any], Any] = read_plain
    """Returns a value as it was written in plain form (text, numbers, lists, mappings), or raises InputError."""


def _quick(_spec: Spec, _settings: Mapping[str, Any]) -> float:
    return 0.002


@dataclass(frozen=True)
class Measure:
    """What a sweep computes of every design.

    Another package exports one under the entry-point group `fabric.measures`. The answer must depend on the design, the
    settings and nothing else: no clock, no random number without a seed, no file.
    """

    name: str
    """The word that asks for it."""
    description: str
    """What it measures, in a sentence."""
    columns: tuple[MeasureColumn, ...]
    """Its columns in the table."""
    compute: Callable[[Study, Mapping[str, Any]], Sequence[Any]]
    """Returns the values of the columns for a design, given every setting by name; None for what is not known.

    An InputError, TooLarge or Infeasible leaves the columns empty, and its text is the point's message.
    """
    settings: tuple[Setting, ...] = ()
    """What can be set of it."""
    work_s: Callable[[Spec, Mapping[str, Any]], float] = _quick
    """Returns the seconds that it takes on one core, roughly and without designing: it cuts a sweep into chunks."""
    version: str = ""
    """Must change whenever its answers do, so that chunks kept from before are not used; of a measure of a package that
    is not needed, since the package's version counts too."""

    def __post_init__(self) -> None:
        names = [each.name for each in self.columns] + [each.column.name for each in self.settings]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise InputError(f"measure '{self.name}': two columns are called '{twice[0]}'; rename one")

    def setting(self, name: str) -> Setting | None:
        """Return the setting of that name; None where there is none."""
        return next((each for each in self.settings if each.name == name), None)
