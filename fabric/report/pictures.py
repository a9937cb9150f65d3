"""The charts of a design, of the estimates of a workload, of failures, of a Pareto front and of a scaling study."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fabric.blueprint import Blueprint
from fabric.draw import draw_allreduce, draw_failures, draw_front, draw_scale, draw_training
from fabric.report.collectives import WorkloadRun, list_curves
from fabric.report.design import Design
from fabric.report.objectives import scale_of_axis, write_axis
from fabric.report.scaling import list_scaling_curves
from fabric.report.text import name_fabric
from fabric.report.training import list_shares
from fabric.studies.failure_statistics import FailureStatistics
from fabric.studies.pareto import Pareto
from fabric.studies.scaling import Scaling
from fabric.studies.study import Study
from fabric.training.step import TrainingStep
from fabric.training.timeline import list_spans
from fabric.units import count_ends, size, time

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "allreduce_picture",
    "failures_picture",
    "front_picture",
    "runs_picture",
    "scaling_picture",
    "training_picture",
]


def allreduce_picture(design: Design) -> Figure:
    """Draw the bus bandwidth of a design's all-reduces, under the line rate of its slowest server."""
    curves: dict[str, list[tuple[int, float]]] = {}
    for estimate in design.allreduce:
        curves.setdefault(f"{estimate.routing} routing", []).append((estimate.size_bytes, estimate.busbw_GBps))
    for estimate in design.allreduce_in_network:
        curves.setdefault("reduction in switches", []).append((estimate.size_bytes, estimate.busbw_GBps))
    title = f"{design.spec.name}: all-reduce on {design.spec.gpus:,} GPUs"
    return draw_allreduce(title, curves, _line_rate(design.blueprint))


def runs_picture(study: Study, runs: Sequence[WorkloadRun]) -> Figure:
    """Draw the bus bandwidth of a workload's estimates, a curve for each routing."""
    first = runs[0].answers[0].estimate
    title = f"{study.spec.name}: {first.collective} on {first.gpus:,} GPUs"
    return draw_allreduce(title, list_curves(runs), _line_rate(study.blueprint))


def _line_rate(blueprint: Blueprint) -> float:
    """Return the line rate in GB/s of a server; of unlike ones with GPUs the slowest, for which all others wait."""
    servers, hosts = blueprint.servers_by_role, blueprint.topology.host_bundles
    ends = [(servers[bundle.lower.role], blueprint.rate(bundle)) for bundle in hosts]
    return blueprint.planes * min(server.nics * gbps for server, gbps in ends if server.gpus) / 8


def front_picture(front: Pareto) -> Figure:
    """Draw a front over its first objective and, of the others, the last with most different values."""
    first, *others = front.names
    last = max(reversed(others), key=lambda name: len({values[name] for values in front.values}))
    points = [
        (values[first], values[last], name_fabric(study.blueprint))
        for study, values in zip(front.studies, front.values, strict=True)
    ]
    scaled = [(x / scale_of_axis(first), y / scale_of_axis(last), group) for x, y, group in points]
    labels = (write_axis(first, front.spec.currency), write_axis(last, front.spec.currency))
    ends = count_ends(front.spec.gpus, front.spec.servers)
    return draw_front(f"{front.spec.name}: {ends}, Pareto front", scaled, labels)


def scaling_picture(scaling: Scaling) -> Figure:
    """Draw the bus bandwidth of a scaling study over the cluster size."""
    title = f"{scaling.name}: all-reduce of {size(scaling.size_bytes)} by cluster size"
    return draw_scale(title, *list_scaling_curves(scaling))


def failures_picture(found: FailureStatistics) -> Figure:
    """Draw the share of time with at least each share of bandwidth, and what the mean gains without each kind."""
    title = f"{found.name}: {found.workload.collective} of {size(found.size_bytes)} after failures"
    gains = [(each.kind, each.gain, each.standard_error or 0.0) for each in found.importance]
    return draw_failures(title, found.kept, gains, "time" if found.by_rates else "draws")


def training_picture(step: TrainingStep) -> Figure:
    """Draw where the time of a training step goes, and what every stage of its pipeline does when."""
    title = f"{step.name}: a step of {step.model} on {step.gpus:,} GPUs, {time(step.step_s)}"
    return draw_training(title, list_shares(step), list_spans(step.run))
