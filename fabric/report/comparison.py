"""Designs held against one another: the quantities that an architect compares, and where they differ."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fabric.errors import FabricError, InputError, Mistake
from fabric.report.design_json import document
from fabric.request import Spec
from fabric.studies.study import Study, design, read

__all__ = ["SCHEMA", "Comparison", "Row", "compare", "design_each"]

SCHEMA = "fabric.compare/1"

GIB = 2**30
"""The message size, in bytes, whose all-reduce is compared."""


@dataclass(frozen=True)
class Row:
    """One quantity of every design, in their order.

    `quantity` is a dotted path into the design object, its units in the last word, and `label` what people call it.
    `unit` says how it is written: `text`, `count`, `number`, `ratio`, `gbps`, `GBps`, `s`, `usd`, `w` or `U`. A value
    is None where it is not known (usd, w, U) or where a design has no such thing (all others).
    """

    quantity: str
    label: str
    unit: str
    values: tuple[Any, ...]

    @property
    def differs(self) -> bool:
        return any(value != self.values[0] for value in self.values)


@dataclass(frozen=True)
class Comparison:
    """Designs side by side: their design objects (docs/design-json.md) and a row for each quantity compared."""

    designs: tuple[Mapping[str, Any], ...]
    rows: tuple[Row, ...]

    @property
    def differences(self) -> tuple[Row, ...]:
        """The rows in which not all designs are alike."""
        return tuple(row for row in self.rows if row.differs)

    def document(self, *, differences: bool = False) -> dict[str, Any]:
        """Return what `fabric compare --json` prints; only the rows that differ when `differences`."""
        rows = self.differences if differences else self.rows
        return {
            "schema": SCHEMA,
            "designs": [dict(item) for item in self.designs],
            "rows": [{"quantity": row.quantity, "values": list(row.values), "differs": row.differs} for row in rows],
        }


def compare(*studies: Study) -> Comparison:
    """Hold two or more designs against one another, the first being the base; raises InputError for fewer."""
    if len(studies) < 2:
        raise InputError("a comparison takes two designs or more")
    designs = tuple(document(study) for study in studies)
    facts = [_facts(study, item) for study, item in zip(studies, designs, strict=True)]
    rows = [
        Row(quantity, label, unit, tuple(_find(item, quantity) for item in facts))
        for quantity, label, unit in _quantities(designs)
    ]
    return Comparison(designs, tuple(rows))


def design_each(
    requests: Sequence[str | os.PathLike[str]],
    *,
    progress: Callable[[str], None] = lambda text: None,
    **words: Any,
) -> tuple[Study, ...]:
    """Design the fabric of each request, `words` overriding all of them; every error names its request.

    All are read before any is designed. Raises InputError with the mistakes of all that are ill-formed, and Infeasible
    for the first that no fabric meets.
    """
    names = [os.fspath(request) for request in requests]
    specs = _read_each(names, words)
    return tuple(_designed(name, spec, progress) for name, spec in zip(names, specs, strict=True))


def _read_each(requests: Iterable[str], words: Mapping[str, Any]) -> list[Spec]:
    specs, mistakes = [], []
    for request in requests:
        try:
            specs.append(read(request, **words))
        except InputError as error:
            mistakes += [_named(request, mistake) for mistake in error.mistakes]
    if mistakes:
        raise InputError(dict.fromkeys(mistakes))
    return specs


def _named(request: str, mistake: Mistake) -> Mistake:
    """Return the mistake with its request before the place, unless the place is in the request's file."""
    own = mistake.place.startswith((f"{request}:", f"{request}.yaml:")) or mistake.place == request
    return mistake if own else Mistake(f"{request}: {mistake.place}".removesuffix(": "), mistake.text)


def _designed(request: str, spec: Spec, progress: Callable[[str], None]) -> Study:
    try:
        study = design(spec, progress=lambda text: progress(f"{request}: {text}"))
        document(study)  # finds published numbers that no design has while the request is known
        return study
    except FabricError as error:
        error.args = (f"{request}: {error}",)
        raise


def _merged(parts: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the keys of all parts, in the order of the part that has most."""
    return list(dict.fromkeys(key for part in sorted(parts, key=len, reverse=True) for key in part))


def _facts(study: Study, item: Mapping[str, Any]) -> dict[str, Any]:
    """Return the design object with the estimates at 1 GiB by their routing, and the rack units."""
    at_gib = {row["routing"]: row for row in item["allreduce"] if row["size_bytes"] == GIB}
    return {**item, "allreduce": {"1GiB": at_gib}, "rack_units": study.blueprint.rack_units}


def _find(facts: Mapping[str, Any], quantity: str) -> Any:
    """Return the value under a dotted path; None where the design has none."""
    value: Any = facts
    for word in quantity.split("."):
        value = value.get(word)
        if value is None:
            return None
    return value


def _quantities(designs: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str, str]]:
    """Yield the quantities compared, with every role that any design has: path, label and unit."""
    yield from ASKED
    yield "switches.total", "switches", "count"
    for role in _merged(item["switches"]["by_role"] for item in designs):
        yield f"switches.by_role.{role}.count", f"{role} switches", "count"
        yield f"switches.by_role.{role}.model", f"{role} model", "text"
    for part in ("links", "modules", "cables"):
        yield f"{part}.total", part, "count"
    for role in _merged(item["oversubscription"] for item in designs):
        yield f"oversubscription.{role}", f"{role} oversubs.", "ratio"
    yield from FOUND
    if any(item["cost_usd"]["electricity"] is not None for item in designs):
        yield "cost_usd.electricity", "electricity", "usd"
        yield "cost_usd.total_with_electricity", "cost with it", "usd"
    for routing in ("adaptive", "ecmp"):
        yield f"allreduce.1GiB.{routing}.time_s", f"{routing} time", "s"
        yield f"allreduce.1GiB.{routing}.busbw_GBps", f"{routing} busbw", "GBps"
    yield "optimizer.status", "proof", "text"


ASKED = (
    ("gpus", "GPUs", "count"),
    ("server", "server", "text"),
    ("family", "family", "text"),
    ("rails_meet", "rails meet at", "text"),
    ("tiers", "tiers", "count"),
    ("planes", "planes", "count"),
    ("link_gbps", "link rate", "gbps"),
)

FOUND = (
    ("hops.max", "hops, most", "count"),
    ("hops.mean", "hops, mean", "number"),
    ("bisection_gbps", "bisection", "gbps"),
    ("cost_usd.total", "cost", "usd"),
    ("cost_usd.per_gpu", "cost per GPU", "usd"),
    ("power_w.total", "power", "w"),
    ("rack_units", "rack units", "U"),
)
