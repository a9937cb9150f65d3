"""A file of failure rates by kind of part, read with the line of every key."""

from __future__ import annotations

import os
from typing import Annotated

from pydantic import Field, ValidationError

from fabric.catalog import HOURS_PER_YEAR, FailureRate
from fabric.errors import InputError
from fabric.request.error_messages import explain_errors
from fabric.request.fields import StrictModel
from fabric.request.yaml_reader import read_file

__all__ = ["RateFields", "RateFile", "read_failure_rates"]

WHAT = "a file of failure rates is a mapping such as `failure_rates: {leaf: {per_year: 0.01, repair_h: 24}}`"

Hours = Annotated[float, Field(gt=0, le=1e12)]


class RateFields(StrictModel):
    """How often a part of one kind fails, and how long it is then down."""

    per_year: Annotated[float, Field(ge=0, le=1e6)] | None = None
    """The failures of one part in a year."""
    mtbf_h: Hours | None = None
    """The hours between two failures of one part, instead of `per_year`."""
    repair_h: Hours | None = None
    """The hours from a failure until the part is back in service."""
    source: str = ""
    """Where the numbers are from."""


class RateFile(StrictModel):
    """A mapping with the rates."""

    failure_rates: dict[str, RateFields] = Field(min_length=1, max_length=1000)
    """The rates by kind: `link`, a bundle such as leaf-spine, `switch`, a role such as leaf, `nic`, `gpu`, `server`."""


def read_failure_rates(path: str | os.PathLike[str]) -> dict[str, FailureRate]:
    """Return the failure rates of a YAML or JSON file by kind; raises InputError with every mistake."""
    document = read_file(path, WHAT)
    if document.mistakes:
        raise InputError(document.mistakes)
    try:
        file = RateFile.model_validate(document.values)
    except ValidationError as error:
        raise InputError([mistake for _, mistake in explain_errors(error, document, RateFile)]) from None
    both = [kind for kind, each in file.failure_rates.items() if None not in (each.per_year, each.mtbf_h)]
    if both:
        text = "has both per_year and mtbf_h; leave one out"
        raise InputError([document.mistake(("failure_rates", kind), text) for kind in both])
    return {kind: _make_rate(kind, each) for kind, each in file.failure_rates.items()}


def _make_rate(kind: str, fields: RateFields) -> FailureRate:
    per_year = fields.per_year if fields.mtbf_h is None else HOURS_PER_YEAR / fields.mtbf_h
    return FailureRate(kind, per_year, fields.repair_h, source=fields.source)
