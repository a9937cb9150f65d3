"""The model of a candidate, with everything that the request demands of the whole fabric."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from ortools.sat.python import cp_model

from fabric.optimizer.candidates import Candidate
from fabric.optimizer.clos_model import ClosModel
from fabric.optimizer.graph_model import GraphModel
from fabric.optimizer.model import Model
from fabric.optimizer.objectives import LIMITS, OBJECTIVES
from fabric.topology.clos import ClosForm
from fabric.topology.graph_form import GraphForm

__all__ = ["build_model", "switches_of_model"]


def build_model(candidate: Candidate, relaxed: Iterable[str] = ()) -> Model:
    """Return the candidate's model, keeping to every limit of the request but those in `relaxed`."""
    model = _model_of(candidate, relaxed)
    for role, share in candidate.spec.survive.items():
        if f"survive.{role}" not in model.relaxed:
            model.survive(role, share)
    if "available" not in model.relaxed:
        _limit_stock(model)
    for limit, word in LIMITS.items():
        most = getattr(candidate.spec.limits, limit)
        if most is not None and f"limits.{limit}" not in model.relaxed:
            model.cp.add(OBJECTIVES[word].expression(model) <= int(Fraction(str(most)) * OBJECTIVES[word].scale))
    return model


def _model_of(candidate: Candidate, relaxed: Iterable[str]) -> Model:
    """Return the candidate's model: the one place of this package where the kinds of topology are told apart."""
    match candidate.topology:
        case ClosForm() as form:
            return ClosModel(candidate, form, relaxed)
        case GraphForm() as form:
            return GraphModel(candidate, form, relaxed)
        case other:
            raise TypeError(f"no model of a {type(other).__name__}")


def _limit_stock(model: Model) -> None:
    """Take no more switches of a model, over all tiers, than are available."""
    for name, most in model.candidate.spec.available.items():
        model.cp.add(switches_of_model(model, name) <= most)


def switches_of_model(model: Model, name: str) -> cp_model.LinearExprT:
    """Return the switches of the switch model `name` over all tiers."""
    return sum(
        count
        for role, boxes in model.candidate.models.items()
        for box, count in zip(boxes, model.boxes[role], strict=True)
        if box.name == name
    )
