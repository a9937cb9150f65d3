"""Alternatives that cost hardly more: their rows, what they are, and what no near fabric has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from fabric import units
from fabric.blueprint import Blueprint
from fabric.optimizer import NearOptimum
from fabric.report.design import Design
from fabric.report.objectives import label_of
from fabric.report.text import join_words, name_topology

__all__ = ["NearRow", "describe_near_optima", "list_near_optima", "name_near", "near_object"]


@dataclass(frozen=True)
class NearRow:
    """The design, or an alternative near it."""

    what: str
    """What it has that the design has not; `this design` for that."""
    blueprint: Blueprint
    """The fabric."""
    objective: float
    """The first objective."""
    more: float | None
    """How far that is above the optimum, as a share of it; None for the design."""

    @property
    def fabric(self) -> str:
        """What kind of fabric it is, with its switches."""
        plan = self.blueprint
        counts = ", ".join(f"{units.count(plan.devices(role))} {role}" for role in plan.topology.roles)
        models = dict.fromkeys(model.name for role in plan.topology.roles for model, _ in plan.model_counts(role))
        return f"{name_topology(plan)} ({counts}, of {join_words([*models])})"


def list_near_optima(design: Design) -> list[NearRow]:
    """Return the design and the alternatives near it, one row for each fabric; nothing where there are none."""
    best, name = design.proof.objective, design.proof.objective_name
    found: list[tuple[Blueprint, list[str], float]] = []
    for plan, item in _better(design.study.near_optima or ()):
        alike = next((aims for other, aims, _ in found if _same(plan, other)), None)
        if alike is not None:
            alike.append(item.aim)
        else:
            found.append((plan, [item.aim], item.objectives[name]))
    rows = [NearRow(join_words(aims), plan, value, (value - best) / best) for plan, aims, value in found]
    return [NearRow("this design", design.blueprint, best, None), *rows] if rows else []


def _better(near: Sequence[NearOptimum]) -> Iterator[tuple[Blueprint, NearOptimum]]:
    yield from ((item.blueprint, item) for item in near if item.blueprint)


def _same(one: Blueprint, other: Blueprint) -> bool:
    return (one.topology, one.sizes, one.models) == (other.topology, other.sizes, other.models)


def name_near(design: Design) -> str:
    """Return the title of the alternatives."""
    return f"Alternatives within 1 % of the {label_of(design.proof.objective_name)}"


def describe_near_optima(design: Design) -> Iterator[str]:
    """Yield what no near fabric has, what is not proven, and how to ask for what there is."""
    near = design.study.near_optima or ()
    objective = label_of(design.proof.objective_name)
    if none := [item.aim for item in near if not item.blueprint and item.proven]:
        yield f"No fabric within 1 % of the {objective} has {join_words(none, 'or')}."
    if unproven := [item.aim for item in near if not item.proven]:
        yield f"Not proven within the solve budget: the best of {join_words(unproven)}."
    if found := [item for item in near if item.blueprint]:
        if all(item.proven for item in found):
            yield "Each alternative is proven: none within 1 % is better in what it is named for, nor as good for less."
        keys = ["`family`", "`pod_gpus`", "`limits.parallel_links` (in native ports)"]
        spread = ["`uplink_spread`"] if design.blueprint.topology.balanced_bundles else []
        yield f"Such fabrics are asked for by {join_words([*keys, *spread])}."


def near_object(near: Sequence[NearOptimum] | None) -> list[dict[str, Any]] | None:
    """Return the alternatives as plain values."""
    return None if near is None else [_row_object(item) for item in near]


def _row_object(item: NearOptimum) -> dict[str, Any]:
    plan = item.blueprint
    found = {"aim": item.aim, "proven": item.proven, "fabric": None, "objectives": dict(item.objectives)}
    if plan is None:
        return found
    return found | {
        "fabric": name_topology(plan),
        "pod_gpus": plan.pod_gpus,
        "unit_gpus": plan.unit_gpus,
        "parallel_links": plan.parallel_links,
        "axes": {axis: plan.sizes[axis] for axis in plan.topology.axes},
        "copies": {bundle.name: plan.sizes[bundle.name] for bundle in plan.topology.bundles},
        "switches": {role: plan.devices(role) for role in plan.topology.roles},
    }
