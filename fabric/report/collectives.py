"""Estimates of a collective on a fabric as a document, a table and curves, with jobs that share the fabric."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import chain, repeat
from typing import Any

from fabric import units
from fabric.flow import ENGINES, Answer, Bounds, FailureImpact, Interference, Workload
from fabric.flow.transports import USUAL
from fabric.report.best_possible import describe_best
from fabric.report.failures import failed_objects, impact_objects, list_failed, tabulate_impact
from fabric.report.library_lines import list_library_lines, note_calibration
from fabric.report.notes import note_unknown_nvlink
from fabric.report.table import Summary, Table
from fabric.report.text import format_percent, join_words
from fabric.studies.study import Study

__all__ = ["SCHEMA", "WorkloadRun", "list_curves", "runs_object", "summarize_runs"]

SCHEMA = "fabric.allreduce/1"


@dataclass(frozen=True)
class WorkloadRun:
    """A workload under one routing."""

    workload: Workload
    """What was asked for."""
    answers: tuple[Answer, ...]
    """The estimates by size."""
    bounds: Bounds
    """Upper bounds on the throughput of its flows, and on its collective."""
    jobs: tuple[Interference, ...] = ()
    """Jobs that run at one time under this routing."""
    impact: FailureImpact | None = None
    """What its failures cost; None where nothing fails."""
    with_bounds: bool = False
    """Whether the bounds on its flows are shown; otherwise they are never solved."""


def runs_object(study: Study, runs: Sequence[WorkloadRun]) -> dict[str, Any]:
    """Return the answers as one plain object (docs/design-json.md)."""
    return {
        "schema": SCHEMA,
        "name": study.spec.name,
        "design_gpus": study.blueprint.gpus,
        "failed": failed_objects(runs[0].impact.failed) if runs[0].impact else [],
        "results": [each for run in runs for each in _answer_objects(run)],
        "bounds": _bounds_object(runs[0]),
        "jobs": [{"routing": run.workload.routing.name, **asdict(job)} for run in runs for job in run.jobs],
    }


def _bounds_object(run: WorkloadRun) -> dict[str, Any]:
    bounds = run.bounds
    lp, cut = (bounds.lp, bounds.cut) if run.with_bounds else (None, None)
    collective = None if bounds.collective is None else asdict(bounds.collective)
    return {"algorithm": bounds.algorithm, "lp": lp, "cut": cut, "collective": collective}


def _answer_objects(run: WorkloadRun) -> Iterator[dict[str, Any]]:
    """Yield the answer for each size, with what its failures cost where there are some."""
    healthy = impact_objects(run.impact) if run.impact else repeat({"healthy": None, "share_kept": None})
    for answer, kept in zip(run.answers, healthy, strict=False):
        yield {**_answer_object(run.workload, answer), **kept}


def _answer_object(workload: Workload, answer: Answer) -> dict[str, Any]:
    return {
        **asdict(answer.estimate),
        "transport": workload.routing.transport,
        "qps": answer.qps,
        "seed": workload.seed,
        "failures": list(workload.failures),
        "engine": answer.engine,
        "share_of_line_rate": {"mean": answer.mean, "min": answer.min},
        "groups": answer.groups,
        "gpus_lost": answer.lost,
        "deviation": answer.deviation,
        "library": None if answer.library is None else asdict(answer.library),
    }


def summarize_runs(study: Study, runs: Sequence[WorkloadRun]) -> Summary:
    """Return what `fabric allreduce` prints."""
    first, total = runs[0].answers[0].estimate, units.count(study.blueprint.gpus)
    groups, lost = runs[0].answers[0].groups, runs[0].answers[0].lost
    several = f"{groups} concurrent groups, each of " if groups > 1 else ""
    text = f"{study.spec.name}: {first.collective} on {several}{units.count(first.gpus)} of {total} GPUs"
    text += f", without {units.count_noun(lost, 'GPU')} in servers disconnected by failures." if lost else "."
    heads = ("size", "algorithm", "time", "busbw GB/s", "mean share", "min share", "limited by")
    tables = [Table(_name_run(run), heads, [_make_row(each) for each in run.answers]) for run in runs]
    tables += [tabulate_impact(run.impact, run.workload.routing.policy.label) for run in runs if run.impact]
    tables += [_tabulate_jobs(run) for run in runs if run.jobs]
    return Summary(
        text,
        tables,
        [
            *_list_lines(study, runs),
            *chain.from_iterable(map(note_unknown_nvlink, study.blueprint.servers_by_role.values())),
        ],
    )


def _make_row(answer: Answer) -> tuple[str, ...]:
    found = answer.estimate
    speed, shares = f"{found.busbw_GBps:,.1f}", (f"{answer.mean:.3f}", f"{answer.min:.3f}")
    return units.size(found.size_bytes), found.algorithm, units.time(found.time_s), speed, *shares, found.limited_by


def _tabulate_jobs(run: WorkloadRun) -> Table:
    rows = [
        (job.job, *(f"{share:.3f}" for share in (job.alone_mean, job.alone_min, job.mean, job.min))) for job in run.jobs
    ]
    label = run.workload.routing.policy.label
    title = f"Concurrent jobs, {label} routing: shares of line rate, before transport overhead"
    return Table(title, ("job", "alone: mean", "alone: min", "together: mean", "together: min"), rows)


def _list_lines(study: Study, runs: Sequence[WorkloadRun]) -> Iterator[str]:
    yield (
        "Shares are of the NICs' line rate: mean over all flows, and min of the slowest flow, for which a synchronous"
        " collective waits."
    )
    if runs[0].impact:
        yield from list_failed(runs[0].impact)
        yield "The share kept is that of the same collective between the same GPUs when all links are up."
    bounds, work = runs[0].bounds, runs[0].workload
    if bounds.collective is not None:
        got = [(run.workload.routing.policy.label, run.answers[-1].estimate.busbw_GBps) for run in runs]
        size, intact = runs[0].answers[-1].estimate.size_bytes, " before failures" if work.failures else ""
        yield describe_best(bounds.collective, size, got, intact)
    for run in (run for run in runs if run.with_bounds):
        lp = "" if run.bounds.lp is None else f"LP {run.bounds.lp:.3f}, "
        flows = f"{run.bounds.algorithm} flows at {units.size(run.answers[-1].estimate.size_bytes)}"
        routing = run.workload.routing.policy.label
        yield f"Upper bounds on throughput ({routing} routing, {flows}): {lp}cut {run.bounds.cut:.3f}."
    work = runs[0].workload
    every = (answer for run in runs for answer in run.answers)
    yield from list_library_lines(every, work.library.over(study.blueprint.library), work.algorithm)
    yield from note_calibration(study.blueprint)
    yield from _list_errors(runs)


def _list_errors(runs: Sequence[WorkloadRun]) -> Iterator[str]:
    """Yield what is known of the error of estimates, routings together, and in one line what was not measured."""
    labels: dict[str, list[str]] = {}
    for run in runs:
        for line in _describe_errors(run.answers):
            labels.setdefault(line, []).append(run.workload.routing.policy.label)
    for line, names in labels.items():
        yield f"{line} ({join_words(names)} routing)." if len(names) < len(runs) else f"{line}."
    if missing := list(_list_missing(runs)):
        yield f"No expected error where this was not measured: {'; '.join(missing)}."


def _describe_errors(answers: Sequence[Answer]) -> Iterator[str]:
    estimates = [answer.estimate for answer in answers]
    known = [each.expected_error for each in estimates if each.expected_error is not None]
    if known:
        width = " to ".join(format_percent(error, ".0f") for error in dict.fromkeys((min(known), max(known))))
        which = "" if len(known) == len(estimates) else f" of {len(known)} of {len(estimates)} sizes"
        yield f"Expected error: nine of ten measured times{which} within {width} (docs/accuracy.md)"
    if names := dict.fromkeys(name for each in estimates for name in each.unmeasured_constants):
        yield f"Depends on constants that no measured run does, which widen the error: {', '.join(names)}"


def _list_missing(runs: Sequence[WorkloadRun]) -> Iterator[str]:
    """Yield what was not measured, each with the sizes and the routings of which that is so, unless it is of all."""
    sizes = len(runs[0].answers)
    for what in dict.fromkeys(what for run in runs for answer in run.answers for what in answer.estimate.not_measured):
        labels: dict[int, list[str]] = {}
        for run in runs:
            count = sum(what in answer.estimate.not_measured for answer in run.answers)
            labels.setdefault(count, []).append(run.workload.routing.policy.label)
        labels.pop(0, None)
        parts = [
            ", ".join(
                [f"{count} of {sizes} sizes"] * (count < sizes)
                + [f"{join_words(names)} routing"] * (len(names) < len(runs))
            )
            for count, names in labels.items()
        ]
        yield f"{what} ({'; '.join(parts)})" if any(parts) else what


def _name_run(run: WorkloadRun) -> str:
    work, answer = run.workload, run.answers[0]
    pairs = f", {units.count_noun(answer.qps, 'queue pair')} per flow" if not work.routing.policy.sprays else ""
    transport = "" if work.routing.transport == USUAL else f", {work.routing.protocol.label}"
    broken = f", after failure of {', '.join(work.failures)}" if work.failures else ""
    seeded = f", seed {work.seed}" if answer.engine == "flows" else ""
    engine, routing = ENGINES[answer.engine].label, work.routing.policy.label
    engine += f" (flows within a factor of {answer.deviation})" if answer.deviation else ""
    return f"{routing} routing, {engine}, {work.order.name} placement{pairs}{transport}{broken}{seeded}"


def list_curves(runs: Sequence[WorkloadRun]) -> dict[str, list[tuple[int, float]]]:
    """Return busbw in GB/s over the sizes, for each run."""
    return {
        f"{run.workload.routing.policy.label} routing": [
            (a.estimate.size_bytes, a.estimate.busbw_GBps) for a in run.answers
        ]
        for run in runs
    }
