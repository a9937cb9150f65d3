"""The model of a candidate, with everything that the request demands of the whole fabric."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import pairwise

from fabric.optimizer.cages import limit_cages
from fabric.optimizer.candidates import Candidate
from fabric.optimizer.clos_floor import ClosFloor
from fabric.optimizer.clos_model import ClosModel
from fabric.optimizer.floor import Floor
from fabric.optimizer.graph_model import GraphModel
from fabric.optimizer.lattice_floor import LatticeFloor, lattice_axes
from fabric.optimizer.model import Model
from fabric.optimizer.objective import LinearObjective
from fabric.optimizer.objectives import LIMIT_OBJECTIVES
from fabric.optimizer.switch_choice import limit_stock
from fabric.optimizer.unlike_model import UnlikeModel
from fabric.topology.clos import ClosForm
from fabric.topology.graph_form import GraphForm
from fabric.topology.unlike_servers import UnlikeForm

__all__ = ["build_model", "build_within", "floor_of"]


def build_model(candidate: Candidate, relaxed: Iterable[str] = ()) -> Model:
    """Return the candidate's model, keeping to every limit of the request but those in `relaxed`."""
    model = _model_of(candidate, relaxed)
    limit_cages(model)
    for role, share in candidate.spec.survive.items():
        if f"survive.{role}" not in model.relaxed:
            model.survive(role, share)
    limit_stock(model)
    for objective, most in _limits_on_totals(candidate, model.relaxed):
        model.cp.add(model.total(objective) <= most)
    return model


def _limits_on_totals(candidate: Candidate, relaxed: Iterable[str]) -> Iterator[tuple[LinearObjective, int]]:
    """Yield the limits on totals that are not relaxed, each as a bound on an objective in its whole units."""
    for limit, most in candidate.spec.limits.on_objectives.items():
        if f"limits.{limit}" not in relaxed:
            objective = LIMIT_OBJECTIVES[limit]
            yield objective, int(Fraction(str(most)) * objective.scale)


def floor_of(candidate: Candidate) -> Floor | None:
    """Return what a candidate's fabrics take at least, of a Clos or a lattice with like ports; None where not known."""
    match candidate.topology:
        case UnlikeForm():
            return None
        case ClosForm() as form if candidate.has_like_ports:
            return ClosFloor(candidate, form)
        case GraphForm() as form if not candidate.spec.pinned and candidate.has_like_ports:
            axes = lattice_axes(form)
            return LatticeFloor(candidate, form, axes) if axes else None
    return None


def build_within(
    candidate: Candidate,
    objective: LinearObjective,
    most: int | None,
    relaxed: Iterable[str] = (),
    *,
    mirrored: bool = False,
) -> Model | None:
    """Return the candidate's model with an objective of at most `most`; None where bounds show it to be infeasible.

    `relaxed` may name limits on totals, on which the bounds do not rely. Of fabrics that differ in the order of like
    axes it has all where they may be `mirrored`, as on a floor, and else one.
    """
    floor, limit = floor_of(candidate), math.inf if most is None else most
    if floor and not floor.allows([(objective, limit), *_limits_on_totals(candidate, relaxed)]):
        return None
    model = build_model(candidate, relaxed)
    if most is not None:
        model.cp.add(model.total(objective) <= most)
    if floor:
        floor.add_to(model, [objective], limit)
    if not model.relaxed and not mirrored:
        _order_alike(model)
    return model


def _order_alike(model: Model) -> None:
    """Allow one order of the axes that may trade places, where all tiers are bought alike: the optimum is the same."""
    match model.topology:
        case GraphForm() as form if _buys_alike(model.candidate):
            for one, other in pairwise(form.sizing.alike):
                model.cp.add(model.sizes[one] <= model.sizes[other])


def _buys_alike(candidate: Candidate) -> bool:
    """Say whether all tiers have the same switches, links and limits."""
    spec, prices, roles = candidate.spec, candidate.prices, candidate.topology.roles
    limits = (spec.ratio, spec.least_ratio, spec.spare_ports)
    each = [(candidate.models[role], candidate.rates_at(role), *(limit(role) for limit in limits)) for role in roles]
    facts = (prices.parts, prices.link_cents, prices.rate)
    links = [[fact(bundle.name) for fact in facts] for bundle in candidate.topology.bundles]
    own = spec.pinned or spec.appliances or spec.survive
    return not own and all(one == each[0] for one in each) and all(one == links[0] for one in links)


def _model_of(candidate: Candidate, relaxed: Iterable[str]) -> Model:
    """Return the candidate's model: the one place of this package where the kinds of topology are distinguished."""
    match candidate.topology:
        case UnlikeForm() as form:
            return UnlikeModel(candidate, form, relaxed)
        case ClosForm() as form:
            return ClosModel(candidate, form, relaxed)
        case GraphForm() as form:
            return GraphModel(candidate, form, relaxed)
        case other:
            raise TypeError(f"no model of a {type(other).__name__}")
