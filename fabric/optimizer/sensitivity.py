"""How far each price may move before another fabric would be chosen: the nearest break-even on either side.

The cost of each fabric is a straight line over one price, and the choice is the lowest line. Newton's method starts at
the farthest price, finds the fabric that is cheapest there, and goes on where its line crosses that of the chosen one,
until nothing is cheaper. It is exact, because the lowest of several lines is concave. Where another link part becomes
the cheapest that is long enough, the lines bend, and the break-even is the one beyond the bend.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from itertools import product

from fabric.blueprint import Blueprint
from fabric.blueprint.bill import bill
from fabric.blueprint.port_rules import has_ports, rates_at
from fabric.blueprint.prices import Prices, bundle_ends, prices_of
from fabric.catalog import LinkPart
from fabric.errors import InputError
from fabric.optimizer.build_model import build_model
from fabric.optimizer.candidates import list_attachments
from fabric.optimizer.link_rates import rate_choices
from fabric.optimizer.objectives import COST
from fabric.optimizer.search import Progress, comparable_candidates
from fabric.optimizer.solve import minimise
from fabric.optimizer.ties import blueprint_of
from fabric.request import Spec
from fabric.topology.families import family
from fabric.topology.topology import Topology

__all__ = ["FACTOR", "BreakEven", "find_break_evens"]

FACTOR = 2
"""A price is varied from half to double."""


@dataclass(frozen=True)
class BreakEven:
    """The price of a part, nearest to its own on one side, at which another fabric costs no more."""

    part: str
    """The part."""
    price_usd: float
    """Its price."""
    direction: str
    """`up` or `down` from that price."""
    at_usd: float | None
    """The price at break-even; None where the choice is the same from half the price to double."""
    instead: Blueprint | None
    """The fabric that would be chosen beyond it."""
    settled: bool = True
    """False where the solve budget ran out before the answer."""


@dataclass(frozen=True)
class _Part:
    """A part that has a price."""

    name: str
    """Its name."""
    cents: int
    """Its price in cents."""
    at: Callable[[int], Spec]
    """Returns the request with another price for it, in cents."""
    taken: Callable[[Blueprint], Fraction]
    """Returns how many of it a fabric takes."""


class _UndecidedError(Exception):
    """A solve took more than its budget."""


def find_break_evens(spec: Spec, chosen: Blueprint, progress: Progress = lambda text: None) -> tuple[BreakEven, ...]:
    """Return the break-even on either side of each price that the choice depends on; `chosen` is the cheapest fabric.

    A part that the chosen fabric does not use can only change the choice by becoming cheaper. A limit on cost is left
    out, since cost moves with the price. Raises InputError when a part of the chosen fabric has no price, and when a
    limit on the cost with electricity makes what is allowed depend on prices.
    """
    if spec.limits.total_cost_usd is not None:
        raise InputError(
            f"{spec.name}: with limits.total_cost_usd, prices decide which fabrics are allowed; leave it out for"
            " sensitivity"
        )
    spec = replace(spec, limits=replace(spec.limits, cost_usd=None))
    if bill(chosen, prices_of(spec, chosen)).cost_usd() is None:
        raise InputError(f"{spec.name}: a part has no known price, so cost did not decide; give it in prices_usd")
    found = []
    for part in _parts(spec):
        for direction, farthest in (("up", part.cents * FACTOR), ("down", part.cents // FACTOR)):
            progress(f"the price of {part.name}, {direction}")
            price = part.cents / 100
            try:
                at, instead = _break_even(part, farthest, chosen)
                found.append(BreakEven(part.name, price, direction, None if at is None else at / 100, instead))
            except _UndecidedError:
                found.append(BreakEven(part.name, price, direction, None, None, settled=False))
    return tuple(found)


def _break_even(part: _Part, cents: int, chosen: Blueprint) -> tuple[float | None, Blueprint | None]:
    """Return the price in cents nearest to the part's own at which another fabric costs no more, and that fabric.

    `cents` is the farthest price looked at. Each round finds the cheapest fabric there, and goes on where its cost, a
    straight line over the price, crosses that of the chosen fabric.
    """
    at: float | None = None
    instead: Blueprint | None = None
    while (better := _cheaper_fabric(part, cents, chosen)) is not None:
        gain = _cost_cents(part, cents, chosen) - _cost_cents(part, cents, better)
        more = part.taken(chosen) - part.taken(better)
        crossing = cents - gain / more if more else Fraction(cents)
        at, instead = float(crossing), better
        nearer = math.floor(crossing) if cents > part.cents else math.ceil(crossing)
        if nearer == cents:  # they are a fraction of a cent apart
            break
        cents = nearer
    return at, instead


def _cheaper_fabric(part: _Part, cents: int, chosen: Blueprint) -> Blueprint | None:
    """Return the cheapest fabric at this price of the part, if it is cheaper than the chosen one."""
    spec, best, found = part.at(cents), _cost_cents(part, cents, chosen), None
    for candidate in comparable_candidates(spec, [COST])[0]:
        model = build_model(candidate)
        cost = model.total(COST)
        model.cp.add(cost <= best - 1)
        solution = minimise(model, [cost])
        if solution.status not in ("OPTIMAL", "INFEASIBLE"):
            raise _UndecidedError
        if solution.values:
            best, found = solution.values[0], blueprint_of(candidate, solution)
    return found


def _cost_cents(part: _Part, cents: int, blueprint: Blueprint) -> int:
    """Return the cost of `blueprint` at this price of the part, in cents."""
    spec = part.at(cents)
    prices = prices_of(spec, blueprint)
    models = {model.name: model for role in blueprint.topology.roles for model in spec.models(role)}
    counts = (pair for role in blueprint.topology.roles for pair in blueprint.model_counts(role))
    total = sum(count * (prices.switch_cents(models[model.name]) or 0) for model, count in counts)
    total += prices.nic_cents * blueprint.cards
    return total + sum(
        blueprint.priced_links(each) * (prices.link_cents(each.name) or 0) for each in blueprint.topology.bundles
    )


def _parts(spec: Spec) -> Iterator[_Part]:
    """Yield the parts with a price that the request's choice is between, each once."""
    forms = [form for name in spec.families for form in family(name).forms]
    roles = dict.fromkeys(role for form in forms for role in form.roles)
    models = {model.name: model for role in roles for model in spec.models(role)}
    for model in models.values():
        if model.price_usd:
            at, taken = partial(_with_switch, spec, model.name), partial(_switches, model.name)
            yield _Part(model.name, round(100 * model.price_usd), at, taken)
    for name, price in spec.link_price_usd.items():
        label = "link_price_usd" if name == "*" else f"link_price_usd.{name}"
        yield _Part(
            label, round(100 * price), partial(_with_link_price, spec, name), partial(_priced_links, spec, name)
        )
    for part in _link_parts(spec, forms).values():
        if part.price_usd:
            at, taken = partial(_with_optic, spec, part), partial(_optics, spec, part)
            yield _Part(part.name, round(100 * part.price_usd), at, taken)


