"""Objectives computed by the flow model: times and mean hops, as functions of a few features.

A flow objective never falls when a feature rises (see `fabric.optimizer.feature`). So a fabric that is better in it is
better in some feature, and no feature may be so bad that the rest, at its best, can't make up for it: that is all that
the solver has to know of a flow objective.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from fabric.blueprint import Blueprint
from fabric.flow import FabricSummary, allreduce, summarize
from fabric.optimizer.candidates import Candidate
from fabric.optimizer.feature import LARGEST_RATIO, MILLION, Features

__all__ = [
    "MEASURES",
    "STEP",
    "FlowObjective",
    "features_of",
    "measures",
    "summary_of",
]

STEP = 1.02
"""A measure is better when it is less by this factor, a fiftieth: finer differences of an estimate say nothing."""


@dataclass(frozen=True)
class FlowObjective:
    """A quantity to have little of: its key in results, and its value for a shape."""

    name: str
    of_shape: Callable[[FabricSummary], float]

    def of(self, blueprint: Blueprint) -> float:
        """Return the measure of a blueprint."""
        return self.of_shape(summarize(blueprint))

    def at(self, candidate: Candidate, features: Features) -> float:
        """Return the measure of a fabric of `candidate` with these features."""
        return self.of_shape(summary_of(candidate, features))


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


def features_of(blueprint: Blueprint) -> dict[str, int]:
    """Return the features of a blueprint, as its model has them (`Model.features`)."""
    shape = summarize(blueprint)
    found = {"hops": shape.hops, "switch_ps": round(1000 * shape.switch_ns), "paths": int(shape.several_paths)}
    found["leaf_nics"] = shape.leaf_nics
    for tier, (peers, unmet, ratio) in enumerate(zip(shape.peers, shape.unmet_rails, shape.ratios, strict=True), 1):
        found |= {f"peers {tier}": -peers, f"unmet rails {tier}": unmet}
        found[f"ratio {tier}"] = min(math.ceil(MILLION * ratio - 1e-6), LARGEST_RATIO)
    found["inverse paths"] = math.ceil(MILLION * shape.inverse_path_diversity - 1e-6)
    return found


def summary_of(candidate: Candidate, features: Features) -> FabricSummary:
    """Return the summary of a fabric of `candidate` with these features."""
    spec, topology = candidate.spec, candidate.topology
    below_top = range(1, 1 + sum(name.startswith("peers ") for name in features))
    return FabricSummary(
        server=spec.server,
        gpus=spec.gpus,
        servers=spec.servers,
        planes=candidate.planes,
        link_gbps=candidate.link_gbps,
        tiers=len(below_top) + 1,
        steps=(1, *(2 * tier + 1 if topology.layered else features["hops"] for tier in below_top)),
        hops=features["hops"],
        switch_ns=features["switch_ps"] / 1000,
        several_paths=bool(features["paths"]),
        peers=tuple(-features[f"peers {tier}"] for tier in below_top),
        unmet_rails=tuple(features[f"unmet rails {tier}"] for tier in below_top),
        ratios=tuple(features[f"ratio {tier}"] / MILLION for tier in below_top),
        leaf_nics=features["leaf_nics"],
        load_factor=topology.routing.load_factor,
        inverse_path_diversity=features.get("inverse paths", 0) / MILLION,
        by_tiers=topology.layered,
        switches_reduce=all(box.link_layer == "infiniband" for boxes in candidate.models.values() for box in boxes),
    )
