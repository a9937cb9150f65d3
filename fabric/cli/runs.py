"""The runs of the command line: make a result, write its files where asked, and print it."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

import fabric
from fabric.cli.terminal import print_json, print_summary, progress_of

if TYPE_CHECKING:
    from fabric.flow import Interference, Workload
    from fabric.request.jobs import JobFile

Result = TypeVar("Result")

__all__ = [
    "Run",
    "run_cluster",
    "run_front",
    "run_page",
    "run_scale",
    "run_study",
    "run_table",
    "run_workload",
]


@dataclass(frozen=True)
class Run:
    """How a run is shown: without progress, into which folder, and as JSON or as tables."""

    quiet: bool
    out: str | None
    as_json: bool


def run_study(make: Callable[..., fabric.Study], run: Run, words: dict[str, Any], *, moved: bool = False) -> None:
    """Make a study and show it; `moved` adds which prices would change the choice."""
    from fabric.report.design_json import document
    from fabric.report.sensitivity import moved_rows, moved_summary
    from fabric.report.terminal import summary

    with progress_of(run.quiet) as say:
        say("reading the request")
        study = _asked(run, partial(make, progress=say, **words))
        changes = study.sensitivity(say) if moved else ()
        result = document(study)
        result |= {"sensitivity": moved_rows(changes)} if moved else {}
        files = [] if run.out is None else fabric.write(study, run.out, say, changes)
    _print(run, result, partial(print_summary, *summary(study, result)), files)
    if moved and not run.as_json:
        print_summary("", *moved_summary(changes))
    if not all(row["ok"] for row in result["expected"]):
        click.echo("warning: the design does not meet every published number", err=True)


def run_front(make: Callable[..., fabric.Pareto], run: Run, words: dict[str, Any]) -> None:
    """Find a front and show it."""
    from fabric.report.files import write_front
    from fabric.report.pareto import front_document, front_summary

    with progress_of(run.quiet) as say:
        front = _asked(run, partial(make, progress=say, **words))
        say("describing every fabric of the front")
        result = front_document(front)
        files = [] if run.out is None else write_front(front, run.out)
    _print(run, result, partial(print_summary, *front_summary(front)), files)


def run_cluster(make: Callable[..., fabric.Cluster], run: Run) -> None:
    """Design a cluster and show it, each fabric's files in a folder of its name."""
    from fabric.report.files import write_cluster
    from fabric.report.multi_fabric import cluster_document, cluster_summary

    with progress_of(run.quiet) as say:
        cluster = _asked(run, partial(make, progress=say))
        result = cluster_document(cluster)
        files = [] if run.out is None else write_cluster(cluster, run.out, say)
    _print(run, result, partial(print_summary, *cluster_summary(cluster)), files)


def run_workload(
    make: Callable[..., fabric.Study],
    workloads: list[Any],
    sizes: tuple[int, ...],
    jobs: str | None,
    run: Run,
) -> None:
    """Design a fabric, put each workload on it, and the jobs of a file together, and show what they get."""
    from fabric.flow import answer
    from fabric.report import collectives
    from fabric.report.files import write_run
    from fabric.request.jobs import read_jobs

    with progress_of(run.quiet) as say:
        file = None if jobs is None else read_jobs(jobs)
        study = _asked(run, partial(make, progress=say))
        found = []
        for work in workloads:
            say(f"{work.routing.name} routing, {work.explicit}")
            beside = () if file is None else _beside(study, work, file, str(jobs))
            found.append(collectives.Run(work, *answer(study.blueprint, work, sizes), beside))
        result = collectives.run_document(study, found)
        files = [] if run.out is None else write_run(study, found, result, run.out)
    _print(run, result, partial(print_summary, *collectives.run_summary(study, found)), files)


def _beside(study: fabric.Study, work: Workload, file: JobFile, name: str) -> tuple[Interference, ...]:
    """Return what each job of a file gets under the routing and failures of a workload; a mistake names the file."""
    from fabric.flow import Job, fail, interference

    listed = [Job(**job.model_dump()) for job in file.jobs]
    up = fail(study.blueprint, work.failures, work.seed) if work.failures else None
    try:
        return interference(study.blueprint, listed, work.routing, up, spread=file.spread, seed=work.seed)
    except fabric.InputError as error:
        raise fabric.InputError(f"{name}: {error}") from None


def run_scale(make: Callable[..., Any], run: Run) -> None:
    """Design at every size and show the curves."""
    from fabric.report.files import write_scaling
    from fabric.report.scaling import scale_document, scale_summary

    with progress_of(run.quiet) as say:
        scaling = _asked(run, partial(make, progress=say))
        files = [] if run.out is None else write_scaling(scaling, run.out)
    _print(run, scale_document(scaling), partial(print_summary, *scale_summary(scaling)), files)


def run_table(source: str, run: Run) -> None:
    """Hold a table of published fabrics against designs and show it; exit with 1 when a cell differs unexplained."""
    from fabric.report.published import published_document, published_summary
    from fabric.studies.published_tables import hold

    with progress_of(run.quiet) as say:
        holding = hold(source, progress=say)
    _print(run, published_document(holding), partial(print_summary, *published_summary(holding)), [])
    if holding.count("differs"):
        sys.exit(1)


def run_page(requests: Sequence[str], file: str | None, quiet: bool, words: dict[str, Any], *, front: bool) -> None:
    """Design every request and write one page on them."""
    from fabric.report.comparison import design_each
    from fabric.report.page import check_name, write_page

    if file is not None:
        check_name(file)
    with progress_of(quiet) as say:
        studies = design_each(requests, progress=say, **words)
        command = shlex.join(["fabric", *sys.argv[1:]])
        plain = re.sub(r"[^\w.-]+", "-", studies[0].spec.name)
        name = f"{plain}.html" if file is None else file
        names = [study.spec.name for study in studies]
        names = names if len(set(names)) == len(names) else list(requests)
        written = write_page(studies, name, command, names=names, front=front, progress=say)
    click.echo(f"wrote {written}")


def _asked(run: Run, make: Callable[[], Result]) -> Result:
    """Return what was asked for; that there is none is an answer too, which `--json` prints."""
    from fabric.report.design_json import infeasible_document

    try:
        return make()
    except fabric.Infeasible as answer:
        if run.as_json:
            print_json(infeasible_document(answer))
        raise


def _print(run: Run, result: dict[str, Any], show: Callable[[], None], files: list[Path]) -> None:
    """Print a result as JSON or as `show` does, and name the files written."""
    if run.as_json:
        print_json(result)
    else:
        show()
    for file in files:
        click.echo(f"wrote {file}", err=run.as_json)