def _link_parts(spec: Spec, forms: Sequence[Topology]) -> dict[str, LinkPart]:
    """Return the link parts with a price that the links of some topology take, by name."""
    found: dict[str, LinkPart] = {}
    asked = (pair for form in forms for pair in product([form], list_attachments(spec, form), spec.planes))
    for form, each_spec, planes in asked:
        for prices in _prices_at(each_spec, form, planes) if each_spec.plane_gbps(planes) else ():
            bundles = [bundle.name for bundle in form.bundles if spec.link_price(bundle.name) is None]
            taken = (parts for name in bundles if (parts := prices.parts(name)) and parts.price_usd is not None)
            found |= {part.name: part for parts in taken for part, _ in parts.shares}
    return dict(sorted(found.items(), key=lambda item: item[1].rate_gbps or 0))


def _prices_at(spec: Spec, form: Topology, planes: int) -> Iterator[Prices]:
    """Yield the prices of a topology at each choice of the rates of its links."""
    allowed = {role: spec.models(role) for role in form.roles}
    for rates in rate_choices(spec, form, planes, allowed):
        models = {
            role: [model for model in each if has_ports(model, rates_at(form, rates, role))]
            for role, each in allowed.items()
        }
        yield Prices(
            spec,
            spec.plane_gbps(planes),
            rates,
            bundle_ends(spec.servers_by_role(form.server.role), form, planes, models, rates),
        )


def _with_switch(spec: Spec, name: str, cents: int) -> Spec:
    switches = {
        role: tuple(replace(each, price_usd=cents / 100) if each.name == name else each for each in models)
        for role, models in spec.switches.items()
    }
    return replace(spec, switches=switches)


def _with_link_price(spec: Spec, name: str, cents: int) -> Spec:
    return replace(spec, link_price_usd={**spec.link_price_usd, name: cents / 100})


def _with_optic(spec: Spec, part: LinkPart, cents: int) -> Spec:
    others = tuple(each for each in spec.link_parts if each.name != part.name)
    return replace(spec, link_parts=(*others, replace(part, price_usd=cents / 100)))


def _switches(name: str, blueprint: Blueprint) -> Fraction:
    counts = (pair for role in blueprint.topology.roles for pair in blueprint.model_counts(role))
    return Fraction(sum(count for model, count in counts if model.name == name))


def _priced_links(spec: Spec, name: str, blueprint: Blueprint) -> Fraction:
    own = {
        bundle.name: bundle.name if bundle.name in spec.link_price_usd else "*" for bundle in blueprint.topology.bundles
    }
    return Fraction(
        sum(blueprint.priced_links(bundle) for bundle in blueprint.topology.bundles if own[bundle.name] == name)
    )


def _optics(spec: Spec, part: LinkPart, blueprint: Blueprint) -> Fraction:
    prices = prices_of(spec, blueprint)
    own = (each for each in blueprint.topology.bundles if spec.link_price(each.name) is None)
    taken = ((blueprint.priced_links(each), parts) for each in own if (parts := prices.parts(each.name)))
    return sum(
        (links * share for links, parts in taken for each, share in parts.shares if each.name == part.name),
        start=Fraction(0),
    )
