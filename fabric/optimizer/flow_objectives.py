"""What a fabric may be asked for that is no linear sum: times and mean hops, as functions of a few features.

A *feature* is a number of the model that is no worse when it is less: the hops, the latency of the slowest switch, the
servers of a place with their sign turned. A *measure* never falls when a feature rises. So a fabric better in a measure
is better in some feature, and no feature may be so bad that the rest, at its best, can't make up for it: that is all
that the solver has to know of a measure.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from typing import cast

from ortools.sat.python import cp_model

from fabric.blueprint import Blueprint
from fabric.flow import FabricSummary, allreduce, slowest_ns
from fabric.optimizer.candidates import Candidate
from fabric.optimizer.model import Model, Term
from fabric.optimizer.objectives import hops
from fabric.topology.graph_form import GraphForm
from fabric.topology.polynomial import Monomial, Ratio

__all__ = [
    "MEASURES",
    "STEP",
    "Feature",
    "Features",
    "FlowObjective",
    "features_of",
    "measures",
    "model_features",
    "shape_of",
]

Features = Mapping[str, int]
"""Features by name, each in whole units of its own."""

Constraint = cp_model.BoundedLinearExpression | bool

MILLION = 10**6
"""Ratios are features in millionths."""

WORST, ROOM = 30_000 * MILLION, 2**62
"""The largest ratio that is told apart, and what times the ports of three tiers keeps within the solver's 64 bits."""

STEP = 1.02
"""A measure is better when it is less by this factor, a fiftieth: finer differences of an estimate say nothing."""


@dataclass(frozen=True)
class Feature:
    """A feature of a model: the least and the most that it can be, and its expression, or how it is held below a value.

    The expression is at least the feature, and no more when it is minimised.
    """

    least: int
    most: int
    expression: cp_model.LinearExpr | None = None
    limits: Callable[[int], Iterable[Constraint]] | None = None

    def at_most(self, value: int) -> Iterable[Constraint]:
        """Return the constraints that hold the feature at or below `value`."""
        if self.limits:
            yield from self.limits(value)
        elif self.expression is not None:
            yield self.expression <= value


@dataclass(frozen=True)
class FlowObjective:
    """A quantity to have little of: its key in results, and its value for a shape."""

    name: str
    of_shape: Callable[[FabricSummary], float]

    def of(self, blueprint: Blueprint) -> float:
        """Return the measure of a blueprint."""
        return self.of_shape(FabricSummary.of(blueprint))

    def at(self, candidate: Candidate, features: Features) -> float:
        """Return the measure of a fabric of `candidate` with these features."""
        return self.of_shape(shape_of(candidate, features))


MEASURES = ("allreduce", "mean_hops", "ring_hops")
"""The words that ask for a measure."""


def measures(size_bytes: int = 2**30, routing: str = "adaptive") -> dict[str, FlowObjective]:
    """Return the measures by name, with the time of an all-reduce of `size_bytes` under `routing`."""

    def time_s(shape: FabricSummary) -> float:
        return allreduce(shape, size_bytes, routing).time_s

    values: tuple[tuple[str, Callable[[FabricSummary], float]], ...] = (
        ("allreduce_s", time_s),
        ("hops_mean", lambda shape: shape.mean_hops),
        ("hops_ring", lambda shape: shape.neighbour_hops),
    )
    return {word: FlowObjective(name, value) for word, (name, value) in zip(MEASURES, values, strict=True)}


def model_features(model: Model) -> dict[str, Feature]:
    """Return the features of a model by name."""
    form, below_top = model.topology, model.topology.switch_groups[:-1]
    if isinstance(form, GraphForm):
        return _wired_features(model, form)
    found = {"hops": _of(model, hops(model), 2 * form.tiers + 1), "switch_ps": _slowest(model)}
    found["paths"] = _several_paths(model)
    found["leaf_nics"] = _of(model, model.product((form.bundles[0].name,)), model.candidate.spec.server.nics)
    for tier, group in enumerate(below_top, 1):
        inner = form.server.axes[len(form.placement_axes(group)) :]
        found[f"peers {tier}"] = _negative(model, model.product(inner))
        lanes = tuple(axis for axis in form.rail_axes if axis in form.shared_axes(tier))
        found[f"apart {tier}"] = _of(model, model.product(lanes) if form.rails_meet_at else 1)
        found[f"ratio {tier}"] = _ratio(model, tier)
    return found


def features_of(blueprint: Blueprint) -> dict[str, int]:
    """Return the features of a blueprint, as `model_features` has them."""
    shape = FabricSummary.of(blueprint)
    found = {"hops": shape.hops, "switch_ps": round(1000 * shape.switch_ns), "paths": int(shape.several_paths)}
    found["leaf_nics"] = shape.leaf_nics
    for tier, (peers, apart, ratio) in enumerate(zip(shape.peers, shape.unmet_rails, shape.ratios, strict=True), 1):
        found |= {f"peers {tier}": -peers, f"apart {tier}": apart}
        found[f"ratio {tier}"] = min(math.ceil(MILLION * ratio - 1e-6), WORST)
    if isinstance(blueprint.topology, GraphForm):
        found["crowding"] = math.ceil(MILLION * shape.crowding - 1e-6)
    return found


