"""The features of a graph model (see `fabric.optimizer.feature`)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import cast

from fabric.optimizer.feature import LARGEST_RATIO, MILLION, Constraint, Feature
from fabric.optimizer.model import Model
from fabric.topology.graph_form import GraphForm
from fabric.topology.polynomial import Ratio

__all__ = ["graph_features"]


def graph_features(model: Model, form: GraphForm) -> dict[str, Feature]:
    """Return the features of a graph model by name."""
    diameter = model.var(model.upper_count(form.paths.diameter), "diameter", least=0)
    model.cp.add(diameter == model.hops())
    loads = [load for bundle in form.bundles for load in bundle.loads]
    return {
        "hops": model.to_feature(diameter),
        "switch_ps": model.slowest_switch(),
        "paths": Feature(1, 1),
        "leaf_nics": model.to_feature(model.candidate.spec.server.nics),
        "peers 1": model.to_negative_feature(model.product(("slot",))),
        "unmet rails 1": Feature(1, 1),
        "ratio 1": _largest(model, loads, _most_ratio(model), 1),
        "inverse paths": _largest(model, form.routing.inverse_paths, MILLION, 0),
    }


def _most_ratio(model: Model) -> int:
    """Return the largest ratio that the request allows, in millionths."""
    ratios = (model.candidate.spec.ratio(role) for role in model.topology.roles)
    return min(math.ceil(MILLION * max(max(Fraction(1), ratio) for ratio in ratios)), LARGEST_RATIO)


def _largest(model: Model, ratios: Sequence[Ratio], most: int, least: int) -> Feature:
    """Return the greatest of some ratios in millionths, from `least` to `most`; the least without any."""

    def at_most(value: int) -> Iterator[Constraint]:
        for ratio in ratios:
            sent, carried = model.count(ratio.numerator), model.count(ratio.denominator)
            yield cast(Constraint, MILLION * sent <= value * carried)

    return Feature(least, most if ratios else least, limits=at_most)
