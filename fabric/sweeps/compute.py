"""Compute one chunk: what a worker does, in this process, another one, or on another machine."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fabric.errors import FabricError, Infeasible, InputError, NotEnoughMemory, TooLarge
from fabric.optimizer import on_one_core
from fabric.request.known_names import KnownNames
from fabric.request.resolve import read_spec
from fabric.resources import allow_minutes
from fabric.studies.study import Study, design
from fabric.sweeps.columns import AGAIN, make_schema, write_parquet
from fabric.sweeps.measure import Measure, MeasureColumn, clean_value
from fabric.sweeps.tool import describe_tool, identify_tool
from fabric.topology.families import known_names

__all__ = ["compute_chunk"]


def compute_chunk(key: str, content: str, measures: Sequence[Measure]) -> bytes:
    """Return the rows of a chunk as a Parquet file, by its key and its content (see `fabric.sweeps.chunks`).

    Every design is sized once, on one core, and measured with the settings of each of its points. What takes more
    minutes than the command allowed when it cut the chunk is refused, on whichever machine this is; what takes more
    memory than this process may is refused too, and the file says that it is not final (`is_final`). Raises FabricError
    where this is another version of the tool than the one that cut the chunk.
    """
    import pyarrow as pa

    asked = json.loads(content)
    if asked["tool"] != identify_tool():
        raise FabricError(
            "a worker has another version of fabric, of its libraries or of its packages than this command:"
            f" {describe_tool()} there; install the same on every machine"
        )
    columns = [MeasureColumn(*each) for each in asked["columns"]]
    names, final = known_names(), True
    rows = list[list[Any]]()
    with on_one_core(), allow_minutes(asked["minutes"]):
        for each in asked["designs"]:
            design_ = _Measured.of(each["request"], names)
            rows += design_.make_rows(each["points"], measures)
            final = final and design_.final
    rows.sort(key=lambda row: int(row[0]))
    schema = make_schema(columns, {"fabric.chunk": key} | ({} if final else {AGAIN.decode(): "memory"}))
    arrays = [
        pa.array([clean_value(row[index], column.kind) for row in rows], schema.field(index).type)
        for index, column in enumerate(columns)
    ]
    return write_parquet(pa.table(arrays, schema=schema))


@dataclass
class _Measured:
    """The design of a request, and what is measured of it."""

    study: Study | None
    status: str
    message: str = ""
    final: bool = True
    """Whether the answer is the same on every machine: nothing was refused for lack of memory here and now."""

    @classmethod
    def of(cls, request: Mapping[str, Any], names: KnownNames) -> _Measured:
        """Return the design of a request, with its status and, where there is no design, the reason."""
        try:
            study = design(read_spec(request, {}, names=names))
        except Infeasible as error:
            return cls(None, "infeasible", str(error))
        except TooLarge as error:
            return cls(None, "too large", str(error), not isinstance(error, NotEnoughMemory))
        except InputError as error:
            return cls(None, "invalid", str(error))
        except FabricError as error:
            return cls(None, "error", str(error))
        return cls(study, study.proof.status.lower())

    def make_rows(self, points: Sequence[Any], measures: Sequence[Measure]) -> Iterator[list[Any]]:
        """Yield the row of each point: the design measured under the settings of the point."""
        for index, keys, settings in points:
            values, messages = list[Any](), [self.message] if self.message else []
            for measure in measures:
                found, text = self._measure(measure, settings[measure.name])
                values += found
                messages += [f"{measure.name}: {text}"] if text else []
            shown = [settings[each.name][setting.name] for each in measures for setting in each.settings]
            yield [index, *keys, *shown, self.status, "\n".join(messages) or None, *values]

    def _measure(self, measure: Measure, settings: Mapping[str, Any]) -> tuple[list[Any], str]:
        """Return the values of a measure's columns, and why there are none."""
        nothing = [None] * len(measure.columns)
        if self.study is None:
            return nothing, ""
        try:
            found = list(measure.compute(self.study, settings))
            if len(found) != len(nothing):
                return nothing, f"returned {len(found)} values for {len(nothing)} columns"
            return [clean_value(each, column.kind) for each, column in zip(found, measure.columns, strict=True)], ""
        except FabricError as error:
            self.final = self.final and not isinstance(error, NotEnoughMemory)
            return nothing, str(error)
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - of any package; a sweep of days does not end at one point's mistake
            return nothing, f"{type(error).__name__}: {error}"
