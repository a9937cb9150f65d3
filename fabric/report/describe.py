"""From a study to the design that reports show."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any, TypeVar

from fabric.blueprint import Blueprint
from fabric.blueprint.bill_rows import BillRow, add_known
from fabric.blueprint.metrics import metrics_of
from fabric.blueprint.native_ports import tier_ports
from fabric.blueprint.port_use import port_use
from fabric.flow import CollectiveBound, Estimate, bound_collective, curve, curve_in_network
from fabric.optimizer import BreakEven
from fabric.report.design import Cost, Design, LinkBundle, SwitchTier
from fabric.report.design_json import design_object
from fabric.report.expected import compare_expected
from fabric.report.notes import list_notes
from fabric.report.unlike_servers import has_times
from fabric.studies.study import Study

__all__ = ["SIZES", "describe", "describe_json", "describe_parts"]

Record = TypeVar("Record", Estimate, CollectiveBound)

SIZES = tuple(2**power for power in range(20, 35, 2))
"""The message sizes estimated: 1 MiB to 16 GiB."""


def describe(study: Study, changes: Sequence[BreakEven] | None = None) -> Design:
    """Return the design of `study`; `changes` are those of `Study.sensitivity`, where they were asked for.

    Raises InputError for a published number that no design has.
    """
    timed = has_times(study.blueprint)
    design = replace(
        describe_parts(study),
        allreduce=tuple(map(_round_floats, curve(study.blueprint, SIZES))) if timed else (),
        allreduce_in_network=tuple(map(_round_floats, curve_in_network(study.blueprint, SIZES))) if timed else (),
        allreduce_bound=_bound_allreduce(study.blueprint),
        notes=tuple(list_notes(study)),
        price_changes=None if changes is None else tuple(changes),
    )
    published = study.spec.expected
    return replace(design, expected=compare_expected(design_object(design), published)) if published else design


def describe_parts(study: Study) -> Design:
    """Return the design of `study` with its switches, links and cost alone, which takes no time."""
    roles = study.blueprint.topology.roles
    return Design(study, tuple(_describe_tier(study, role) for role in roles), _describe_links(study), _sum_cost(study))


def describe_json(study: Study, *, timed: bool = True) -> dict[str, Any]:
    """Return the design object of `study` (see `design_object`)."""
    return design_object(describe(study), timed=timed)


def _describe_tier(study: Study, role: str) -> SwitchTier:
    blueprint = study.blueprint
    ratio, ports = blueprint.oversubscription(role), tier_ports(blueprint, role)
    return SwitchTier(
        role=role,
        model=blueprint.models[role].name,
        models={model.name: count for model, count in blueprint.model_counts(role)},
        ports_down=ports.down,
        ports_up=ports.up,
        radix=ports.radix,
        rates=blueprint.rates_at(role),
        oversubscription=float(ratio) if ratio else None,
        ports=port_use(blueprint, role),
    )


def _describe_links(study: Study) -> tuple[LinkBundle, ...]:
    metrics, bill = metrics_of(study.blueprint), study.bill
    priced: dict[str, list[BillRow]] = {}
    for row in bill.of("link"):
        priced.setdefault(row.used_for, []).append(row)
    cables = Counter({row.used_for: 0 for row in bill.of("link")})
    for row in bill.of("fibre", "cable"):
        cables[row.used_for] += row.quantity
    per_pair = {bundle.name: metrics.links_per_pair(bundle) for bundle in study.blueprint.topology.bundles}
    return tuple(
        LinkBundle(
            name=name,
            links=sum(row.quantity for row in rows),
            per_pair=per_pair.get(name, 1),
            cables=cables[name],
            unit_price_usd=_average_price(rows),
            price_usd=add_known(row.price_usd for row in rows),
        )
        for name, rows in priced.items()
    )


def _average_price(rows: Sequence[BillRow]) -> float | None:
    """Return the price of one link, on average where a bundle has links of several parts."""
    if len(rows) == 1:
        return rows[0].unit_price_usd
    total, links = add_known(row.price_usd for row in rows), sum(row.quantity for row in rows)
    return None if total is None or not links else round(total / links, 2)


def _sum_cost(study: Study) -> Cost:
    bill = study.bill
    total, running = bill.cost_usd(), bill.electricity_usd
    return Cost(
        total=total,
        switches=bill.cost_usd("switch"),
        links=bill.cost_usd("link"),
        nics=bill.cost_usd("nic") if bill.of("nic") else None,
        per_gpu=None if total is None or not bill.gpus else round(total / bill.gpus, 2),
        electricity=running,
        total_with_electricity=None if total is None or running is None else round(total + running, 4),
    )


def _bound_allreduce(blueprint: Blueprint) -> CollectiveBound | None:
    bound = bound_collective(blueprint) if blueprint.gpus else None
    return None if bound is None else _round_floats(bound)


def _round_floats(record: Record) -> Record:
    """Round to six digits: beyond them a last bit may differ from machine to machine."""
    values: dict[str, Any] = {field.name: getattr(record, field.name) for field in fields(record)}
    rounded = {key: _round_digits(value) for key, value in values.items() if isinstance(value, float)}
    return replace(record, **(values | rounded))


def _round_digits(value: float) -> float:
    return value if value == 0 or not math.isfinite(value) else float(f"{value:.6g}")
