"""The objectives: what a fabric can be optimised for, each described once, and those that a request can limit.

No solver is loaded here, so that the command line and the reports can list them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from fabric.blueprint.prices import SHARES
from fabric.errors import InputError
from fabric.optimizer.objective import FlowEstimate, FlowObjective, LinearObjective, Objective
from fabric.registry import Registry
from fabric.request import LIMITS, Spec

if TYPE_CHECKING:
    from ortools.sat.python import cp_model

    from fabric.catalog import Switch
    from fabric.optimizer.model import Model

__all__ = [
    "COST",
    "LIMIT_OBJECTIVES",
    "LINKS",
    "OBJECTIVES",
    "SWITCHES",
    "find_objective",
    "links",
    "needed_facts",
    "switch_models",
    "switches",
]


def cost(model: Model) -> cp_model.LinearExprT:
    """Return the cost of all switches and links in cents, with that of the NICs where they are counted."""
    prices = model.candidate.prices
    terms = [_sum_of(model, role, prices.switch_cents) for role in model.topology.roles]
    terms += [(prices.link_cents(bundle.name) or 0) * model.priced_links(bundle) for bundle in model.topology.bundles]
    return sum([*terms, _nics(model)])


def total_cost(model: Model) -> cp_model.LinearExprT:
    """Return that cost with the electricity of switches and modules, in `SHARES` of a dollar."""
    prices = model.candidate.prices
    terms = [_sum_of(model, role, prices.switch_total) for role in model.topology.roles]
    terms += [(prices.link_total(bundle.name) or 0) * model.priced_links(bundle) for bundle in model.topology.bundles]
    return sum([*terms, SHARES // 100 * _nics(model)])


def _nics(model: Model) -> cp_model.LinearExprT:
    """Return the cost of the NICs in cents."""
    spec, cents = model.candidate.spec, model.candidate.prices.nic_cents
    if spec.kinds:
        return cents * sum(kind.count * kind.server.cards_total for kind in spec.kinds)
    return cents * spec.server.cards_total * model.servers


def power(model: Model) -> cp_model.LinearExprT:
    """Return the typical power of switches and modules in milliwatts."""
    return _power(model, lambda switch: switch.power_w, model.candidate.prices.link_power_w)


def max_power(model: Model) -> cp_model.LinearExprT:
    """Return the maximum power of switches and modules in milliwatts, the typical of those whose own is not known."""
    return _power(model, lambda switch: switch.peak_power_w, model.candidate.prices.link_max_power_w)


def _power(
    model: Model, of_switch: Callable[[Switch], float | None], of_link: Callable[[str], float | None]
) -> cp_model.LinearExprT:
    terms = [_sum_of(model, role, lambda switch: _milliwatts(of_switch(switch))) for role in model.topology.roles]
    each = {bundle: _milliwatts(of_link(bundle.name)) or 0 for bundle in model.topology.bundles}
    return sum([*terms, *(watts * model.priced_links(bundle) for bundle, watts in each.items())])


def rack_units(model: Model) -> cp_model.LinearExprT:
    """Return the rack units of all switches."""
    return sum(_sum_of(model, role, lambda switch: switch.rack_units) for role in model.topology.roles)


def switches(model: Model) -> cp_model.LinearExprT:
    """Return the number of switches."""
    return sum(model.devices(group) for group in model.topology.switch_groups)


def links(model: Model) -> cp_model.LinearExprT:
    """Return the number of links."""
    total: cp_model.LinearExprT = sum(model.priced_links(bundle) for bundle in model.topology.bundles)
    return total


def longest_path(model: Model) -> cp_model.LinearExprT:
    """Return the hops of the longest path."""
    return model.hops()


def allreduce_time(estimate: FlowEstimate) -> float:
    """Return the time of an all-reduce, in seconds."""
    return estimate.allreduce_s


def mean_hops(estimate: FlowEstimate) -> float:
    """Return the mean hops over all pairs."""
    return estimate.mean_hops


def ring_hops(estimate: FlowEstimate) -> float:
    """Return the mean hops between neighbours on a ring."""
    return estimate.ring_hops


def switch_models(model: Model) -> cp_model.LinearExprT:
    """Return the number of different switch models in use."""
    names = dict.fromkeys(switch.name for allowed in model.candidate.models.values() for switch in allowed)
    return sum(model.uses_model(name) for name in names)


def _sum_of(model: Model, role: str, each: Callable[[Switch], int | None]) -> cp_model.LinearExprT:
    """Return the sum over the role's devices of what each has by its model; what is unknown counts nothing."""
    return model.sum_of(role, [each(switch) or 0 for switch in model.candidate.models[role]])


