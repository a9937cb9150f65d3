"""The Pareto front over the points of a sweep: those that no other point is as good as in all objectives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fabric.errors import InputError, nearest

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

__all__ = ["ON_FRONT", "Front", "add_front", "find_front", "read_front"]

ON_FRONT = "on_front"
"""The name of the column."""

WHAT = "write columns, and max: before those to maximise, such as cost_usd,max:allreduce_busbw_GBps"


@dataclass(frozen=True)
class Front:
    """The columns to minimise or maximise over the points of a sweep."""

    objectives: tuple[str, ...]
    """The columns, each after `max:` where more is better."""
    by: tuple[str, ...] = ()
    """The columns whose values have a front each, such as the number of GPUs; empty for one front over all points."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the objectives' columns."""
        return tuple(each.removeprefix("max:") for each in self.objectives)

    def check(self, kinds: dict[str, str]) -> None:
        """Raise InputError unless the objectives are columns of numbers and `by` are columns; `kinds` are by name."""
        numbers = [name for name, kind in kinds.items() if kind in ("whole", "number")]
        for name in self.columns:
            if name not in numbers:
                why = f"holds {kinds[name]}, no numbers" if name in kinds else f"no such column{nearest(name, numbers)}"
                raise InputError(f"pareto '{name:.60}': {why}")
        for name in self.by:
            if name not in kinds:
                raise InputError(f"pareto by '{name:.60}': no such column{nearest(name, kinds)}")


def read_front(value: Any) -> Front:
    """Return a front as it is written: a list of columns, text with commas, or a mapping of `columns` and `by`."""
    by: Any = ()
    if isinstance(value, dict):
        if unknown := set(value) - {"columns", "by"}:
            raise InputError(f"pareto: unknown key '{sorted(map(str, unknown))[0]:.60}'; known: by, columns")
        value, by = value.get("columns"), value.get("by", ())
    objectives, groups = (_read_names(each) for each in (value, by))
    if len(objectives) < 2 or len({each.removeprefix("max:") for each in objectives}) < len(objectives):
        raise InputError(f"pareto: a front needs two different columns or more; {WHAT}")
    return Front(objectives, groups)


def _read_names(value: Any) -> tuple[str, ...]:
    names = value.split(",") if isinstance(value, str) else value
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) and name.strip() for name in names):
        raise InputError(f"pareto {value!r:.60}: not a list of columns; {WHAT}")
    return tuple(name.strip() for name in names)


def find_front(values: npt.NDArray[np.float64], groups: npt.NDArray[np.int64] | None = None) -> npt.NDArray[np.bool_]:
    """Return which points are on the front of their group, less being better; shape (points,).

    `values` has the shape (points, objectives). A point is on the front when no other of its group is at most as large
    in all objectives and smaller in one; equal points are on it together. One with a value that is not known (nan) is
    not, and keeps no other off it. With more than two objectives the work grows with the points times the front.
    """
    import numpy as np

    found = np.zeros(len(values), bool)
    known = np.flatnonzero(~np.isnan(values).any(axis=1))
    groups = np.zeros(len(values), np.int64) if groups is None else groups
    for group in np.unique(groups[known]):
        rows = known[groups[known] == group]
        different, inverse = np.unique(values[rows], axis=0, return_inverse=True)
        found[rows] = _mark_front(different)[inverse.reshape(-1)]
    return found


def _mark_front(points: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Return which of different points in lexicographic order are on their front.

    In this order no point is dominated by a later one, so each is compared with the front so far. Of two objectives
    that is its least second value, since all before have at most as much of the first.
    """
    import numpy as np

    if points.shape[1] == 2:
        least = np.minimum.accumulate(points[:, 1])
        return np.append(True, points[1:, 1] < least[:-1])
    on_front, kept, count = np.zeros(len(points), bool), np.empty_like(points), 0
    for index, point in enumerate(points):
        if not (kept[:count] <= point).all(axis=1).any():
            kept[count], on_front[index] = point, True
            count += 1
    return on_front


def add_front(table: pa.Table, front: Front) -> pa.Table:
    """Return a sweep's table with the column `on_front`, missing for points of which an objective is not known."""
    import numpy as np
    import pyarrow as pa

    kinds = {name: _kind_of(table.schema.field(name).type) for name in table.column_names}
    front.check(kinds)
    signs = [-1.0 if each.startswith("max:") else 1.0 for each in front.objectives]
    columns = [table.column(name).cast(pa.float64()).to_numpy() for name in front.columns]
    values = np.column_stack([sign * column for sign, column in zip(signs, columns, strict=True)])
    on_front = find_front(values, _number_groups(table, front.by))
    missing = np.isnan(values).any(axis=1)
    column = pa.array(on_front, pa.bool_(), mask=missing)
    described = {"description": f"whether no point has less of {', '.join(front.objectives)} (max: more)"}
    field = pa.field(ON_FRONT, pa.bool_(), metadata=described)
    if ON_FRONT in table.column_names:
        table = table.drop_columns([ON_FRONT])
    return table.append_column(field, column)


def _number_groups(table: pa.Table, by: Sequence[str]) -> npt.NDArray[np.int64]:
    """Return the number of each point's group: its combination of values in the columns `by`."""
    import numpy as np

    numbers: dict[tuple[Any, ...], int] = {}
    rows = zip(*(table.column(name).to_pylist() for name in by), strict=True) if by else [()] * len(table)
    return np.array([numbers.setdefault(row, len(numbers)) for row in rows], np.int64)


def _kind_of(kind: pa.DataType) -> str:
    import pyarrow as pa

    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return "number"
    return "text" if pa.types.is_string(kind) else "flags"
