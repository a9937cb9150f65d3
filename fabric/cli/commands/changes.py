"""The commands `diff` and `grow`: from one revision of a design to another, and from a design to larger ones."""

from __future__ import annotations

import sys
from functools import partial
from typing import Any

import click

import fabric
from fabric.cli.options import AS_JSON, REQUEST, override_options, read_overrides, refuse_input_as_output
from fabric.cli.runs import make_or_explain
from fabric.cli.terminal import print_json, print_summary, show_progress

__all__ = ["diff", "grow"]


@click.command(short_help="List what changes between two revisions of a design.")
@click.argument("before")
@click.argument("after")
@click.option("--out", "-o", metavar="FILE", help="Write every part, device and cable that changes to this file: .csv.")
@click.option("--exit-code", is_flag=True, help="Exit with 3 where the revisions differ.")
@AS_JSON
@override_options
@click.pass_obj
def diff(
    quiet: bool, /, before: str, after: str, out: str | None, exit_code: bool, as_json: bool, **words: Any
) -> None:
    """List what leads from BEFORE to AFTER, two requests, as a change order.

    Parts to buy and to return, devices to add, remove, replace or move, and cables to add, remove, move or relabel.
    Devices are matched by name, cables by the ports at their ends.
    """
    from fabric.report.change_order import (
        change_order_object,
        check_change_suffix,
        summarize_change_order,
        write_change_order,
    )
    from fabric.studies.change_order import make_change_order

    refuse_input_as_output(out, before, after, words["prices"])
    if out is not None:
        check_change_suffix(out)
    with show_progress(quiet or words.pop("silent")) as say:
        given = read_overrides(words)
        studies = [
            make_or_explain(as_json, partial(fabric.design, each, progress=say, **given)) for each in (before, after)
        ]
        order = make_change_order(studies[0], studies[1], say)
        file = None if out is None else write_change_order(order, out)
    if as_json:
        print_json(change_order_object(order))
    elif sys.stdout is not None:
        print_summary(summarize_change_order(order))
    if file is not None:
        click.echo(f"wrote {file}", err=as_json)
    if exit_code and order.differs:
        sys.exit(3)


@click.command(short_help="Plan growth: what to buy and which cables move.")
@REQUEST
@click.option(
    "--to", "targets", metavar="GPUS", type=click.IntRange(1), multiple=True, required=True,
    help="The GPUs of a step; repeatable, ascending.",
)  # fmt: skip
@click.option("--out", "-o", metavar="FILE", help="Write the work orders of all steps to this file: .csv.")
@AS_JSON
@override_options
@click.pass_obj
def grow(quiet: bool, /, request: str, targets: tuple[int, ...], out: str | None, as_json: bool, **words: Any) -> None:
    """Plan the growth of REQUEST, whose design was not planned for it, to larger ones of the same request.

    For each step: the parts to buy and those that become free, the cables that stay, move or are removed, and a bound
    on the fewest cable ends that must be unplugged.
    """
    from fabric.report.growth_plan import (
        check_order_suffix,
        growth_plan_object,
        summarize_growth_plan,
        write_growth_plan,
    )
    from fabric.studies.growth_plan import plan_growth

    refuse_input_as_output(out, request, words["prices"])
    if out is not None:
        check_order_suffix(out)
    with show_progress(quiet or words.pop("silent")) as say:
        steps = make_or_explain(as_json, partial(plan_growth, request, targets, say, **read_overrides(words)))
        file = None if out is None else write_growth_plan(steps, out)
    if as_json:
        print_json(growth_plan_object(steps))
    elif sys.stdout is not None:
        print_summary(summarize_growth_plan(steps))
    if file is not None:
        click.echo(f"wrote {file}", err=as_json)
