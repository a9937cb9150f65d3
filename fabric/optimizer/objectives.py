"""What a fabric may be asked to have little of, as linear expressions over a model; some are limits as well."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ortools.sat.python import cp_model

from fabric.blueprint.prices import SHARES
from fabric.catalog import Switch
from fabric.errors import InputError
from fabric.optimizer.model import Model
from fabric.request import LIMITS as REQUEST_LIMITS
from fabric.request import Spec

__all__ = ["LIMITS", "OBJECTIVES", "Objective", "copies", "links", "needs", "switches"]


def cost(model: Model) -> cp_model.LinearExprT:
    """Return the cost of all switches and links in cents, with that of the NICs where they are counted."""
    prices = model.candidate.prices
    terms = [_sum_of(model, role, prices.switch_cents) for role in model.topology.roles]
    terms += [(prices.link_cents(bundle.name) or 0) * model.links(bundle) for bundle in model.topology.bundles]
    return sum([*terms, _nics(model)])


def total_cost(model: Model) -> cp_model.LinearExprT:
    """Return that cost with the electricity of switches and modules, in `SHARES` of a dollar."""
    prices = model.candidate.prices
    terms = [_sum_of(model, role, prices.switch_total) for role in model.topology.roles]
    terms += [(prices.link_total(bundle.name) or 0) * model.links(bundle) for bundle in model.topology.bundles]
    return sum([*terms, SHARES // 100 * _nics(model)])


def _nics(model: Model) -> cp_model.LinearExprT:
    """Return the cost of the NICs in cents."""
    return model.candidate.prices.nic_cents * model.candidate.spec.server.nics * model.servers


def power(model: Model) -> cp_model.LinearExprT:
    """Return the power of switches and modules in milliwatts."""
    prices = model.candidate.prices
    terms = [_sum_of(model, role, _switch_milliwatts) for role in model.topology.roles]
    each = {bundle: _milliwatts(prices.link_power_w(bundle.name)) or 0 for bundle in model.topology.bundles}
    return sum([*terms, *(watts * model.links(bundle) for bundle, watts in each.items())])


def rack_units(model: Model) -> cp_model.LinearExprT:
    """Return the rack units of all switches."""
    return sum(_sum_of(model, role, _height) for role in model.topology.roles)


def switches(model: Model) -> cp_model.LinearExprT:
    """Return the number of switches."""
    return sum(model.devices(group) for group in model.topology.switch_groups)


def links(model: Model) -> cp_model.LinearExprT:
    """Return the number of links."""
    return sum(model.links(bundle) for bundle in model.topology.bundles)


def copies(model: Model) -> cp_model.LinearExprT:
    """Return the sum of the parallel links over the bundles between switches."""
    return sum(model.sizes[bundle.name] for bundle in model.topology.fabric_bundles)


def hops(model: Model) -> cp_model.LinearExprT:
    """Return the switches on the longest path."""
    return model.hops()


def models(model: Model) -> cp_model.LinearExprT:
    """Return the number of different switch models in use."""
    names = dict.fromkeys(box.name for boxes in model.candidate.models.values() for box in boxes)
    return sum(_in_use(model, name) for name in names)


def _in_use(model: Model, name: str) -> cp_model.IntVar:
    flag = model.var(1, f"uses {name}", least=0)
    for role, boxes in model.candidate.models.items():
        for box, used in zip(boxes, model.used[role], strict=True):
            if box.name == name:
                model.cp.add(flag >= used)
    return flag


def _sum_of(model: Model, role: str, each: Callable[[Switch], int | None]) -> cp_model.LinearExprT:
    """Return the sum over the role's devices of what each has by its model; what is unknown counts nothing."""
    return model.sum_of(role, [each(box) or 0 for box in model.candidate.models[role]])


def _milliwatts(watts: float | None) -> int | None:
    return None if watts is None else round(1000 * watts)


def _switch_milliwatts(box: Switch) -> int | None:
    return _milliwatts(box.power_w)


def _height(box: Switch) -> int | None:
    return box.rack_units


@dataclass(frozen=True)
class Objective:
    """A quantity to have little of: its key in results, its expression, and the expression's units per unit of it.

    `needs` names what must be known of every switch and link for it: price, power or height; `asks` the keys of the
    request that it takes.
    """

    name: str
    expression: Callable[[Model], cp_model.LinearExprT]
    scale: int = 1
    needs: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()


RUNNING = ("years", "electricity_usd_per_kwh")

OBJECTIVES = {
    "cost": Objective("cost_usd", cost, 100, ("price",)),
    "total_cost": Objective("total_cost_usd", total_cost, SHARES, ("price", "power"), RUNNING),
    "power": Objective("power_w", power, 1000, ("power",)),
    "rack_units": Objective("rack_units", rack_units, 1, ("height",)),
    "hops": Objective("hops_max", hops),
    "switches": Objective("switches", switches),
    "links": Objective("links", links),
    "models": Objective("models", models),
}
"""What a fabric may be optimized for, by the word that asks for it."""

LIMITS = {key: limit.objective for key, limit in REQUEST_LIMITS.items() if limit.objective}
"""The objective that each of the request's limits on totals bounds."""


def needs(spec: Spec, objectives: Iterable[Objective]) -> tuple[str, ...]:
    """Return what must be known of every part for the objectives and the limits of `spec`: price, power, height.

    Raises InputError when one of them takes a key that the request leaves out.
    """
    limited = [OBJECTIVES[word] for limit, word in LIMITS.items() if getattr(spec.limits, limit) is not None]
    _check_asked(spec, [*objectives, *limited])
    return tuple(dict.fromkeys(fact for item in [*objectives, *limited] for fact in item.needs))


def _check_asked(spec: Spec, objectives: Iterable[Objective]) -> None:
    for objective in objectives:
        if missing := [key for key in objective.asks if getattr(spec, key) is None]:
            keys = " and ".join(missing)
            raise InputError(f"{spec.name}: {objective.name} counts electricity; add {keys} to the request")
