"""Which switch models a tier has and how many of each, today and when the fabric is grown, within what is available."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ortools.sat.python import cp_model

from fabric.blueprint import Blueprint
from fabric.topology.topology import Group

if TYPE_CHECKING:
    from fabric.optimizer.model import Model, Term

__all__ = ["choose_models", "count_of_model", "limit_stock", "pair_counts"]


def choose_models(model: Model, group: Group) -> None:
    """Divide the group's devices, and those that growth adds, among the switch models allowed.

    All are of one model, unless the stock of one of them is limited.
    """
    role, devices, allowed = group.role, model.devices(group), model.candidate.models[group.role]
    stocked = any(each.name in model.candidate.spec.available for each in allowed)
    more = model.added_devices(group) if stocked else 0
    if len(allowed) == 1:
        model.used[role] = model.present[role] = (1,)
        model.switch_counts[role], model.added_counts[role] = (devices,), (more,)
        return
    names = [f"{role} of {each.name}" for each in allowed]
    used = [model.var(1, f"{role} is {each.name}", least=0) for each in allowed]
    counts = [model.var(model.upper(devices), name, least=0) for name in names]
    # A model counts as used where it has a device: limits on ports and latency hold for models in use only.
    for flag, count in zip(used, counts, strict=True):
        model.cp.add(count <= model.upper(devices) * flag)
        if stocked:
            model.cp.add(count >= flag)
        else:
            model.cp.add(count == devices).only_enforce_if(flag)
    if not stocked:
        model.cp.add_exactly_one(used)
    model.cp.add(sum(counts) == devices)
    model.used[role], model.switch_counts[role] = tuple(used), tuple(counts)
    _add_later(model, role, more, names)


def _add_later(model: Model, role: str, more: Term, names: Sequence[str]) -> None:
    """Divide the devices that growth adds; limits on ports hold for the models of these too."""
    if isinstance(more, int):
        model.added_counts[role], model.present[role] = (0,) * len(names), model.used[role]
        return
    added = [model.var(model.upper(more), f"added {name}", least=0) for name in names]
    present = [model.var(1, f"ever {name}", least=0) for name in names]
    model.cp.add(sum(added) == more)
    for flag, used, count in zip(present, model.used[role], added, strict=True):
        model.cp.add(flag >= used)
        model.cp.add(count <= model.upper(more) * flag)
    model.added_counts[role], model.present[role] = tuple(added), tuple(present)


def count_of_model(model: Model, name: str) -> cp_model.LinearExprT:
    """Return the switches of the switch model `name` over all tiers, with those that growth adds."""
    return sum(
        count + added
        for role, models in model.candidate.models.items()
        for each, count, added in zip(models, model.switch_counts[role], model.added_counts[role], strict=True)
        if each.name == name
    )


def limit_stock(model: Model) -> None:
    """Keep the switches of each model within its stock, those that growth adds too."""
    for name, stock in model.candidate.spec.available.items():
        if f"available.{name}" not in model.relaxed:
            model.cp.add(count_of_model(model, name) <= stock)


def pair_counts(model: Model, blueprint: Blueprint) -> Iterator[tuple[Term, int]]:
    """Yield every count of devices by model, today's and those that growth adds, with its value in a blueprint."""
    for role, models in model.candidate.models.items():
        today, growth = blueprint.model_counts(role), blueprint.growth.get(role, ())
        for terms, pairs in ((model.switch_counts[role], today), (model.added_counts[role], growth)):
            counts = {each.name: count for each, count in pairs}
            yield from ((term, counts.get(each.name, 0)) for term, each in zip(terms, models, strict=True))
