"""The command `failures`: what a collective keeps when parts fail at random."""

from __future__ import annotations

from functools import partial
from typing import Any

import click

import fabric
from fabric import units
from fabric.cli.options import AS_JSON, CALIBRATION, OUT, REQUEST, read_calibration_option
from fabric.cli.record_name import record_option
from fabric.cli.runs import RunOptions, run_failures

__all__ = ["failures"]


@click.command(short_help="Draw failures of parts, and show what a collective keeps.")
@REQUEST
@click.option(
    "--count",
    "counts",
    multiple=True,
    metavar="KIND=NUMBER",
    help="This many parts are down in every draw instead of what rates say: link=3, leaf-spine=2, leaf=1, nic=4, gpu=1,"
    " server=2, plane=1; repeatable.",
)
@click.option(
    "--rate",
    "rates",
    multiple=True,
    metavar="KIND=PER_YEAR:HOURS",
    help="Failures of one part a year, and hours until it is back: leaf=0.01:24; repeatable.  [default: the"
    " catalogue's, see `fabric list failure-rates`]",
)
@click.option("--rates", "file", metavar="FILE", help="Rates from a YAML or JSON file; --rate takes precedence.")
@click.option(
    "--draws", type=click.IntRange(1, 1_000_000), help="Number of draws.  [default: 20 to 200, fewer on large fabrics]"
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of the first draw.")
@click.option("--size", default="1GiB", show_default=True, help="Message size.")
@record_option(
    "--collective",
    registry="fabric.flow.collectives:COLLECTIVES",
    metavar="NAME",
    default="all-reduce",
    show_default=True,
    help="Collective: {names}.",
)
@click.option("--gpus", metavar="INTEGER", help="Run on this many of the GPUs.  [default: all]")
@record_option(
    "--algorithm",
    registry="fabric.flow.algorithms:ALGORITHMS",
    metavar="NAME",
    help="Algorithm: {names}.  [default: what the library chooses]",
)
@record_option(
    "--routing",
    registry="fabric.flow.routings:ROUTINGS",
    metavar="NAME",
    default="adaptive",
    show_default=True,
    help="Routing: {names}.",
)
@record_option(
    "--placement",
    registry="fabric.flow.placements:PLACEMENTS",
    metavar="NAME",
    default="random",
    show_default=True,
    help="Placement of ranks: {names}.",
)
@CALIBRATION
@OUT
@AS_JSON
@click.option("--csv", "as_csv", is_flag=True, help="Print a row for each draw as CSV.")
@click.option("--quiet", "-q", "silent", is_flag=True, help="Show no progress.")
@click.pass_obj
def failures(
    quiet: bool, /, request: str, out: str | None, as_json: bool, as_csv: bool, silent: bool, **words: Any
) -> None:
    """Draw which links, switches, NICs, GPUs and servers of REQUEST are down, many times.

    Reports what a collective keeps of its bandwidth (mean, percentiles, worst), the share of time with at least so
    much, failures and interruptions in a month, and which kind of part matters most.
    """
    from fabric.flow import Routing, Workload
    from fabric.studies.failures import AskedFailures

    if as_json and as_csv:
        raise click.UsageError("--json and --csv exclude each other.")
    gpus = None if (text := words.pop("gpus")) is None else units.parse_count(text)
    work = Workload(
        words["collective"], gpus, words["algorithm"], Routing(words["routing"]), words["placement"],
    )  # fmt: skip
    asked = AskedFailures(
        _read_rates(words["file"], words["rates"]),
        dict(map(_parse_count, words["counts"])),
        words["draws"],
        units.parse_size(words["size"]),
        work,
        words["seed"],
    )
    make = partial(fabric.design, request, **read_calibration_option(words))
    run_failures(make, asked, RunOptions(quiet or silent, out, as_json), as_csv=as_csv)


def _read_rates(file: str | None, given: tuple[str, ...]) -> dict[str, Any]:
    """Return the rates of a file, overridden by those of --rate."""
    from fabric.request.failure_rate_file import read_failure_rates

    found: dict[str, Any] = {} if file is None else dict(read_failure_rates(file))
    return {**found, **dict(map(_parse_rate, given))}


def _parse_rate(text: str) -> tuple[str, tuple[float, float]]:
    kind, _, numbers = text.partition("=")
    per_year, _, hours = numbers.partition(":")
    try:
        return kind.strip(), (float(per_year), float(hours))
    except ValueError:
        raise click.BadParameter(
            f"{text!r:.60} is not KIND=PER_YEAR:HOURS; write for example leaf=0.01:24", param_hint="'--rate'"
        ) from None


def _parse_count(text: str) -> tuple[str, int]:
    kind, _, number = (part.strip() for part in text.partition("="))
    if not (kind and number.isascii() and number.isdecimal() and len(number) <= 12):
        raise click.BadParameter(f"{text!r:.60} is not KIND=NUMBER; write for example link=3", param_hint="'--count'")
    return kind, int(number)
