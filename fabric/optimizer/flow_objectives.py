"""Objectives computed by the flow model: times and mean hops, as functions of a few features.

A flow objective never falls when a feature rises (see `fabric.optimizer.feature`). So a fabric that is better in it is
better in some feature, and no feature may be so bad that the others, at their best, cannot compensate for it: the
solver needs no more of a flow objective.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from fabric.blueprint import Blueprint
from fabric.errors import InputError
from fabric.flow import FabricSummary, estimate_all, summarize
from fabric.flow.estimate import estimate_without_error
from fabric.optimizer.candidates import Candidate
from fabric.optimizer.feature import LARGEST_RATIO, MILLION, Features
from fabric.optimizer.objective import FlowObjective

__all__ = ["CandidateValues", "features_of", "reported_value", "summary_of", "value_of"]


@dataclass(frozen=True)
class SummaryEstimate:
    """The flow model's answers for a fabric summary (see `FlowEstimate`)."""

    summary: FabricSummary
    """The fabric as a collective sees it."""
    size_bytes: int
    """The size of the all-reduce."""
    routing: str
    """The routing under which it runs."""

    @property
    def allreduce_s(self) -> float:
        return estimate_without_error(self.summary, "all-reduce", self.size_bytes, self.routing).time_s

    @property
    def mean_hops(self) -> float:
        return self.summary.mean_hops

    @property
    def ring_hops(self) -> float:
        return self.summary.neighbour_hops


@dataclass(frozen=True)
class ReportedEstimate(SummaryEstimate):
    """The flow model's answers for a fabric as its own report has them: by explicit flows where these answer."""

    blueprint: Blueprint
    """The fabric."""

    @property
    def allreduce_s(self) -> float:
        return estimate_all(self.blueprint, "all-reduce", [self.size_bytes], self.routing)[0].time_s


def reported_value(objective: FlowObjective, blueprint: Blueprint) -> float:
    """Return the objective of a blueprint as its own report has it, and not as its model does."""
    return _value_from(
        objective, ReportedEstimate(summarize(blueprint), objective.size_bytes, objective.routing, blueprint)
    )


def value_of(objective: FlowObjective, blueprint: Blueprint) -> float:
    """Return the objective of a blueprint, as its model has it: bandwidth to spare above a place counts as none."""
    return _evaluate(objective, _without_spare(summarize(blueprint)))


def _without_spare(summary: FabricSummary) -> FabricSummary:
    """Return the summary of a Clos with ratios of at least 1, as its model has them; of direct networks the same."""
    if not summary.ratios_are_cuts:
        return summary
    return replace(summary, ratios=tuple(max(1.0, ratio) for ratio in summary.ratios))


class CandidateValues:
    """The flow objectives of one candidate's fabrics, each computed once, since a search asks for many of them again.

    Attributes:
        candidate: The candidate.
    """

    def __init__(self, candidate: Candidate) -> None:
        self.candidate = candidate
        self._known: dict[tuple[FlowObjective, frozenset[tuple[str, int]]], float] = {}

    def value(self, objective: FlowObjective, features: Features) -> float:
        """Return the objective of a fabric with these features."""
        key = objective, frozenset(features.items())
        if key not in self._known:
            self._known[key] = _evaluate(objective, summary_of(self.candidate, features))
        return self._known[key]


def _evaluate(objective: FlowObjective, summary: FabricSummary) -> float:
    return _value_from(objective, SummaryEstimate(summary, objective.size_bytes, objective.routing))


def _value_from(objective: FlowObjective, estimate: SummaryEstimate) -> float:
    value = objective.value(estimate)
    if not 0 <= value < math.inf:
        raise InputError(f"objective '{objective.name}': its value {value} is not a finite number of at least 0")
    return value


def features_of(blueprint: Blueprint) -> dict[str, int]:
    """Return the features of a blueprint, as its model has them (`Model.features`)."""
    summary = _without_spare(summarize(blueprint))
    found = {"hops": summary.hops, "switch_ps": round(1000 * summary.switch_ns), "paths": int(summary.several_paths)}
    found["leaf_nics"] = summary.leaf_nics
    found |= {f"turn {tier}": hops for tier, hops in enumerate(summary.hop_steps, 1)}
    for tier, (peers, unmet, ratio) in enumerate(
        zip(summary.peers, summary.unmet_rails, summary.ratios, strict=True), 1
    ):
        found |= {f"peers {tier}": -peers, f"unmet rails {tier}": unmet}
        found[f"ratio {tier}"] = min(math.ceil(MILLION * ratio - 1e-6), LARGEST_RATIO)
    found["inverse paths"] = math.ceil(MILLION * summary.inverse_path_diversity - 1e-6)
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
        steps=topology.turn_hops(features["hops"]),
        hop_steps=tuple(hops for name, hops in features.items() if name.startswith("turn ")),
        hops=features["hops"],
        switch_ns=features["switch_ps"] / 1000,
        several_paths=bool(features["paths"]),
        peers=tuple(-features[f"peers {tier}"] for tier in below_top),
        unmet_rails=tuple(features[f"unmet rails {tier}"] for tier in below_top),
        ratios=tuple(features[f"ratio {tier}"] / MILLION for tier in below_top),
        leaf_nics=features["leaf_nics"],
        speeds=tuple(candidate.rate(each) / candidate.link_gbps for each in topology.fabric_bundles[: len(below_top)]),
        inverse_path_diversity=features.get("inverse paths", 0) / MILLION,
        ratios_are_cuts=topology.ratios_are_cuts,
        switches_reduce=all(
            model.link_layer == "infiniband" for models in candidate.models.values() for model in models
        ),
        constants=spec.constants,
        library=spec.library,
    )
