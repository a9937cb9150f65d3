"""Results as plain data: the objects that `to_dict` returns, of which those in files and of `--json` are some."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from fractions import Fraction
from functools import singledispatch
from typing import Any

import numpy as np

from fabric.blueprint import Blueprint
from fabric.blueprint.bill_rows import Bill
from fabric.flow import FailureImpact
from fabric.network import Network
from fabric.report.bill_table import parts_object
from fabric.report.comparison import Comparison
from fabric.report.describe import describe_json
from fabric.report.design_json import fabric_object
from fabric.report.failure_statistics import failures_object
from fabric.report.failures import failed_objects, impact_objects
from fabric.report.multi_fabric import cluster_object
from fabric.report.pareto import front_object
from fabric.report.scaling import scaling_object
from fabric.report.training import goodput_object, step_object
from fabric.report.training_optimum import optimum_object
from fabric.report.training_search import search_object
from fabric.request import Spec
from fabric.studies.failure_statistics import FailureStatistics
from fabric.studies.multi_fabric import Cluster
from fabric.studies.pareto import Pareto
from fabric.studies.scaling import Scaling
from fabric.studies.study import Study
from fabric.studies.training_optimum import TrainingOptimum
from fabric.training.goodput import Goodput
from fabric.training.search import SearchResult
from fabric.training.step import TrainingStep
from fabric.view import View

__all__ = ["object_of", "plain"]


def plain(value: Any) -> Any:
    """Return data with lists for tuples and arrays, dicts for mappings, and numbers that JSON can hold."""
    match value:
        case np.ndarray() | np.generic():
            return value.tolist()
        case Mapping():
            return {str(key): plain(each) for key, each in value.items()}
        case list() | tuple():
            return [plain(each) for each in value]
        case Fraction():
            return float(value)
        case _:
            return value


@singledispatch
def object_of(value: Any) -> Mapping[str, Any]:
    """Return a result as an object; of one without a form of its own, its fields."""
    return asdict(value)


@object_of.register
def _(spec: Spec) -> Mapping[str, Any]:
    return spec.request


@object_of.register
def _(blueprint: Blueprint) -> Mapping[str, Any]:
    roles, bundles = blueprint.topology.roles, blueprint.topology.bundles
    by_role = {
        role: {"count": blueprint.devices(role), "models": {each.name: n for each, n in blueprint.model_counts(role)}}
        for role in roles
    }
    links = {bundle.name: blueprint.links(bundle) for bundle in bundles}
    rates = {bundle.name: blueprint.rate(bundle) for bundle in bundles}
    return {
        **fabric_object(blueprint),
        "switches": {"total": blueprint.switches, "by_role": by_role},
        "links": {"total": blueprint.links_total, "by_bundle": links, "gbps": rates},
    }


@object_of.register
def _(bill: Bill) -> Mapping[str, Any]:
    return {"gpus": bill.gpus, "currency": bill.currency, "discount": bill.discount, **parts_object(bill)}


@object_of.register(Network)
@object_of.register(View)
def _(columns: Network | View) -> Mapping[str, Any]:
    values = {each.name: getattr(columns, each.name) for each in fields(columns)}
    return values | ({"groups": [asdict(group) for group in columns.groups]} if isinstance(columns, Network) else {})


@object_of.register
def _(study: Study) -> Mapping[str, Any]:
    return describe_json(study, timed=False)


@object_of.register
def _(front: Pareto) -> Mapping[str, Any]:
    return front_object(front, timed=False)


@object_of.register
def _(scaling: Scaling) -> Mapping[str, Any]:
    return scaling_object(scaling)


@object_of.register
def _(cluster: Cluster) -> Mapping[str, Any]:
    return cluster_object(cluster, timed=False)


@object_of.register
def _(comparison: Comparison) -> Mapping[str, Any]:
    return comparison.document()


@object_of.register
def _(impact: FailureImpact) -> Mapping[str, Any]:
    sizes = zip(impact.kept, impact_objects(impact), strict=True)
    return {
        "seeds": impact.seeds,
        "failed": failed_objects(impact.failed),
        "results": [{"size_bytes": kept.size_bytes, **each} for kept, each in sizes],
    }


@object_of.register
def _(found: FailureStatistics) -> Mapping[str, Any]:
    return failures_object(found)


@object_of.register
def _(step: TrainingStep) -> Mapping[str, Any]:
    return step_object(step)


@object_of.register
def _(found: Goodput) -> Mapping[str, Any]:
    return goodput_object(found)


@object_of.register
def _(found: SearchResult) -> Mapping[str, Any]:
    return {"best": asdict(found.best), "step_s": found.step_s, **search_object(found)}


@object_of.register
def _(found: TrainingOptimum) -> Mapping[str, Any]:
    return optimum_object(found, timed=False)