def _milliwatts(watts: float | None) -> int | None:
    return None if watts is None else round(1000 * watts)


COST = LinearObjective(
    name="cost",
    key="cost_usd",
    label="cost",
    heading="cost",
    description="switches and links, with the NICs where nic_usd is given",
    unit="USD",
    needs=("price",),
    expression=cost,
    adds_up=True,
    scale=100,
)
SWITCHES = LinearObjective(
    name="switches",
    key="switches",
    label="number of switches",
    heading="switches",
    description="the number of switches",
    expression=switches,
    adds_up=True,
)
LINKS = LinearObjective(
    name="links",
    key="links",
    label="number of links",
    heading="links",
    description="the number of links",
    expression=links,
    adds_up=True,
)

BUILTIN: tuple[Objective, ...] = (
    COST,
    LinearObjective(
        name="total_cost",
        key="total_cost_usd",
        label="cost with electricity",
        heading="total cost",
        description="the cost with the electricity of switches and modules over years",
        unit="USD",
        needs=("price", "power"),
        request_keys=("years", "electricity_usd_per_kwh"),
        expression=total_cost,
        adds_up=True,
        scale=SHARES,
    ),
    LinearObjective(
        name="power",
        key="power_w",
        label="power",
        heading="power",
        description="the typical power of switches and modules",
        unit="W",
        needs=("power",),
        expression=power,
        adds_up=True,
        scale=1000,
    ),
    LinearObjective(
        name="max_power",
        key="max_power_w",
        label="maximum power",
        heading="max power",
        description="the maximum power of switches and modules, which limits.power_w bounds",
        unit="W",
        needs=("maximum power",),
        expression=max_power,
        adds_up=True,
        scale=1000,
    ),
    LinearObjective(
        name="rack_units",
        key="rack_units",
        label="rack units",
        heading="rack units",
        description="the rack units of the switches",
        needs=("height",),
        expression=rack_units,
        adds_up=True,
    ),
    LinearObjective(
        name="hops",
        key="hops_max",
        label="hops",
        heading="hops",
        description="the switches on the longest path between two GPUs",
        expression=longest_path,
        adds_up=True,
    ),
    SWITCHES,
    LINKS,
    LinearObjective(
        name="models",
        key="models",
        label="number of switch models",
        heading="models",
        description="the number of different switch models",
        expression=switch_models,
    ),
    FlowObjective(
        name="allreduce",
        key="allreduce_s",
        label="all-reduce time",
        heading="all-reduce",
        description="the time of an all-reduce over all GPUs",
        unit="s",
        tolerance=0.02,
        value=allreduce_time,
    ),
    FlowObjective(
        name="mean_hops",
        key="hops_mean",
        label="mean hops over all pairs",
        heading="mean hops",
        description="the hops between GPUs of different servers, on average",
        tolerance=0.02,
        value=mean_hops,
    ),
    FlowObjective(
        name="ring_hops",
        key="hops_ring",
        label="mean hops along a ring",
        heading="ring hops",
        description="the hops between servers next to each other on a ring, on average",
        tolerance=0.02,
        value=ring_hops,
    ),
)

OBJECTIVES = Registry("objective", "objectives", Objective, lambda: BUILTIN)
"""What a fabric can be optimised for, by the word that asks for it."""


LINEAR = {objective.name: objective for objective in BUILTIN if isinstance(objective, LinearObjective)}
"""The linear objectives of this package by name: those that a request can limit."""

LIMIT_OBJECTIVES = {key: LINEAR[limit.objective] for key, limit in LIMITS.items() if limit.objective}
"""The objective that each limit of a request bounds, by the key of the limit."""


def find_objective(key: str) -> Objective | None:
    """Return the objective with this key in results; None for a weighted sum, whose key is made of several."""
    return next((objective for objective in OBJECTIVES.values() if objective.key == key), None)


def needed_facts(spec: Spec, objectives: Iterable[Objective]) -> tuple[str, ...]:
    """Return what must be known of every part for the objectives and the limits of `spec`.

    Raises InputError when one of them needs a key that the request leaves out.
    """
    asked = [*objectives, *(LIMIT_OBJECTIVES[limit] for limit in spec.limits.on_objectives)]
    for objective in asked:
        if missing := [key for key in objective.request_keys if getattr(spec, key) is None]:
            raise InputError(f"{spec.name}: objective {objective.name} needs {' and '.join(missing)} in the request")
    return tuple(dict.fromkeys(fact for objective in asked for fact in objective.needs))
