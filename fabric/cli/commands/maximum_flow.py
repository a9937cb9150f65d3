"""The command `maxflow`: the greatest flow between two groups of devices, and the cut that limits it."""

from __future__ import annotations

from functools import partial
from typing import Any

import click

import fabric
from fabric.cli.options import AS_JSON, REQUEST, override_options, read_overrides
from fabric.cli.runs import RunOptions, make_or_explain, print_result
from fabric.cli.terminal import show_progress

__all__ = ["maxflow"]


@click.command(short_help="Compute the maximum flow between two groups of devices.")
@REQUEST
@click.option(
    "--from",
    "source",
    required=True,
    metavar="REGEX",
    help=r"Devices that send: a regular expression that matches their whole names, such as 'server\[pod=0,.*'.",
)
@click.option("--to", "target", required=True, metavar="REGEX", help="Devices that receive, likewise.")
@click.option(
    "--fail",
    "failures",
    multiple=True,
    metavar="WHAT",
    help="Failures, as of `fabric allreduce`: leaf:3, link:1%, leaf[block=0], @FILE; repeatable.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Random seed of the failures.")
@override_options
@AS_JSON
@click.pass_obj
def maxflow(quiet: bool, /, request: str, as_json: bool, **words: Any) -> None:
    """Compute the greatest flow of REQUEST from one group of devices to another, over all routings, exactly.

    Reports the bandwidth and the links that limit it: a minimum cut, by bundle and direction.
    """
    from fabric.flow import draw_failures, fail, max_flow
    from fabric.report.max_flow import flow_object, summarize_flow

    groups = words.pop("source"), words.pop("target")
    failures, seed = words.pop("failures"), words.pop("seed")
    options = RunOptions(quiet or words.pop("silent"), None, as_json)
    with show_progress(options.quiet) as say:
        study = make_or_explain(as_json, partial(fabric.design, request, progress=say, **read_overrides(words)))
        failed = draw_failures(study.blueprint, failures, seed)
        say("computing the maximum flow")
        found = max_flow(study, *groups, fail(study.blueprint, failures, seed) if failures else None)
    print_result(options, flow_object(study, found, failed), lambda: summarize_flow(study, found, failed, seed), [])
