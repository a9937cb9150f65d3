"""The runs of the command line: make a result, write its files where asked, and print it."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

import fabric
from fabric.cli.job_lists import list_jobs, read_job_file
from fabric.cli.terminal import print_json, print_summary, show_progress

if TYPE_CHECKING:
    from fabric.flow import Interference, Workload
    from fabric.report.design import Design
    from fabric.report.table import Summary
    from fabric.request.jobs import JobFile
    from fabric.studies.failures import AskedFailures
    from fabric.studies.traffic import AskedTraffic

Result = TypeVar("Result")

__all__ = [
    "RunOptions",
    "make_or_explain",
    "print_result",
    "run_cluster",
    "run_failures",
    "run_front",
    "run_page",
    "run_scale",
    "run_study",
    "run_table",
    "run_traffic",
    "run_workload",
    "write_design_files",
]


@dataclass(frozen=True)
class RunOptions:
    """How a run is shown."""

    quiet: bool
    """Whether it shows no progress."""
    out: str | None
    """The folder for its files; None for none."""
    as_json: bool
    """Whether it prints JSON instead of tables."""
    with_bounds: bool = False
    """Whether a collective is shown with the bounds on its flows, which may take longer to solve than the flows."""


def run_study(
    make: Callable[..., fabric.Study], options: RunOptions, request: dict[str, Any], *, sensitivity: bool = False
) -> None:
    """Make a study and show it; `sensitivity` adds how far each price can move before the choice changes."""
    from fabric.report.describe import describe
    from fabric.report.design_json import design_object

    with show_progress(options.quiet) as say:
        say("reading the request")
        study = make_or_explain(options.as_json, partial(make, progress=say, **request))
        changes = study.sensitivity(say) if sensitivity else None
        say("estimating all-reduces on the design")
        design = describe(study, changes)
        result = design_object(design)
        files = write_design_files(design, options.out, say)
    print_result(options, result, lambda: _summarize_design(design), files)
    if design.price_changes is not None and not options.as_json:
        from fabric.report.sensitivity import summarize_changes

        print_summary(summarize_changes(design.price_changes, design.blueprint, design.spec.currency))
    if not design.as_published:
        click.echo("warning: the design does not match every published number", err=True)


def write_design_files(design: Design, out: str | None, say: Callable[[str], None]) -> list[Path]:
    """Write the files of a design where they are asked for; without them, what draws and writes is not even loaded."""
    if out is None:
        return []
    from fabric.report.files import write_design

    return write_design(design, out, say)


def _summarize_design(design: Design) -> Summary:
    from fabric.report.terminal import summarize_design

    return summarize_design(design)


def run_front(make: Callable[..., fabric.Pareto], options: RunOptions, request: dict[str, Any]) -> None:
    """Compute a Pareto front and show it."""
    from fabric.report.files import write_front
    from fabric.report.pareto import front_object, summarize_front

    with show_progress(options.quiet) as say:
        front = make_or_explain(options.as_json, partial(make, progress=say, **request))
        say("describing every design of the front")
        result = front_object(front)
        files = [] if options.out is None else write_front(front, options.out)
    print_result(options, result, lambda: summarize_front(front), files)


def run_cluster(make: Callable[..., fabric.Cluster], options: RunOptions) -> None:
    """Design a cluster and show it, each fabric's files in a folder of its name."""
    from fabric.report.files import write_cluster
    from fabric.report.multi_fabric import cluster_object, summarize_cluster

    with show_progress(options.quiet) as say:
        cluster = make_or_explain(options.as_json, partial(make, progress=say))
        result = cluster_object(cluster)
        files = [] if options.out is None else write_cluster(cluster, options.out, say)
    print_result(options, result, lambda: summarize_cluster(cluster), files)


def run_workload(
    make: Callable[..., fabric.Study],
    workloads_of: Callable[[fabric.Study], list[Workload]],
    sizes: tuple[int, ...],
    jobs: str | None,
    options: RunOptions,
    seeds: int | None = None,
) -> None:
    """Design a fabric, run each workload on it, and the jobs of a file concurrently, and show what they get.

    Where something fails, the healthy fabric is shown beside, over a number of `seeds`.
    """
    from fabric.flow import choose_engine, estimate_impact, estimate_workload
    from fabric.report import collectives
    from fabric.report.files import write_run

    with show_progress(options.quiet) as say:
        file = None if jobs is None else read_job_file(jobs)
        study = make_or_explain(options.as_json, partial(make, progress=say))
        found = []
        for work in workloads_of(study):
            say(f"{work.routing.policy.label} routing, {choose_engine(study.blueprint, work).label}")
            jobs_run = () if file is None else _run_jobs(study, work, file, str(jobs))
            if work.failures:
                impact = estimate_impact(study.blueprint, work, sizes, seeds, say)
                answers, bounds = impact.answers, impact.bounds
            else:
                impact, (answers, bounds) = None, estimate_workload(study.blueprint, work, sizes)
            found.append(collectives.WorkloadRun(work, answers, bounds, jobs_run, impact, options.with_bounds))
        if options.with_bounds:
            say("bounding the throughput of the flows")
        result = collectives.runs_object(study, found)
        files = [] if options.out is None else write_run(study, found, result, options.out)
    print_result(options, result, lambda: collectives.summarize_runs(study, found), files)


