"""The table of a sweep: its value in Python, and its files."""

from __future__ import annotations

import csv
import io
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fabric.errors import InputError, MissingLibrary, nearest
from fabric.presented import Presented
from fabric.sweeps.columns import write_parquet
from fabric.sweeps.front import Front, add_front, read_front
from fabric.sweeps.picture import read_picture

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from matplotlib.figure import Figure

__all__ = ["SweepTable", "load_sweep_table", "merge_chunks", "write_csv"]


@dataclass(frozen=True)
class SweepTable(Presented):
    """The points of a sweep with what was measured, one row each, in order.

    The columns are `point`, the keys that are varied, the settings of the measures, `status`, `message`, and the
    columns of the measures, with the unit last in each name. What is missing is not known, or there is no design.
    """

    arrow: pa.Table = field(repr=False)
    """The table, as Arrow has it."""
    request: Mapping[str, Any] = field(repr=False)
    """The sweep as it was read, in plain values."""

    def __len__(self) -> int:
        return int(self.arrow.num_rows)

    def __repr__(self) -> str:
        return f"<SweepTable: {len(self):,} points, {len(self.names)} columns; {self.describe_status()}>"

    def __getitem__(self, name: str) -> list[Any]:
        """Return the values of a column, None where one is missing; raises InputError with the nearest name."""
        if name not in self.names:
            raise InputError(f"unknown column '{name}'{nearest(name, self.names)}")
        return list(self.arrow.column(name).to_pylist())

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(self.arrow.column_names)

    @property
    def columns(self) -> dict[str, list[Any]]:
        """The values of every column by name."""
        return {name: self[name] for name in self.names}

    @property
    def statuses(self) -> dict[str, int]:
        """How many points have each status, the most frequent first."""
        return dict(Counter(self["status"]).most_common())

    def describe_status(self) -> str:
        """Return the statuses in words: `94 optimal, 2 infeasible`."""
        return ", ".join(f"{number:,} {status}" for status, number in self.statuses.items())

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield every row as a mapping from column to value."""
        yield from self.arrow.to_pylist()

    def to_arrow(self) -> pa.Table:
        """Return the table as Arrow has it."""
        return self.arrow

    def to_pandas(self) -> pd.DataFrame:
        """Return the table as a data frame, whole numbers with missing ones as `Int64`.

        Raises MissingLibrary without pandas.
        """
        try:
            import pandas as pd
        except ImportError:
            raise MissingLibrary.of("pandas", "frames") from None
        import pyarrow as pa

        kinds = {pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()}
        return self.arrow.to_pandas(types_mapper=kinds.get)

    def to_dict(self) -> dict[str, Any]:
        """Return the sweep and its rows as plain values."""
        return {"schema": "fabric.sweep/1", "request": dict(self.request), "rows": list(self.rows())}

    def with_front(self, front: Front) -> SweepTable:
        """Return the table with the column `on_front`: whether no other point is as good in all objectives.

        Raises InputError for an objective that is not a column of numbers.
        """
        return replace(self, arrow=add_front(self.arrow, front))

    def find_front(self, *objectives: str, by: Sequence[str] = ()) -> SweepTable:
        """Return the table with the column `on_front` over two columns or more, less being better.

        `max:` before a name turns it round, and each combination of the values of `by` has a front of its own. Raises
        InputError for fewer than two columns, and as `with_front`.
        """
        return self.with_front(read_front({"columns": list(objectives), "by": list(by)}))

    def plot(self, picture: str | Mapping[str, Any]) -> Figure:
        """Return a picture as a matplotlib figure: `curves:x=gpus,y=cost_usd,colour=family,by=planes` or its parts.

        The kinds are `curves`, `heat` (`x`, `y`, `value`) and `bands` (`x`, `by`; of the measure `failures`). Raises
        InputError for what can't be shown.
        """
        return Presented.presenter().plot_sweep(self, read_picture(picture))

    def make_files(self, folder: Path) -> list[str]:
        """Write `sweep.parquet` and `sweep.csv` into a folder, and return their names."""
        (folder / "sweep.parquet").write_bytes(write_parquet(self.arrow))
        (folder / "sweep.csv").write_text(write_csv(self.arrow), encoding="utf-8", newline="")
        return ["sweep.parquet", "sweep.csv"]


def merge_chunks(chunks: Sequence[bytes], request: Mapping[str, Any]) -> SweepTable:
    """Return the table of a sweep from the Parquet files of all its chunks, in order of points."""
    import pyarrow as pa
    from pyarrow import compute

    tables = [_read_parquet(pa.BufferReader(data)).replace_schema_metadata(None) for data in chunks]
    table = pa.concat_tables(tables)
    return SweepTable(table.take(compute.sort_indices(table["point"])).combine_chunks(), request)


def _read_parquet(source: Any) -> pa.Table:
    """Return the table of a Parquet file, read on this thread.

    `read_table` and `Table.sort_by` start threads of their own, and hang or fail where a limit on memory leaves no room
    for their stacks; the tables of sweeps are too small to gain from them.
    """
    from pyarrow import parquet

    with parquet.ParquetFile(source) as file:
        return file.read(use_threads=False)


def write_csv(table: pa.Table) -> str:
    """Return a table as CSV with a header: numbers in full, and nothing where a value is missing."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table.column_names)
    writer.writerows(zip(*(column.to_pylist() for column in table.columns), strict=True))
    return text.getvalue()


def load_sweep_table(folder: str | os.PathLike[str]) -> SweepTable:
    """Return the table of a sweep that was written to a folder; raises InputError where there is none."""
    from pyarrow import ArrowException

    from fabric.sweeps.sweep_file import read_sweep_values

    path = Path(folder) / "sweep.parquet"
    try:
        table = _read_parquet(path)
    except (OSError, ArrowException) as error:
        raise InputError(f"{path}: not the table of a sweep: {error}") from None
    return SweepTable(table, read_sweep_values(Path(folder) / "request.yaml").values)
