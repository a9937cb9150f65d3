"""The commands that size a fabric: `design`, `optimize`, `cluster` and `check`."""

from __future__ import annotations

import sys
from functools import partial
from typing import Any

import click

import fabric
from fabric import units
from fabric.cli.options import AS_JSON, OUT, REQUEST, YEARS, override_options, price_options, read_overrides
from fabric.cli.record_name import record_option
from fabric.cli.runs import (
    RunOptions,
    make_or_explain,
    print_result,
    run_cluster,
    run_front,
    run_study,
    write_design_files,
)
from fabric.cli.terminal import show_progress

__all__ = ["check", "cluster", "design", "optimize"]

OBJECTIVES = "fabric.optimizer.objectives:OBJECTIVES"


@click.command(short_help="Size, cost, draw and estimate a fabric.")
@REQUEST
@OUT
@AS_JSON
@override_options
@click.pass_obj
def design(quiet: bool, /, request: str, out: str | None, as_json: bool, **words: Any) -> None:
    """Size, cost, draw and estimate the fabric of REQUEST."""
    options = RunOptions(quiet or words.pop("silent"), out, as_json)
    run_study(partial(fabric.design, request), options, read_overrides(words))


@click.command(short_help="Optimise for objectives, or compute the Pareto front.")
@REQUEST
@record_option(
    "--objective",
    registry=OBJECTIVES,
    several=True,
    checked=False,
    metavar="NAMES",
    help="What to minimise, in order of importance (cost,hops) or weighted (cost=1,hops=50000), of {names}."
    " Times and mean hops cannot be weighted.  [default: cost]",
)
@click.option("--sensitivity", is_flag=True, help="Report how far each price can move before the choice changes.")
@record_option(
    "--pareto",
    registry=OBJECTIVES,
    several=True,
    checked=False,
    metavar="NAMES",
    help="Compute the Pareto front over these objectives, such as cost,hops,allreduce.",
)
@click.option(
    "--size", metavar="SIZE", default="1GiB", show_default=True, help="Message size for the allreduce objective."
)
@record_option(
    "--routing",
    registry="fabric.flow.routings:ROUTINGS",
    only=lambda routing: routing.closed_form,
    metavar="NAME",
    default="adaptive",
    show_default=True,
    help="Routing for the allreduce objective, and of --train: {names}.",
)
@click.option(
    "--train",
    metavar="FILE",
    help="Keep a training step within --slowdown: a file of a model with its `parallel` and `batch`.",
)
@click.option(
    "--slowdown",
    metavar="SHARE",
    help="With --train: the most by which the step may be longer than at full bandwidth, such as 2% or 0.02.  "
    "[default: 2%]",
)
@YEARS
@OUT
@AS_JSON
@override_options
@click.pass_obj
def optimize(quiet: bool, /, request: str, out: str | None, as_json: bool, **words: Any) -> None:
    """Optimise the fabric of REQUEST for the given objectives, or compute the Pareto front."""
    objective, names, sensitivity = words.pop("objective"), words.pop("pareto"), words.pop("sensitivity")
    if names is not None and objective:
        raise click.UsageError("--pareto and --objective are mutually exclusive.")
    if names is not None and sensitivity:
        raise click.UsageError("--sensitivity and --pareto are mutually exclusive.")
    train, share = words.pop("train"), words.pop("slowdown")
    if share is not None and train is None:
        raise click.UsageError("--slowdown needs --train, whose step it limits.")
    slowdown = _read_share("2%" if share is None else share)
    if train is not None and (names is not None or sensitivity or objective not in (None, "cost")):
        raise click.UsageError("--train goes with --objective cost, and without --pareto and --sensitivity.")
    message = {"size_bytes": units.parse_size(words.pop("size")), "routing": words.pop("routing")}
    options, given = RunOptions(quiet or words.pop("silent"), out, as_json), read_overrides(words)
    if train is not None:
        _optimize_training(options, given, request=request, train=train, slowdown=slowdown, routing=message["routing"])
    elif names is None:
        make = partial(fabric.optimize, request, objective or "cost", **message)
        run_study(make, options, given, sensitivity=sensitivity)
    else:
        run_front(partial(fabric.pareto, request, names, **message), options, given)


def _read_share(text: str) -> float:
    """Return a share, such as 2% or 0.02; a plain number of 1 or more, which is likely in per cent, is refused."""
    try:
        share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        raise click.UsageError(f"--slowdown {text!r:.40} is not a share; write 2% or 0.02.") from None
    if share >= 1 and not text.endswith("%"):
        raise click.UsageError(f"--slowdown {text:.40} may mean {share:g}% or {share * 100:g}%; write which.")
    return share


def _optimize_training(options: RunOptions, given: dict[str, Any], *, request: str, **words: Any) -> None:
    """Show the cheapest fabric that keeps a training step within a slowdown."""
    from fabric.report.describe import describe
    from fabric.report.training_optimum import optimum_object, summarize_optimum
    from fabric.studies.training_optimum import optimize_training

    with show_progress(options.quiet) as say:
        found = make_or_explain(options.as_json, partial(optimize_training, request, progress=say, **words, **given))
        say("describing the design")
        files = write_design_files(describe(found.study), options.out, say)
        result = optimum_object(found)
    print_result(options, result, lambda: summarize_optimum(found), files)


@click.command(short_help="Design several fabrics with shared limits.")
@click.argument("file", type=click.Path())
@OUT
@AS_JSON
@price_options
@click.pass_obj
def cluster(quiet: bool, /, file: str, out: str | None, as_json: bool, **words: Any) -> None:
    """Design the fabrics of the cluster in FILE at the least total cost within their shared limits."""
    options = RunOptions(quiet or words["silent"], out, as_json)
    run_cluster(partial(fabric.cluster, file, **read_overrides(words)), options)


@click.command(short_help="Check that a request is valid, feasible and as published.")
@REQUEST
@override_options
@click.pass_obj
def check(quiet: bool, /, request: str, **words: Any) -> None:
    """Check that REQUEST is valid, feasible and as published.

    Exit codes: 0 yes, 1 infeasible or not as published, 2 bad input.
    """
    from fabric.report.describe import describe
    from fabric.report.text import name_fabric

    with show_progress(quiet or words.pop("silent")) as say:
        design = describe(fabric.design(request, progress=say, **read_overrides(words)))
    click.echo(f"{design.spec.name}: feasible, for example {name_fabric(design.blueprint)}")
    for number in design.expected:
        if not number.ok:
            published, designed = units.number(number.published), units.number(number.designed)
            click.echo(f"fabric: expected.{number.key}: published {published}, designed {designed}", err=True)
    sys.exit(0 if design.as_published else 1)
