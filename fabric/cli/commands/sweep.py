"""The command `sweep`: many designs at once, on all cores or on a cluster of machines."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from fabric.cli.options import refuse_input_as_output
from fabric.cli.terminal import print_json, print_summary, show_progress

__all__ = ["sweep"]


FILES = ("sweep.parquet", "sweep.csv", "request.yaml")


@click.command(short_help="Design and measure many requests at once.")
@click.argument("file", type=click.Path())
@click.option(
    "--out",
    "-o",
    type=click.Path(file_okay=False),
    help="Write sweep.parquet, sweep.csv and the chunks to this folder; continue the sweep that is there.",
)
@click.option("--jobs", "-j", type=click.IntRange(1), help="Processes on this machine.  [default: one for each core]")
@click.option("--scheduler", metavar="ADDRESS", help="Compute on the workers of this Dask scheduler: tcp://HOST:8786.")
@click.option(
    "--core-hours",
    "most_core_hours",
    type=click.FloatRange(0, min_open=True),
    default=24.0,
    show_default=True,
    help="Refuse a sweep of more estimated work than this.",
)
@click.option(
    "--pareto",
    metavar="COLUMNS",
    help="Mark the Pareto front over these columns, max: before those to maximise: cost_usd,max:bisection_gbps.",
)
@click.option("--pareto-by", metavar="COLUMNS", help="A front for each value of these columns, such as gpus.")
@click.option("--plan", "plan_only", is_flag=True, help="Validate the sweep, print its size and work, and stop.")
@click.option("--json", "as_json", is_flag=True, help="Print the rows as JSON.")
@click.option("--quiet", "-q", "silent", is_flag=True, help="Show no progress.")
@click.pass_obj
def sweep(quiet: bool, /, file: str, plan_only: bool, as_json: bool, silent: bool, **run: Any) -> None:
    """Design every point of the sweep in FILE, and write what is measured as one table.

    FILE has a base request, what is varied (grid, list), and the measures (see `fabric list measures` and
    docs/sweeps.md). A run that was stopped continues where it was: the same command computes only what is missing.
    """
    from fabric.report.sweep import summarize_sweep
    from fabric.sweeps import make_plan, read_sweep, run_plan
    from fabric.sweeps.sweep import describe_plan

    out = run["out"]
    if out is None and not plan_only and not as_json:
        raise click.UsageError("Give a folder for the results, such as -o out/; or --plan, or --json.")
    refuse_input_as_output(out, file)
    with show_progress(quiet or silent) as say:
        plan = make_plan(_choose_shown(read_sweep(file), run), say)
        if plan_only:
            click.echo(describe_plan(plan))
            return
        click.echo(describe_plan(plan), err=True)
        table = run_plan(plan, progress=say, **run)
    if as_json:
        print_json(table.to_dict())
    else:
        print_summary(summarize_sweep(table))
    for name in FILES if out is not None else ():
        click.echo(f"wrote {Path(out) / name}", err=as_json)


def _choose_shown(sweep: Any, run: dict[str, Any]) -> Any:
    """Return a sweep with what the options show of it, which are taken out of `run`."""
    from fabric.sweeps.front import read_front

    pareto, by = run.pop("pareto"), run.pop("pareto_by")
    if by is not None and pareto is None:
        raise click.UsageError("--pareto-by splits the front of --pareto; give both.")
    return sweep if pareto is None else replace(sweep, front=read_front({"columns": pareto, "by": by or ()}))
