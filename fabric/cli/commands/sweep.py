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
@click.option(
    "--picture",
    "pictures",
    multiple=True,
    metavar="KIND:PARTS",
    help="Draw curves:x=gpus,y=cost_usd,colour=family,by=planes or heat:x=gpus,y=planes,value=cost_usd or bands:x=gpus"
    " (of the measure failures); repeatable.",
)
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
    from fabric.report.sweep_pictures import write_sweep_pictures
    from fabric.sweeps import make_plan, read_sweep, run_plan
    from fabric.sweeps.sweep import describe_plan, plan_object

    out = run["out"]
    if out is None and not plan_only and not as_json:
        raise click.UsageError("Give a folder for the results, such as -o out/; or --plan, or --json.")
    refuse_input_as_output(out, file)
    with show_progress(quiet or silent) as say:
        plan = make_plan(_choose_shown(read_sweep(file), run), say)
        if plan_only:
            if as_json:
                print_json(plan_object(plan))
            else:
                click.echo(describe_plan(plan))
            return
    if not silent:
        click.echo(describe_plan(plan), err=True)
    with show_progress(quiet or silent) as say:
        table = run_plan(plan, progress=say, **run)
        files = [Path(out) / name for name in FILES] if out is not None else []
        if out is not None and plan.sweep.pictures:
            say("drawing pictures")
            files += write_sweep_pictures(table, plan.sweep.pictures, out)
    if as_json:
        print_json(table.to_dict())
    else:
        print_summary(summarize_sweep(table))
    for path in files:
        click.echo(f"wrote {path}", err=as_json)


def _choose_shown(sweep: Any, run: dict[str, Any]) -> Any:
    """Return a sweep with what the options show of it, which are taken out of `run`."""
    from fabric.sweeps.front import read_front
    from fabric.sweeps.picture import read_pictures

    pictures = run.pop("pictures")
    if pictures and run["out"] is None:
        raise click.UsageError("--picture writes files; give a folder for them, such as -o out/.")
    if pictures:
        sweep = replace(sweep, pictures=read_pictures(list(pictures)))
    pareto, by = run.pop("pareto"), run.pop("pareto_by")
    if by is not None and pareto is None:
        raise click.UsageError("--pareto-by splits the front of --pareto; give both.")
    return sweep if pareto is None else replace(sweep, front=read_front({"columns": pareto, "by": by or ()}))
