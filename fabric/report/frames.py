"""Results of many rows as frames of pandas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import singledispatch
from typing import TYPE_CHECKING, Any

from fabric.blueprint.bill_rows import Bill
from fabric.errors import MissingLibrary
from fabric.report.bill_table import parts_object
from fabric.report.comparison import Comparison
from fabric.report.pareto import describe_point
from fabric.report.training_search import list_layouts
from fabric.studies.pareto import Pareto
from fabric.studies.scaling import Scaling
from fabric.training.search import SearchResult

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["list_rows", "to_pandas"]


def to_pandas(value: Any) -> pd.DataFrame:
    """Return the rows of a result as a frame of pandas; raises MissingLibrary without pandas."""
    try:
        import pandas as pd
    except ImportError:
        raise MissingLibrary.of("pandas", "frames") from None
    return pd.DataFrame(list_rows(value))


@singledispatch
def list_rows(value: Any) -> Sequence[Mapping[str, Any]]:
    """Return the rows of a result, each a mapping from the name of a column to its value."""
    raise TypeError(f"a {type(value).__name__} has no rows")


@list_rows.register
def _(bill: Bill) -> Sequence[Mapping[str, Any]]:
    return list(parts_object(bill)["rows"])


@list_rows.register
def _(front: Pareto) -> Sequence[Mapping[str, Any]]:
    studies = zip(front.values, front.studies, strict=True)
    return [{**values, **describe_point(study.blueprint)} for values, study in studies]


@list_rows.register
def _(scaling: Scaling) -> Sequence[Mapping[str, Any]]:
    nested = ("not_measured", "unmeasured_constants", "chosen", "fastest")
    return [
        {"curve": curve.algorithm, **{key: value for key, value in asdict(each).items() if key not in nested}}
        for curve in scaling.curves
        for each in curve.estimates
    ]


@list_rows.register
def _(comparison: Comparison) -> Sequence[Mapping[str, Any]]:
    names: dict[str, int] = {}
    for number, design in enumerate(comparison.designs):
        name = str(design["name"])
        names[f"{name} ({number + 1})" if name in names else name] = number
    return [
        {"quantity": row.quantity, "unit": row.unit, **{name: row.values[number] for name, number in names.items()}}
        for row in comparison.rows
    ]


list_rows.register(SearchResult, list_layouts)
