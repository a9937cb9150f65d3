"""Designs compared: the quantities that an architect looks at, where they differ, and the tables of a terminal."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fabric import units
from fabric.errors import FabricError, InputError, Mistake
from fabric.presented import Tabular
from fabric.report.describe import describe_json
from fabric.report.table import Summary, Table, group_designs, wrap_name
from fabric.report.text import join_words, name_topology
from fabric.request import Spec
from fabric.studies.study import Study, design, read

__all__ = [
    "SCHEMA",
    "ComparedQuantity",
    "Comparison",
    "compare",
    "describe_kinds",
    "design_each",
    "summarize_comparison",
    "write_quantity",
]

SCHEMA = "fabric.compare/1"

GIB = 2**30
"""The message size, in bytes, whose all-reduce is compared."""


@dataclass(frozen=True)
class ComparedQuantity:
    """One quantity of every design, in their order."""

    quantity: str
    """A dotted path into the design object, its unit in the last word."""
    label: str
    """What people call it."""
    unit: str
    """How it is written: `text`, `count`, `number`, `ratio`, `gbps`, `GBps`, `s`, `usd`, `w` or `U`."""
    values: tuple[Any, ...]
    """Its values; None where one is not known (usd, w, U) or where a design has no such thing (all others)."""

    @property
    def differs(self) -> bool:
        return any(value != self.values[0] for value in self.values)


@dataclass(frozen=True, repr=False)
class Comparison(Tabular):
    """Designs side by side."""

    designs: tuple[Mapping[str, Any], ...]
    """Their design objects (docs/design-json.md)."""
    rows: tuple[ComparedQuantity, ...]
    """The quantities compared."""
    currency: str = "USD"
    """The currency of all amounts."""
    kinds: tuple[str, ...] = ()
    """What kind of fabric each design is: family, tiers, planes, and where rails meet."""

    def __repr__(self) -> str:
        names = ", ".join(str(design["name"]) for design in self.designs)
        return f"<Comparison of {names}>"

    @property
    def differences(self) -> tuple[ComparedQuantity, ...]:
        """The rows in which not all designs are equal."""
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
    """Compare two or more designs, the first being the base; raises InputError for fewer, or several currencies."""
    if len(studies) < 2:
        raise InputError("a comparison takes two designs or more")
    if len(currencies := sorted({study.spec.currency for study in studies})) > 1:
        raise InputError(f"amounts in {' and '.join(currencies)} can't be compared; give all requests one currency")
    designs = tuple(describe_json(study, timed=False) for study in studies)
    facts = [_collect_facts(study, item) for study, item in zip(studies, designs, strict=True)]
    rows = [
        ComparedQuantity(quantity, label, unit, tuple(_find_value(item, quantity) for item in facts))
        for quantity, label, unit in _list_quantities(designs)
    ]
    return Comparison(designs, tuple(rows), currencies[0], tuple(name_topology(study.blueprint) for study in studies))


def design_each(
    requests: Sequence[str | os.PathLike[str]],
    *,
    progress: Callable[[str], None] = lambda text: None,
    **request: Any,
) -> tuple[Study, ...]:
    """Design the fabric of each request, `request` overriding keys of all of them; every error names its request.

    All are read before any is designed. Raises InputError with the mistakes of all that are ill-formed, and Infeasible
    for the first that no fabric meets.
    """
    names = [os.fspath(request) for request in requests]
    specs = _read_all(names, request)
    return tuple(_design_one(name, spec, progress) for name, spec in zip(names, specs, strict=True))


def _read_all(requests: Iterable[str], overrides: Mapping[str, Any]) -> list[Spec]:
    specs, mistakes = [], []
    for request in requests:
        try:
            specs.append(read(request, **overrides))
        except InputError as error:
            mistakes += [_prefix_request(request, mistake) for mistake in error.mistakes]
    if mistakes:
        raise InputError(dict.fromkeys(mistakes))
    return specs


def _prefix_request(request: str, mistake: Mistake) -> Mistake:
    """Return the mistake with its request before the place, unless the place is in the request's file."""
    own = mistake.place.startswith((f"{request}:", f"{request}.yaml:")) or mistake.place == request
    return mistake if own else Mistake(f"{request}: {mistake.place}".removesuffix(": "), mistake.text)


def _design_one(request: str, spec: Spec, progress: Callable[[str], None]) -> Study:
    try:
        study = design(spec, progress=lambda text: progress(f"{request}: {text}"))
        describe_json(study)  # refuses published numbers that no design has, while the request is known
        return study
    except FabricError as error:
        error.args = (f"{request}: {error}",)
        raise


