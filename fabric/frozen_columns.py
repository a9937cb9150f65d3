"""Frozen dataclasses with numpy columns as fields, which can be compared, hashed, copied and pickled."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from fabric.frozen import freeze

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

__all__ = ["FrozenColumns"]


class FrozenColumns:
    """A frozen dataclass with numpy arrays among its fields, which are read-only; to be made with `eq=False`.

    Two are equal when all their fields are.
    """

    def __post_init__(self) -> None:
        freeze(self)
        for value in self._values():
            if isinstance(value, np.ndarray):
                value.flags.writeable = False

    def _values(self) -> tuple[Any, ...]:
        return tuple(getattr(self, each.name) for each in fields(cast("DataclassInstance", self)))

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        pairs = zip(self._values(), other._values(), strict=True)
        return all(np.array_equal(one, two) if isinstance(one, np.ndarray) else one == two for one, two in pairs)

    def __hash__(self) -> int:
        return hash(tuple(value for value in self._values() if not isinstance(value, np.ndarray)))

    def __reduce__(self) -> tuple[Any, ...]:
        # Made anew where it is unpickled or copied, since arrays forget there that they are read-only.
        return type(self), self._values()
