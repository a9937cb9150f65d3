"""Growth in stages, in words: what each stage adds, which free ports its links take, and the price of foresight."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from fabric import units
from fabric.blueprint.bill_rows import BillRow
from fabric.blueprint.stages import NewLinks, Stage
from fabric.report.design import Design
from fabric.report.text import join_words, name_topology

__all__ = [
    "StagePart",
    "describe_growth",
    "foresight_object",
    "list_stage_parts",
    "stage_object",
]

BOUGHT = ("switch", "link", "nic", "module", "fibre", "cable")
"""The kinds of rows of a bill that are bought."""


class StagePart(NamedTuple):
    """One row of what a stage adds."""

    gpus: int
    """The GPUs when the stage is complete."""
    row: BillRow
    """The parts."""


def list_stage_parts(stages: Sequence[Stage]) -> tuple[StagePart, ...]:
    """Return what each stage adds, part by part, links that are a sum of other rows left out."""
    return tuple(
        StagePart(stage.gpus, row)
        for stage in stages
        for row in stage.added.rows
        if row.kind in BOUGHT and (row.counted or row.kind != "link")
    )


def _write_switches(stage: Stage) -> str:
    """Return the switches that a stage adds: `8 leaf and 16 spine`."""
    added = [f"{units.count(number)} {role}" for role, number in _by_use(stage.added.of("switch")).items()]
    return " and ".join(added) or "no"


def describe_growth(design: Design) -> Iterator[str]:
    """Yield a line for each stage on its cables, and one on the price of foresight; none where nothing grows."""
    for stage in design.study.stages[1:]:
        new = "; ".join(map(_describe_links, stage.new_links)) or "none"
        start = (
            f"Growth to {units.count(stage.gpus)} GPUs: {_write_switches(stage)} switches are added, no cable is moved"
        )
        yield f"{start}. New links: {new}."
    if found := design.study.foresight:
        roles = [f"{units.count(found.smallest.devices(role))} {role}" for role in found.smallest.topology.roles]
        price = "unknown" if found.price_usd is None else design.write_money(found.price_usd)
        kind = name_topology(found.smallest)
        noun = "switch" if found.smallest.switches == 1 else "switches"
        verb = "has" if kind == name_topology(design.blueprint) else f"is {kind}, with"
        costs = "" if found.smallest_usd is None else f" and costs {design.write_money(found.smallest_usd)}"
        yield (
            f"Price of foresight: {price}. The best fabric for {units.count(design.spec.gpus)} GPUs that need not grow"
            f" {verb} {join_words(roles)} {noun}{costs}."
        )


def _describe_links(new: NewLinks) -> str:
    """Return the links that a stage adds to a bundle: `256 leaf-spine, all into free ports of 16 spine switches`."""
    text = f"{units.count(new.links)} {new.bundle}"
    if not new.free_ports:
        return f"{text}, all on new switches"
    share = "all" if new.free_ports == new.links else units.count(new.free_ports)
    switches = units.count_noun(new.switches, f"{new.role} switch", f"{new.role} switches")
    return f"{text}, {share} into free ports of {switches}"


def foresight_object(design: Design) -> dict[str, Any] | None:
    """Return the price of foresight as plain values; None where nothing grows."""
    found = design.study.foresight
    if found is None:
        return None
    return {
        "price_usd": found.price_usd,
        "cost_usd": found.cost_usd,
        "smallest_cost_usd": found.smallest_usd,
        "smallest_fabric": name_topology(found.smallest),
        "smallest_switches": {role: found.smallest.devices(role) for role in found.smallest.topology.roles},
    }


def stage_object(stage: Stage) -> dict[str, Any]:
    """Return what a stage adds as plain values."""
    added = stage.added
    return {
        "gpus": stage.gpus,
        "servers": stage.blueprint.servers,
        "switches": {"total": added.quantity("switch"), "by_role": _by_use(added.of("switch"))},
        "links": {"total": added.quantity("link"), "by_bundle": _by_use(added.of("link"))},
        "modules": {"total": added.quantity("module"), "by_role": _by_use(added.of("module"))},
        "cables": {"total": added.quantity("fibre", "cable"), "by_bundle": _by_use(added.of("fibre", "cable"))},
        "parts": [
            {"kind": part.kind, "part": part.part, "used_for": part.used_for, "quantity": part.quantity,
             "price_usd": part.price_usd}
            for _, part in list_stage_parts([stage])
        ],
        "cost_usd": added.cost_usd(),
        "total_cost_usd": stage.bill.cost_usd(),
        "cables_moved": 0,
        "new_links": [dict(vars(new)) for new in stage.new_links],
    }  # fmt: skip


def _by_use(rows: Sequence[BillRow]) -> dict[str, int]:
    found: dict[str, int] = {}
    for row in rows:
        found[row.used_for] = found.get(row.used_for, 0) + row.quantity
    return found