def _merge_keys(parts: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the keys of all parts, in the order of the part that has most."""
    return list(dict.fromkeys(key for part in sorted(parts, key=len, reverse=True) for key in part))


def _collect_facts(study: Study, item: Mapping[str, Any]) -> dict[str, Any]:
    """Return the design object with the estimates at 1 GiB by their routing, and the rack units."""
    at_gib = {row["routing"]: row for row in item["allreduce"] if row["size_bytes"] == GIB}
    return {**item, "allreduce": {"1GiB": at_gib}, "rack_units": study.blueprint.rack_units}


def _find_value(facts: Mapping[str, Any], quantity: str) -> Any:
    """Return the value under a dotted path; None where the design has none."""
    value: Any = facts
    for word in quantity.split("."):
        value = value.get(word)
        if value is None:
            return None
    return value


def _list_quantities(designs: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str, str]]:
    """Yield the quantities compared, with every role that any design has: path, label and unit."""
    per_gpu = any(item["gpus"] for item in designs)
    yield from (row for row in REQUESTED if per_gpu or "GPU" not in row[1])
    yield "switches.total", "switches", "count"
    for role in _merge_keys(item["switches"]["by_role"] for item in designs):
        yield f"switches.by_role.{role}.count", f"{role} switches", "count"
        yield f"switches.by_role.{role}.model", f"{role} model", "text"
    for part in ("links", "modules", "cables"):
        yield f"{part}.total", part, "count"
    for role in _merge_keys(item["oversubscription"] for item in designs):
        yield f"oversubscription.{role}", f"{role} oversub.", "ratio"
    yield from (row for row in COMPUTED if per_gpu or "GPU" not in row[1])
    if any(item["cost_usd"]["electricity"] is not None for item in designs):
        yield "cost_usd.electricity", "electricity", "usd"
        yield "cost_usd.total_with_electricity", "cost + electricity", "usd"
    for routing in dict.fromkeys(row["routing"] for item in designs for row in item["allreduce"]):
        yield f"allreduce.1GiB.{routing}.time_s", f"{routing} time", "s"
        yield f"allreduce.1GiB.{routing}.busbw_GBps", f"{routing} busbw", "GBps"
    yield "optimizer.status", "status", "text"


REQUESTED = (
    ("gpus", "GPUs", "count"),
    ("server", "server", "text"),
    ("family", "family", "text"),
    ("rails_meet", "rails meet at", "text"),
    ("tiers", "tiers", "count"),
    ("planes", "planes", "count"),
    ("pod_gpus", "GPUs per pod", "count"),
    ("unit_gpus", "GPUs per unit", "count"),
    ("link_gbps", "link rate", "gbps"),
)

COMPUTED = (
    ("hops.max", "max hops", "count"),
    ("hops.mean", "mean hops", "number"),
    ("bisection_gbps", "bisection", "gbps"),
    ("cost_usd.total", "cost", "usd"),
    ("cost_usd.per_gpu", "cost per GPU", "usd"),
    ("power_w.total", "power", "w"),
    ("rack_units", "rack units", "U"),
)


def summarize_comparison(comparison: Comparison, names: Sequence[str], *, differences: bool) -> Summary:
    """Return what `fabric compare` prints; `names` head the designs.

    Every table repeats the first design. A row in which the designs of a table differ begins with `*`. With
    `differences`, only rows in which any designs differ are shown.
    """
    rows = comparison.differences if differences else comparison.rows
    tables = (
        [_make_table(rows, names, numbers, comparison.currency) for numbers in group_designs(len(names))]
        if rows
        else []
    )
    return Summary("", tables, [*_list_lines(comparison, names, rows)])


def _make_table(rows: Sequence[ComparedQuantity], names: Sequence[str], numbers: Sequence[int], currency: str) -> Table:
    heads = ("  quantity", *(wrap_name(names[number]) for number in numbers))
    return Table("", heads, [_make_cells(row, [row.values[number] for number in numbers], currency) for row in rows])


def _make_cells(row: ComparedQuantity, values: Sequence[Any], currency: str) -> list[str]:
    mark = "*" if any(value != values[0] for value in values) else " "
    texts = [write_quantity(value, row.unit, currency) + _write_change(values[0], value) for value in values]
    return [f"{mark} {row.label}", *texts]


def write_quantity(value: Any, unit: str, currency: str) -> str:
    """Return a value of a row as text, by the row's unit, amounts in `currency`."""
    if value is None:
        return "unknown" if unit in ("usd", "w", "U") else "-"
    if unit == "usd":
        return _write_money(value, currency)
    return WRITERS[unit](value)


def _write_money(amount: float, currency: str) -> str:
    """Write an amount, from a million on in millions, so that a sum leaves room for its change."""
    if amount < 1e6:
        return units.money(amount, currency)
    return f"{units.money_sign(currency)}{amount / 1e6:,.{2 if amount < 1e8 else 1}f} M"


WRITERS: Mapping[str, Callable[[Any], str]] = {
    "text": str,
    "count": units.count,
    "number": "{:.3f}".format,
    "ratio": "{:.4g}:1".format,
    "gbps": units.rate,
    "GBps": "{:,.1f} GB/s".format,
    "s": units.time,
    "w": units.power,
    "U": units.count,
}


def _write_change(base: Any, value: Any) -> str:
    """Return ` +12%`, how far a number is from that of the first design; nothing where that can't be said."""
    numbers = isinstance(base, int | float) and isinstance(value, int | float)
    if not numbers or not base or value == base:
        return ""
    percent = 100 * (value / base - 1)
    if abs(percent) < 0.01:
        return " +<0.01%" if percent > 0 else " -<0.01%"
    digits = 0 if abs(percent) >= 10 else 1 if abs(percent) >= 0.1 else 2
    return f" {percent:+,.{digits}f}%"


def describe_kinds(comparison: Comparison, names: Sequence[str]) -> Iterator[str]:
    """Say where the designs are of several kinds, so that what differs is not due to the requests' sizes alone."""
    designs: dict[str, list[str]] = {}
    for name, kind in zip(names, comparison.kinds, strict=bool(comparison.kinds)):
        designs.setdefault(kind, []).append(name)
    if len(designs) > 1:
        each = "; ".join(f"{join_words(alike)}: {kind}" for kind, alike in designs.items())
        yield f"The fabric changes between designs: {each}."


def _list_lines(comparison: Comparison, names: Sequence[str], shown: Sequence[ComparedQuantity]) -> Iterator[str]:
    yield from describe_kinds(comparison, names)
    count, total = len(comparison.differences), len(comparison.rows)
    if count:
        yield f"{count} of {total} quantities differ (*); percentages are relative to {names[0]}."
    else:
        yield f"The designs are equal in all {total} quantities."
    if any(row.unit == "s" for row in shown):
        yield "Time and busbw: all-reduce of 1 GiB over all GPUs, by routing."
