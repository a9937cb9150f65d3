"""Mappings that cannot change, as fields of frozen dataclasses: they can be hashed, copied and pickled."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from numbers import Integral
from typing import Any, TypeVar, overload

__all__ = ["FrozenMapping", "as_integers", "freeze", "frozen"]

K = TypeVar("K")
V_co = TypeVar("V_co", covariant=True)
D = TypeVar("D")


class FrozenMapping(Mapping[K, V_co]):
    """A mapping that cannot change, in its order. It has a hash where its values have.

    `types.FrozenMapping` has none, and can neither be copied nor pickled, so that no value with one as a field could
    be sent to another process.
    """

    __slots__ = ("_items",)

    def __init__(self, items: Mapping[K, V_co] | Iterable[tuple[K, V_co]] = ()) -> None:
        self._items = dict(items)

    def __getitem__(self, key: K) -> V_co:
        return self._items[key]

    @overload
    def get(self, key: K, /) -> V_co | None: ...
    @overload
    def get(self, key: K, /, default: V_co | D) -> V_co | D: ...
    def get(self, key: K, /, default: Any = None) -> Any:
        """Return the value of a key, or `default`: faster than by `Mapping`, which catches an error."""
        return self._items.get(key, default)

    def __contains__(self, key: object) -> bool:
        return key in self._items

    def __iter__(self) -> Iterator[K]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __hash__(self) -> int:
        return hash(frozenset(self._items.items()))

    def __repr__(self) -> str:
        return repr(self._items)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._items,)


def freeze(value: Any) -> None:
    """Replace the dicts among the fields of a frozen dataclass by mappings that cannot change, in `__post_init__`."""
    for each in fields(value):
        if isinstance(mapping := getattr(value, each.name), dict):
            object.__setattr__(value, each.name, FrozenMapping(mapping))


def as_integers(value: Any, *names: str) -> None:
    """Replace numpy's integers in these fields of a frozen dataclass by Python's, in `__post_init__`."""
    for name in names:
        if isinstance(number := getattr(value, name), Integral):
            object.__setattr__(value, name, int(number))


def frozen(value: Any) -> Any:
    """Return plain data at any depth with mappings that cannot change for dicts, and tuples for lists."""
    if isinstance(value, dict):
        return FrozenMapping({key: frozen(each) for key, each in value.items()})
    return tuple(map(frozen, value)) if isinstance(value, list) else value
