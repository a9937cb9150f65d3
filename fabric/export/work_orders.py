"""The work orders of growth as CSV: devices that get another name, cables that are moved or removed, and new ones."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fabric.layout.moves import MovePlan

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["ORDER_COLUMNS", "write_work_orders"]

ORDER_COLUMNS = ("step", "action", "bundle", "cables", "old_a", "old_b", "new_a", "new_b")
"""The columns in order. The ends are devices; of a device that is renamed `old_a` and `new_a` are its names."""


def write_work_orders(file: Path, plans: Iterable[MovePlan]) -> None:
    """Write the work orders of steps one after the other, numbered from 1; equal cables of two devices are one row."""
    import pyarrow as pa
    from pyarrow.csv import CSVWriter

    types = {"step": pa.int64(), "cables": pa.int64()}
    schema = pa.schema([(name, types.get(name, pa.string())) for name in ORDER_COLUMNS])
    with CSVWriter(file, schema) as writer:
        for step, plan in enumerate(plans, 1):
            names = pa.array(plan.old.names()), pa.array(plan.new.names())
            writer.write_batch(_list_devices(step, plan, names, schema))
            writer.write_batch(_list_cables(step, plan, names, schema))
            writer.write_batch(_list_added(step, plan, names[1], schema))


def _list_devices(step: int, plan: MovePlan, names: tuple[Any, Any], schema: pa.Schema) -> pa.RecordBatch:
    """Return a row for each device whose name changes, or that is not used again."""
    import pyarrow as pa
    import pyarrow.compute as pc

    target = pa.array(plan.place, mask=plan.place < 0)
    new = names[1].take(target)
    differs = pc.fill_null(pc.not_equal(names[0], new), True)
    old, new = names[0].filter(differs), new.filter(differs)
    action = pc.if_else(pc.is_null(new), "retire", "rename")
    return _make_batch(schema, {"step": step, "action": action, "old_a": old, "new_a": new}, len(old))


def _list_cables(step: int, plan: MovePlan, names: tuple[Any, Any], schema: pa.Schema) -> pa.RecordBatch:
    import pyarrow as pa
    import pyarrow.compute as pc

    gone = plan.new_lower < 0
    columns = {
        "step": step,
        "action": pc.if_else(pa.array(gone), "remove", "move"),
        "bundle": pa.array(plan.old.bundles).take(pa.array(plan.bundle)),
        "cables": pa.array(plan.cables),
        "old_a": names[0].take(pa.array(plan.lower)),
        "old_b": names[0].take(pa.array(plan.upper)),
        "new_a": names[1].take(pa.array(plan.new_lower, mask=gone)),
        "new_b": names[1].take(pa.array(plan.new_upper, mask=gone)),
    }
    return _make_batch(schema, columns, len(plan.cables))


def _list_added(step: int, plan: MovePlan, names: Any, schema: pa.Schema) -> pa.RecordBatch:
    """Return a row for the new cables between two devices."""
    import pyarrow as pa

    bundle, low, high, cables = plan.list_added()
    columns = {
        "step": step,
        "action": pa.array(["add"]).take(pa.array(np.zeros(len(cables), np.int64))),
        "bundle": pa.array(plan.new.bundles).take(pa.array(bundle)),
        "cables": pa.array(cables),
        "new_a": names.take(pa.array(low)),
        "new_b": names.take(pa.array(high)),
    }
    return _make_batch(schema, columns, len(cables))


def _make_batch(schema: pa.Schema, columns: dict[str, Any], rows: int) -> pa.RecordBatch:
    """Return a batch of these columns; a number stands in every row, and what is left out is empty."""
    import pyarrow as pa

    def fill(name: str, kind: Any) -> Any:
        value = columns.get(name)
        if value is None:
            return pa.nulls(rows, kind)
        return pa.array(np.full(rows, value)) if isinstance(value, int) else value

    return pa.record_batch([fill(each.name, each.type) for each in schema], schema=schema)
