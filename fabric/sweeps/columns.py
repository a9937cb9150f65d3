"""The columns of a sweep's table, and their values as Arrow has them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from fabric.errors import InputError, Mistake
from fabric.sweeps.measure import LARGEST, ColumnKind, MeasureColumn
from fabric.sweeps.picture import Picture
from fabric.sweeps.spec import Sweep

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["POINT", "STATUSES", "is_final", "list_columns", "make_schema", "write_parquet"]

POINT = MeasureColumn("point", "whole", "the number of the point, from 0")
STATUS = MeasureColumn("status", "text", "what became of it")
MESSAGE = MeasureColumn("message", "text", "why there is no design, or which measure has no answer, and why")

STATUSES = {
    "optimal": "designed, and proven to be the best",
    "feasible": "designed, but the solve budget ended before the proof",
    "infeasible": "no fabric satisfies the request",
    "invalid": "the keys of the request contradict each other",
    "too large": "the design or a measure would not fit in memory or time",
    "error": "a measure or the solver failed",
}
"""What `status` can be."""

AGAIN = b"fabric.again"
"""The key in the metadata of a chunk that the next run computes again: it was refused for lack of memory."""


def list_columns(sweep: Sweep) -> tuple[MeasureColumn, ...]:
    """Return the columns of a sweep's table: point, keys varied, settings, status, message, and measures.

    Raises InputError when two of them have one name, or the front or a picture is of one that does not exist.
    """
    keys = [MeasureColumn(key, _infer_kind(_values_of(sweep, key)), f"the key {key}") for key in sweep.swept_keys]
    settings = [each.column for measure in sweep.measures for each in measure.settings]
    measured = [column for measure in sweep.measures for column in measure.columns]
    found = (POINT, *keys, *settings, STATUS, MESSAGE, *measured)
    _check_shown(sweep, {each.name: each.kind for each in found})
    names = [each.name for each in found]
    if twice := [name for name in dict.fromkeys(names) if names.count(name) > 1]:
        text = f"two columns of the table would be called '{twice[0]}'; leave a measure out"
        raise InputError([Mistake(sweep.document.file, text)])
    return found


def _check_shown(sweep: Sweep, kinds: dict[str, str]) -> None:
    """Raise InputError where the front or a picture is of a column that does not exist."""
    shown = [("pareto", sweep.front), *(("pictures", each) for each in sweep.pictures)]
    mistakes = []
    for key, each in shown:
        try:
            if each is not None:
                each.check(kinds)
            if isinstance(each, Picture):
                _check_places(sweep, each)
        except InputError as error:
            mistakes.append(sweep.document.mistake((key,), str(error)))
    if mistakes:
        raise InputError(mistakes)


def _check_places(sweep: Sweep, picture: Picture) -> None:
    """Raise InputError where a key of the grid that a picture does not name puts several points in one place.

    Only where the place is of varied values alone: what is measured is not known before, and may differ.
    """
    varied = {*sweep.swept_keys, *(each.column.name for measure in sweep.measures for each in measure.settings)}
    if not varied.issuperset(picture.place):
        return
    left = [each.key for each in sweep.axes if not each.measure and len(each.values) > 1]
    if left := [key for key in left if key not in picture.place]:
        raise InputError(
            f"picture {picture.kind}: points that differ in {', '.join(left)} have one place: name it in the picture,"
            " or leave it out of the sweep"
        )


def _values_of(sweep: Sweep, key: str) -> Iterator[Any]:
    """Yield the values that a request key takes."""
    for row in sweep.rows:
        if key in row.values:
            yield row.values[key]
    for axis in sweep.axes:
        if axis.key == key:
            yield from axis.values


def _infer_kind(values: Iterable[Any]) -> ColumnKind:
    """Return the narrowest kind of column that holds all of the values; None fits any."""
    found = [each for each in values if each is not None]
    if all(isinstance(each, bool) for each in found):
        return "flag" if found else "text"
    if any(isinstance(each, bool) or not isinstance(each, int | float) for each in found):
        return "text"
    if all(isinstance(each, int) and abs(each) < LARGEST for each in found):
        return "whole"
    return "number"


def make_schema(columns: Sequence[MeasureColumn], metadata: dict[str, str]) -> pa.Schema:
    """Return the Arrow schema of columns; what each of them is stands in its field's metadata."""
    import pyarrow as pa

    kinds = {"whole": pa.int64(), "number": pa.float64(), "text": pa.string(), "flag": pa.bool_()}
    fields = [pa.field(each.name, kinds[each.kind], metadata={"description": each.description}) for each in columns]
    return pa.schema(fields, metadata=metadata)


def write_parquet(table: pa.Table) -> bytes:
    """Return a table as Parquet: for equal tables, the same bytes with the same version of pyarrow."""
    import pyarrow as pa
    from pyarrow import parquet

    sink = pa.BufferOutputStream()
    parquet.write_table(
        table, sink, compression="zstd", compression_level=3, row_group_size=2**17, data_page_size=2**20, version="2.6"
    )
    return bytes(sink.getvalue().to_pybytes())


def is_final(data: bytes) -> bool:
    """Say whether the Parquet file of a chunk is its result on every machine, so that it need not be computed again."""
    import pyarrow as pa
    from pyarrow import parquet

    return AGAIN not in (parquet.read_schema(pa.BufferReader(data)).metadata or {})
