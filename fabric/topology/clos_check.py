"""What a Clos form must keep to, and the names of its sizes that count filled places."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from fabric.errors import InputError

if TYPE_CHECKING:
    from fabric.topology.clos import ClosForm

__all__ = ["check_form", "filled_name"]


def filled_name(axis: str) -> str:
    """Return the name of the size that counts the filled places down to `axis`: `pod` gives `pods`.

    An axis of one kind of server has its name after a space, `slot hgx-h100`, which gives `slots hgx-h100`.
    """
    word, space, kind = axis.partition(" ")
    return f"{word}s{space}{kind}"


def check_form(form: ClosForm) -> None:
    """Raise InputError where a form is no chain of groups that stand in the servers' places."""
    if not form.placement:
        raise InputError(f"family {form.family}: '{form.text}': the server needs an axis, its slot")
    for axis in form.placement:
        if filled_name(axis) in form.axes:
            raise InputError(f"family {form.family}: an axis may not be called '{filled_name(axis)}' beside '{axis}'")
    if form.tiers < 1:
        raise InputError(f"family {form.family}: '{form.text}' has no switches")
    _require_unique(form.family, "role", (group.role for group in form.groups))
    for group in form.groups:
        _require_unique(form.family, f"axis of {group.role}", group.axes)
        places = tuple(axis for axis in group.axes if axis in form.placement)
        if places != form.placement[: len(places)]:
            raise InputError(
                f"family {form.family}: {group.role} has the places {places}; they must be the server's first, in order"
            )
    for axis in form.axes:
        has = [axis in group.axes for group in form.groups]
        if True in has and not all(has[has.index(True) : len(has) - has[::-1].index(True)]):
            raise InputError(f"family {form.family}: axis {axis} is dropped on the way up and comes back")


def _require_unique(family: str, what: str, names: Iterable[str]) -> None:
    names = list(names)
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"family {family}: duplicate {what} {name}")