def shape_of(candidate: Candidate, features: Features) -> FabricSummary:
    """Return the shape of a fabric of `candidate` with these features."""
    spec, wired = candidate.spec, isinstance(candidate.topology, GraphForm)
    tiers = 2 if wired else candidate.topology.tiers
    below_top = range(1, tiers)
    return FabricSummary(
        server=spec.server,
        gpus=spec.gpus,
        servers=spec.servers,
        planes=candidate.planes,
        link_gbps=candidate.link_gbps,
        tiers=tiers,
        steps=(1, features["hops"]) if wired else tuple(2 * tier + 1 for tier in range(tiers)),
        hops=features["hops"],
        switch_ns=features["switch_ps"] / 1000,
        several_paths=bool(features["paths"]),
        peers=tuple(-features[f"peers {tier}"] for tier in below_top),
        unmet_rails=tuple(features[f"apart {tier}"] for tier in below_top),
        ratios=tuple(features[f"ratio {tier}"] / MILLION for tier in below_top),
        leaf_nics=features["leaf_nics"],
        detour=candidate.topology.routing.load_factor if isinstance(candidate.topology, GraphForm) else 1.0,
        crowding=features.get("crowding", 0) / MILLION,
        by_tiers=not wired,
        switches_reduce=all(box.link_layer == "infiniband" for boxes in candidate.models.values() for box in boxes),
    )


def _wired_features(model: Model, form: GraphForm) -> dict[str, Feature]:
    """Return the features of a wired model, by the names that they have in its shape."""
    far = model.var(model.upper_count(form.paths.diameter), "far", least=0)
    model.cp.add(far == hops(model))
    slot = model.product(("slot",))
    return {
        "hops": _of(model, far),
        "switch_ps": _slowest(model),
        "paths": Feature(1, 1),
        "leaf_nics": _of(model, model.candidate.spec.server.nics),
        "peers 1": _negative(model, slot),
        "apart 1": Feature(1, 1),
        "ratio 1": _loads(model, [load for wire in form.bundles for load in wire.loads], _most_ratio(model), 1),
        "crowding": _loads(model, form.routing.inverse_paths, MILLION, 0),
    }


def _most_ratio(model: Model) -> int:
    """Return the largest ratio that the request allows, in millionths."""
    ratios = (model.candidate.spec.ratio(role) for role in model.topology.roles)
    return min(math.ceil(MILLION * max(max(Fraction(1), ratio) for ratio in ratios)), WORST)


def _loads(model: Model, loads: Sequence[Ratio], most: int, least: int) -> Feature:
    """Return the greatest of some loads in millionths, from `least` to `most`; the least without any."""

    def at_most(value: int) -> Iterator[Constraint]:
        for load in loads:
            sent, carried = model.count(load.numerator), model.count(load.denominator)
            yield cast(Constraint, MILLION * sent <= value * carried)

    return Feature(least, most if loads else least, limits=at_most)


def _of(model: Model, expression: cp_model.LinearExprT, most: int | None = None) -> Feature:
    """Return a term as a feature; an expression of no known bounds is given a variable that is at most `most`."""
    if isinstance(expression, int):
        return Feature(expression, expression)
    if isinstance(expression, cp_model.IntVar):
        return Feature(model.lower(expression), model.upper(expression), expression)
    term = model.var(most or 1, "feature", least=0)
    model.cp.add(term >= expression)
    return Feature(1, most or 1, term)


def _negative(model: Model, term: Term) -> Feature:
    expression = None if isinstance(term, int) else -1 * term
    return Feature(-model.upper(term), -model.lower(term), expression)


def _slowest(model: Model) -> Feature:
    """Return the latency of the slowest switch in use, in picoseconds."""
    each = {role: [round(1000 * slowest_ns([box])) for box in boxes] for role, boxes in model.candidate.models.items()}
    most, least = max(max(values) for values in each.values()), max(min(values) for values in each.values())
    if most == least:
        return Feature(most, most)
    slowest = model.var(most, "slowest", least)
    for role, values in each.items():
        for value, used in zip(values, model.used[role], strict=True):
            model.cp.add(slowest >= value * used)
    return Feature(least, most, slowest)


def _several_paths(model: Model) -> Feature:
    """Return a flag that is 1 when a switch below the top tier has more than one link up."""
    if model.topology.tiers == 1:
        return Feature(0, 0)
    flag = model.var(1, "several paths", least=0)
    for bundle in model.topology.fabric_bundles:
        up = model.product(bundle.ports_up)
        model.cp.add(up - 1 <= model.upper(up) * flag)
    return Feature(0, 1, flag)


def _ratio(model: Model, tier: int) -> Feature:
    """Return the ratios up to `tier` multiplied, in millionths, a ratio under 1 counting as 1."""
    spec, tiers = model.candidate.spec, range(1, tier + 1)
    ratios = (spec.ratio(model.topology.roles[each - 1]) for each in tiers)
    most = math.prod(max(Fraction(1), min(ratio, Fraction(model.widest))) for ratio in ratios)
    sent = MILLION * spec.servers * spec.server.nics * model.candidate.planes

    def at_most(value: int) -> Iterator[cp_model.BoundedLinearExpression | bool]:
        for some in (some for count in tiers for some in combinations(tiers, count)):
            down = _ports(model, [model.topology.bundles[each - 1].ports_down for each in some], MILLION)
            up = _ports(model, [model.topology.bundles[each].ports_up for each in some], value)
            yield MILLION * down <= value * up
        # Of all the servers together: nothing new, but it tells the solver how few links that takes.
        yield from (model.links(model.topology.bundles[each]) >= -(-sent // value) for each in tiers)

    return Feature(MILLION, min(math.ceil(MILLION * most), WORST), limits=at_most)


def _ports(model: Model, each: Sequence[Monomial], factor: int) -> Term:
    """Return the product of the ports of several tiers on one side, bounded where times `factor` it exceeds 64 bits.

    No switch has more ports than the widest.
    """
    found = model.product(tuple(name for monomial in each for name in monomial))
    if factor * model.upper(found) < ROOM:
        return found
    bounded = model.var(model.widest ** len(each), "ports of tiers")
    model.cp.add(bounded == found)
    return bounded
