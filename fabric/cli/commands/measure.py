"""The commands that take measured runs: `calibrate` fits the model to them, and `accept` holds them to a design."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import fabric
from fabric.cli.options import AS_JSON, CALIBRATION, REQUEST, read_calibration_option, refuse_input_as_output
from fabric.cli.record_name import record_option
from fabric.cli.runs import make_or_explain
from fabric.cli.terminal import print_json, print_summary, show_progress

if TYPE_CHECKING:
    from fabric.studies.nccl_logs import LogRun

__all__ = ["accept", "calibrate"]

NOT_ACCEPTED = 3
"""The exit code of `accept` where a run is slower than expected."""

COLLECTIVE = record_option(
    "--collective",
    registry="fabric.flow.collectives:COLLECTIVES",
    metavar="NAME",
    help="Collective of runs whose log does not name it: {names}.",
)
LOG = click.Path(dir_okay=False)


@click.command(short_help="Fit the time model to logs of nccl-tests.")
@click.argument("logs", metavar="LOG...", nargs=-1, required=True, type=LOG)
@click.option("-o", "--output", metavar="FILE", help="Write the calibration to this YAML file, and its plot beside it.")
@record_option(
    "--server",
    registry="fabric.catalog:servers",
    metavar="NAME",
    help="Server of the runs, a name of `fabric list servers`.  [default: by the GPUs of the log]",
)
@COLLECTIVE
@AS_JSON
@click.option("--quiet", "-q", "silent", is_flag=True, help="Show no progress.")
@click.pass_obj
def calibrate(quiet: bool, /, logs: tuple[str, ...], as_json: bool, silent: bool, **words: Any) -> None:
    """Fit the constants of the time model that the runs in LOG settle: output of nccl-tests or rccl-tests.

    The file that -o writes serves every estimate: as --calibration of other commands, or as the key `calibration`.
    """
    from fabric.report.calibration import (
        calibration_object,
        check_calibration_name,
        summarize_calibration,
        write_calibration,
    )  # fmt: skip
    from fabric.studies.calibration import calibrate as fit_runs
    from fabric.studies.measured_runs import run_of, server_of

    output, server = words["output"], words["server"]
    refuse_input_as_output(output, *logs)
    if output is not None:
        check_calibration_name(output)  # before a fit, which takes long
    with show_progress(quiet or silent) as say:
        say("reading the logs")
        found = [run for log in logs for run in _read(log, words["collective"])]
        say("fitting")
        result = fit_runs([run_of(run, server_of(run, server)) for run in found])
        files = [] if output is None else write_calibration(result, output)
    if as_json:
        print_json(calibration_object(result))
    else:
        print_summary(summarize_calibration(result))
    for file in files:
        click.echo(f"wrote {file}", err=as_json)


@click.command(short_help="Compare a log of nccl-tests with what a design leads to expect.")
@REQUEST
@click.argument("log", metavar="LOG", type=LOG)
@CALIBRATION
@record_option(
    "--routing",
    registry="fabric.flow.routings:ROUTINGS",
    only=lambda policy: policy.closed_form,
    metavar="NAME",
    default="adaptive",
    show_default=True,
    help="Routing of the fabric: {names}.",
)
@click.option("--within", metavar="PERCENT", help="How much longer times may be.  [default: the error to expect]")
@COLLECTIVE
@AS_JSON
@click.option("--quiet", "-q", "silent", is_flag=True, help="Show no progress.")
@click.pass_obj
def accept(quiet: bool, /, request: str, log: str, as_json: bool, silent: bool, **words: Any) -> None:
    """Compare the runs in LOG, output of nccl-tests, with the estimates of REQUEST, point by point.

    A run is accepted where nine of ten points take no longer than expected. Exit codes: 0 all are, 3 one is not.
    """
    from fabric.report.calibration import acceptance_object, summarize_acceptance
    from fabric.studies.acceptance import accept as compare_run

    share = None if (text := words["within"]) is None else _parse_percent(text)
    with show_progress(quiet or silent) as say:
        say("reading the log")
        runs = _read(log, words["collective"])
        own = read_calibration_option(words)
        study = make_or_explain(as_json, partial(fabric.design, request, progress=say, **own))
        found = [compare_run(study.blueprint, run, words["routing"], share) for run in runs]
    if as_json:
        print_json({"schema": "fabric.accept/1", "name": study.spec.name, "runs": [*map(acceptance_object, found)]})
    else:
        for each in found:
            print_summary(summarize_acceptance(study.spec.name, each))
    if not all(each.accepted for each in found):
        sys.exit(NOT_ACCEPTED)


def _read(log: str, collective: str | None) -> tuple[LogRun, ...]:
    from fabric.studies.nccl_logs import read_log

    return read_log(Path(log), collective)


def _parse_percent(text: str) -> float:
    """Return a share from a percentage: `5%` or 5."""
    try:
        share = float(text.strip().removesuffix("%")) / 100
    except ValueError:
        share = -1.0
    if not 0 < share <= 10:
        raise click.BadParameter(
            f"'{text:.40}' is not a percentage above 0, up to 1000; write for example 10%", param_hint="'--within'"
        )
    return share
