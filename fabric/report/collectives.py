"""What a collective gets on a fabric, as a document, a table and curves, with the jobs that run beside one another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from fabric import units
from fabric.flow import Answer, Bounds, Interference, Workload
from fabric.report.terminal import Table
from fabric.studies.study import Study

__all__ = ["SCHEMA", "Run", "curves", "run_document", "run_summary"]

SCHEMA = "fabric.allreduce/1"

KINDS = ("all-reduce", "all-gather")
"""The collectives that were measured."""

MEASURED = 128
"""The GPUs of the largest machine that the time model was held against (docs/accuracy.md)."""


@dataclass(frozen=True)
class Run:
    """A workload under one routing with its answers by size, the bounds of its flows, and jobs under that routing."""

    workload: Workload
    answers: tuple[Answer, ...]
    bounds: Bounds
    jobs: tuple[Interference, ...] = ()


def run_document(study: Study, runs: Sequence[Run]) -> dict[str, Any]:
    """Return the answers as one plain object (docs/design-json.md)."""
    return {
        "schema": SCHEMA,
        "name": study.spec.name,
        "design_gpus": study.blueprint.gpus,
        "results": [_result(run.workload, each) for run in runs for each in run.answers],
        "bounds": asdict(runs[0].bounds),
        "jobs": [{"routing": run.workload.routing.name, **asdict(job)} for run in runs for job in run.jobs],
    }


def _result(workload: Workload, answer: Answer) -> dict[str, Any]:
    return {
        **asdict(answer.estimate),
        "qps": workload.routing.qps,
        "seed": workload.seed,
        "failures": list(workload.failures),
        "engine": answer.engine,
        "share_of_line_rate": {"mean": answer.mean, "min": answer.min},
        "groups": answer.groups,
        "gpus_lost": answer.lost,
    }


Summary = tuple[str, list[Table], list[str]]


def run_summary(study: Study, runs: Sequence[Run]) -> Summary:
    """Return the paragraph, the tables and the closing lines that `fabric allreduce` prints."""
    first, every = runs[0].answers[0].estimate, study.blueprint.gpus
    groups, lost = runs[0].answers[0].groups, runs[0].answers[0].lost
    several = f"{groups} groups, each of " if groups > 1 else ""
    text = f"{study.spec.name}: {first.collective} on {several}{units.count(first.gpus)} of {units.count(every)} GPUs"
    text += f", without {units.count(lost)} in servers that failures cut off." if lost else "."
    heads = ("size", "algorithm", "time", "busbw GB/s", "mean", "least", "limited by")
    tables: list[Table] = [(_how(run), heads, [_row(each) for each in run.answers]) for run in runs]
    for run in (run for run in runs if run.jobs):
        shares = [(j.job, *(f"{value:.3f}" for value in (j.alone_mean, j.alone_min, j.mean, j.min))) for j in run.jobs]
        columns = ("job", "alone: mean", "least", "with the others: mean", "least")
        title = f"Jobs at one time under {run.workload.routing.name}, in shares of line rate before the transport's"
        tables.append((title, columns, shares))
    return text, tables, [*_lines(runs)]


def _row(answer: Answer) -> tuple[str, ...]:
    found = answer.estimate
    speed, shares = f"{found.busbw_GBps:.1f}", (f"{answer.mean:.3f}", f"{answer.min:.3f}")
    return units.size(found.size_bytes), found.algorithm, units.time(found.time_s), speed, *shares, found.limited_by


def _lines(runs: Sequence[Run]) -> Iterator[str]:
    yield (
        "Mean and least are shares of the NICs' line rate: over all flows, and of the slowest, for which a collective"
        " in lock-step waits."
    )
    for run in runs:
        lp = "" if run.bounds.lp is None else f"{run.bounds.lp:.3f} by a linear program, "
        flows = f"the {run.bounds.algorithm}'s flows at {units.size(run.answers[-1].estimate.size_bytes)}"
        yield f"{run.workload.routing.name}: no routing of {flows} gets over {lp}{run.bounds.cut:.3f} by cuts."
    errors = dict.fromkeys(each.estimate.expected_error for run in runs for each in run.answers)
    shares = ", ".join(f"{error:.0%}" for error in errors)
    kind = runs[0].answers[0].estimate.collective
    other = "" if kind in KINDS else f"; none of them is of {kind}"
    yield f"Nine of ten measured times are within {shares} of such estimates, by size (docs/accuracy.md){other}."
    if any(each.estimate.gpus > MEASURED for run in runs for each in run.answers):
        yield f"The measured machines have up to {MEASURED} GPUs; beyond, it has more steps and levels."


def _how(run: Run) -> str:
    work, answer = run.workload, run.answers[0]
    pairs = f", {work.routing.qps} queue pairs a flow" if work.routing.name != "adaptive" else ""
    broken = f", after {', '.join(work.failures)}" if work.failures else ""
    seeded = f", seed {work.seed}" if answer.engine == "flows" else ""
    way = {"closed": "in closed form", "flows": "by explicit flows", "lp": "by linear program"}[answer.engine]
    return f"{work.routing.name} routing, {way}, placement {work.placement}{pairs}{broken}{seeded}"


def curves(runs: Sequence[Run]) -> dict[str, list[tuple[int, float]]]:
    """Return busbw in GB/s over the sizes, for each run."""
    return {
        f"{run.workload.routing.name} routing": [(a.estimate.size_bytes, a.estimate.busbw_GBps) for a in run.answers]
        for run in runs
    }
