"""A sweep as it was read: what is varied, what is measured, and what is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fabric.request.document import Document, Keys
from fabric.sweeps.front import Front
from fabric.sweeps.measure import Measure
from fabric.sweeps.picture import Picture

__all__ = ["Axis", "Row", "Sweep"]


@dataclass(frozen=True)
class Axis:
    """One key that is varied, and the values that it takes."""

    key: str
    """The path of a request key, `limits.parallel_links`, or a measure's setting, `allreduce.size`."""
    values: tuple[Any, ...]
    """Its values, as they were written; those of a setting as they are read."""
    place: Keys
    """Where they are in the sweep."""
    measure: str = ""
    """The measure whose setting it is; empty for a key of the request."""


@dataclass(frozen=True)
class Row:
    """One row of `list`: values that are set together."""

    values: Mapping[str, Any]
    """The values of request keys by their path."""
    settings: Mapping[tuple[str, str], Any]
    """The values of settings by measure and name, as they are read."""
    place: Keys
    """Where it is in the sweep."""


@dataclass(frozen=True)
class Sweep:
    """A sweep as it was read: every row of `list` with every combination of the axes."""

    base: Document
    """The request that all designs share; its calibration, if any, is in it and not in a file."""
    rows: tuple[Row, ...]
    """The rows of `list`; one that sets nothing where there is none."""
    axes: tuple[Axis, ...]
    """What is varied, the last one fastest: keys of the request, then settings."""
    measures: tuple[Measure, ...]
    """What is computed of every design."""
    settings: Mapping[tuple[str, str], Any]
    """The settings that are the same for all designs, by measure and name: those given, and defaults."""
    document: Document = field(repr=False)
    """The sweep's own plain values, with their places."""
    front: Front | None = None
    """What the column `on_front` is of; None for no such column."""
    pictures: tuple[Picture, ...] = ()
    """The pictures to draw."""

    def place(self, keys: Keys, key: str) -> str:
        """Return where the value of a request key stands, for messages: `sweep.yaml:7: gpus`, or `grid.gpus[1]`."""
        found = self.document.mistake(keys, "")
        return f"{found.place}: {key}" if self.document.file else found.place

    @property
    def swept_keys(self) -> tuple[str, ...]:
        """The paths of the request keys that are varied, those of `list` first."""
        listed = (key for row in self.rows for key in row.values)
        return tuple(dict.fromkeys([*listed, *(axis.key for axis in self.axes if not axis.measure)]))

    def plain(self) -> dict[str, Any]:
        """Return the sweep as plain values, complete in itself: read again, it is the same sweep."""
        measures = [each.name for each in self.measures]
        return {**self.document.values, "base": dict(self.base.values), "measures": measures}
