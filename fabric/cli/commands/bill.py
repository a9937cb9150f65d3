"""The command `bill`: what to order for a fabric."""

from __future__ import annotations

import sys
from functools import partial
from typing import Any

import click

import fabric
from fabric.cli.options import AS_JSON, REQUEST, override_options, read_overrides, refuse_input_as_output
from fabric.cli.runs import make_or_explain
from fabric.cli.terminal import print_summary, show_progress

__all__ = ["bill"]


@click.command(short_help="List the parts to order, with their prices.")
@REQUEST
@click.option("--out", "-o", metavar="FILE", help="Write to this file: .csv, .xlsx or .json.")
@AS_JSON
@override_options
@click.pass_obj
def bill(quiet: bool, /, request: str, out: str | None, as_json: bool, **words: Any) -> None:
    """List the parts to order for the fabric of REQUEST: switches, modules, fibres, cables, with prices and spares."""
    from fabric.report.bill_summary import summarize_bill
    from fabric.report.bill_table import bill_object, check_bill_suffix
    from fabric.report.files import json_text, write_bill

    refuse_input_as_output(out, request, words["prices"])
    if out is not None:
        check_bill_suffix(out)
    with show_progress(quiet or words.pop("silent")) as say:
        make = partial(fabric.design, request, progress=say, **read_overrides(words))
        study = make_or_explain(as_json, make)
        file = None if out is None else write_bill(study, out)
    if as_json:
        click.echo(json_text(bill_object(study)), nl=False)
    elif sys.stdout is not None:
        print_summary(summarize_bill(study))
    if file is not None:
        click.echo(f"wrote {file}", err=as_json)
