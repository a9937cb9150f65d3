"""Options whose values are names of a registry: listed in the help, completed by shells, and checked, all lazily."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from fabric.errors import InputError, nearest

if TYPE_CHECKING:
    NameType = click.ParamType[Any]
else:
    NameType = click.ParamType

__all__ = ["RecordName", "RecordOption", "record_option", "split_names"]


class RecordName(NameType):
    """The name of a record, or several names with commas; the registry is imported when it is first needed.

    `registry` is where it is found, as `package.module:NAME`: a `Registry`, any other mapping by name, or a function
    that returns one. `also` are further words, or where more names are found; `only` says which of the
    records are allowed. Unless `checked`, names are only listed and completed, because the request checks them itself.
    """

    def __init__(
        self,
        registry: str,
        *,
        several: bool = False,
        also: Sequence[str] = (),
        only: Callable[[Any], bool] | None = None,
        checked: bool = True,
    ) -> None:
        self.name = "names" if several else "name"
        self.registry = registry
        self.several = several
        self.also = tuple(also)
        self.only = only
        self.checked = checked

    def list_names(self) -> tuple[str, ...]:
        """Return the names that are allowed, in the registry's order."""
        records = _load(self.registry)
        names = [name for name in records if self.only is None or self.only(records[name])]
        for word in self.also:
            names += _load(word) if ":" in word else [word]
        return tuple(names)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the name, or a tuple of names; fails with the nearest name for one that is not known."""
        if not self.checked or not isinstance(value, str):
            return value
        try:
            names = split_names(value) if self.several else (value.strip(),)
        except InputError as error:
            self.fail(str(error), param, ctx)
        known = self.list_names()
        for name in names:
            if name not in known:
                self.fail(f"unknown name '{name:.80}'{nearest(name, known)}", param, ctx)
        return names if self.several else names[0]

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002
        """Offer the names that the last one of a list may become."""
        before, comma, last = incomplete.rpartition(",") if self.several else ("", "", incomplete)
        return [CompletionItem(f"{before}{comma}{name}") for name in self.list_names() if name.startswith(last)]


def _load(path: str) -> Mapping[str, Any]:
    """Return the records by name that are found at `package.module:NAME`."""
    found = resolve_name(path)
    records: Mapping[str, Any] = found() if callable(found) else found
    return records


class RecordOption(click.Option):
    """An option of type `RecordName`, in whose help `{names}` is replaced by the names when the help is shown."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Return the option's spelling and its help with the names."""
        record = super().get_help_record(ctx)
        if record is None or not isinstance(self.type, RecordName):
            return record
        return record[0], record[1].replace("{names}", ", ".join(self.type.list_names()))


def record_option(
    *words: str,
    registry: str,
    several: bool = False,
    also: Sequence[str] = (),
    only: Callable[[Any], bool] | None = None,
    checked: bool = True,
    **attributes: Any,
) -> Callable[..., Any]:
    """Return an option that takes names of `registry` (see `RecordName`); `{names}` in its help lists them.

    The command gets a name, or a tuple of names when `several`.
    """
    type_ = RecordName(registry, several=several, also=also, only=only, checked=checked)
    return click.option(*words, cls=RecordOption, type=type_, **attributes)


def split_names(text: str) -> tuple[str, ...]:
    """Return the names of a list with commas; raises InputError for a duplicate."""
    names = tuple(name.strip() for name in text.split(","))
    if duplicates := [name for index, name in enumerate(names) if name in names[:index]]:
        raise InputError(f"duplicate name '{duplicates[0]:.80}'")
    return names
