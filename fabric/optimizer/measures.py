"""What a fabric may be asked for that is no linear sum: times and mean hops, as functions of a few features.

A *feature* is a number of the model that is no worse when it is less: the hops, the latency of the slowest switch, the
servers of a place with their sign turned. A *measure* never falls when a feature rises. So a fabric better in a measure
is better in some feature, and no feature may be so bad that the rest, at its best, can't make up for it: that is all
that the solver has to know of a measure.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fabric.blueprint import Blueprint
from fabric.flow import ROUTINGS, Shape, allreduce, slowest_ns
from fabric.optimizer.candidates import Candidate
from fabric.optimizer.model import Model, Term
from fabric.optimizer.objectives import hops

__all__ = ["MEASURES", "Features", "Measure", "best_features", "feature_terms", "features_of", "measures"]

Features = Mapping[str, int]
"""Features by name, each in whole units of its own."""

FINE = 10**6
"""Ratios are features in millionths."""

DIGITS = 3
"""Measures are compared to so many significant digits: finer differences of an estimate say nothing."""


@dataclass(frozen=True)
class Measure:
    """A quantity to have little of: its key in results, and its value for a shape."""

    name: str
    of_shape: Callable[[Shape], float]

    def of(self, candidate: Candidate, features: Features) -> float:
        """Return the measure at these features, to three significant digits."""
        return _rounded(self.of_shape(_shape(candidate, features)))


MEASURES = ("allreduce", "mean_hops", "ring_hops")
"""The words that ask for a measure."""


def measures(size_bytes: int = 2**30, routing: str = "adaptive") -> dict[str, Measure]:
    """Return the measures by name, with the time of an all-reduce of `size_bytes` under `routing`."""

    def time_s(shape: Shape) -> float:
        return allreduce(shape, size_bytes, routing).time_s

    assert routing in ROUTINGS
    values: tuple[tuple[str, Callable[[Shape], float]], ...] = (
        ("allreduce_s", time_s),
        ("hops_mean", lambda shape: shape.mean_hops),
        ("hops_ring", lambda shape: shape.neighbour_hops),
    )
    return {word: Measure(name, value) for word, (name, value) in zip(MEASURES, values, strict=True)}


def feature_terms(model: Model) -> dict[str, Term]:
    """Return the features of a model: terms that are at least the feature, and no more when they are minimised."""
    form, below_top = model.form, model.form.switch_groups[:-1]
    terms: dict[str, Term] = {"hops": _capped(model, "hops", hops(model), 2 * form.tiers + 1)}
    terms["switch_ps"] = _slowest(model)
    terms["paths"] = _several_paths(model)
    for tier, group in enumerate(below_top, 1):
        inner = form.placement[len(form.places(group)) :]
        terms[f"peers {tier}"] = _negative(model, model.product(inner), f"peers {tier}")
        lanes = tuple(axis for axis in form.lanes if axis in form.kept(tier))
        terms[f"apart {tier}"] = model.product(lanes) if form.meets else 1
        terms[f"ratio {tier}"] = _ratio(model, group.role)
    return terms


def features_of(blueprint: Blueprint) -> dict[str, int]:
    """Return the features of a blueprint, as `feature_terms` has them."""
    shape = Shape.of(blueprint)
    found = {"hops": shape.hops, "switch_ps": round(1000 * shape.switch_ns), "paths": int(shape.several_paths)}
    for tier, (peers, apart, ratio) in enumerate(zip(shape.peers, shape.lanes_apart, shape.ratios, strict=True), 1):
        found |= {f"peers {tier}": -peers, f"apart {tier}": apart, f"ratio {tier}": math.ceil(FINE * ratio - 1e-6)}
    return found


def best_features(model: Model, terms: Mapping[str, Term]) -> dict[str, int]:
    """Return the least that each feature can be."""
    return {name: model.lower(term) for name, term in terms.items()}


def _shape(candidate: Candidate, features: Features) -> Shape:
    spec, below_top = candidate.spec, range(1, candidate.form.tiers)
    return Shape(
        spec.server,
        spec.gpus,
        spec.servers,
        candidate.planes,
        candidate.link_gbps,
        candidate.form.tiers,
        features["hops"],
        features["switch_ps"] / 1000,
        bool(features["paths"]),
        tuple(-features[f"peers {tier}"] for tier in below_top),
        tuple(features[f"apart {tier}"] for tier in below_top),
        tuple(features[f"ratio {tier}"] / FINE for tier in below_top),
    )


def _rounded(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")


def _capped(model: Model, name: str, expression: object, most: int) -> Term:
    if isinstance(expression, int):
        return expression
    term = model.var(most, name)
    model.cp.add(term >= expression)
    return term


def _negative(model: Model, term: Term, name: str) -> Term:
    if isinstance(term, int):
        return -term
    result = model.var(-1, f"minus {name}", least=-model.upper(term))
    model.cp.add(result == -term)
    return result


def _slowest(model: Model) -> Term:
    """Return the latency of the slowest switch in use, in picoseconds."""
    each = {role: [round(1000 * slowest_ns([box])) for box in boxes] for role, boxes in model.candidate.models.items()}
    most, least = max(max(values) for values in each.values()), max(min(values) for values in each.values())
    if most == least:
        return most
    slowest = model.var(most, "slowest", least)
    for role, values in each.items():
        for value, used in zip(values, model.used[role], strict=True):
            model.cp.add(slowest >= value * used)
    return slowest


def _several_paths(model: Model) -> Term:
    """Return a flag that is 1 when a leaf has more than one link up."""
    if model.form.tiers == 1:
        return 0
    flag, up = model.var(1, "several paths", least=0), model.product(model.form.bundles[1].ports_up)
    model.cp.add(up - 1 <= model.upper(up) * flag)
    return flag


def _ratio(model: Model, role: str) -> Term:
    most = model.candidate.spec.ratio(role)
    if most <= 1:
        return FINE
    below = next(bundle for bundle in model.form.bundles if bundle.upper.role == role)
    above = next(bundle for bundle in model.form.bundles if bundle.lower.role == role)
    ratio = model.var(math.ceil(FINE * most), f"ratio of {role}", least=FINE)
    up = model.product(above.ports_up)
    total = model.times(ratio, up, f"{role} times ratio", model.upper(ratio) * model.upper(up))
    model.cp.add(total >= FINE * model.product(below.ports_down))
    return ratio
