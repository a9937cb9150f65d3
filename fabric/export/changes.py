"""A change order as one CSV file: parts to buy and to return, then devices, then cables, a row for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fabric.blueprint.bill_changes import PartChange
from fabric.export.cables import cable_batches
from fabric.layout.changes import Changes
from fabric.layout.device_names import list_device_names
from fabric.layout.wiring import Wiring

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    Rows = npt.NDArray[np.int64]

__all__ = ["CHANGE_COLUMNS", "write_changes_csv"]

CHANGE_COLUMNS = (
    "what",
    "action",
    "name",
    "part",
    "quantity",
    "unit_price_usd",
    "amount_usd",
    "length_m",
    "old_label",
    "new_label",
    "old_a",
    "old_b",
    "new_a",
    "new_b",
)
"""The columns in order. Labels are those of cables, and places of devices; an end is a device and its port."""

NUMBERS = ("unit_price_usd", "amount_usd", "length_m")


def _schema() -> pa.Schema:
    import pyarrow as pa

    types: dict[str, Any] = {**dict.fromkeys(NUMBERS, pa.float64()), "quantity": pa.int64()}
    return pa.schema([(name, types.get(name, pa.string())) for name in CHANGE_COLUMNS])


def write_changes_csv(
    file: Path,
    wirings: tuple[Wiring, Wiring],
    parts: Sequence[PartChange],
    devices: Changes,
    models: tuple[Sequence[str], Sequence[str]],
    cables: Changes,
) -> None:
    """Write a change order from the first of two wirings to the second, batch by batch.

    `models` are the models of the devices of each.
    """
    from pyarrow.csv import CSVWriter

    with CSVWriter(file, _schema()) as writer:
        writer.write_batch(_make_batch([_write_part(part) for part in parts if part.quantity]))
        writer.write_batch(_make_batch(list(_list_devices(wirings, devices, models))))
        for action in cables.actions:
            for batch in _cable_batches(wirings, action, *cables.rows(action)):
                writer.write_batch(batch)


def _make_batch(rows: Sequence[dict[str, Any]]) -> pa.RecordBatch:
    import pyarrow as pa

    return pa.RecordBatch.from_pylist(rows, schema=_schema())


def _write_part(change: PartChange) -> dict[str, Any]:
    row: dict[str, Any] = {"what": "part", "action": "buy" if change.quantity > 0 else "return", "name": change.part}
    row |= {"part": change.part, "quantity": abs(change.quantity), "length_m": change.length_m}
    if change.priced:
        amount = change.amount_usd
        row |= {"unit_price_usd": change.unit_price_usd, "amount_usd": None if amount is None else abs(amount)}
    return row


def _list_devices(
    wirings: tuple[Wiring, Wiring], changes: Changes, models: tuple[Sequence[str], Sequence[str]]
) -> Iterator[dict[str, Any]]:
    """Yield a row for each device that changes."""
    names = [list_device_names(each.layout, each.network) for each in wirings]
    places = [_places(each) for each in wirings]
    for action, *rows in zip(changes.action.tolist(), changes.before.tolist(), changes.after.tolist(), strict=True):
        revision = 0 if rows[1] < 0 else 1
        at = rows[revision]
        yield {
            "what": "device",
            "action": changes.actions[action],
            "name": names[revision][at],
            "part": models[revision][at],
            "quantity": 1,
            "old_label": None if rows[0] < 0 else places[0](rows[0]),
            "new_label": None if rows[1] < 0 else places[1](rows[1]),
        }


def _places(wiring: Wiring) -> Callable[[int], str]:
    racks, layout = wiring.layout.rack_names(), wiring.layout
    rack, unit = layout.device_rack.tolist(), layout.device_unit.tolist()
    return lambda row: f"{racks[rack[row]]}-U{unit[row]}"


def _cable_batches(wirings: tuple[Wiring, Wiring], action: str, before: Rows, after: Rows) -> Iterator[pa.RecordBatch]:
    """Yield the cables of one action, each end as its device and port."""
    old = cable_batches(wirings[0], before) if action != "add" else None
    new = cable_batches(wirings[1], after) if action != "remove" else None
    if old is None or new is None:
        for batch in old or new or ():
            sides = (batch, None) if new is None else (None, batch)
            yield _join_batches(action, *sides)
        return
    for pair in zip(old, new, strict=True):
        yield _join_batches(action, *pair)


def _join_batches(action: str, old: pa.RecordBatch | None, new: pa.RecordBatch | None) -> pa.RecordBatch:
    import pyarrow as pa

    # A cable that is used again is the one that is there: its part and length are the old ones.
    told, named = old or new, new or old
    assert told is not None
    assert named is not None
    rows = len(told)
    columns = {
        "what": pa.array(["cable"] * rows),
        "action": pa.array([action] * rows),
        "name": named["label"],
        "part": _text(told["part"]),
        "quantity": pa.array([1] * rows, pa.int64()),
        "length_m": told["length_m"].cast(pa.float64()),
    }
    for age, batch in (("old", old), ("new", new)):
        if batch is not None:
            columns |= {
                f"{age}_label": batch["label"],
                f"{age}_a": _write_end(batch, "a"),
                f"{age}_b": _write_end(batch, "b"),
            }
    return pa.record_batch(
        [columns.get(name, pa.nulls(rows, kind)) for name, kind in zip(_schema().names, _schema().types, strict=True)],
        schema=_schema(),
    )


def _write_end(batch: pa.RecordBatch, end: str) -> Any:
    import pyarrow.compute as pc

    return pc.binary_join_element_wise(_text(batch[f"{end}_device"]), _text(batch[f"{end}_port"]), " ")


def _text(column: Any) -> Any:
    return column.dictionary_decode() if hasattr(column, "dictionary_decode") else column