def run_traffic(make: Callable[..., fabric.Study], asked: AskedTraffic, options: RunOptions) -> None:
    """Design a fabric, run traffic on it, and show what its flows get."""
    from fabric.report.files import write_traffic
    from fabric.report.traffic import summarize_traffic, traffic_object
    from fabric.studies import traffic

    with show_progress(options.quiet) as say:
        study = make_or_explain(options.as_json, partial(make, progress=say))
        found = traffic.run_traffic(study, asked, say)
        result = traffic_object(study, found)
        files = [] if options.out is None else write_traffic(result, options.out)
    print_result(options, result, lambda: summarize_traffic(study, found), files)


def run_failures(
    make: Callable[..., fabric.Study], asked: AskedFailures, options: RunOptions, *, as_csv: bool = False
) -> None:
    """Design a fabric, draw failures of its parts, and show what a collective keeps."""
    from fabric.report.failure_statistics import draws_csv, failures_object, summarize_failures
    from fabric.report.files import write_failures
    from fabric.studies import failures

    with show_progress(options.quiet) as say:
        study = make_or_explain(options.as_json, partial(make, progress=say))
        found = failures.run_failures(study, asked, say)
        files = [] if options.out is None else write_failures(found, options.out)
    if as_csv:
        click.echo(draws_csv(found), nl=False)
        return
    print_result(options, failures_object(found), lambda: summarize_failures(found), files)


def _run_jobs(study: fabric.Study, work: Workload, file: JobFile, name: str) -> tuple[Interference, ...]:
    """Return what each job of a file gets under the routing and failures of a workload; a mistake names the file."""
    from fabric.flow import fail, interference

    listed = list_jobs(file)
    up = fail(study.blueprint, work.failures, work.seed) if work.failures else None
    try:
        return interference(study.blueprint, listed, work.routing, up, spread=file.spread, seed=work.seed)
    except fabric.InputError as error:
        raise fabric.InputError(f"{name}: {error}") from None


def run_scale(make: Callable[..., Any], options: RunOptions) -> None:
    """Design at every size and show the curves."""
    from fabric.report.files import write_scaling
    from fabric.report.scaling import scaling_object, summarize_scaling

    with show_progress(options.quiet) as say:
        scaling = make_or_explain(options.as_json, partial(make, progress=say))
        files = [] if options.out is None else write_scaling(scaling, options.out)
    print_result(options, scaling_object(scaling), lambda: summarize_scaling(scaling), files)


def run_table(source: str, options: RunOptions) -> None:
    """Check a table of published fabrics and show it; exit with 1 when a cell differs unexplained."""
    from fabric.report.published import published_object, summarize_published
    from fabric.studies.published_tables import check_table

    with show_progress(options.quiet) as say:
        table = check_table(source, progress=say)
    print_result(options, published_object(table), lambda: summarize_published(table), [])
    if table.count("differs"):
        sys.exit(1)


def run_page(
    requests: Sequence[str],
    file: str | None,
    quiet: bool,
    overrides: dict[str, Any],
    *,
    front: bool,
    prices: str | None = None,
) -> None:
    """Design every request, or all fabrics of a cluster, and write one HTML page on them.

    `prices` is the file of the prices among the `overrides`, if any.
    """
    from fabric.report.comparison import design_each
    from fabric.report.page import check_name, write_cluster_page, write_page
    from fabric.request.cluster import is_cluster

    if file is not None:
        check_name(file)
    command = _show_command({*requests, file, prices})
    with show_progress(quiet) as say:
        if len(requests) == 1 and is_cluster(requests[0]):
            cluster = fabric.cluster(requests[0], progress=say, **overrides)
            name = _page_name(cluster.spec.name) if file is None else file
            click.echo(f"wrote {write_cluster_page(cluster, name, command, progress=say)}")
            return
        studies = design_each(requests, progress=say, **overrides)
        name = _page_name(studies[0].spec.name) if file is None else file
        names = [study.spec.name for study in studies]
        names = names if len(set(names)) == len(names) else list(requests)
        written = write_page(studies, name, command, names=names, front=front, progress=say)
    click.echo(f"wrote {written}")


def _show_command(files: Collection[str | None]) -> str:
    """Return this run's command with `files` named without their folders, so that a page is the same wherever made."""

    def shorten(word: str) -> str:
        option, equals, value = word.rpartition("=")
        return f"{option}{equals}{Path(value).name}" if value in files else word

    return shlex.join(["fabric", *map(shorten, sys.argv[1:])])


def _page_name(name: str) -> str:
    """Return the file of a page that is given none."""
    plain = re.sub(r"[^\w.-]+", "-", name)
    return f"{plain}.html"


def make_or_explain(as_json: bool, make: Callable[[], Result]) -> Result:
    """Return what `make` makes; where nothing meets the request, `--json` prints why."""
    from fabric.report.design_json import infeasible_object

    try:
        return make()
    except fabric.Infeasible as answer:
        if as_json:
            print_json(infeasible_object(answer))
        raise


def print_result(
    options: RunOptions, result: dict[str, Any], summarize: Callable[[], Summary], files: list[Path]
) -> None:
    """Print a result as JSON or its summary, and name the files written."""
    if options.as_json:
        print_json(result)
    else:
        print_summary(summarize())
    for file in files:
        click.echo(f"wrote {file}", err=options.as_json)
