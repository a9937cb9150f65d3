"""Compute one chunk: what a worker does, in this process, another one, or on another machine."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fabric.errors import FabricError, Infeasible, InputError, TooLarge
from fabric.optimizer import on_one_core
from fabric.request.known_names import KnownNames
from fabric.request.resolve import read_spec
from fabric.studies.study import Study, design
from fabric.sweeps.columns import clean_value, make_schema, write_parquet
from fabric.sweeps.measure import Measure, MeasureColumn
from fabric.sweeps.tool import describe_tool, identify_tool
from fabric.topology.families import known_names

__all__ = ["compute_chunk"]


def compute_chunk(key: str, content: str, measures: Sequence[Measure]) -> bytes:
    """Return the rows of a chunk as a Parquet file, by its key and its content (see `fabric.sweeps.chunks`).

    Every design is sized once, on one core, and measured with the settings of each of its points. Raises FabricError
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
    names = known_names()
    with on_one_core():
        rows = [row for each in asked["designs"] for row in _compute_design(each, measures, names)]
    rows.sort(key=lambda row: int(row[0]))
    schema = make_schema(columns, {"fabric.chunk": key})
    arrays = [
        pa.array([clean_value(row[index], column.kind) for row in rows], schema.field(index).type)
        for index, column in enumerate(columns)
    ]
    return write_parquet(pa.table(arrays, schema=schema))


def _compute_design(asked: Mapping[str, Any], measures: Sequence[Measure], names: KnownNames) -> Iterator[list[Any]]:
    """Yield the rows of one request: its design, measured under the settings of each point."""
    study, status, message = _make_study(asked["request"], names)
    for index, keys, settings in asked["points"]:
        values, messages = list[Any](), [message] if message else []
        for measure in measures:
            found, text = _measure(measure, study, settings[measure.name])
            values += found
            messages += [f"{measure.name}: {text}"] if text else []
        shown = [settings[each.name][setting.name] for each in measures for setting in each.settings]
        yield [index, *keys, *shown, status, "\n".join(messages) or None, *values]


def _make_study(request: Mapping[str, Any], names: KnownNames) -> tuple[Study | None, str, str]:
    """Return the design of a request, with its status and, where there is no design, the reason."""
    try:
        study = design(read_spec(request, {}, names=names))
    except Infeasible as error:
        return None, "infeasible", str(error)
    except TooLarge as error:
        return None, "too large", str(error)
    except InputError as error:
        return None, "invalid", str(error)
    except FabricError as error:
        return None, "error", str(error)
    return study, study.proof.status.lower(), ""


def _measure(measure: Measure, study: Study | None, settings: Mapping[str, Any]) -> tuple[list[Any], str]:
    """Return the values of a measure's columns, and why there are none."""
    nothing = [None] * len(measure.columns)
    if study is None:
        return nothing, ""
    try:
        found = list(measure.compute(study, settings))
    except FabricError as error:
        return nothing, str(error)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - of any package; a sweep of days does not end at one point's mistake
        return nothing, f"{type(error).__name__}: {error}"
    if len(found) != len(nothing):
        return nothing, f"returned {len(found)} values for {len(nothing)} columns"
    return found, ""
