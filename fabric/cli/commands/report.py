"""The command `report`: one design, or several side by side, as one HTML page."""

from __future__ import annotations

from typing import Any

import click

from fabric.cli.options import REQUESTS, overrides, request_words, spare
from fabric.cli.runs import run_page

__all__ = ["report"]


@click.command()
@REQUESTS
@click.option(
    "--out", "-o", "output", metavar="FILE", help="The page to write, by default NAME.html of the first request."
)
@click.option("--front/--no-front", default=True, help="Compute the front of cost, hops and time, of one design.")
@request_words
@click.pass_obj
def report(quiet: bool, /, requests: tuple[str, ...], output: str | None, front: bool, **words: Any) -> None:
    """Write one HTML page on REQUEST, or on several side by side, that opens offline.

    It holds the request, the choice and why, the bill, hops, curves with values on hover, and a fabric that opens down
    to the ports of a switch.
    """
    if not requests:
        raise click.UsageError("Give one request or more.")
    spare(output, *requests, words["prices"])
    run_page(requests, output, words.pop("silent") or quiet, overrides(words), front=front)
