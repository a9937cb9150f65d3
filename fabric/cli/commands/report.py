"""The command `report`: one design, or a comparison of several, as one HTML page."""

from __future__ import annotations

from typing import Any

import click

from fabric.cli.options import REQUESTS, override_options, read_overrides, refuse_input_as_output
from fabric.cli.runs import run_page

__all__ = ["report"]


@click.command(short_help="Write an HTML report on one design or several.")
@REQUESTS
@click.option(
    "--out", "-o", "output", metavar="FILE", help="The page to write.  [default: NAME.html of the first request]"
)
@click.option(
    "--front/--no-front",
    default=True,
    help="Compute the Pareto front over cost, hops and all-reduce time (one design only).  [default: --front]",
)
@override_options
@click.pass_obj
def report(quiet: bool, /, requests: tuple[str, ...], output: str | None, front: bool, **words: Any) -> None:
    """Write a self-contained HTML page on the design of REQUEST, or on several compared.

    It has the request, the rationale, the bill of materials, interactive curves, and a topology explorer down to the
    ports of a switch. A file of a cluster gives one page on all its fabrics.
    """
    if not requests:
        raise click.UsageError("Give at least one request.")
    prices = words["prices"]
    refuse_input_as_output(output, *requests, prices)
    run_page(requests, output, words.pop("silent") or quiet, read_overrides(words), front=front, prices=prices)
