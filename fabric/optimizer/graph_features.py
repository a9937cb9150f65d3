"""The features of a graph model (see `fabric.optimizer.feature`)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import cast

from fabric.optimizer.feature import LARGEST_RATIO, MILLION, ROOM, Constraint, Feature
from fabric.optimizer.model import Model, Term
from fabric.topology.graph_form import GraphForm
from fabric.topology.polynomial import Polynomial, Ratio

__all__ = ["graph_features"]


def graph_features(model: Model, form: GraphForm) -> dict[str, Feature]:
    """Return the features of a graph model by name."""
    diameter = model.var(model.upper_count(form.paths.diameter), "diameter", least=0)
    model.cp.add(diameter == model.path_switches())
    loads = [load for bundle in form.bundles for load in bundle.loads]
    return {
        "hops": model.to_feature(diameter),
        **_turns(model, form),
        "switch_ps": model.slowest_switch(),
        "paths": Feature(1, 1),
        "leaf_nics": model.to_feature(model.candidate.spec.server.nics),
        "peers 1": model.to_negative_feature(model.product(("slot",))),
        "unmet rails 1": Feature(1, 1),
        "ratio 1": _largest(model, loads, _most_ratio(model), 1),
        "inverse paths": _largest(model, form.routing.inverse_paths, MILLION, 0),
    }


def _turns(model: Model, form: GraphForm) -> dict[str, Feature]:
    """Return the hops within a leaf, and on the longest path, where a director counts several."""
    if not model.has_directors:
        return {}
    most = max(map(model.upper, model.inner_hops))
    leaf = model.var(most, "hops in a leaf")
    for each in model.inner_hops:
        model.cp.add(leaf >= each)
    longest = model.to_feature(model.hops(), most * model.upper_count(form.paths.diameter))
    return {"turn 1": Feature(1, most, leaf), "turn 2": longest}


def _most_ratio(model: Model) -> int:
    """Return the largest ratio that the request allows, in millionths."""
    ratios = (model.candidate.spec.ratio(role) for role in model.topology.roles)
    return min(math.ceil(MILLION * max(max(Fraction(1), ratio) for ratio in ratios)), LARGEST_RATIO)


def _largest(model: Model, ratios: Sequence[Ratio], most: int, least: int) -> Feature:
    """Return the greatest of some ratios in millionths, from `least` to `most`; the least without any."""
    sent = [_bounded(model, ratio.numerator, ROOM // MILLION) for ratio in ratios]

    def at_most(value: int) -> Iterator[Constraint]:
        for ratio, load in zip(ratios, sent, strict=True):
            # More than this carries whatever is sent, and a larger product would not fit in the solver's integers.
            enough = -(-MILLION * model.upper(load) // max(value, 1))
            carried = model.var(min(enough, model.upper_count(ratio.denominator)), "carried", least=0)
            model.cp.add(carried <= model.count(ratio.denominator))
            yield cast(Constraint, MILLION * load <= value * carried)

    return Feature(least, most if ratios else least, limits=at_most)


def _bounded(model: Model, quantity: Polynomial, most: int) -> Term:
    """Return a count that a sum of products does not exceed, at most `most`, which no fabric comes near.

    The sum may be below zero: a bound on loads that supposes longer paths than there are.
    """
    if not any(names for _, names in quantity.terms):
        return sum(factor for factor, _ in quantity.terms)
    total = model.var(max(1, min(model.upper_count(quantity), most)), "sent", least=0)
    model.cp.add(total >= model.count(quantity))
    return total
