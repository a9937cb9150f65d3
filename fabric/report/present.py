"""How results show themselves: the presenter that `fabric.presented` asks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import singledispatch
from itertools import islice, takewhile
from typing import TYPE_CHECKING, Any

from fabric import units
from fabric.blueprint import Blueprint
from fabric.blueprint.bill_rows import Bill
from fabric.flow import ROUTINGS, Answer, Estimate, FailureImpact
from fabric.network import Devices, Network
from fabric.network.network import axis_label
from fabric.report.bill_summary import list_sums, tabulate_parts
from fabric.report.cluster_picture import cluster_picture
from fabric.report.columns import list_tables, text_table
from fabric.report.comparison import Comparison, summarize_comparison
from fabric.report.describe import describe, describe_parts
from fabric.report.failure_statistics import summarize_failures
from fabric.report.failures import list_failed, tabulate_impact
from fabric.report.frames import to_pandas
from fabric.report.html import html_of
from fabric.report.markdown import given_keys
from fabric.report.multi_fabric import summarize_cluster
from fabric.report.pareto import summarize_front
from fabric.report.pictures import (
    allreduce_picture,
    failures_picture,
    front_picture,
    scaling_picture,
    training_picture,
)
from fabric.report.plain import object_of, plain
from fabric.report.scaling import summarize_scaling
from fabric.report.sentences import describe_choice, describe_status
from fabric.report.sweep import summarize_points
from fabric.report.table import Summary, Table
from fabric.report.text import name_fabric
from fabric.report.training import summarize_goodput, summarize_step
from fabric.report.training_optimum import summarize_optimum
from fabric.report.training_search import summarize_search
from fabric.request import Spec
from fabric.studies.failure_statistics import FailureStatistics
from fabric.studies.multi_fabric import Cluster
from fabric.studies.pareto import Pareto
from fabric.studies.scaling import Scaling
from fabric.studies.study import Study
from fabric.studies.training_optimum import TrainingOptimum
from fabric.sweeps import SweepTable
from fabric.training.goodput import Goodput
from fabric.training.search import SearchResult
from fabric.training.step import TrainingStep
from fabric.view import View

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from fabric.sweeps.picture import Picture

__all__ = ["plot", "plot_sweep", "summarize", "to_dict", "to_html", "to_pandas"]


def to_dict(value: Any) -> dict[str, Any]:
    """Return a result as plain data that JSON can hold."""
    return {str(key): plain(each) for key, each in object_of(value).items()}


def to_html(value: Any) -> str:
    """Return a result as a short table in HTML."""
    return html_of(summarize(value))


@singledispatch
def plot(value: Any) -> Figure:
    """Draw a result as a chart."""
    raise TypeError(f"a {type(value).__name__} has no chart")


plot.register(Study, lambda study: allreduce_picture(describe(study)))
plot.register(Pareto, front_picture)
plot.register(Scaling, scaling_picture)
plot.register(FailureStatistics, failures_picture)
plot.register(Cluster, cluster_picture)
plot.register(TrainingStep, training_picture)


SHOWN = 12
"""The nodes and the edges of a view that are shown; the others are counted."""

LENGTH = 120
"""The most characters of a value of a request that are shown."""


def plot_sweep(table: SweepTable, picture: Picture) -> Figure:
    """Draw a picture of a sweep."""
    from fabric.report.sweep_pictures import sweep_picture

    return sweep_picture(table, picture)


@singledispatch
def summarize(value: Any) -> Summary:
    """Return what a notebook shows of a result."""
    raise TypeError(f"a {type(value).__name__} has no summary")


@summarize.register
def _(spec: Spec) -> Summary:
    rows = [(key, _shorten(value)) for key, value in plain(given_keys(spec.request)).items() if key != "name"]
    return Summary(f"Request {spec.name}", [Table("", ("key", "value"), rows)], ["All other keys have their defaults."])


def _shorten(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LENGTH else f"{text[: LENGTH - 3]}..."


@summarize.register
def _(blueprint: Blueprint) -> Summary:
    topology = blueprint.topology
    text = f"{blueprint.name}: {name_fabric(blueprint)}; {_count_ends(blueprint)}."
    switches = [
        (role, each.name, units.count(number))
        for role in topology.roles
        for each, number in blueprint.model_counts(role)
    ]
    links = [
        (bundle.name, units.count(blueprint.links(bundle)), units.rate(blueprint.rate(bundle)))
        for bundle in topology.bundles
    ]
    sizes = ", ".join(f"{axis} {blueprint.sizes[axis]:,}" for axis in topology.axes)
    tables = [Table("", ("tier", "switch", "count"), switches), Table("", ("bundle", "links", "rate"), links)]
    return Summary(text, tables, [f"Form: {topology.text}. Sizes: {sizes}."])


def _count_ends(blueprint: Blueprint) -> str:
    servers = units.count_noun(blueprint.servers, "server")
    return f"{units.count_noun(blueprint.gpus, 'GPU')} in {servers}" if blueprint.gpus else servers


@summarize.register
def _(study: Study) -> Summary:
    design = describe_parts(study)
    tables = takewhile(lambda table: table.name in ("switches", "links"), list_tables(design))
    hops = f"Hops: {study.hops.max} max, {design.hops_mean:.3f} on average."
    lines = [
        f"{hops} Bisection bandwidth: {units.rate(study.bisection_gbps)}. Power: {units.power(design.power_w)}.",
        describe_status(design, bound=True),
    ]
    return Summary(describe_choice(design), [text_table(table) for table in tables], lines)


@summarize.register
def _(bill: Bill) -> Summary:
    size = units.count_noun(bill.gpus, "GPU") if bill.gpus else "a fabric without GPUs"
    power = f"Power without servers: {units.power(bill.power_w)}."
    return Summary(f"Bill of materials for {size}", [tabulate_parts("", bill)], [*list_sums(bill), power])


@summarize.register
def _(network: Network) -> Summary:
    devices = [
        (group.role, units.count(group.count), " × ".join(f"{axis} {size:,}" for axis, size in _axes(group)))
        for group in network.groups
    ]
    links = [
        (name, units.count(number), units.rate(rate))
        for (name, number), rate in zip(network.counts().items(), network.bundle_gbps, strict=True)
    ]
    text = f"{units.count_noun(network.devices, 'device')} and {units.count_noun(network.links, 'link')}"
    tables = [Table("", ("role", "devices", "axes"), devices), Table("", ("bundle", "links", "rate"), links)]
    return Summary(text, tables, [])


def _axes(group: Devices) -> Iterator[tuple[str, int]]:
    return zip(map(axis_label, group.axes), group.shape, strict=True)


@summarize.register
def _(view: View) -> Summary:
    nodes = [(node.name, node.role, node.model, units.count(node.multiplicity)) for node in islice(view.nodes(), SHOWN)]
    edges = [
        (edge.lower, edge.upper, units.count(edge.links), units.count(edge.pairs), units.rate(edge.rate_gbps))
        for edge in islice(view.edges(), SHOWN)
    ]
    tables = [
        Table(_count_shown(len(view), "node"), ("node", "role", "model", "devices"), nodes),
        Table(_count_shown(view.edge_count, "edge"), ("lower end", "upper end", "links", "pairs", "rate"), edges),
    ]
    return Summary(view.title, tables, [])


def _count_shown(number: int, noun: str) -> str:
    return units.count_noun(number, noun) + (f", of which the first {SHOWN}" if number > SHOWN else "")


@summarize.register
def _(estimate: Estimate) -> Summary:
    return Summary(_name_estimate(estimate), [Table("", ("quantity", "value"), [*_list_facts(estimate)])], [])


def _name_estimate(estimate: Estimate) -> str:
    return f"{estimate.collective} of {units.size(estimate.size_bytes)} on {units.count_noun(estimate.gpus, 'GPU')}"


def _list_facts(estimate: Estimate) -> Iterator[tuple[str, str]]:
    yield "algorithm", f"{estimate.algorithm}, {estimate.protocol}" if estimate.protocol else estimate.algorithm
    if estimate.routing:
        yield "routing", estimate.routing
    if estimate.placement:
        yield "placement", estimate.placement
    yield "time", units.time(estimate.time_s)
    yield "algorithm bandwidth", f"{estimate.algbw_GBps:,.1f} GB/s"
    yield "bus bandwidth", f"{estimate.busbw_GBps:,.1f} GB/s"
    yield "limited by", estimate.limited_by
    if estimate.expected_error is not None:
        yield "expected error", f"nine of ten within a factor of {1 + estimate.expected_error:.2f}"


@summarize.register
def _(answer: Answer) -> Summary:
    shares = [
        ("mean share of line rate", f"{answer.mean:.3f}"),
        ("share of the slowest flow", f"{answer.min:.3f}"),
        ("engine", answer.engine),
    ]
    rows = [*_list_facts(answer.estimate), *shares]
    return Summary(_name_estimate(answer.estimate), [Table("", ("quantity", "value"), rows)], [])


@summarize.register
def _(impact: FailureImpact) -> Summary:
    label = ROUTINGS[impact.healthy[0].estimate.routing].label
    return Summary("", [tabulate_impact(impact, label)], [*list_failed(impact)])


@summarize.register
def _(comparison: Comparison) -> Summary:
    return summarize_comparison(comparison, [str(each["name"]) for each in comparison.designs], differences=False)


summarize.register(Pareto, summarize_front)
summarize.register(Scaling, summarize_scaling)
summarize.register(FailureStatistics, summarize_failures)
summarize.register(Cluster, summarize_cluster)
summarize.register(SweepTable, summarize_points)
summarize.register(TrainingStep, summarize_step)
summarize.register(Goodput, summarize_goodput)
summarize.register(SearchResult, summarize_search)
summarize.register(TrainingOptimum, summarize_optimum)
